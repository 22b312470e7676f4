package io.trimtab.apiserver.customresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Fills in what a structural schema has defaults for, and drops nulls where null is no value. Stateless. */
final class SchemaDefaults {
    private SchemaDefaults() {}

    static void fill(JsonNode value, JsonNode schema) {
        dropNulls(value, schema);
        apply(value, schema);
    }

    private static void dropNulls(JsonNode value, JsonNode schema) {
        if (value instanceof ObjectNode object) {
            List<String> names = new ArrayList<>();
            object.fieldNames().forEachRemaining(names::add);
            for (String name : names) {
                JsonNode type = typeOf(schema, name);
                if (type == null) {
                    continue;
                }
                JsonNode field = object.get(name);
                if (isForbiddenNull(field, type) && !type.has("default")) {
                    object.remove(name);
                } else {
                    dropNulls(field, type);
                }
            }
        } else if (value instanceof ArrayNode array && schema.get("items") instanceof ObjectNode items) {
            array.forEach(item -> dropNulls(item, items));
        }
    }

    private static void apply(JsonNode value, JsonNode schema) {
        if (value instanceof ObjectNode object) {
            schema.path("properties").fields().forEachRemaining(property -> {
                JsonNode type = property.getValue();
                JsonNode standard = type.get("default");
                JsonNode present = object.get(property.getKey());
                if (standard != null && (present == null || isForbiddenNull(present, type))) {
                    object.set(property.getKey(), standard.deepCopy());
                }
            });
            List<String> names = new ArrayList<>();
            object.fieldNames().forEachRemaining(names::add);
            for (String name : names) {
                JsonNode type = typeOf(schema, name);
                if (type == null) {
                    continue;
                }
                if (isForbiddenNull(object.get(name), type) && type.has("default")) {
                    object.set(name, type.get("default").deepCopy());
                }
                apply(object.get(name), type);
            }
        } else if (value instanceof ArrayNode array && schema.get("items") instanceof ObjectNode items) {
            for (int i = 0; i < array.size(); i++) {
                if (isForbiddenNull(array.get(i), items) && items.has("default")) {
                    array.set(i, items.get("default").deepCopy());
                }
                apply(array.get(i), items);
            }
        }
    }

    /** The schema of a field; null if the field is not declared. */
    private static @Nullable JsonNode typeOf(JsonNode schema, String field) {
        JsonNode declared = schema.path("properties").get(field);
        return declared != null
                ? declared
                : schema.get("additionalProperties") instanceof ObjectNode values ? values : null;
    }

    private static boolean isForbiddenNull(JsonNode value, JsonNode type) {
        return value.isNull() && !type.path("nullable").asBoolean();
    }
}
