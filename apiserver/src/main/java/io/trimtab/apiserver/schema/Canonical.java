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
        return type.isCustom() ? custom(object, type) : root(object, type);
    }

    /** New itself, and so are the metadata, which are worked on afterwards. */
    private static ObjectNode root(ObjectNode object, TypeNode type) {
        ObjectNode result = struct(object, type);
        result = result == object ? shallowCopy(object) : result;
        JsonNode metadata = result.get("metadata");
        if (metadata instanceof ObjectNode same && metadata == object.get("metadata")) {
            result.set("metadata", shallowCopy(same));
        }
        return result;
    }

    /**
     * What the canonical form holds, in any order: for comparing.
     *
     * @param object not changed; all that has nothing to be added or left out is shared with the result
     */
    public static ObjectNode contents(ObjectNode object, Schema schema) {
        TypeNode type = (TypeNode) schema;
        return type.isCustom() ? object : complete(object, type);
    }

    /** The same object if that is its form already. */
    private static ObjectNode struct(ObjectNode object, TypeNode type) {
        // Few of the declared fields are there: these are put into their places, instead of looking for each of the
        // others.
        Field[] order = type.order();
        boolean[] speaks = type.speaks();
        @Nullable JsonNode[] values = new JsonNode[order.length];
        boolean same = true;
        int last = -1;
        for (Map.Entry<String, JsonNode> entry : object.properties()) {
            Field field = type.field(entry.getKey());
            if (field == null) {
                same = false;
                continue;
            }
            JsonNode value = entry.getValue();
            JsonNode written = value.isNull() || isForgotten(value, field)
                    ? absent(field)
                    : isLeftOut(value, field) ? null : value(value, field.type());
            values[field.place()] = written;
            same &= written == value && field.place() > last;
            last = field.place();
        }
        for (int i = 0; i < order.length; i++) {
            if (speaks[i] && values[i] == null) {
                values[i] = absent(order[i]);
                same = false;
            }
        }
        if (same) {
            return object;
        }
        ObjectNode result = NODES.objectNode();
        for (int i = 0; i < order.length; i++) {
            JsonNode value = values[i];
            if (value != null) {
                result.set(order[i].name(), value);
            }
        }
        return result;
    }

    /** What is written for a field that is not there; null for nothing. */
    private static @Nullable JsonNode absent(Field field) {
        if (!speaks(field)) {
            return null;
        }
        TypeNode type = field.type();
        return field.pointer()
                ? NODES.nullNode()
                : type.shape == Shape.STRUCT ? struct(NODES.objectNode(), type) : Reading.zero(type);
    }

    /** Whether something is written for a field even if it is not there. */
    static boolean speaks(Field field) {
        if (field.pointer()) {
            return !field.omitEmpty();
        }
        return switch (field.type().shape) {
            case STRUCT, TIME, MICRO_TIME, RAW -> !field.omitZero();
            case QUANTITY, INT_OR_STRING -> true;
            case CUSTOM -> false;
            default -> !field.omitEmpty();
        };
    }

    private static boolean isLeftOut(JsonNode value, Field field) {
        return field.omitEmpty() && !field.pointer() && isZero(value, field.type());
    }

    /** A list or map without entries is none once it was stored: the encoding of Kubernetes' store has no empty ones. */
    private static boolean isForgotten(JsonNode value, Field field) {
        Shape shape = field.type().shape;
        return (shape == Shape.LIST || shape == Shape.MAP)
                && !field.pointer()
                && !field.omitEmpty()
                && value.isContainerNode()
                && value.isEmpty();
    }

    /** Adds and leaves out as {@link #struct} does; the same object if that changes nothing. */
    private static ObjectNode complete(ObjectNode object, TypeNode type) {
        ObjectNode result = object;
        for (Map.Entry<String, JsonNode> entry : object.properties()) {
            Field field = type.field(entry.getKey());
            JsonNode value = entry.getValue();
            JsonNode written = null;
            if (field != null && !value.isNull() && isForgotten(value, field)) {
                written = absent(field);
            } else if (field != null && !value.isNull() && !isLeftOut(value, field)) {
                written = complete(value, field.type());
            }
            if (written != value) {
                result = result == object ? shallowCopy(object) : result;
                if (written == null) {
                    result.remove(entry.getKey());
                } else {
                    result.set(entry.getKey(), written);
                }
            }
        }
        for (Field field : type.speaking()) {
            JsonNode value = object.get(field.name());
            if (value == null || value.isNull()) {
                JsonNode written = absent(field);
                if (written != null) {
                    result = result == object ? shallowCopy(object) : result;
                    result.set(field.name(), written);
                }
            }
        }
        return result;
    }

    private static JsonNode complete(JsonNode value, TypeNode type) {
        switch (type.shape) {
            case STRUCT:
                return value instanceof ObjectNode o ? complete(o, type) : value;
            case LIST:
                TypeNode items = type.items();
                if (value instanceof ArrayNode list && items != null && items.shape == Shape.STRUCT) {
                    ArrayNode result = list;
                    for (int i = 0; i < list.size(); i++) {
                        JsonNode item = list.get(i);
                        JsonNode written = complete(item, items);
                        if (written != item) {
                            result = result == list
                                    ? NODES.arrayNode(list.size()).addAll(list)
                                    : result;
                            result.set(i, written);
                        }
                    }
                    return result;
                }
                return isPlain(items) ? value : value(value, type);
            case MAP:
                return isPlain(type.additionalProperties()) ? value : value(value, type);
            default:
                return value(value, type);
        }
    }

    /** Whether values of a type have one form only. */
    private static boolean isPlain(@Nullable TypeNode type) {
        return type == null || type.shape == Shape.STRING || type.shape == Shape.QUANTITY || type.shape == Shape.BYTES;
    }

    private static ObjectNode shallowCopy(ObjectNode object) {
        ObjectNode copy = NODES.objectNode();
        copy.setAll(object);
        return copy;
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
        if (isOrdered(map) && (values == null || isPlain(values))) {
            return map;
        }
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
        int size = list.size();
        ArrayNode result = null;
        for (int i = 0; i < size; i++) {
            JsonNode item = list.get(i);
            JsonNode written = value(item, items);
            if (result == null && written != item) {
                result = NODES.arrayNode(size);
                for (int j = 0; j < i; j++) {
                    result.add(list.get(j));
                }
            }
            if (result != null) {
                result.add(written);
            }
        }
        return result == null ? list : result;
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

    private static boolean isOrdered(ObjectNode object) {
        String last = "";
        for (Map.Entry<String, JsonNode> entry : object.properties()) {
            if (last.compareTo(entry.getKey()) > 0) {
                return false;
            }
            last = entry.getKey();
        }
        return true;
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
