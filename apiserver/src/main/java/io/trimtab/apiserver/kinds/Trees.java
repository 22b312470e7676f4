package io.trimtab.apiserver.kinds;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Reading and filling of trees as Kubernetes' own types would have it: an absent field, a null and (where the type has no
 * pointer) an empty or zero value are one and the same. Stateless; never fails on a value of another type, which decoding has
 * refused before.
 */
public final class Trees {
    private Trees() {}

    /** The text of a field; empty if there is none. */
    public static String text(@Nullable JsonNode parent, String field) {
        JsonNode value = child(parent, field);
        return value.isMissingNode() ? "" : value.asText("");
    }

    /** The number in a field; 0 if there is none. */
    public static long number(@Nullable JsonNode parent, String field) {
        return child(parent, field).asLong(0);
    }

    /** The number in a field, or the given one. */
    public static long number(@Nullable JsonNode parent, String field, long otherwise) {
        return has(parent, field) ? child(parent, field).asLong(otherwise) : otherwise;
    }

    /** Whether a field is true. */
    public static boolean flag(@Nullable JsonNode parent, String field) {
        return child(parent, field).asBoolean(false);
    }

    /** Whether a field is there and not null. */
    public static boolean has(@Nullable JsonNode parent, String field) {
        return !child(parent, field).isMissingNode();
    }

    /** Whether a field is there and has content: no null, empty text, empty list or empty object. */
    public static boolean hasContent(@Nullable JsonNode parent, String field) {
        JsonNode value = child(parent, field);
        if (value.isMissingNode()) {
            return false;
        }
        return value.isTextual() ? !value.textValue().isEmpty() : !value.isContainerNode() || value.size() > 0;
    }

    /** A field's value; a missing node for absent and null. */
    public static JsonNode child(@Nullable JsonNode parent, String field) {
        if (parent == null) {
            return MissingNode.getInstance();
        }
        JsonNode value = parent.get(field);
        return value == null || value instanceof NullNode ? MissingNode.getInstance() : value;
    }

    /** A value some fields down. */
    public static JsonNode at(@Nullable JsonNode parent, String... fields) {
        JsonNode value = parent == null ? MissingNode.getInstance() : parent;
        for (String field : fields) {
            value = child(value, field);
        }
        return value;
    }

    /** The items of a list; none if there is no list. */
    public static List<JsonNode> items(@Nullable JsonNode parent, String field) {
        JsonNode value = child(parent, field);
        if (!value.isArray()) {
            return List.of();
        }
        int size = value.size();
        List<JsonNode> items = new ArrayList<>(size);
        for (int i = 0; i < size; i++) {
            items.add(value.get(i));
        }
        return items;
    }

    /** The objects of a list. */
    public static List<ObjectNode> objects(@Nullable JsonNode parent, String field) {
        JsonNode value = child(parent, field);
        if (!value.isArray()) {
            return List.of();
        }
        List<ObjectNode> objects = new ArrayList<>(value.size());
        for (JsonNode item : value) {
            if (item instanceof ObjectNode object) {
                objects.add(object);
            }
        }
        return objects;
    }

    /** The texts of a list. */
    public static List<String> texts(@Nullable JsonNode parent, String field) {
        JsonNode value = child(parent, field);
        if (!value.isArray()) {
            return List.of();
        }
        List<String> texts = new ArrayList<>(value.size());
        value.forEach(item -> texts.add(item.asText()));
        return texts;
    }

    /** The fields of an object, sorted by name, as errors list them. */
    public static Map<String, JsonNode> entries(@Nullable JsonNode parent, String field) {
        JsonNode value = child(parent, field);
        if (!value.isObject()) {
            return Map.of();
        }
        Map<String, JsonNode> entries = new TreeMap<>();
        value.fields().forEachRemaining(e -> entries.put(e.getKey(), e.getValue()));
        return entries;
    }

    /** A map of texts, in the order in which it stands. */
    public static Map<String, String> map(@Nullable JsonNode parent, String field) {
        JsonNode value = child(parent, field);
        if (!value.isObject()) {
            return Map.of();
        }
        Map<String, String> map = new LinkedHashMap<>();
        value.fields().forEachRemaining(e -> map.put(e.getKey(), e.getValue().asText()));
        return map;
    }

    /** The object in a field, which is made if there is none. */
    public static ObjectNode make(ObjectNode parent, String field) {
        return parent.get(field) instanceof ObjectNode object ? object : parent.putObject(field);
    }

    /** The list in a field, which is made if there is none. */
    public static ArrayNode makeList(ObjectNode parent, String field) {
        return parent.get(field) instanceof ArrayNode list ? list : parent.putArray(field);
    }

    /** The object in a field; null if there is none. */
    public static @Nullable ObjectNode object(@Nullable JsonNode parent, String field) {
        return parent != null && parent.get(field) instanceof ObjectNode object ? object : null;
    }

    /** Sets a text where there is none, or an empty one. */
    public static void fill(ObjectNode parent, String field, String value) {
        if (text(parent, field).isEmpty()) {
            parent.put(field, value);
        }
    }

    /** Sets a number where there is none; zero counts as a value. */
    public static void fill(ObjectNode parent, String field, long value) {
        if (!has(parent, field)) {
            put(parent, field, value);
        }
    }

    /** Sets a number where there is none or zero. */
    public static void fillZero(ObjectNode parent, String field, long value) {
        if (number(parent, field) == 0) {
            put(parent, field, value);
        }
    }

    /** Sets a flag where there is none. */
    public static void fill(ObjectNode parent, String field, boolean value) {
        if (!has(parent, field)) {
            parent.put(field, value);
        }
    }

    /** Sets a number as the decoder would have read it: an int if it fits, so that trees compare equal. */
    public static void put(ObjectNode parent, String field, long value) {
        if (value == (int) value) {
            parent.put(field, (int) value);
        } else {
            parent.put(field, value);
        }
    }

    /** Copies a field from another tree, or removes it if it is absent there. */
    public static void carry(ObjectNode to, @Nullable JsonNode from, String field) {
        JsonNode value = child(from, field);
        if (value.isMissingNode()) {
            to.remove(field);
        } else {
            to.set(field, value.deepCopy());
        }
    }

    /**
     * Whether a field has the same value in both. What Kubernetes would not store must have been left out of both: then absent and
     * empty are two things where they are two for Kubernetes, as in a map of labels, or behind a pointer.
     */
    public static boolean same(@Nullable JsonNode a, @Nullable JsonNode b, String field) {
        return same(child(a, field), child(b, field));
    }

    /** Whether two values are the same: see {@link #same(JsonNode, JsonNode, String)}. */
    public static boolean same(@Nullable JsonNode a, @Nullable JsonNode b) {
        if (a == b) {
            return true;
        }
        JsonNode left = a == null ? MissingNode.getInstance() : a;
        JsonNode right = b == null ? MissingNode.getInstance() : b;
        if (isAbsent(left) || isAbsent(right)) {
            return isAbsent(left) && isAbsent(right);
        }
        if (left.isObject() && right.isObject()) {
            for (var fields = left.fieldNames(); fields.hasNext(); ) {
                String field = fields.next();
                if (!same(left.get(field), right.get(field))) {
                    return false;
                }
            }
            for (var fields = right.fieldNames(); fields.hasNext(); ) {
                String field = fields.next();
                if (!left.has(field) && !isAbsent(right.get(field))) {
                    return false;
                }
            }
            return true;
        }
        if (left.isArray() && right.isArray()) {
            if (left.size() != right.size()) {
                return false;
            }
            for (int i = 0; i < left.size(); i++) {
                if (!same(left.get(i), right.get(i))) {
                    return false;
                }
            }
            return true;
        }
        if (left.isIntegralNumber() && right.isIntegralNumber()) {
            return left.asLong() == right.asLong();
        }
        return left.equals(right);
    }

    private static boolean isAbsent(JsonNode value) {
        return value.isMissingNode() || value.isNull() || value.isArray() && value.isEmpty();
    }

    /** The value as errors show it: null for absent, maps of labels by key. */
    public static JsonNode shown(@Nullable JsonNode parent, String field) {
        JsonNode value = child(parent, field);
        if (value.isMissingNode()) {
            return NullNode.getInstance();
        }
        if (!value.isObject()) {
            return value;
        }
        if (field.equals("labels") || field.equals("matchLabels") || field.equals("nodeSelector")) {
            return sorted(value);
        }
        if (value.has("matchLabels")) {
            ObjectNode copy = JsonNodeFactory.instance.objectNode();
            copy.set("matchLabels", sorted(value.get("matchLabels")));
            value.fields().forEachRemaining(e -> {
                if (!e.getKey().equals("matchLabels")) {
                    copy.set(e.getKey(), e.getValue());
                }
            });
            return copy;
        }
        return value;
    }

    private static JsonNode sorted(JsonNode map) {
        Map<String, JsonNode> entries = new TreeMap<>();
        map.fields().forEachRemaining(e -> entries.put(e.getKey(), e.getValue()));
        ObjectNode copy = JsonNodeFactory.instance.objectNode();
        entries.forEach(copy::set);
        return copy;
    }

    /** A text node. */
    public static JsonNode textNode(String value) {
        return JsonNodeFactory.instance.textNode(value);
    }
}
