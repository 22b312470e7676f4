package io.trimtab.apiserver.kinds;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Checks and evaluates {@code LabelSelector}s as they stand in objects. Stateless. */
public final class LabelSelectorRules {
    private LabelSelectorRules() {}

    /** Says what is wrong with a selector; an absent one is fine. */
    public static void validate(FieldErrors errors, String path, @Nullable JsonNode selector) {
        if (selector == null || !selector.isObject()) {
            return;
        }
        FieldRules.labels(errors, path + ".matchLabels", Trees.map(selector, "matchLabels"));
        int i = 0;
        for (JsonNode requirement : Trees.items(selector, "matchExpressions")) {
            requirement(errors, path + ".matchExpressions[" + i++ + "]", requirement);
        }
    }

    private static void requirement(FieldErrors errors, String path, JsonNode requirement) {
        List<String> values = Trees.texts(requirement, "values");
        String operator = Trees.text(requirement, "operator");
        switch (operator) {
            case "In", "NotIn" -> {
                if (values.isEmpty()) {
                    errors.required(path + ".values", "must be specified when `operator` is 'In' or 'NotIn'");
                }
            }
            case "Exists", "DoesNotExist" -> {
                if (!values.isEmpty()) {
                    errors.forbidden(
                            path + ".values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
                }
            }
            default -> errors.invalid(path + ".operator", operator, "not a valid selector operator");
        }
        String key = Trees.text(requirement, "key");
        FieldRules.invalid(errors, path + ".key", key, Names.qualified(key));
        for (int i = 0; i < values.size(); i++) {
            FieldRules.invalid(errors, path + ".values[" + i + "]", values.get(i), Names.labelValue(values.get(i)));
        }
    }

    /** Whether a selector says nothing, and so selects everything (or, where it is required, is refused). */
    public static boolean isEmpty(@Nullable JsonNode selector) {
        return !Trees.hasContent(selector, "matchLabels") && !Trees.hasContent(selector, "matchExpressions");
    }

    /** Whether a valid selector selects these labels; an absent one selects nothing. */
    public static boolean matches(@Nullable JsonNode selector, Map<String, String> labels) {
        if (selector == null || !selector.isObject()) {
            return false;
        }
        for (Map.Entry<String, String> entry :
                Trees.map(selector, "matchLabels").entrySet()) {
            if (!entry.getValue().equals(labels.get(entry.getKey()))) {
                return false;
            }
        }
        for (JsonNode requirement : Trees.items(selector, "matchExpressions")) {
            String actual = labels.get(Trees.text(requirement, "key"));
            List<String> values = Trees.texts(requirement, "values");
            boolean matches =
                    switch (Trees.text(requirement, "operator")) {
                        case "In" -> actual != null && values.contains(actual);
                        case "NotIn" -> actual == null || !values.contains(actual);
                        case "Exists" -> actual != null;
                        case "DoesNotExist" -> actual == null;
                        default -> false;
                    };
            if (!matches) {
                return false;
            }
        }
        return true;
    }

    /** The text form, as the scale subresource shows it: requirements by key. */
    public static String text(@Nullable JsonNode selector) {
        if (selector == null || !selector.isObject()) {
            return "";
        }
        java.util.TreeMap<String, StringBuilder> parts = new java.util.TreeMap<>();
        Trees.map(selector, "matchLabels").forEach((key, value) -> add(parts, key, key + "=" + value));
        for (JsonNode requirement : Trees.items(selector, "matchExpressions")) {
            String key = Trees.text(requirement, "key");
            String values = String.join(",", new java.util.TreeSet<>(Trees.texts(requirement, "values")));
            switch (Trees.text(requirement, "operator")) {
                case "In" -> add(parts, key, key + " in (" + values + ")");
                case "NotIn" -> add(parts, key, key + " notin (" + values + ")");
                case "Exists" -> add(parts, key, key);
                default -> add(parts, key, "!" + key);
            }
        }
        return String.join(",", parts.values());
    }

    private static void add(Map<String, StringBuilder> parts, String key, String part) {
        parts.merge(key, new StringBuilder(part), (a, b) -> a.append(',').append(b));
    }

    /** The text form of a plain map: requirements by key. */
    public static String text(Map<String, String> labels) {
        StringBuilder text = new StringBuilder();
        new java.util.TreeMap<>(labels).forEach((key, value) -> {
            if (text.length() > 0) {
                text.append(',');
            }
            text.append(key).append('=').append(value);
        });
        return text.toString();
    }
}
