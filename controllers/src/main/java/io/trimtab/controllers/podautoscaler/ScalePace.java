package io.trimtab.controllers.podautoscaler;

import io.fabric8.kubernetes.api.model.autoscaling.v2.HPAScalingPolicy;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HPAScalingRules;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscalerBehavior;
import java.time.Duration;
import java.time.Instant;
import java.util.function.IntBinaryOperator;

/**
 * How far and how fast a workload may be scaled towards what is desired: least, most, windows and policies. A function of its
 * arguments and of the recommendations, which it also adds to.
 */
final class ScalePace {
    private static final String DEFAULT_READY = "recommended size matches current size";
    private static final String RECENT_HIGHER =
            "recent recommendations were higher than current one, applying the highest recent recommendation";
    private static final String RECENT_LOWER =
            "recent recommendations were lower than current one, applying the lowest recent recommendation";

    /** A condition's reason and message. */
    record Why(String reason, String message) {}

    /**
     * @param able why the recommendation was taken, or replaced by an earlier one
     * @param limited true if it was cut
     * @param limit why it was, or was not
     */
    record Pace(int replicas, Why able, boolean limited, Why limit) {}

    /** Least and most replicas that the autoscaler allows. */
    record Bounds(int least, int most) {}

    private static final Why WITHIN = new Why("DesiredWithinRange", "the desired count is within the acceptable range");
    private static final Why TOO_FEW =
            new Why("TooFewReplicas", "the desired replica count is less than the minimum replica count");
    private static final Why TOO_MANY =
            new Why("TooManyReplicas", "the desired replica count is more than the maximum replica count");
    private static final Why UP_LIMIT =
            new Why("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate");
    private static final Why DOWN_LIMIT =
            new Why("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate");

    private ScalePace() {}

    /** For an autoscaler that says nothing about its behavior: at most twice as many at a time, or four. */
    static Pace usual(Bounds bounds, int current, int desired, Recommendations recent, Instant now) {
        int stable = recent.highest(desired, now);
        Why able = stable == desired
                ? new Why("ReadyForNewScale", DEFAULT_READY)
                : new Why("ScaleDownStabilized", RECENT_HIGHER);
        int limit = Math.max(2 * current, 4);
        int most = Math.min(bounds.most, limit);
        if (stable < bounds.least) {
            return new Pace(bounds.least, able, true, TOO_FEW);
        }
        if (stable > most) {
            return new Pace(most, able, true, bounds.most > limit ? UP_LIMIT : TOO_MANY);
        }
        return new Pace(stable, able, false, WITHIN);
    }

    /** By the windows and policies of each direction. */
    static Pace of(
            HorizontalPodAutoscalerBehavior behavior,
            Bounds bounds,
            int current,
            int desired,
            Recommendations recent,
            Instant now) {
        HPAScalingRules up = behavior.getScaleUp();
        HPAScalingRules down = behavior.getScaleDown();
        int stable = recent.within(
                current, desired, window(up, Duration.ZERO), window(down, Recommendations.DOWN_WINDOW), now);
        Why able = stable == desired
                ? new Why("ReadyForNewScale", DEFAULT_READY)
                : desired >= current
                        ? new Why("ScaleUpStabilized", RECENT_LOWER)
                        : new Why("ScaleDownStabilized", RECENT_HIGHER);
        if (stable > current) {
            int limit = Math.max(current, upLimit(up, current, recent, now));
            int most = Math.min(bounds.most, limit);
            if (stable > most) {
                return new Pace(most, able, true, bounds.most > limit ? UP_LIMIT : TOO_MANY);
            }
        } else if (stable < current) {
            int limit = Math.min(current, downLimit(down, current, recent, now));
            int least = Math.max(bounds.least, limit);
            if (stable < least) {
                return new Pace(least, able, true, bounds.least < limit ? DOWN_LIMIT : TOO_FEW);
            }
        }
        return new Pace(stable, able, false, WITHIN);
    }

    private static Duration window(HPAScalingRules rules, Duration otherwise) {
        Integer seconds = rules.getStabilizationWindowSeconds();
        return seconds == null ? otherwise : Duration.ofSeconds(seconds);
    }

    /** How far back the policies of a direction look, in seconds. */
    static int longestPeriod(HPAScalingRules rules) {
        return rules.getPolicies().stream()
                .mapToInt(HPAScalingPolicy::getPeriodSeconds)
                .max()
                .orElse(0);
    }

    private static int upLimit(HPAScalingRules rules, int current, Recommendations recent, Instant now) {
        if ("Disabled".equals(rules.getSelectPolicy())) {
            return current;
        }
        boolean cautious = "Min".equals(rules.getSelectPolicy());
        IntBinaryOperator choose = cautious ? Math::min : Math::max;
        int limit = cautious ? Integer.MAX_VALUE : Integer.MIN_VALUE;
        for (HPAScalingPolicy policy : rules.getPolicies()) {
            int before = recent.before(current, policy.getPeriodSeconds(), now);
            // Rounded up: a small percentage of few must not mean never.
            int proposed = isPercent(policy)
                    ? (int) Math.ceil(before * (1 + policy.getValue() / 100.0))
                    : before + policy.getValue();
            limit = choose.applyAsInt(limit, proposed);
        }
        return limit;
    }

    private static int downLimit(HPAScalingRules rules, int current, Recommendations recent, Instant now) {
        if ("Disabled".equals(rules.getSelectPolicy())) {
            return current;
        }
        boolean cautious = "Min".equals(rules.getSelectPolicy());
        IntBinaryOperator choose = cautious ? Math::max : Math::min;
        int limit = cautious ? Integer.MIN_VALUE : Integer.MAX_VALUE;
        for (HPAScalingPolicy policy : rules.getPolicies()) {
            int before = recent.before(current, policy.getPeriodSeconds(), now);
            int proposed =
                    isPercent(policy) ? (int) (before * (1 - policy.getValue() / 100.0)) : before - policy.getValue();
            limit = choose.applyAsInt(limit, proposed);
        }
        return limit;
    }

    private static boolean isPercent(HPAScalingPolicy policy) {
        return "Percent".equals(policy.getType());
    }
}
