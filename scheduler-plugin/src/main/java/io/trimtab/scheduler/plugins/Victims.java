package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.model.ModelSelectors;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * The pods that would have to go from one node. Immutable.
 *
 * @param node which
 * @param pods the most important first
 * @param violations how many of them would break a disruption budget
 */
record Victims(String node, List<PodInfo> pods, int violations) {
    /** Added to every priority, so that a sum grows with the number of pods. */
    private static final long OFFSET = 1L << 31;

    /** More important pods first: of higher priority, then running for longer. */
    static final Comparator<PodInfo> IMPORTANCE =
            Comparator.comparing(PodInfo::priority, Comparator.reverseOrder()).thenComparing(Victims::startTime);

    /** When the pod began to run; a pod that has not is younger than all. RFC 3339 in UTC sorts as text. */
    static String startTime(PodInfo pod) {
        String time =
                pod.pod().getStatus() == null ? null : pod.pod().getStatus().getStartTime();
        return time == null ? "9" : time;
    }

    private int highestPriority() {
        return pods.get(0).priority();
    }

    private long sumOfPriorities() {
        return pods.stream().mapToLong(pod -> pod.priority() + OFFSET).sum();
    }

    /** The start of the pod that runs for longest, among the most important ones. */
    private String earliestStart() {
        return pods.stream()
                .filter(pod -> pod.priority() == highestPriority())
                .map(Victims::startTime)
                .min(Comparator.naturalOrder())
                .orElse("9");
    }

    /** The choice that hurts least. */
    static Victims leastHarm(List<Victims> candidates) {
        Comparator<Victims> harm = Comparator.comparingInt(Victims::violations)
                .thenComparingInt(Victims::highestPriority)
                .thenComparingLong(Victims::sumOfPriorities)
                .thenComparingInt(victims -> victims.pods().size())
                .thenComparing(Victims::earliestStart, Comparator.reverseOrder());
        Victims best = candidates.get(0);
        for (Victims other : candidates) {
            if (harm.compare(other, best) < 0) {
                best = other;
            }
        }
        return best;
    }

    /**
     * Pods whose eviction would break a budget, and the others.
     *
     * @param violating in the order they came in
     * @param others likewise
     */
    record Split(List<PodInfo> violating, List<PodInfo> others) {}

    /** Spends the budgets on the pods, in their order. */
    static Split split(List<PodInfo> pods, List<PodDisruptionBudget> budgets) {
        int[] left = new int[budgets.size()];
        LabelSelector[] selectors = new LabelSelector[budgets.size()];
        for (int i = 0; i < left.length; i++) {
            PodDisruptionBudget budget = budgets.get(i);
            Integer allowed =
                    budget.getStatus() == null ? null : budget.getStatus().getDisruptionsAllowed();
            left[i] = allowed == null ? 0 : allowed;
            selectors[i] = ModelSelectors.of(budget.getSpec().getSelector());
        }
        List<PodInfo> violating = new ArrayList<>();
        List<PodInfo> others = new ArrayList<>();
        for (PodInfo pod : pods) {
            boolean violates = false;
            for (int i = 0; i < left.length; i++) {
                PodDisruptionBudget budget = budgets.get(i);
                if (!pod.labels().isEmpty()
                        && pod.namespace().equals(budget.getMetadata().getNamespace())
                        && !selectors[i].isEverything()
                        && selectors[i].matches(pod.labels())
                        && !isDisrupted(budget, pod)) {
                    left[i]--;
                    violates |= left[i] < 0;
                }
            }
            (violates ? violating : others).add(pod);
        }
        return new Split(violating, others);
    }

    /** True if the API server has counted the pod's eviction already. */
    private static boolean isDisrupted(PodDisruptionBudget budget, PodInfo pod) {
        return budget.getStatus() != null
                && budget.getStatus().getDisruptedPods() != null
                && budget.getStatus().getDisruptedPods().containsKey(pod.name());
    }
}
