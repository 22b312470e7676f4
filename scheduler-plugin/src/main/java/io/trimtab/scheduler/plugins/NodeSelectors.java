package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.NodeSelector;
import io.fabric8.kubernetes.api.model.NodeSelectorRequirement;
import io.fabric8.kubernetes.api.model.NodeSelectorTerm;
import io.trimtab.scheduler.framework.PodInfo;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Matches nodes by labels and name, as node affinity says it. Pure. */
final class NodeSelectors {
    private NodeSelectors() {}

    /** True if the node has the labels of the pod's node selector and fulfils its required node affinity. */
    static boolean requiredMatch(PodInfo pod, String nodeName, Map<String, String> labels) {
        for (Map.Entry<String, String> wanted : pod.nodeSelector().entrySet()) {
            if (!wanted.getValue().equals(labels.get(wanted.getKey()))) {
                return false;
            }
        }
        NodeSelector required = pod.nodeAffinity() == null
                ? null
                : pod.nodeAffinity().getRequiredDuringSchedulingIgnoredDuringExecution();
        return required == null || matches(required, nodeName, labels);
    }

    /** True if one term matches. */
    static boolean matches(NodeSelector selector, String nodeName, Map<String, String> labels) {
        for (NodeSelectorTerm term : selector.getNodeSelectorTerms()) {
            if (matches(term, nodeName, labels)) {
                return true;
            }
        }
        return false;
    }

    /** True if all of the term is fulfilled; an empty term never is. */
    static boolean matches(@Nullable NodeSelectorTerm term, String nodeName, Map<String, String> labels) {
        if (term == null
                || term.getMatchExpressions().isEmpty() && term.getMatchFields().isEmpty()) {
            return false;
        }
        for (NodeSelectorRequirement expression : term.getMatchExpressions()) {
            if (!matches(expression, labels.get(expression.getKey()))) {
                return false;
            }
        }
        for (NodeSelectorRequirement field : term.getMatchFields()) {
            if (!matches(field, "metadata.name".equals(field.getKey()) ? nodeName : null)) {
                return false;
            }
        }
        return true;
    }

    private static boolean matches(NodeSelectorRequirement requirement, @Nullable String value) {
        List<String> values = requirement.getValues();
        return switch (requirement.getOperator()) {
            case "In" -> value != null && values.contains(value);
            case "NotIn" -> value == null || !values.contains(value);
            case "Exists" -> value != null;
            case "DoesNotExist" -> value == null;
            case "Gt" -> isAbove(value, values, 1);
            case "Lt" -> isAbove(value, values, -1);
            default -> false;
        };
    }

    private static boolean isAbove(@Nullable String value, List<String> values, int sign) {
        if (value == null || values.size() != 1) {
            return false;
        }
        try {
            return Long.compare(Long.parseLong(value), Long.parseLong(values.get(0))) == sign;
        } catch (NumberFormatException e) {
            return false;
        }
    }
}
