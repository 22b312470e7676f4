package io.trimtab.controllers.disruption;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ConditionBuilder;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudgetStatus;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudgetStatusBuilder;
import io.trimtab.controllers.pods.Pods;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What a budget's status should be. Pure functions. */
final class BudgetPlan {
    /** An eviction that was allowed must have begun within this time, else its pod counts as healthy again. */
    static final Duration DELETION_TIMEOUT = Duration.ofMinutes(2);

    private static final String TYPE = "DisruptionAllowed";

    private BudgetPlan() {}

    /** @param expected how many pods there should be; @param desired how many of them must be healthy */
    record Need(int expected, int desired) {}

    /** True if the need depends on what the pods' controllers want, not only on which pods there are. */
    static boolean needsScale(PodDisruptionBudget budget) {
        IntOrString least = budget.getSpec().getMinAvailable();
        return budget.getSpec().getMaxUnavailable() != null || least != null && least.getIntVal() == null;
    }

    /**
     * @param count the pods there are, or if scale counts, those that should be
     * @throws IllegalArgumentException if a percentage cannot be read
     */
    static Need need(PodDisruptionBudget budget, int count) {
        IntOrString most = budget.getSpec().getMaxUnavailable();
        if (most != null) {
            return new Need(count, Math.max(0, count - scaled(most, count)));
        }
        IntOrString least = budget.getSpec().getMinAvailable();
        return new Need(count, least == null ? 0 : scaled(least, count));
    }

    /** Percentages are rounded up. */
    private static int scaled(IntOrString value, int total) {
        if (value.getIntVal() != null) {
            return value.getIntVal();
        }
        String text = String.valueOf(value.getStrVal());
        if (!text.matches("[0-9]+%")) {
            throw new IllegalArgumentException(
                    "invalid value for IntOrString: invalid type: string is not a percentage");
        }
        long percent = Long.parseLong(text.substring(0, text.length() - 1));
        return (int) Math.min(Integer.MAX_VALUE, (percent * total + 99) / 100);
    }

    /**
     * Which evictions that were allowed have still to begin.
     *
     * @param waiting by name of pod, when it was allowed
     * @param overdue pods that should have been deleted by now
     * @param recheck when the first of those that wait is overdue; null if none waits
     */
    record Disrupted(
            Map<String, String> waiting,
            List<Pod> overdue,
            @Nullable Instant recheck) {}

    static Disrupted disrupted(PodDisruptionBudget budget, List<Pod> pods, Instant now) {
        Map<String, String> allowed =
                budget.getStatus() == null || budget.getStatus().getDisruptedPods() == null
                        ? Map.of()
                        : budget.getStatus().getDisruptedPods();
        Map<String, String> waiting = new LinkedHashMap<>();
        List<Pod> overdue = new ArrayList<>();
        Instant recheck = null;
        for (Pod pod : pods) {
            String since = allowed.get(pod.getMetadata().getName());
            Instant time = Pods.time(since);
            if (since == null || time == null || Pods.isDeleting(pod)) {
                continue;
            }
            Instant due = time.plus(DELETION_TIMEOUT);
            if (due.isBefore(now)) {
                overdue.add(pod);
            } else {
                waiting.put(pod.getMetadata().getName(), since);
                recheck = recheck == null || due.isBefore(recheck) ? due : recheck;
            }
        }
        return new Disrupted(waiting, overdue, recheck);
    }

    static int healthy(List<Pod> pods, Disrupted disrupted) {
        return (int) pods.stream()
                .filter(pod -> !Pods.isDeleting(pod))
                .filter(pod -> !disrupted.waiting.containsKey(pod.getMetadata().getName()))
                .filter(Pods::isReady)
                .count();
    }

    static PodDisruptionBudgetStatus status(
            PodDisruptionBudget budget, Need need, int healthy, Disrupted disrupted, Instant now) {
        int allowed = need.expected <= 0 ? 0 : Math.max(0, healthy - need.desired);
        Long generation = budget.getMetadata().getGeneration();
        return new PodDisruptionBudgetStatusBuilder()
                .withCurrentHealthy(healthy)
                .withDesiredHealthy(need.desired)
                .withExpectedPods(need.expected)
                .withDisruptionsAllowed(allowed)
                .withDisruptedPods(disrupted.waiting)
                .withObservedGeneration(generation)
                .withConditions(conditions(
                        budget,
                        allowed > 0 ? "True" : "False",
                        allowed > 0 ? "SufficientPods" : "InsufficientPods",
                        "",
                        generation,
                        now))
                .build();
    }

    /** Nothing may be disrupted while we do not know what is needed. */
    static PodDisruptionBudgetStatus failSafe(PodDisruptionBudget budget, String failure, Instant now) {
        PodDisruptionBudgetStatus old =
                budget.getStatus() == null ? new PodDisruptionBudgetStatus() : budget.getStatus();
        return new PodDisruptionBudgetStatusBuilder(old)
                .withDisruptionsAllowed(0)
                .withConditions(conditions(budget, "False", "SyncFailed", failure, old.getObservedGeneration(), now))
                .build();
    }

    private static List<Condition> conditions(
            PodDisruptionBudget budget,
            String status,
            String reason,
            String message,
            @Nullable Long generation,
            Instant now) {
        List<Condition> conditions = new ArrayList<>();
        String since = Pods.time(now);
        if (budget.getStatus() != null && budget.getStatus().getConditions() != null) {
            for (Condition old : budget.getStatus().getConditions()) {
                if (!TYPE.equals(old.getType())) {
                    conditions.add(old);
                } else if (status.equals(old.getStatus())) {
                    since = Objects.requireNonNullElse(old.getLastTransitionTime(), since);
                }
            }
        }
        conditions.add(new ConditionBuilder()
                .withType(TYPE)
                .withStatus(status)
                .withReason(reason)
                .withMessage(message)
                .withObservedGeneration(generation)
                .withLastTransitionTime(since)
                .build());
        return conditions;
    }
}
