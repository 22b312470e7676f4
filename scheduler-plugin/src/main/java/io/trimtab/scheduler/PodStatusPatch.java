package io.trimtab.scheduler;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/** Writes down in a pod's status why it could not be placed. Pure. */
public final class PodStatusPatch {
    private PodStatusPatch() {}

    /**
     * The patch that sets one condition, and perhaps the nominated node.
     *
     * @param nominated null to leave the nomination; empty to take it back
     * @return null if the status says all of it already
     */
    public static @Nullable String of(
            Pod pod,
            String type,
            String status,
            String reason,
            String message,
            @Nullable String nominated,
            Instant now) {
        String nominatedBefore = pod.getStatus() == null || pod.getStatus().getNominatedNodeName() == null
                ? ""
                : pod.getStatus().getNominatedNodeName();
        boolean renominate = nominated != null && !nominated.equals(nominatedBefore);
        PodCondition before = condition(pod, type);
        boolean same = before != null
                && status.equals(before.getStatus())
                && reason.equals(before.getReason())
                && message.equals(before.getMessage());
        if (same && !renominate) {
            return null;
        }
        ObjectNode patch = JsonNodeFactory.instance.objectNode();
        patch.putObject("metadata").put("uid", pod.getMetadata().getUid());
        ObjectNode root = patch.putObject("status");
        if (!same) {
            boolean turned = before == null || !status.equals(before.getStatus());
            ObjectNode condition = root.putArray("conditions").addObject();
            condition.put("type", type);
            condition.put("status", status);
            condition.put("reason", reason);
            condition.put("message", message);
            condition.putNull("lastProbeTime");
            condition.put(
                    "lastTransitionTime",
                    before == null || turned
                            ? now.truncatedTo(ChronoUnit.SECONDS).toString()
                            : before.getLastTransitionTime());
            if (pod.getMetadata().getGeneration() != null) {
                condition.put("observedGeneration", pod.getMetadata().getGeneration());
            }
        }
        if (renominate) {
            if (nominated == null || nominated.isEmpty()) {
                root.putNull("nominatedNodeName");
            } else {
                root.put("nominatedNodeName", nominated);
            }
        }
        return patch.toString();
    }

    static @Nullable PodCondition condition(Pod pod, String type) {
        if (pod.getStatus() == null) {
            return null;
        }
        for (PodCondition condition : pod.getStatus().getConditions()) {
            if (type.equals(condition.getType())) {
                return condition;
            }
        }
        return null;
    }
}
