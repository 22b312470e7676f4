package io.trimtab.controllers.nodelifecycle;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.NodeCondition;
import io.fabric8.kubernetes.api.model.NodeConditionBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.trimtab.controllers.nodes.Nodes;
import io.trimtab.controllers.pods.Pods;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a node's life: when it last gave a sign, by our own clock, whatever the node's clock says. Immutable.
 *
 * @param ready its Ready condition when last looked at; null if it had none
 * @param lease when it last renewed its lease, by its own clock; null if never seen
 * @param probe when we noticed its last sign of life
 */
record NodeHealth(@Nullable NodeCondition ready, @Nullable ZonedDateTime lease, Instant probe) {

    /** How long a node may be silent. */
    static final Duration GRACE = Duration.ofSeconds(50);
    /** How long a new node may take to say that it is ready. */
    static final Duration STARTUP_GRACE = Duration.ofSeconds(60);

    private static final List<String> CONDITIONS = List.of("Ready", "MemoryPressure", "DiskPressure", "PIDPressure");

    /**
     * What a look at a node finds.
     *
     * @param health what is known from now on
     * @param observed the status of Ready as the node says it: Unknown if it says nothing
     * @param overdue the node with its conditions set to Unknown; null if there is nothing to write
     */
    record Verdict(
            NodeHealth health, String observed, @Nullable Node overdue) {}

    /** Looks at a node. Pure. */
    static Verdict assess(Node node, @Nullable NodeHealth known, @Nullable Lease lease, Instant now) {
        NodeCondition ready = Nodes.condition(node, "Ready").orElse(null);
        ZonedDateTime renewed = lease == null || lease.getSpec() == null
                ? null
                : lease.getSpec().getRenewTime();

        Instant probe;
        if (ready == null) {
            probe = known == null
                    ? Objects.requireNonNullElse(Pods.time(node.getMetadata().getCreationTimestamp()), now)
                    : known.probe;
        } else if (known == null || known.ready == null) {
            probe = now;
        } else {
            boolean beat = !Objects.equals(known.ready.getLastHeartbeatTime(), ready.getLastHeartbeatTime());
            probe = beat ? now : known.probe;
        }
        ZonedDateTime seen = known == null ? null : known.lease;
        if (renewed != null && (seen == null || seen.isBefore(renewed))) {
            seen = renewed;
            probe = now;
        }

        NodeHealth health = new NodeHealth(ready, seen, probe);
        String observed = ready == null ? "Unknown" : String.valueOf(ready.getStatus());
        Duration grace = ready == null ? STARTUP_GRACE : GRACE;
        boolean overdue = now.isAfter(probe.plus(grace));
        return new Verdict(health, observed, overdue ? unknown(node, now) : null);
    }

    /** The node with all conditions Unknown that tell of its health; null if they are so already. */
    private static @Nullable Node unknown(Node node, Instant now) {
        List<NodeCondition> conditions = new ArrayList<>(
                node.getStatus() == null ? List.of() : node.getStatus().getConditions());
        boolean changed = false;
        for (String type : CONDITIONS) {
            int at = -1;
            for (int i = 0; i < conditions.size(); i++) {
                if (type.equals(conditions.get(i).getType())) {
                    at = i;
                }
            }
            if (at < 0) {
                conditions.add(new NodeConditionBuilder()
                        .withType(type)
                        .withStatus("Unknown")
                        .withReason("NodeStatusNeverUpdated")
                        .withMessage("Kubelet never posted node status.")
                        .withLastHeartbeatTime(node.getMetadata().getCreationTimestamp())
                        .withLastTransitionTime(Pods.time(now))
                        .build());
                changed |= type.equals("Ready");
            } else if (!"Unknown".equals(conditions.get(at).getStatus())) {
                conditions.set(
                        at,
                        new NodeConditionBuilder(conditions.get(at))
                                .withStatus("Unknown")
                                .withReason("NodeStatusUnknown")
                                .withMessage("Kubelet stopped posting node status.")
                                .withLastTransitionTime(Pods.time(now))
                                .build());
                changed |= type.equals("Ready");
            }
        }
        // Only a turn of Ready is worth a write, as in Kubernetes: the others follow it.
        return changed
                ? new NodeBuilder(node)
                        .editOrNewStatus()
                        .withConditions(conditions)
                        .endStatus()
                        .build()
                : null;
    }

    /** The same node, as if it had given a sign just now. */
    NodeHealth probedAt(Instant now) {
        return new NodeHealth(ready, lease, now);
    }

    /** The same node after its Ready condition was written. */
    NodeHealth withReady(@Nullable NodeCondition condition) {
        return new NodeHealth(condition, lease, probe);
    }
}
