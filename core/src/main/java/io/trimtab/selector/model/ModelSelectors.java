package io.trimtab.selector.model;

import io.fabric8.kubernetes.api.model.LabelSelectorRequirement;
import io.trimtab.selector.InvalidSelectorException;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import io.trimtab.selector.Operator;
import io.trimtab.selector.Requirement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Compiles the structured label selectors of the API's objects. */
public final class ModelSelectors {
    private ModelSelectors() {}

    /**
     * Compiles the selector: null selects nothing, an empty one everything.
     *
     * @throws InvalidSelectorException with the message Kubernetes gives
     */
    public static LabelSelector of(io.fabric8.kubernetes.api.model.@Nullable LabelSelector selector) {
        if (selector == null) {
            return LabelSelectors.nothing();
        }
        Map<String, String> labels = selector.getMatchLabels();
        List<LabelSelectorRequirement> expressions = selector.getMatchExpressions();
        boolean noExpressions = expressions == null || expressions.isEmpty();
        if (labels == null || labels.isEmpty()) {
            if (noExpressions) {
                return LabelSelectors.everything();
            }
            labels = Map.of();
        }
        List<Requirement> requirements = new ArrayList<>();
        labels.forEach((key, value) ->
                requirements.add(Requirement.of(key, Operator.EQUALS, List.of(value == null ? "" : value))));
        if (!noExpressions) {
            for (LabelSelectorRequirement expression : expressions) {
                List<String> values = expression.getValues();
                requirements.add(Requirement.of(
                        expression.getKey(), operator(expression.getOperator()), values == null ? List.of() : values));
            }
        }
        return LabelSelectors.of(requirements);
    }

    private static Operator operator(@Nullable String name) {
        return switch (name == null ? "" : name) {
            case "In" -> Operator.IN;
            case "NotIn" -> Operator.NOT_IN;
            case "Exists" -> Operator.EXISTS;
            case "DoesNotExist" -> Operator.DOES_NOT_EXIST;
            default ->
                throw new InvalidSelectorException(
                        "\"" + (name == null ? "" : name) + "\" is not a valid label selector operator");
        };
    }
}
