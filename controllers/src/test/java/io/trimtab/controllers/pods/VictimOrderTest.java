package io.trimtab.controllers.pods;

import static io.trimtab.controllers.pods.SamplePods.NOW;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ContainerStatusBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VictimOrderTest {

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void givenPodsOfEveryRank_whenSorted_thenTheLeastMissedComeFirst(long seed) {
        List<Pod> ranked = List.of(
                SamplePods.pending("unassigned-pending"),
                assignedPending(),
                phase(SamplePods.running("unknown", "quiet"), "Unknown"),
                SamplePods.running("not-ready", "quiet"),
                cost(ready("cheap", "quiet", Duration.ofHours(1), 0, Duration.ofHours(1)), -10),
                ready("crowded", "busy", Duration.ofHours(1), 0, Duration.ofHours(1)),
                ready("young", "quiet", Duration.ofMinutes(1), 0, Duration.ofHours(1)),
                ready("restarted", "quiet", Duration.ofHours(1), 5, Duration.ofHours(1)),
                ready("steady", "quiet", Duration.ofHours(1), 0, Duration.ofHours(1)),
                ready("old", "quiet", Duration.ofHours(1), 0, Duration.ofHours(10)),
                cost(ready("dear", "quiet", Duration.ofHours(1), 0, Duration.ofHours(1)), 100));
        List<Pod> shuffled = new ArrayList<>(ranked);
        Collections.shuffle(shuffled, new Random(seed));

        shuffled.sort(new VictimOrder(pod -> "busy".equals(Pods.nodeName(pod)) ? 3 : 1, NOW));

        assertThat(shuffled)
                .extracting(pod -> pod.getMetadata().getName())
                .containsExactlyElementsOf(
                        ranked.stream().map(pod -> pod.getMetadata().getName()).toList());
    }

    private static Pod assignedPending() {
        return phase(SamplePods.running("assigned-pending", "quiet"), "Pending");
    }

    private static Pod phase(Pod pod, String phase) {
        pod.getStatus().setPhase(phase);
        return pod;
    }

    private static Pod cost(Pod pod, int cost) {
        pod.getMetadata().setAnnotations(Map.of("controller.kubernetes.io/pod-deletion-cost", String.valueOf(cost)));
        return pod;
    }

    private static Pod ready(String name, String node, Duration readyFor, int restarts, Duration age) {
        Pod pod = SamplePods.running(name, node);
        SamplePods.setReady(pod, true, NOW.minus(readyFor));
        pod.getMetadata().setCreationTimestamp(NOW.minus(age).toString());
        pod.getStatus()
                .setContainerStatuses(List.of(new ContainerStatusBuilder()
                        .withName("c")
                        .withRestartCount(restarts)
                        .build()));
        return pod;
    }
}
