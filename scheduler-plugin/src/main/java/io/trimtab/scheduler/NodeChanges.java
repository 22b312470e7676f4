package io.trimtab.scheduler;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeCondition;
import io.fabric8.kubernetes.api.model.NodeSpec;
import io.trimtab.scheduler.framework.ClusterEvent;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Says what of a node changed, as far as scheduling cares. Pure. */
final class NodeChanges {
    private NodeChanges() {}

    static List<ClusterEvent> of(Node before, Node after) {
        int[] actions = {
            unschedulable(before) != unschedulable(after) && !unschedulable(after)
                            || !Objects.equals(taints(before), taints(after))
                    ? ClusterEvent.UPDATE_NODE_TAINT
                    : 0,
            Objects.equals(allocatable(before), allocatable(after)) ? 0 : ClusterEvent.UPDATE_NODE_ALLOCATABLE,
            Objects.equals(before.getMetadata().getLabels(), after.getMetadata().getLabels())
                    ? 0
                    : ClusterEvent.UPDATE_NODE_LABEL,
            conditions(before).equals(conditions(after)) ? 0 : ClusterEvent.UPDATE_NODE_CONDITION,
            Objects.equals(
                            before.getMetadata().getAnnotations(),
                            after.getMetadata().getAnnotations())
                    ? 0
                    : ClusterEvent.UPDATE_NODE_ANNOTATION
        };
        List<ClusterEvent> events = new ArrayList<>();
        for (int action : actions) {
            if (action != 0) {
                events.add(new ClusterEvent(ClusterEvent.NODE, action));
            }
        }
        return events;
    }

    private static boolean unschedulable(Node node) {
        return node.getSpec() != null && Boolean.TRUE.equals(node.getSpec().getUnschedulable());
    }

    private static @Nullable Object taints(Node node) {
        NodeSpec spec = node.getSpec();
        return spec == null ? List.of() : spec.getTaints();
    }

    private static @Nullable Object allocatable(Node node) {
        return node.getStatus() == null ? null : node.getStatus().getAllocatable();
    }

    private static Map<String, String> conditions(Node node) {
        Map<String, String> conditions = new HashMap<>();
        if (node.getStatus() != null) {
            for (NodeCondition condition : node.getStatus().getConditions()) {
                conditions.put(condition.getType(), condition.getStatus());
            }
        }
        return conditions;
    }
}
