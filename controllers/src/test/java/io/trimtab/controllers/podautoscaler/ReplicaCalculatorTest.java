package io.trimtab.controllers.podautoscaler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.trimtab.controllers.podautoscaler.ReplicaCalculator.Proposal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReplicaCalculatorTest {
    private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");

    private final List<Pod> pods = new ArrayList<>();
    private final Map<String, Sample> samples = new HashMap<>();

    /** A pod that requests a whole processor and has been ready for an hour. */
    private Pod pod(String phase, boolean ready) {
        return new PodBuilder()
                .withNewMetadata()
                .withName("pod-" + pods.size())
                .endMetadata()
                .withNewSpec()
                .addNewContainer()
                .withName("app")
                .withNewResources()
                .addToRequests("cpu", new Quantity("1"))
                .endResources()
                .endContainer()
                .endSpec()
                .withNewStatus()
                .withPhase(phase)
                .withStartTime(NOW.minus(Duration.ofHours(1)).toString())
                .addNewCondition()
                .withType("Ready")
                .withStatus(ready ? "True" : "False")
                .withLastTransitionTime(NOW.minus(Duration.ofHours(1)).toString())
                .endCondition()
                .endStatus()
                .build();
    }

    private void ready(long... milli) {
        for (long used : milli) {
            Pod pod = pod("Running", true);
            pods.add(pod);
            samples.put(pod.getMetadata().getName(), new Sample(used, NOW, Duration.ofMinutes(1)));
        }
    }

    private void unmeasured(int count) {
        for (int i = 0; i < count; i++) {
            pods.add(pod("Running", true));
        }
    }

    private void pending(int count) {
        for (int i = 0; i < count; i++) {
            pods.add(pod("Pending", false));
        }
    }

    private Proposal cpu(int percent) {
        return ReplicaCalculator.byUtilization(pods.size(), percent, "cpu", null, pods, samples, NOW);
    }

    @Test
    void givenPodsAboveTarget_whenComputed_thenTheReadyOnesGrowByTheRatio() {
        ready(300, 500, 700);
        assertThat(cpu(30)).isEqualTo(new Proposal(5, 500, 50));
    }

    @Test
    void givenPodsBelowTarget_whenComputed_thenTheyShrinkByTheRatio() {
        ready(100, 300, 500, 250, 250);
        assertThat(cpu(50)).isEqualTo(new Proposal(3, 280, 28));
    }

    @Test
    void givenARatioWithinATenth_whenComputed_thenNothingChanges() {
        ready(1010, 1030, 1020);
        assertThat(cpu(100).replicas()).isEqualTo(3);
    }

    @Test
    void givenUnmeasuredPods_whenTheOthersAskForMore_thenTheyCountAsIdle() {
        ready(1000);
        unmeasured(1);
        assertThat(cpu(20).replicas()).isEqualTo(5); // 1000m of 2 requested: 50 % of 20 % is 2.5 times two
    }

    @Test
    void givenUnmeasuredPods_whenTheOthersAskForFewer_thenTheyCountAsBusy() {
        ready(100, 100, 100);
        unmeasured(1);
        assertThat(cpu(50).replicas()).isEqualTo(3); // (300m + 1000m) of 4 is 32 %
    }

    @Test
    void givenUnmeasuredPods_whenTheyWouldTurnTheDirection_thenNothingChanges() {
        ready(450);
        unmeasured(3);
        assertThat(cpu(50).replicas()).isEqualTo(4);
    }

    @Test
    void givenPendingPods_whenTheOthersAskForMore_thenTheyCountAsIdle() {
        ready(300, 500, 700);
        pending(2);
        assertThat(cpu(30).replicas()).isEqualTo(5);
    }

    @Test
    void givenPendingPods_whenTheOthersAskForFewer_thenTheyDoNotCount() {
        ready(100, 100);
        pending(2);
        assertThat(cpu(50).replicas()).isEqualTo(1);
    }

    @Test
    void givenAPodThatHasJustStarted_whenItIsUnready_thenItsProcessorTimeDoesNotCount() {
        ready(500, 500);
        Pod fresh = pods.get(1);
        fresh.getStatus().setStartTime(NOW.minusSeconds(60).toString());
        fresh.getStatus().getConditions().get(0).setStatus("False");
        assertThat(cpu(25).replicas()).isEqualTo(2); // 500m of 2 requested is the target
        assertThat(ReplicaCalculator.byAverage(2, 250, false, pods, samples, NOW)
                        .replicas())
                .as("of other metrics it counts")
                .isEqualTo(4);
    }

    @Test
    void givenDeletingAndFailedPods_whenComputed_thenTheyDoNotExist() {
        ready(900, 900, 100);
        pods.get(0).getMetadata().setDeletionTimestamp(NOW.toString());
        pods.get(1).getStatus().setPhase("Failed");
        assertThat(cpu(50).used()).isEqualTo(100);
    }

    @Test
    void givenOnlyPodsThatTellNothing_whenComputed_thenItSaysWhy() {
        pending(2);
        assertThatThrownBy(() -> cpu(50))
                .isInstanceOf(MetricsException.class)
                .hasMessage("did not receive metrics for targeted pods (pods might be unready)");
    }

    @Test
    void givenAContainerWithoutRequest_whenAPercentageIsWanted_thenItNamesTheContainer() {
        ready(100);
        pods.get(0).getSpec().getContainers().get(0).getResources().setRequests(Map.of());
        assertThatThrownBy(() -> cpu(50)).hasMessage("missing request for cpu in container app of Pod pod-0");
    }

    @Test
    void givenAValue_whenThereAreNoReplicas_thenTheRatioAloneDecides() {
        assertThat(ReplicaCalculator.byValue(0, 5000, 2000, pods).replicas()).isEqualTo(3);
        assertThat(ReplicaCalculator.byShare(4, 10_000, 2000)).isEqualTo(new Proposal(5, 2500, 0));
    }

    @Test
    void givenThousandths_whenWrittenAsQuantities_thenTheyAreCanonical() {
        assertThat(Amount.decimal(1500)).isEqualTo(new Quantity("1500m"));
        assertThat(Amount.decimal(2000)).isEqualTo(new Quantity("2"));
        assertThat(Amount.size(10L * 1024 * 1024 * 1000)).isEqualTo(new Quantity("10Mi"));
        assertThat(ApiMetrics.window("1m30s")).isEqualTo(Duration.ofSeconds(90));
        assertThat(ApiMetrics.window("10.5s")).isEqualTo(Duration.ofMillis(10_500));
    }
}
