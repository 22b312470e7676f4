package io.trimtab.scheduler.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.trimtab.runtime.Driver;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.scheduler.TestCluster;
import io.trimtab.scheduler.framework.ClusterEvent;
import io.trimtab.scheduler.framework.EnqueueExtensions;
import io.trimtab.scheduler.framework.Plugin;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.PreEnqueuePlugin;
import io.trimtab.scheduler.framework.QueuedPodInfo;
import io.trimtab.scheduler.framework.RegisteredEvent;
import io.trimtab.scheduler.framework.Status;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SchedulingQueueTest {
    private static final ClusterEvent LABEL = new ClusterEvent(ClusterEvent.NODE, ClusterEvent.UPDATE_NODE_LABEL);

    private final VirtualDriver driver = VirtualDriver.create();
    private final Driver.Lane lane = driver.lane("queue");
    private final Set<String> gated = new HashSet<>();
    private SchedulingQueue queue;

    /** Waits for nodes whose name is that of the pod. */
    private static final class ByName implements Plugin, EnqueueExtensions {
        @Override
        public String name() {
            return "ByName";
        }

        @Override
        public List<RegisteredEvent> eventsToRegister() {
            return List.of(RegisteredEvent.of(
                    ClusterEvent.NODE,
                    ClusterEvent.ADD,
                    (pod, before, after) -> pod.name().equals(after)));
        }
    }

    private final class Gate implements PreEnqueuePlugin, EnqueueExtensions {
        @Override
        public String name() {
            return "Gate";
        }

        @Override
        public Status preEnqueue(PodInfo pod) {
            return gated.contains(pod.name()) ? Status.unresolvable("gated") : Status.SUCCESS;
        }

        @Override
        public List<RegisteredEvent> eventsToRegister() {
            return List.of(RegisteredEvent.of(ClusterEvent.NODE, ClusterEvent.UPDATE_NODE_LABEL));
        }
    }

    @BeforeEach
    void makeQueue() {
        Gate gate = new Gate();
        Comparator<QueuedPodInfo> sort =
                Comparator.comparing((QueuedPodInfo q) -> -q.pod().priority()).thenComparing(QueuedPodInfo::timestamp);
        queue = new SchedulingQueue(
                driver,
                lane,
                Duration.ofSeconds(1),
                Duration.ofSeconds(10),
                sort,
                Map.of(
                        "default-scheduler",
                        new SchedulingQueue.Profile(List.of(gate), WakeRules.of(List.of(gate, new ByName())))),
                () -> {});
    }

    private static PodInfo pod(String name, int priority) {
        return PodInfo.of(TestCluster.pod(name, TestCluster.priority(priority)));
    }

    private QueuedPod pop() {
        return Objects.requireNonNull(queue.pop());
    }

    private void reject(QueuedPod queued, String plugin) {
        queued.rejectors().add(plugin);
        queue.giveBack(queued, queued.pod());
    }

    @Test
    void givenPodsOfSeveralPriorities_whenPopped_thenTheImportantComesFirstAndThenTheOlder() {
        queue.add(pod("low", 1));
        queue.add(pod("high", 9));
        driver.advance(Duration.ofMillis(1));
        queue.add(pod("younger", 9));
        assertThat(List.of(pop(), pop(), pop()))
                .extracting(q -> q.pod().name())
                .containsExactly("high", "younger", "low");
        assertThat(queue.pop()).isNull();
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "2, 2", "3, 4", "4, 8", "5, 10", "6, 10"})
    void givenFailures_whenThePodBacksOff_thenTheWaitDoublesUpToTheMaximum(int failures, long seconds) {
        assertThat(queue.backoffOf(failures)).isEqualTo(Duration.ofSeconds(seconds));
    }

    @Test
    void givenARejectedPod_whenAnEventHappensThatDoesNotHelp_thenItStaysParked() {
        queue.add(pod("a", 0));
        reject(pop(), "ByName");
        queue.happened(ClusterEvent.NODE_ADD, null, "b");
        queue.happened(ClusterEvent.NODE_DELETE, "a", null);
        assertThat(queue.unschedulableCount()).isEqualTo(1);
        assertThat(queue.pop()).isNull();
    }

    @Test
    void givenARejectedPod_whenTheEventHelps_thenItIsPoppedFromBackoffIfNothingElseWaits() {
        queue.add(pod("a", 0));
        reject(pop(), "ByName");
        queue.happened(ClusterEvent.NODE_ADD, null, "a");
        assertThat(queue.activeCount()).isZero();
        assertThat(queue.backoffCount()).isEqualTo(1);
        assertThat(pop().attempts()).isEqualTo(2);
    }

    @Test
    void givenAnErrorInsteadOfARejection_whenNothingElseWaits_thenTheBackoffIsServed() {
        queue.add(pod("a", 0));
        QueuedPod queued = pop();
        queue.giveBack(queued, queued.pod());
        assertThat(queue.pop()).isNull();
        driver.advance(Duration.ofSeconds(2));
        assertThat(queue.activeCount()).isEqualTo(1);
    }

    @Test
    void givenAPodInFlight_whenTheEventHappensThatHelps_thenItIsNotLost() {
        queue.add(pod("a", 0));
        QueuedPod queued = pop();
        queue.happened(ClusterEvent.NODE_ADD, null, "a");
        reject(queued, "ByName");
        assertThat(queue.unschedulableCount()).isZero();
        assertThat(queue.pop()).isNotNull();
    }

    @Test
    void givenAPluginThatIsPending_whenItsEventComes_thenThereIsNoBackoff() {
        queue.add(pod("a", 0));
        QueuedPod queued = pop();
        queued.pending().add("ByName");
        reject(queued, "ByName");
        queue.happened(ClusterEvent.NODE_ADD, null, "a");
        assertThat(queue.activeCount()).isEqualTo(1);
    }

    @Test
    void givenAClosedGate_whenThePodIsAdded_thenItWaitsUntilTheGatesOwnEvent() {
        gated.add("a");
        queue.add(pod("a", 0));
        assertThat(queue.gatedCount()).isEqualTo(1);
        queue.happened(ClusterEvent.NODE_ADD, null, "a");
        assertThat(queue.pop()).isNull();
        gated.clear();
        queue.happened(ClusterEvent.NODE_ADD, null, "a");
        assertThat(queue.pop()).isNull();
        queue.happened(LABEL, "x", "y");
        assertThat(queue.pop()).isNotNull();
    }

    @Test
    void givenAParkedPod_whenFiveMinutesPass_thenItIsTriedAgain() {
        queue.add(pod("a", 0));
        reject(pop(), "ByName");
        driver.advance(Duration.ofMinutes(4));
        assertThat(queue.activeCount()).isZero();
        driver.advance(Duration.ofSeconds(91));
        assertThat(queue.activeCount()).isEqualTo(1);
    }

    @Test
    void givenAParkedPod_whenActivatedByName_thenItIsTriedAtOnce() {
        queue.add(pod("a", 0));
        reject(pop(), "ByName");
        queue.activate(List.of("default/a"));
        assertThat(queue.activeCount()).isEqualTo(1);
    }

    @Test
    void givenAWaitingPod_whenItIsDeleted_thenNothingIsLeftOfIt() {
        queue.add(pod("a", 0));
        queue.delete(pod("a", 0));
        assertThat(queue.pop()).isNull();
        assertThat(queue.find(pod("a", 0))).isNull();
    }

    @Test
    void givenANomination_whenTheStatusIsSilent_thenItIsKeptUntilTakenBack() {
        PodInfo pod = pod("a", 0);
        queue.nominations().add(pod, "n");
        queue.nominations().update(pod, pod("a", 0));
        assertThat(queue.nominations().to("n")).hasSize(1);
        queue.nominations().add(pod, "");
        assertThat(queue.nominations().to("n")).isEmpty();
    }
}
