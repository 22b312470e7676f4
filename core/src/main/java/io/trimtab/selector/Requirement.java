package io.trimtab.selector;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * One condition of a label selector.
 *
 * @param key the label's key
 * @param operator how the label's value is compared
 * @param values sorted, each once; empty for {@link Operator#EXISTS} and {@link Operator#DOES_NOT_EXIST}
 */
public record Requirement(String key, Operator operator, List<String> values) {

    public Requirement {
        values = values.size() < 2 ? List.copyOf(values) : List.copyOf(new TreeSet<>(values));
    }

    /**
     * A requirement that Kubernetes accepts.
     *
     * @throws InvalidSelectorException if the key or a value is no label, or the number of values does not fit the operator
     */
    public static Requirement of(String key, Operator operator, List<String> values) {
        List<String> errors = new ArrayList<>();
        LabelSyntax.keyError("key", key).ifPresent(errors::add);
        switch (operator) {
            case IN, NOT_IN -> {
                if (values.isEmpty()) {
                    errors.add(badValues(values, "for 'in', 'notin' operators, values set can't be empty"));
                }
            }
            case EQUALS, DOUBLE_EQUALS, NOT_EQUALS -> {
                if (values.size() != 1) {
                    errors.add(badValues(values, "exact-match compatibility requires one single value"));
                }
            }
            case EXISTS, DOES_NOT_EXIST -> {
                if (!values.isEmpty()) {
                    errors.add(badValues(values, "values set must be empty for exists and does not exist"));
                }
            }
            case GREATER_THAN, LESS_THAN -> {
                if (values.size() != 1) {
                    errors.add(badValues(values, "for 'Gt', 'Lt' operators, exactly one value is required"));
                }
                for (int i = 0; i < values.size(); i++) {
                    if (!Decimal.isLong(values.get(i))) {
                        errors.add("values[" + i + "]: Invalid value: " + LabelSyntax.quote(values.get(i))
                                + ": for 'Gt', 'Lt' operators, the value must be an integer");
                    }
                }
            }
        }
        for (int i = 0; i < values.size(); i++) {
            LabelSyntax.valueError("values[" + i + "][" + key + "]", values.get(i))
                    .ifPresent(errors::add);
        }
        if (!errors.isEmpty()) {
            throw new InvalidSelectorException(LabelSyntax.aggregate(errors));
        }
        return new Requirement(key, operator, values);
    }

    private static String badValues(List<String> values, String detail) {
        StringBuilder json = new StringBuilder("[");
        for (String value : values) {
            json.append(json.length() == 1 ? "" : ",").append(LabelSyntax.quote(value));
        }
        return "values: Invalid value: " + json + "]: " + detail;
    }

    /** True if an object with these labels fulfils it. Slower than a compiled selector; the measure of one. */
    public boolean matches(Map<String, String> labels) {
        String value = labels.get(key);
        return switch (operator) {
            case EQUALS, DOUBLE_EQUALS, IN -> value != null && values.contains(value);
            case NOT_EQUALS, NOT_IN -> value == null || !values.contains(value);
            case EXISTS -> value != null;
            case DOES_NOT_EXIST -> value == null;
            case GREATER_THAN, LESS_THAN -> {
                if (value == null || values.size() != 1 || !Decimal.isLong(value) || !Decimal.isLong(values.get(0))) {
                    yield false;
                }
                long found = Decimal.parse(value);
                long bound = Decimal.parse(values.get(0));
                yield operator == Operator.GREATER_THAN ? found > bound : found < bound;
            }
        };
    }

    /** The one, of those that need a label to be there, under which an index looks first; null if there is none. */
    static @Nullable Requirement cheapest(List<Requirement> requirements, ToIntFunction<Requirement> cost) {
        Requirement best = null;
        int bestCost = Integer.MAX_VALUE;
        for (Requirement requirement : requirements) {
            if (requirement.operator().isNegative() || requirement.operator() == Operator.DOES_NOT_EXIST) {
                continue;
            }
            int its = cost.applyAsInt(requirement);
            if (its < bestCost) {
                best = requirement;
                bestCost = its;
            }
        }
        return best;
    }

    /** The text form. */
    @Override
    public String toString() {
        return switch (operator) {
            case EXISTS -> key;
            case DOES_NOT_EXIST -> "!" + key;
            case IN, NOT_IN -> key + operator.infix() + "(" + String.join(",", values) + ")";
            case EQUALS, DOUBLE_EQUALS, NOT_EQUALS, GREATER_THAN, LESS_THAN ->
                key + operator.infix() + String.join(",", values);
        };
    }
}
