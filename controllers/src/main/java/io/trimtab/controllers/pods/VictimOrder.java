package io.trimtab.controllers.pods;

import io.fabric8.kubernetes.api.model.Pod;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Orders pods by how little they are missed: the first is deleted first. The rules and their order are those of Kubernetes'
 * controller_utils (ActivePodsWithRanks). A pure function of the pods and of now.
 */
public final class VictimOrder implements Comparator<Pod> {
    private static final String DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";

    private final ToIntFunction<Pod> siblingsOnNode;
    private final Instant now;

    /** @param siblingsOnNode how many active siblings share the pod's node; more siblings, deleted sooner */
    public VictimOrder(ToIntFunction<Pod> siblingsOnNode, Instant now) {
        this.siblingsOnNode = siblingsOnNode;
        this.now = now;
    }

    @Override
    public int compare(Pod a, Pod b) {
        int order = Boolean.compare(Pods.nodeName(a) != null, Pods.nodeName(b) != null);
        if (order == 0) {
            order = Integer.compare(phaseRank(a), phaseRank(b));
        }
        if (order == 0) {
            order = Boolean.compare(Pods.isReady(a), Pods.isReady(b));
        }
        if (order == 0) {
            order = Integer.compare(deletionCost(a), deletionCost(b));
        }
        if (order == 0) {
            order = Integer.compare(siblingsOnNode.applyAsInt(b), siblingsOnNode.applyAsInt(a));
        }
        if (order == 0 && Pods.isReady(a)) {
            order = younger(Pods.readySince(a), Pods.readySince(b), a, b);
        }
        if (order == 0) {
            order = Integer.compare(Pods.maxRestarts(b, false), Pods.maxRestarts(a, false));
        }
        if (order == 0) {
            order = Integer.compare(Pods.maxRestarts(b, true), Pods.maxRestarts(a, true));
        }
        if (order == 0) {
            order = younger(Pods.createdAt(a), Pods.createdAt(b), a, b);
        }
        return order;
    }

    /**
     * Younger first, by the logarithm of the age: of pods of about the same age any may go, so that a scale-down does not
     * always hit the newest (they tend to share a failure domain). Equal ranks fall back to the uid, to stay deterministic.
     */
    private int younger(@Nullable Instant a, @Nullable Instant b, Pod podA, Pod podB) {
        if (a == null || b == null) {
            return Boolean.compare(a != null, b != null);
        }
        if (a.equals(b)) {
            return 0;
        }
        int order = Integer.compare(logAge(a), logAge(b));
        return order != 0
                ? order
                : podA.getMetadata().getUid().compareTo(podB.getMetadata().getUid());
    }

    private int logAge(Instant since) {
        long nanos = Duration.between(since, now).toNanos();
        return nanos <= 0 ? -1 : 63 - Long.numberOfLeadingZeros(nanos);
    }

    private static int phaseRank(Pod pod) {
        return switch (Pods.phase(pod)) {
            case "Pending" -> 0;
            case "Unknown" -> 1;
            default -> 2;
        };
    }

    private static int deletionCost(Pod pod) {
        Map<String, String> annotations = pod.getMetadata().getAnnotations();
        String cost = annotations == null ? null : annotations.get(DELETION_COST);
        if (cost == null) {
            return 0;
        }
        try {
            return Integer.parseInt(cost);
        } catch (NumberFormatException e) {
            return 0; // the API server refuses such values; an old one counts as none
        }
    }
}
