package io.trimtab.controllers.podautoscaler;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscalerBehavior;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscalerBehaviorBuilder;
import io.trimtab.controllers.podautoscaler.ScalePace.Bounds;
import io.trimtab.controllers.podautoscaler.ScalePace.Pace;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class ScalePaceTest {
    private static final Instant NOW = Instant.parse("2026-01-01T12:00:00Z");
    private static final Bounds BOUNDS = new Bounds(2, 100);

    private final Recommendations recent = new Recommendations();

    private static HorizontalPodAutoscalerBehavior behavior(String type, int value, String select) {
        return new HorizontalPodAutoscalerBehaviorBuilder()
                .withNewScaleUp()
                .withStabilizationWindowSeconds(0)
                .withSelectPolicy(select)
                .addNewPolicy(60, type, value)
                .endScaleUp()
                .withNewScaleDown()
                .withStabilizationWindowSeconds(0)
                .withSelectPolicy(select)
                .addNewPolicy(60, type, value)
                .endScaleDown()
                .build();
    }

    private Pace usual(int current, int desired, Instant now) {
        return ScalePace.usual(BOUNDS, current, desired, recent, now);
    }

    @Test
    void givenNoBehavior_whenMuchMoreIsDesired_thenItDoublesOrReachesFour() {
        assertThat(usual(1, 50, NOW)).returns(4, Pace::replicas).returns(true, Pace::limited);
        assertThat(usual(10, 50, NOW).replicas()).isEqualTo(20);
        assertThat(usual(10, 50, NOW).limit().reason()).isEqualTo("ScaleUpLimit");
        assertThat(usual(90, 500, NOW).limit().reason()).isEqualTo("TooManyReplicas");
    }

    @Test
    void givenNoBehavior_whenLessIsDesired_thenTheHighestOfFiveMinutesHolds() {
        recent.begin(10, NOW);
        Pace held = usual(10, 3, NOW.plusSeconds(200));
        assertThat(held.replicas()).isEqualTo(10);
        assertThat(held.able().reason()).isEqualTo("ScaleDownStabilized");

        Pace later = usual(10, 3, NOW.plusSeconds(301));
        assertThat(later.replicas()).isEqualTo(3);
        assertThat(later.able().reason()).isEqualTo("ReadyForNewScale");
        assertThat(later.limit().reason()).isEqualTo("DesiredWithinRange");
    }

    @Test
    void givenNoBehavior_whenFewerThanTheLeastAreDesired_thenTheLeastIsKept() {
        Pace pace = usual(3, 1, NOW);
        assertThat(pace.replicas()).isEqualTo(2);
        assertThat(pace.limit().reason()).isEqualTo("TooFewReplicas");
    }

    @Test
    void givenAPolicyOfPods_whenThePeriodHasUsedItUp_thenItWaitsForTheNext() {
        HorizontalPodAutoscalerBehavior behavior = behavior("Pods", 5, "Max");
        assertThat(ScalePace.of(behavior, BOUNDS, 10, 30, recent, NOW).replicas())
                .isEqualTo(15);
        recent.scaled(10, 15, 60, NOW);
        Pace waiting = ScalePace.of(behavior, BOUNDS, 15, 30, recent, NOW.plusSeconds(30));
        assertThat(waiting.replicas()).isEqualTo(15);
        assertThat(waiting.limit().reason()).isEqualTo("ScaleUpLimit");
        assertThat(ScalePace.of(behavior, BOUNDS, 15, 30, recent, NOW.plusSeconds(60))
                        .replicas())
                .isEqualTo(20);
    }

    @Test
    void givenAPolicyOfPercent_whenScaled_thenUpIsRoundedUpAndDownIsCut() {
        HorizontalPodAutoscalerBehavior behavior = behavior("Percent", 10, "Max");
        assertThat(ScalePace.of(behavior, BOUNDS, 5, 30, recent, NOW).replicas())
                .isEqualTo(6);
        assertThat(ScalePace.of(behavior, BOUNDS, 15, 2, recent, NOW).replicas())
                .isEqualTo(13);
    }

    @Test
    void givenADisabledDirection_whenItIsDesired_thenNothingMoves() {
        Pace pace = ScalePace.of(behavior("Pods", 5, "Disabled"), BOUNDS, 10, 5, recent, NOW);
        assertThat(pace.replicas()).isEqualTo(10);
        assertThat(pace.limit().reason()).isEqualTo("ScaleDownLimit");
    }

    @Test
    void givenAWindowForScalingUp_whenOneLookAsksForMore_thenTheLowestOfTheWindowIsTaken() {
        HorizontalPodAutoscalerBehavior behavior = behavior("Pods", 100, "Max");
        behavior.getScaleUp().setStabilizationWindowSeconds(120);
        recent.begin(10, NOW);
        Pace pace = ScalePace.of(behavior, BOUNDS, 10, 40, recent, NOW.plusSeconds(60));
        assertThat(pace.replicas()).isEqualTo(10);
        assertThat(pace.able().reason()).isEqualTo("ScaleUpStabilized");
        assertThat(ScalePace.of(behavior, BOUNDS, 10, 40, recent, NOW.plusSeconds(121))
                        .replicas())
                .isEqualTo(40);
    }
}
