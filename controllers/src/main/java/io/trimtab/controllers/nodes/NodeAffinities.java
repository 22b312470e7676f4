package io.trimtab.controllers.nodes;

import io.fabric8.kubernetes.api.model.Affinity;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeSelectorRequirement;
import io.fabric8.kubernetes.api.model.NodeSelectorTerm;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.trimtab.selector.LabelSelectors;
import io.trimtab.selector.Operator;
import io.trimtab.selector.Requirement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Whether a node is one that a pod asks for, by node selector and required node affinity. Pure functions. */
public final class NodeAffinities {
    private NodeAffinities() {}

    public static boolean matches(PodSpec spec, Node node) {
        Map<String, String> selector = spec.getNodeSelector();
        Map<String, String> labels = Nodes.labels(node);
        if (selector != null && !labels.entrySet().containsAll(selector.entrySet())) {
            return false;
        }
        Affinity affinity = spec.getAffinity();
        if (affinity == null
                || affinity.getNodeAffinity() == null
                || affinity.getNodeAffinity().getRequiredDuringSchedulingIgnoredDuringExecution() == null) {
            return true;
        }
        return affinity
                .getNodeAffinity()
                .getRequiredDuringSchedulingIgnoredDuringExecution()
                .getNodeSelectorTerms()
                .stream()
                .anyMatch(term -> matches(term, node));
    }

    /** A term that says nothing matches nothing; so does one that cannot be read. */
    private static boolean matches(NodeSelectorTerm term, Node node) {
        if (term.getMatchExpressions().isEmpty() && term.getMatchFields().isEmpty()) {
            return false;
        }
        try {
            return matches(term.getMatchExpressions(), Nodes.labels(node))
                    && matches(
                            term.getMatchFields(),
                            Map.of("metadata.name", node.getMetadata().getName()));
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static boolean matches(List<NodeSelectorRequirement> requirements, Map<String, String> labels) {
        List<Requirement> parsed = new ArrayList<>();
        for (NodeSelectorRequirement requirement : requirements) {
            Operator operator =
                    switch (String.valueOf(requirement.getOperator())) {
                        case "In" -> Operator.IN;
                        case "NotIn" -> Operator.NOT_IN;
                        case "Exists" -> Operator.EXISTS;
                        case "DoesNotExist" -> Operator.DOES_NOT_EXIST;
                        case "Gt" -> Operator.GREATER_THAN;
                        case "Lt" -> Operator.LESS_THAN;
                        default -> throw new IllegalArgumentException(requirement.getOperator());
                    };
            parsed.add(Requirement.of(
                    requirement.getKey(),
                    operator,
                    requirement.getValues() == null ? List.of() : requirement.getValues()));
        }
        return parsed.isEmpty() || LabelSelectors.of(parsed).matches(labels);
    }
}
