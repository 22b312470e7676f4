package io.trimtab.controllers.pods;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.trimtab.informer.SharedInformer;
import io.trimtab.ownership.OwnerReferences;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Questions about a pod, answered as Kubernetes' controllers answer them. Pure functions. */
public final class Pods {
    /** The index that {@link #indexByNode} makes: pods by the name of their node. */
    public static final String BY_NODE = "nodeName";

    /** The index that {@link #indexOrphans} makes: pods that nobody controls, by their namespace. */
    public static final String ORPHANS = "orphans";

    private Pods() {}

    /** Has the informer file pods under the name of their node. */
    public static void indexByNode(SharedInformer<Pod> informer) {
        informer.addIndex(BY_NODE, pod -> {
            String node = nodeName(pod);
            return node == null ? List.of() : List.of(node);
        });
    }

    /** Has the informer file the pods that nobody controls under their namespace: they are few, and may be adopted. */
    public static void indexOrphans(SharedInformer<Pod> informer) {
        informer.addIndex(
                ORPHANS,
                pod -> OwnerReferences.isOrphan(pod) ? List.of(pod.getMetadata().getNamespace()) : List.of());
    }

    /** The phase; a pod that nobody has reported on is Pending. */
    public static String phase(Pod pod) {
        return pod.getStatus() == null || pod.getStatus().getPhase() == null
                ? "Pending"
                : pod.getStatus().getPhase();
    }

    /** The pod's containers have all ended and will not start again. */
    public static boolean isTerminal(Pod pod) {
        String phase = phase(pod);
        return phase.equals("Succeeded") || phase.equals("Failed");
    }

    /** Counts as a replica: neither ended nor being deleted. */
    public static boolean isActive(Pod pod) {
        return !isTerminal(pod) && !isDeleting(pod);
    }

    public static boolean isDeleting(Pod pod) {
        return pod.getMetadata().getDeletionTimestamp() != null;
    }

    public static @Nullable String nodeName(Pod pod) {
        String node = pod.getSpec() == null ? null : pod.getSpec().getNodeName();
        return node == null || node.isEmpty() ? null : node;
    }

    public static Optional<PodCondition> condition(Pod pod, String type) {
        List<PodCondition> conditions =
                pod.getStatus() == null ? List.of() : pod.getStatus().getConditions();
        for (PodCondition condition : conditions) {
            if (type.equals(condition.getType())) {
                return Optional.of(condition);
            }
        }
        return Optional.empty();
    }

    public static boolean isReady(Pod pod) {
        // Asked of each pod of a set at each look at the set: no Optional, no lambda.
        if (pod.getStatus() != null) {
            List<PodCondition> conditions = pod.getStatus().getConditions();
            for (int i = 0; i < conditions.size(); i++) {
                if ("Ready".equals(conditions.get(i).getType())) {
                    return "True".equals(conditions.get(i).getStatus());
                }
            }
        }
        return false;
    }

    /** When the pod turned ready; null if it is not, or does not say. */
    public static @Nullable Instant readySince(Pod pod) {
        return condition(pod, "Ready")
                .filter(c -> "True".equals(c.getStatus()))
                .map(c -> time(c.getLastTransitionTime()))
                .orElse(null);
    }

    /** Ready for at least so many seconds. */
    public static boolean isAvailable(Pod pod, int minReadySeconds, Instant now) {
        if (!isReady(pod)) {
            return false;
        }
        if (minReadySeconds == 0) {
            return true;
        }
        Instant since = readySince(pod);
        return since != null && !since.plusSeconds(minReadySeconds).isAfter(now);
    }

    /** How long until a ready pod becomes available; null if it is not ready, or available already. */
    public static @Nullable Duration untilAvailable(Pod pod, int minReadySeconds, Instant now) {
        Instant since = readySince(pod);
        if (since == null || isAvailable(pod, minReadySeconds, now)) {
            return null;
        }
        return Duration.between(now, since.plusSeconds(minReadySeconds));
    }

    public static @Nullable Instant createdAt(Pod pod) {
        return time(pod.getMetadata().getCreationTimestamp());
    }

    /** The highest restart count of its ordinary containers, or of its sidecars. */
    static int maxRestarts(Pod pod, boolean sidecars) {
        if (pod.getStatus() == null) {
            return 0;
        }
        int max = 0;
        if (!sidecars) {
            for (ContainerStatus status : pod.getStatus().getContainerStatuses()) {
                max = Math.max(max, count(status));
            }
            return max;
        }
        Set<String> restartable = new HashSet<>();
        for (Container container : pod.getSpec().getInitContainers()) {
            if ("Always".equals(container.getRestartPolicy())) {
                restartable.add(container.getName());
            }
        }
        for (ContainerStatus status : pod.getStatus().getInitContainerStatuses()) {
            if (restartable.contains(status.getName())) {
                max = Math.max(max, count(status));
            }
        }
        return max;
    }

    private static int count(ContainerStatus status) {
        return status.getRestartCount() == null ? 0 : status.getRestartCount();
    }

    /** Reads a timestamp of the API; null stays null. */
    public static @Nullable Instant time(@Nullable String text) {
        return text == null || text.isEmpty() ? null : Instant.parse(text);
    }

    /** Writes a timestamp as the API does: UTC, whole seconds. */
    public static String time(Instant instant) {
        return instant.truncatedTo(ChronoUnit.SECONDS).toString();
    }
}
