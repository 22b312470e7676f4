package io.trimtab.controllers.replicaset;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.controllers.pods.VictimOrder;
import io.trimtab.controllers.replicaset.ReplicaKind.Condition;
import io.trimtab.controllers.replicaset.ReplicaKind.ReplicaStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** What to do about a number of pods: create some, delete some, say how things stand. Pure functions of what was observed. */
final class ReplicaPlan {
    /** So many pods at the most are created or deleted in one go; the rest follows when these were seen. */
    static final int BURST = 500;

    private static final String FAILURE = "ReplicaFailure";

    private ReplicaPlan() {}

    /**
     * The next move.
     *
     * @param create how many pods to create
     * @param delete the pods to delete
     */
    record Move(int create, List<Pod> delete) {
        static final Move NONE = new Move(0, List.of());
    }

    /** @param siblingsOnNode how many pods of sibling sets share the pod's node */
    static Move move(int wanted, List<Pod> active, ToIntFunction<Pod> siblingsOnNode, Instant now) {
        int difference = active.size() - wanted;
        if (difference < 0) {
            return new Move(Math.min(-difference, BURST), List.of());
        }
        if (difference == 0) {
            return Move.NONE;
        }
        List<Pod> victims = new ArrayList<>(active);
        if (difference < victims.size()) {
            victims.sort(new VictimOrder(siblingsOnNode, now));
        }
        return new Move(0, List.copyOf(victims.subList(0, Math.min(difference, BURST))));
    }

    /** @param failure what went wrong with the last move; null if nothing did */
    static ReplicaStatus status(
            ReplicaStatus old,
            long generation,
            int wanted,
            List<Pod> active,
            @Nullable PodTemplateSpec template,
            int minReadySeconds,
            @Nullable Exception failure,
            Instant now) {
        Map<String, String> templateLabels = template == null
                        || template.getMetadata() == null
                        || template.getMetadata().getLabels() == null
                ? Map.of()
                : template.getMetadata().getLabels();
        int labeled = 0;
        int ready = 0;
        int available = 0;
        for (Pod pod : active) {
            Map<String, String> labels = pod.getMetadata().getLabels();
            if (labels != null && labels.entrySet().containsAll(templateLabels.entrySet())) {
                labeled++;
            }
            if (Pods.isReady(pod)) {
                ready++;
                if (Pods.isAvailable(pod, minReadySeconds, now)) {
                    available++;
                }
            }
        }
        return new ReplicaStatus(
                active.size(),
                labeled,
                ready,
                available,
                generation,
                conditions(old.conditions(), active.size(), wanted, failure, now));
    }

    private static List<Condition> conditions(
            List<Condition> old, int have, int wanted, @Nullable Exception failure, Instant now) {
        boolean present = old.stream().anyMatch(c -> c.type().equals(FAILURE));
        if (failure != null && !present) {
            List<Condition> conditions = new ArrayList<>(old);
            String reason = have < wanted ? "FailedCreate" : "FailedDelete";
            String message = failure.getMessage() == null ? failure.toString() : failure.getMessage();
            conditions.add(new Condition(FAILURE, "True", reason, message, Pods.time(now)));
            return conditions;
        }
        if (failure == null && present) {
            return old.stream().filter(c -> !c.type().equals(FAILURE)).toList();
        }
        return old;
    }

    /** When a ready pod becomes available though nothing happens; null if there is none such. */
    static @Nullable Duration nextAvailable(List<Pod> active, int minReadySeconds, Instant now) {
        Duration soonest = null;
        for (Pod pod : active) {
            Duration left = Pods.untilAvailable(pod, minReadySeconds, now);
            if (left != null && (soonest == null || left.compareTo(soonest) < 0)) {
                soonest = left;
            }
        }
        return soonest;
    }
}
