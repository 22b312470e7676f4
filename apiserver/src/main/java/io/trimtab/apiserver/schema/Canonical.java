package io.trimtab.apiserver.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.schema.TypeNode.Field;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The form in which Kubernetes writes an object: fields in declared order, empty optional ones left out, the others written even
 * when they are zero ({@code status: {}}, {@code resources: {}}, {@code name: ""}), map keys sorted. Custom resources: sorted
 * keys, nothing added or left out. Stateless.
 */
public final class Canonical {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private Canonical() {}

    /**
     * The object in canonical form. Applied twice it changes nothing more.
     *
     * @param object not changed; subtrees that are canonical already may be shared with the result
     */
    public static ObjectNode of(ObjectNode object, Schema schema) {
        TypeNode type = (TypeNode) schema;
        return type.isCustom() ? custom(object, type) : struct(object, type);
    }

    private static ObjectNode struct(ObjectNode object, TypeNode type) {
        ObjectNode result = NODES.objectNode();
        for (Field field : type.fields().values()) {
            JsonNode value = field(object.get(field.name()), field);
            if (value != null) {
                result.set(field.name(), value);
            }
        }
        return result;
    }

    /** What is written for a field; null for nothing. */
    private static @Nullable JsonNode field(@Nullable JsonNode value, Field field) {
        TypeNode type = field.type();
        if (value == null || value.isNull()) {
            if (field.pointer()) {
                return field.omitEmpty() ? null : NODES.nullNode();
            }
            return switch (type.shape) {
                case STRUCT -> field.omitZero() ? null : struct(NODES.objectNode(), type);
                case TIME, MICRO_TIME, RAW -> field.omitZero() ? null : NODES.nullNode();
                case QUANTITY, INT_OR_STRING -> Reading.zero(type);
                case CUSTOM -> null;
                default -> field.omitEmpty() ? null : Reading.zero(type);
            };
        }
        if (!field.pointer() && field.omitEmpty() && isZero(value, type)) {
            return null;
        }
        return value(value, type);
    }

    private static boolean isZero(JsonNode value, TypeNode type) {
        return switch (type.shape) {
            case STRING, BYTES -> value.isTextual() && value.textValue().isEmpty();
            case BOOL -> value.isBoolean() && !value.booleanValue();
            case INT32, INT64, DOUBLE -> value.isNumber() && value.doubleValue() == 0;
            case LIST, MAP -> value.isContainerNode() && value.isEmpty();
            default -> false;
        };
    }

    private static JsonNode value(JsonNode value, TypeNode type) {
        switch (type.shape) {
            case STRUCT:
                return value instanceof ObjectNode o ? struct(o, type) : value;
            case MAP:
                return value instanceof ObjectNode o ? map(o, type.additionalProperties()) : value;
            case LIST:
                return value instanceof ArrayNode a ? list(a, type.items()) : value;
            case CUSTOM:
                return custom(value, type);
            case SCHEMA_OR_BOOL:
            case SCHEMA_OR_ARRAY:
            case SCHEMA_OR_STRINGS:
                return value instanceof ObjectNode o
                        ? struct(
                                o,
                                SchemaRegistry.builtin()
                                        .definition(
                                                "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"))
                        : value;
            case INT64:
                // One form for one number: nodes of different width are not equal.
                return value.isLong() && value.canConvertToInt() ? NODES.numberNode(value.intValue()) : value;
            default:
                return value;
        }
    }

    private static ObjectNode map(ObjectNode map, @Nullable TypeNode values) {
        ObjectNode result = NODES.objectNode();
        for (String key : keys(map)) {
            JsonNode value = map.get(key);
            result.set(key, values == null ? value : value(value, values));
        }
        return result;
    }

    private static ArrayNode list(ArrayNode list, @Nullable TypeNode items) {
        if (items == null) {
            return list;
        }
        ArrayNode result = NODES.arrayNode(list.size());
        for (JsonNode item : list) {
            result.add(value(item, items));
        }
        return result;
    }

    private static ObjectNode custom(ObjectNode object, TypeNode type) {
        Map<String, Field> fields = type.fields();
        ObjectNode result = NODES.objectNode();
        for (String key : keys(object)) {
            Field field = fields.get(key);
            JsonNode value = object.get(key);
            if (field != null && !field.type().isCustom()) {
                // Metadata goes through its struct, then back to a map.
                result.set(key, sorted(value(value, field.type())));
            } else {
                TypeNode child = field != null ? field.type() : type.additionalProperties();
                result.set(key, child == null ? sorted(value) : custom(value, child));
            }
        }
        return result;
    }

    private static JsonNode custom(JsonNode value, TypeNode type) {
        if (value instanceof ObjectNode o) {
            return custom(o, type);
        }
        if (value instanceof ArrayNode a && type.items() != null) {
            ArrayNode result = NODES.arrayNode(a.size());
            a.forEach(item -> result.add(custom(item, type.items())));
            return result;
        }
        return sorted(value);
    }

    /** With the keys of all maps sorted; for values without a declared type. */
    public static JsonNode sorted(JsonNode value) {
        if (value instanceof ObjectNode o) {
            ObjectNode result = NODES.objectNode();
            for (String key : keys(o)) {
                result.set(key, sorted(o.get(key)));
            }
            return result;
        }
        if (value instanceof ArrayNode a) {
            ArrayNode result = NODES.arrayNode(a.size());
            a.forEach(item -> result.add(sorted(item)));
            return result;
        }
        return value.isLong() && value.canConvertToInt() ? NODES.numberNode(value.intValue()) : value;
    }

    private static List<String> keys(ObjectNode object) {
        List<String> keys = new ArrayList<>(object.size());
        boolean ordered = true;
        String last = "";
        for (var names = object.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            ordered &= last.compareTo(name) <= 0;
            last = name;
            keys.add(name);
        }
        if (!ordered) {
            Collections.sort(keys);
        }
        return keys;
    }
}
