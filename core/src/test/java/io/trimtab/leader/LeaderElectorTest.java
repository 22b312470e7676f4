package io.trimtab.leader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.trimtab.client.ApiException;
import io.trimtab.client.MemoryClient;
import io.trimtab.client.ResourceType;
import io.trimtab.runtime.VirtualDriver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LeaderElectorTest {
    private static final ResourceType<Lease> LEASES = ResourceType.of(Lease.class);

    private final VirtualDriver driver = VirtualDriver.create();
    private final MemoryClient server = new MemoryClient();
    private final List<String> heard = new ArrayList<>();

    @AfterEach
    void noStepFailed() {
        assertThat(driver.failures()).isEmpty();
    }

    private LeaderElector candidate(String name, MemoryClient client) {
        return new LeaderElector(
                driver,
                client,
                LeaderElectionConfig.of("kube-system", "manager", name),
                new LeaderCallbacks() {
                    @Override
                    public void onStartedLeading() {
                        heard.add(name + " leads");
                    }

                    @Override
                    public void onStoppedLeading() {
                        heard.add(name + " stopped");
                    }
                },
                null);
    }

    private Lease lease() {
        return server.all(LEASES).get(0);
    }

    @Test
    void givenNoLease_whenStarted_thenItIsCreatedAndRenewedEveryTwoSeconds() {
        LeaderElector a = candidate("a", server);

        a.start();
        driver.settle();

        assertThat(a.isLeader()).isTrue();
        assertThat(a.leader()).isEqualTo("a");
        assertThat(heard).containsExactly("a leads");
        assertThat(lease().getSpec().getLeaseDurationSeconds()).isEqualTo(15);
        assertThat(lease().getSpec().getLeaseTransitions()).isZero();
        server.calls.clear();
        driver.advance(Duration.ofSeconds(20));
        assertThat(server.calls).hasSize(10).allMatch(c -> c.startsWith("update"));
        assertThat(lease().getSpec().getRenewTime().toInstant()).isEqualTo(driver.now());
        assertThat(lease().getSpec().getAcquireTime().toInstant()).isEqualTo(VirtualDriver.DEFAULT_START);
    }

    @Test
    void givenALeaderWithoutAnswers_whenItsDeadlineHasPassed_thenItStopsLeading() {
        LeaderElector a = candidate("a", server);
        a.start();
        driver.settle();
        ApiException[] failures = new ApiException[20];
        Arrays.setAll(failures, i -> MemoryClient.noAnswer());
        server.failNext(failures);

        driver.advance(Duration.ofMillis(11_999)); // the first renewal that fails is that of second 2
        assertThat(a.isLeader()).isTrue();
        driver.advance(Duration.ofMillis(1));

        assertThat(a.isLeader()).isFalse();
        assertThat(heard).containsExactly("a leads", "a stopped");
    }

    @Test
    void givenALeaderThatRenews_whenAnotherRuns_thenItWaits() {
        LeaderElector a = candidate("a", server);
        LeaderElector b = candidate("b", server);
        a.start();
        driver.settle();
        b.start();

        driver.advance(Duration.ofMinutes(5));

        assertThat(b.isLeader()).isFalse();
        assertThat(b.leader()).isEqualTo("a");
        assertThat(heard).containsExactly("a leads");
    }

    @Test
    void givenAStoppedLeader_whenItReleases_thenAnotherTakesOverSoon() {
        LeaderElector a = candidate("a", server);
        LeaderElector b = candidate("b", server);
        a.start();
        driver.settle();
        b.start();
        driver.advance(Duration.ofSeconds(5));

        var stopped = a.stop();
        driver.settle();
        assertThat(stopped).isCompleted();
        assertThat(lease().getSpec().getHolderIdentity()).isEmpty();
        assertThat(lease().getSpec().getLeaseDurationSeconds()).isEqualTo(1);
        driver.advance(Duration.ofMillis(4400));

        assertThat(b.isLeader()).isTrue();
        assertThat(heard).containsExactly("a leads", "a stopped", "b leads");
        assertThat(lease().getSpec().getLeaseTransitions()).isEqualTo(1);
        assertThat(a.isLeader()).isFalse();
    }

    @Test
    void givenALeaderThatCrashed_whenFifteenSecondsPassWithoutRenewal_thenTheOtherLeads() {
        VirtualDriver crashed = VirtualDriver.create();
        LeaderElector a = new LeaderElector(
                crashed,
                server,
                LeaderElectionConfig.of("kube-system", "manager", "a"),
                new LeaderCallbacks() {
                    @Override
                    public void onStartedLeading() {}

                    @Override
                    public void onStoppedLeading() {}
                },
                null);
        a.start();
        crashed.settle(); // and never again
        LeaderElector b = candidate("b", server);
        b.start();

        driver.advance(Duration.ofSeconds(14));
        assertThat(b.isLeader()).isFalse();
        driver.advance(Duration.ofMillis(5400));

        assertThat(b.isLeader()).isTrue();
        assertThat(lease().getSpec().getHolderIdentity()).isEqualTo("b");
        assertThat(lease().getSpec().getLeaseTransitions()).isEqualTo(1);
    }

    @Test
    void givenALeaderThatLost_whenStartedAgain_thenItMayLeadAgain() {
        LeaderElector a = candidate("a", server);
        a.start();
        driver.settle();
        a.stop();
        driver.settle();

        a.start();
        driver.advance(Duration.ofSeconds(5));

        assertThat(heard).containsExactly("a leads", "a stopped", "a leads");
    }

    @Test
    void givenALeader_whenClosed_thenTheLeaseIsGivenUpWhenCloseReturns() {
        LeaderElector a = candidate("a", server);
        a.start();
        driver.settle();

        a.close();

        assertThat(lease().getSpec().getHolderIdentity()).isEmpty();
        driver.settle();
        assertThat(heard).containsExactly("a leads", "a stopped");
    }

    @Test
    void givenNumbersThatCannotWork_whenConfigured_thenTheyAreRefused() {
        assertThatThrownBy(() -> new LeaderElectionConfig(
                        "n", "l", "i", Duration.ofSeconds(10), Duration.ofSeconds(10), Duration.ofSeconds(2), true))
                .hasMessage("leaseDuration must be greater than renewDeadline");
        assertThatThrownBy(() -> new LeaderElectionConfig(
                        "n", "l", "i", Duration.ofSeconds(15), Duration.ofSeconds(2), Duration.ofSeconds(2), true))
                .hasMessage("renewDeadline must be greater than retryPeriod*JitterFactor");
    }
}
