package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import io.trimtab.selector.Operator;
import io.trimtab.selector.Requirement;
import java.util.ArrayList;
import java.util.List;

/** The structured form of a label selector ({@code matchLabels}, {@code matchExpressions}) as a tree. Stateless. */
public final class StructuredSelector {
    private StructuredSelector() {}

    /** Compiles a selector; an empty one selects everything, an expression that makes no sense nothing. */
    public static LabelSelector of(JsonNode selector) {
        List<Requirement> requirements = new ArrayList<>();
        selector.path("matchLabels")
                .fields()
                .forEachRemaining(l -> requirements.add(new Requirement(
                        l.getKey(), Operator.EQUALS, List.of(l.getValue().asText()))));
        for (JsonNode expression : selector.path("matchExpressions")) {
            Operator operator =
                    switch (expression.path("operator").asText()) {
                        case "In" -> Operator.IN;
                        case "NotIn" -> Operator.NOT_IN;
                        case "Exists" -> Operator.EXISTS;
                        case "DoesNotExist" -> Operator.DOES_NOT_EXIST;
                        default -> null;
                    };
            if (operator == null) {
                return LabelSelectors.nothing();
            }
            requirements.add(new Requirement(
                    expression.path("key").asText(), operator, WriteOptions.texts(expression.path("values"))));
        }
        return LabelSelectors.of(requirements);
    }
}
