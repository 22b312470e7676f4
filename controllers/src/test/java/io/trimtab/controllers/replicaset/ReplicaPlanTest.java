package io.trimtab.controllers.replicaset;

import static io.trimtab.controllers.pods.SamplePods.NOW;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.trimtab.controllers.pods.SamplePods;
import io.trimtab.controllers.replicaset.ReplicaKind.ReplicaStatus;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReplicaPlanTest {
    private final Pod ready = SamplePods.ready("ready", "n", "10.0.0.1");
    private final Pod running = SamplePods.running("running", "n");

    @Test
    void givenTooFew_whenPlanned_thenTheRestIsMadeUpToABurst() {
        assertThat(ReplicaPlan.move(5, List.of(ready), pod -> 0, NOW).create()).isEqualTo(4);
        assertThat(ReplicaPlan.move(10_000, List.of(), pod -> 0, NOW).create()).isEqualTo(500);
    }

    @Test
    void givenTooMany_whenPlanned_thenTheLeastMissedGo() {
        assertThat(ReplicaPlan.move(1, List.of(ready, running), pod -> 0, NOW).delete())
                .containsExactly(running);
    }

    @Test
    void givenEnough_whenPlanned_thenNothing() {
        assertThat(ReplicaPlan.move(2, List.of(ready, running), pod -> 0, NOW)).isEqualTo(ReplicaPlan.Move.NONE);
    }

    @Test
    void givenAFailure_whenCounted_thenTheStatusTellsItUntilItIsOver() {
        ReplicaStatus none = new ReplicaStatus(0, 0, 0, 0, 0, List.of());

        ReplicaStatus failed =
                ReplicaPlan.status(none, 1, 3, List.of(ready), null, 0, new IllegalStateException("no room"), NOW);
        ReplicaStatus well = ReplicaPlan.status(failed, 1, 1, List.of(ready), null, 0, null, NOW);

        assertThat(failed.conditions()).hasSize(1);
        assertThat(failed.conditions().get(0).reason()).isEqualTo("FailedCreate");
        assertThat(failed.available()).isEqualTo(1);
        assertThat(well.conditions()).isEmpty();
    }
}
