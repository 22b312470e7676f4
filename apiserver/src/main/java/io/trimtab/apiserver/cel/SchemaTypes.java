package io.trimtab.apiserver.cel;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.schema.Schema;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What expressions see of a structural schema. Stateless. */
public final class SchemaTypes {
    /** The largest request: no value can be larger. */
    public static final long MAX_REQUEST_BYTES = 3 * 1024 * 1024;

    private static final Map<String, DeclType> META = meta();

    private SchemaTypes() {}

    /**
     * The type of a schema; null if expressions cannot see its values, as they cannot where no type is declared.
     *
     * @param root whether this is a whole resource, whose type and name can always be seen
     */
    public static @Nullable DeclType of(JsonNode schema, boolean root) {
        return of(schema, root, "selfType");
    }

    private static @Nullable DeclType of(JsonNode schema, boolean root, String name) {
        if (flag(schema, "x-kubernetes-int-or-string")) {
            return DeclType.scalar(CelType.DYN, 1, textSize(schema, MAX_REQUEST_BYTES - 2), "");
        }
        String type = schema.path("type").asText("");
        if (root) {
            type = "object";
        }
        switch (type) {
            case "array":
                return list(schema, name);
            case "object":
                return object(schema, root, name);
            case "string":
                return string(schema);
            case "boolean":
                return DeclType.BOOL;
            case "number":
                return DeclType.DOUBLE;
            case "integer":
                return DeclType.INT;
            default:
                return null;
        }
    }

    private static boolean flag(JsonNode schema, String name) {
        return schema.path(name).asBoolean();
    }

    private static long textSize(JsonNode schema, long otherwise) {
        return schema.has("maxLength") ? Math.max(0, schema.get("maxLength").asLong()) * 4 : otherwise;
    }

    private static @Nullable DeclType list(JsonNode schema, String name) {
        if (!(schema.get("items") instanceof ObjectNode items)) {
            return null;
        }
        DeclType element = of(items, flag(items, "x-kubernetes-embedded-resource"), name + ".@idx");
        if (element == null) {
            return null;
        }
        long max = schema.has("maxItems")
                ? Math.max(0, schema.get("maxItems").asLong())
                : (MAX_REQUEST_BYTES - 2) / (element.minSerializedSize() + 1);
        List<String> keys = new ArrayList<>();
        schema.path("x-kubernetes-list-map-keys").forEach(key -> keys.add(key.asText()));
        return DeclType.list(element, max, schema.path("x-kubernetes-list-type").asText(""), keys);
    }

    private static @Nullable DeclType object(JsonNode schema, boolean root, String name) {
        if (!root && schema.get("additionalProperties") instanceof ObjectNode values) {
            DeclType element = of(values, flag(values, "x-kubernetes-embedded-resource"), name + ".@elem");
            if (element == null) {
                return null;
            }
            long max = schema.has("maxProperties")
                    ? Math.max(0, schema.get("maxProperties").asLong())
                    : (MAX_REQUEST_BYTES - 2) / (element.minSerializedSize() + 6);
            return DeclType.map(element, max);
        }
        Set<String> required = new HashSet<>();
        schema.path("required").forEach(field -> required.add(field.asText()));
        Map<String, DeclType.Field> fields = new LinkedHashMap<>();
        long[] size = {2};
        schema.path("properties").fields().forEachRemaining(property -> {
            String field = property.getKey();
            JsonNode declared = property.getValue();
            DeclType type = root && META.containsKey(field)
                    ? META.get(field)
                    : of(declared, flag(declared, "x-kubernetes-embedded-resource"), name + "." + field);
            if (type == null) {
                return;
            }
            String escaped = Escaping.escape(field);
            if (escaped != null) {
                fields.put(escaped, new DeclType.Field(field, type));
            }
            if (required.contains(field) && !declared.has("default")) {
                size[0] += field.length() + type.minSerializedSize() + 4;
            }
        });
        if (root) {
            META.forEach((field, type) -> fields.putIfAbsent(field, new DeclType.Field(field, type)));
        }
        return DeclType.object(name, fields, size[0]);
    }

    private static Map<String, DeclType> meta() {
        DeclType text = DeclType.scalar(CelType.STRING, 2, MAX_REQUEST_BYTES - 2, "");
        Map<String, DeclType.Field> names = new LinkedHashMap<>();
        names.put("name", new DeclType.Field("name", text));
        names.put("generateName", new DeclType.Field("generateName", text));
        Map<String, DeclType> meta = new LinkedHashMap<>();
        meta.put("kind", text);
        meta.put("apiVersion", text);
        meta.put("metadata", DeclType.object("selfType.metadata", names, 2));
        return meta;
    }

    /**
     * What expressions see of a type as it is served; null if they cannot see its values.
     *
     * @param name of the type that the object gets
     */
    public static @Nullable DeclType of(Schema schema, String name) {
        return of(schema, name, new java.util.ArrayDeque<>());
    }

    private static @Nullable DeclType of(Schema schema, String name, java.util.Deque<Schema> around) {
        if (around.contains(schema)) {
            return null; // a type that holds itself has no end
        }
        around.push(schema);
        try {
            switch (schema.type()) {
                case INT_OR_STRING:
                    return DeclType.scalar(CelType.DYN, 1, MAX_REQUEST_BYTES - 2, "");
                case BOOLEAN:
                    return DeclType.BOOL;
                case INTEGER:
                    return DeclType.INT;
                case NUMBER:
                    return DeclType.DOUBLE;
                case STRING:
                    return scalar(schema.format());
                case ARRAY: {
                    Schema items = schema.items();
                    DeclType element = items == null ? null : of(items, name + ".@idx", around);
                    return element == null ? null : DeclType.list(element, MAX_REQUEST_BYTES, "", List.of());
                }
                case OBJECT: {
                    Schema values = schema.additionalProperties();
                    if (values != null) {
                        DeclType element = of(values, name + ".@elem", around);
                        return element == null ? null : DeclType.map(element, MAX_REQUEST_BYTES);
                    }
                    Map<String, DeclType.Field> fields = new LinkedHashMap<>();
                    schema.properties().forEach((field, of) -> {
                        DeclType type = of(of, name + "." + field, around);
                        String escaped = Escaping.escape(field);
                        if (type != null && escaped != null) {
                            fields.put(escaped, new DeclType.Field(field, type));
                        }
                    });
                    return DeclType.object(name, fields, 2);
                }
                default:
                    return null;
            }
        } finally {
            around.pop();
        }
    }

    private static DeclType scalar(String format) {
        ObjectNode schema = com.fasterxml.jackson.databind.node.JsonNodeFactory.instance.objectNode();
        return string(schema.put("format", format));
    }

    private static DeclType string(JsonNode schema) {
        String format = schema.path("format").asText("");
        switch (format) {
            case "byte":
                return DeclType.scalar(
                        CelType.BYTES,
                        2,
                        schema.has("maxLength")
                                ? Math.max(0, schema.get("maxLength").asLong())
                                : MAX_REQUEST_BYTES - 2,
                        format);
            case "duration":
                return DeclType.scalar(CelType.DURATION, 3, 32, format);
            case "date":
                return DeclType.scalar(CelType.TIMESTAMP, 12, 12, format);
            case "date-time":
                return DeclType.scalar(CelType.TIMESTAMP, 21, 32, format);
            default:
                break;
        }
        long max = MAX_REQUEST_BYTES - 2;
        if (!schema.path("enum").isEmpty()) {
            max = 0;
            for (JsonNode value : schema.get("enum")) {
                max = Math.max(max, value.asText("").getBytes(java.nio.charset.StandardCharsets.UTF_8).length);
            }
        }
        return DeclType.scalar(CelType.STRING, 2, textSize(schema, max), "");
    }
}
