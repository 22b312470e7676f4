package io.trimtab.apiserver.apply;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/** Values and their types as Go's formatter shows them in the errors of apply. */
final class GoValues {
    private GoValues() {}

    /** As {@code %v} has it. */
    static String show(JsonNode value) {
        if (value instanceof ObjectNode object) {
            TreeMap<String, JsonNode> sorted = new TreeMap<>();
            object.properties().forEach(e -> sorted.put(e.getKey(), e.getValue()));
            return sorted.entrySet().stream()
                    .map(e -> e.getKey() + ":" + show(e.getValue()))
                    .collect(Collectors.joining(" ", "map[", "]"));
        }
        if (value.isArray()) {
            return StreamSupport.stream(value.spliterator(), false)
                    .map(GoValues::show)
                    .collect(Collectors.joining(" ", "[", "]"));
        }
        return value.isNull() ? "<nil>" : value.asText();
    }

    /** As {@code %T} has it. */
    static String type(JsonNode value) {
        return value.isObject()
                ? "map[string]interface {}"
                : value.isArray()
                        ? "[]interface {}"
                        : value.isTextual()
                                ? "string"
                                : value.isBoolean() ? "bool" : value.isIntegralNumber() ? "int64" : "float64";
    }

    /** As {@code %#v} has it. */
    static String detail(JsonNode value) {
        return "&value.valueUnstructured{Value:" + literal(value) + "}";
    }

    private static String literal(JsonNode value) {
        if (value instanceof ObjectNode object) {
            TreeMap<String, JsonNode> sorted = new TreeMap<>();
            object.properties().forEach(e -> sorted.put(e.getKey(), e.getValue()));
            return sorted.entrySet().stream()
                    .map(e -> FieldErrors.quote(e.getKey()) + ":" + literal(e.getValue()))
                    .collect(Collectors.joining(", ", "map[string]interface {}{", "}"));
        }
        if (value.isArray()) {
            return StreamSupport.stream(value.spliterator(), false)
                    .map(GoValues::literal)
                    .collect(Collectors.joining(", ", "[]interface {}{", "}"));
        }
        return value.isTextual()
                ? FieldErrors.quote(value.textValue())
                : value.isNull() ? "interface {}(nil)" : value.asText();
    }
}
