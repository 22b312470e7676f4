package io.trimtab.controllers.nodes;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeCondition;
import io.fabric8.kubernetes.api.model.Taint;
import io.trimtab.events.EventRecorder;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Questions about a node, answered as Kubernetes' controllers answer them. Pure functions, but for the events. */
public final class Nodes {
    private Nodes() {}

    public static Optional<NodeCondition> condition(Node node, String type) {
        if (node.getStatus() == null) {
            return Optional.empty();
        }
        for (NodeCondition condition : node.getStatus().getConditions()) {
            if (type.equals(condition.getType())) {
                return Optional.of(condition);
            }
        }
        return Optional.empty();
    }

    public static boolean isReady(Node node) {
        return condition(node, "Ready")
                .filter(condition -> "True".equals(condition.getStatus()))
                .isPresent();
    }

    public static Map<String, String> labels(Node node) {
        Map<String, String> labels = node.getMetadata().getLabels();
        return labels == null ? Map.of() : labels;
    }

    /** Its taints, perhaps none. */
    public static List<Taint> taints(Node node) {
        return node.getSpec() == null || node.getSpec().getTaints() == null
                ? List.of()
                : node.getSpec().getTaints();
    }

    /** Tells that the node's state is now a certain one. */
    public static void recordStatus(EventRecorder events, Node node, String status) {
        String name = node.getMetadata().getName();
        events.normal(node, status, "Node " + name + " status is now: " + status);
    }

    /** Tells what befell the node. */
    public static void recordEvent(EventRecorder events, Node node, String reason, String event) {
        String name = node.getMetadata().getName();
        events.normal(node, reason, "Node " + name + " event: " + event);
    }
}
