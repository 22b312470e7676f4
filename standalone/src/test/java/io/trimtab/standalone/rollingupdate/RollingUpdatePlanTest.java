package io.trimtab.standalone.rollingupdate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class RollingUpdatePlanTest {
    private static final RollingUpdate.Plan THREE = new RollingUpdate.Plan(3, 1, 0);

    @Test
    void givenThreeOldPods_whenAllNewOnesBecomeReadyAtOnce_thenOneGoesUpAndOneDownAtATime() {
        int newSize = 0;
        int oldSize = 3;
        StringBuilder steps = new StringBuilder();
        while (newSize != 3 || oldSize != 0) {
            newSize = THREE.up(newSize, oldSize);
            assertThat(newSize + oldSize).isLessThanOrEqualTo(4);
            oldSize = THREE.down(newSize, oldSize, newSize);
            assertThat(newSize + oldSize).isGreaterThanOrEqualTo(3);
            steps.append(newSize).append('/').append(oldSize).append(' ');
        }
        assertThat(steps.toString().trim()).isEqualTo("1/2 2/1 3/0");
    }

    @Test
    void givenNewPodsThatAreNotReady_whenOldOnesWouldGo_thenTheyStay() {
        assertThat(THREE.down(1, 3, 0)).isEqualTo(3);
        assertThat(THREE.down(1, 3, 1)).isEqualTo(2);
    }

    @Test
    void givenTheOldControllerAtZero_whenTheNewOneGrows_thenItGoesAllTheWay() {
        assertThat(THREE.up(1, 0)).isEqualTo(3);
    }

    @Test
    void givenTheSurgeIsUsedUp_whenTheNewOneWouldGrow_thenItWaits() {
        assertThat(THREE.up(1, 3)).isEqualTo(1);
    }

    @Test
    void givenAnUpdateToFewerPods_whenTheNewOnesAreReady_thenTheOldOnesGoAtOnce() {
        RollingUpdate.Plan one = new RollingUpdate.Plan(1, 1, 0);
        assertThat(one.up(0, 5)).isZero();
        assertThat(one.down(0, 5, 0)).isEqualTo(1);
        assertThat(one.up(0, 1)).isEqualTo(1);
        assertThat(one.down(1, 1, 1)).isZero();
    }

    @Test
    void givenNeitherSurgeNorUnavailability_whenAPlanIsMade_thenItIsRefused() {
        assertThatThrownBy(() -> new RollingUpdate.Plan(3, 0, 0))
                .isInstanceOf(RollingUpdateException.class)
                .hasMessage("one of maxSurge or maxUnavailable must be specified");
    }
}
