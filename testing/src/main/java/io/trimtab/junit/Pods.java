package io.trimtab.junit;

import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import java.util.Optional;

/** Claims about pods, for {@code allMatch} and its like. Pure functions. */
public final class Pods {
    private Pods() {}

    /** Whether it can be sent requests, and is not about to go. */
    public static boolean isReady(Pod pod) {
        return !isTerminating(pod)
                && condition(pod, "Ready")
                        .map(c -> "True".equals(c.getStatus()))
                        .orElse(false);
    }

    public static boolean isRunning(Pod pod) {
        return "Running".equals(phase(pod));
    }

    /** Whether it has a node. */
    public static boolean isScheduled(Pod pod) {
        return pod.getSpec().getNodeName() != null
                && !pod.getSpec().getNodeName().isEmpty();
    }

    /** Whether somebody has asked for its deletion. */
    public static boolean isTerminating(Pod pod) {
        return pod.getMetadata().getDeletionTimestamp() != null;
    }

    /** {@code Pending}, {@code Running}, {@code Succeeded}, {@code Failed} or {@code Unknown}; empty if there is none yet. */
    public static String phase(Pod pod) {
        return pod.getStatus() == null || pod.getStatus().getPhase() == null
                ? ""
                : pod.getStatus().getPhase();
    }

    /** How often all its containers together were restarted. */
    public static int restarts(Pod pod) {
        return pod.getStatus() == null
                ? 0
                : pod.getStatus().getContainerStatuses().stream()
                        .map(ContainerStatus::getRestartCount)
                        .mapToInt(count -> count == null ? 0 : count)
                        .sum();
    }

    /** Why its first container that waits does so, such as {@code ImagePullBackOff}; empty if none waits. */
    public static String waitingReason(Pod pod) {
        return pod.getStatus() == null
                ? ""
                : pod.getStatus().getContainerStatuses().stream()
                        .filter(status ->
                                status.getState() != null && status.getState().getWaiting() != null)
                        .map(status -> status.getState().getWaiting().getReason())
                        .findFirst()
                        .orElse("");
    }

    /** Its condition of this type. */
    public static Optional<PodCondition> condition(Pod pod, String type) {
        return pod.getStatus() == null
                ? Optional.empty()
                : pod.getStatus().getConditions().stream()
                        .filter(c -> type.equals(c.getType()))
                        .findFirst();
    }

    /** One line for messages: {@code default/web-1: Running, ready, on node-2}. */
    static String describe(Pod pod) {
        String waiting = waitingReason(pod);
        return pod.getMetadata().getNamespace() + "/" + pod.getMetadata().getName() + ": " + phase(pod)
                + (waiting.isEmpty() ? "" : " (" + waiting + ")")
                + (isReady(pod) ? ", ready" : ", not ready")
                + (isTerminating(pod) ? ", terminating" : "")
                + (isScheduled(pod) ? ", on " + pod.getSpec().getNodeName() : ", on no node");
    }
}
