package io.trimtab.controllers.podgc;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.trimtab.controllers.pods.SamplePods;
import java.util.List;
import org.junit.jupiter.api.Test;

class PodGarbageCollectorTest {

    @Test
    void givenTooManyEndedPods_whenChosen_thenEvictedGoFirstAndThenTheOldest() {
        Pod old = ended("old", "2026-01-01T00:00:00Z");
        Pod young = ended("young", "2026-01-01T05:00:00Z");
        Pod evicted = ended("evicted", "2026-01-01T06:00:00Z");
        evicted.getStatus().setReason("Evicted");
        List<Pod> all = List.of(young, old, evicted, SamplePods.running("alive", "n"));

        assertThat(PodGarbageCollector.terminatedBeyond(all, 1)).containsExactly(evicted, old);
        assertThat(PodGarbageCollector.terminatedBeyond(all, 3)).isEmpty();
    }

    private static Pod ended(String name, String created) {
        Pod pod = SamplePods.running(name, "n");
        pod.getStatus().setPhase("Failed");
        pod.getMetadata().setCreationTimestamp(created);
        return pod;
    }
}
