package io.trimtab.apiserver.apply;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.trimtab.apiserver.errors.FieldErrors;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One step of a path into an object: a field, an item of a keyed list, a value of a set, or an index. Immutable; equal by its
 * serialised form ({@code f:name}, {@code k:{"name":"c"}}, {@code v:"x"}, {@code i:0}).
 */
final class PathElement implements Comparable<PathElement> {
    // In the order in which elements of different kinds are sorted.
    private static final String KINDS = "fkvi";
    private static final ObjectMapper MAPPER = new ObjectMapper();

    // The last elements read, by hash: the same few come with every object of a kind. Races only lose an element.
    private static final PathElement[] RECENT = new PathElement[2048];

    // The same for fields, by the hash of their names.
    private static final PathElement[] FIELDS = new PathElement[2048];

    private final String text;
    // What comes after the colon.
    private final String name;
    private final @Nullable JsonNode value;

    private PathElement(String text, String name, @Nullable JsonNode value) {
        this.text = text;
        this.name = name;
        this.value = value;
    }

    private PathElement(String text, @Nullable JsonNode value) {
        this(text, text.substring(2), value);
    }

    static PathElement field(String name) {
        int slot = name.hashCode() * 0x9e3779b9 >>> 21;
        PathElement known = FIELDS[slot];
        if (known != null && known.name.equals(name)) {
            return known;
        }
        PathElement made = new PathElement("f:" + name, name, null);
        FIELDS[slot] = made;
        return made;
    }

    /** @param key the key fields of the item, at least one */
    static PathElement key(TreeMap<String, JsonNode> key) {
        ObjectNode object = MAPPER.createObjectNode();
        object.setAll(key);
        StringBuilder text = new StringBuilder(64).append("k:{");
        for (Map.Entry<String, JsonNode> field : key.entrySet()) {
            text.append(text.length() == 3 ? "\"" : ",\"")
                    .append(field.getKey())
                    .append("\":");
            if (!append(text, field.getValue())) {
                return new PathElement("k:" + object, object);
            }
        }
        return new PathElement(text.append('}').toString(), object);
    }

    // The last keys of one field, by the hash of what is in it.
    private static final PathElement[] KEYS = new PathElement[1024];

    /** A key of one field. */
    static PathElement key(String field, TextNode text) {
        int slot = text.textValue().hashCode() * 0x9e3779b9 >>> 22;
        PathElement known = KEYS[slot];
        if (known != null && known.value != null && known.value.size() == 1 && text.equals(known.value.get(field))) {
            return known;
        }
        TreeMap<String, JsonNode> key = new TreeMap<>();
        key.put(field, text);
        PathElement made = key(key);
        KEYS[slot] = made;
        return made;
    }

    /** Writes what most keys are made of; false if the value is of another sort. */
    private static boolean append(StringBuilder text, JsonNode value) {
        if (value.isInt()) {
            text.append(value.intValue());
            return true;
        }
        if (!value.isTextual()) {
            return false;
        }
        String string = value.textValue();
        for (int i = 0; i < string.length(); i++) {
            char c = string.charAt(i);
            if (c < ' ' || c == '"' || c == '\\' || c >= 127) {
                return false;
            }
        }
        text.append('"').append(string).append('"');
        return true;
    }

    static PathElement value(JsonNode value) {
        return new PathElement("v:" + value, value);
    }

    static PathElement index(int index) {
        return new PathElement("i:" + index, null);
    }

    /**
     * Reads the serialised form.
     *
     * @return null if it is of a kind that is not known, which is to be skipped
     * @throws IllegalArgumentException if it is malformed
     */
    static @Nullable PathElement parse(String text) {
        int slot = text.hashCode() * 0x9e3779b9 >>> 21;
        PathElement recent = RECENT[slot];
        if (recent != null && recent.text.equals(text)) {
            return recent;
        }
        PathElement parsed = read(text);
        // Only what is written as we would write it: the others must not be found by their own text.
        if (parsed != null && parsed.text.equals(text)) {
            RECENT[slot] = parsed;
        }
        return parsed;
    }

    private static @Nullable PathElement read(String text) {
        if (text.length() < 2 || text.charAt(1) != ':') {
            throw new IllegalArgumentException("missing colon: " + text);
        }
        String rest = text.substring(2);
        try {
            switch (text.charAt(0)) {
                case 'f':
                    return field(rest);
                case 'k':
                    if (MAPPER.readTree(rest) instanceof ObjectNode object) {
                        TreeMap<String, JsonNode> key = new TreeMap<>();
                        object.fields().forEachRemaining(e -> key.put(e.getKey(), e.getValue()));
                        return key(key);
                    }
                    throw new IllegalArgumentException("no key: " + text);
                case 'v':
                    return value(MAPPER.readTree(rest));
                case 'i':
                    return index(Integer.parseInt(rest));
                default:
                    return null;
            }
        } catch (JsonProcessingException | NumberFormatException e) {
            throw new IllegalArgumentException("malformed path element: " + text, e);
        }
    }

    boolean isField() {
        return text.charAt(0) == 'f';
    }

    boolean isKey() {
        return text.charAt(0) == 'k';
    }

    /** Of a field. */
    String name() {
        return name;
    }

    /** As it stands in {@code fieldsV1}. */
    String serialized() {
        return text;
    }

    /** As people read it: {@code .name}, {@code [name="c"]}, {@code [="x"]}, {@code [0]}. */
    String shown() {
        return switch (text.charAt(0)) {
            case 'f' -> "." + name();
            case 'k' ->
                value == null
                        ? ""
                        : value.properties().stream()
                                .map(e -> e.getKey() + "=" + show(e.getValue()))
                                .collect(Collectors.joining(",", "[", "]"));
            case 'v' -> "[=" + (value == null ? "" : show(value)) + "]";
            default -> "[" + name() + "]";
        };
    }

    private static String show(JsonNode value) {
        return value.isTextual() ? FieldErrors.quote(value.textValue()) : value.toString();
    }

    @Override
    public int compareTo(PathElement other) {
        if (this == other) {
            return 0;
        }
        int kind = Integer.compare(KINDS.indexOf(text.charAt(0)), KINDS.indexOf(other.text.charAt(0)));
        if (kind != 0) {
            return kind;
        }
        return switch (text.charAt(0)) {
            case 'f' -> name.compareTo(other.name);
            case 'i' -> Integer.compare(Integer.parseInt(name()), Integer.parseInt(other.name()));
            default -> compare(value, other.value);
        };
    }

    private static int compare(@Nullable JsonNode a, @Nullable JsonNode b) {
        if (a == null || b == null || rank(a) != rank(b)) {
            return Integer.compare(a == null ? 9 : rank(a), b == null ? 9 : rank(b));
        }
        if (a.isNumber()) {
            return a.decimalValue().compareTo(b.decimalValue());
        }
        if (a.isTextual()) {
            return a.textValue().compareTo(b.textValue());
        }
        if (a.isBoolean()) {
            return Boolean.compare(a.booleanValue(), b.booleanValue());
        }
        if (a.isObject()) {
            var left = a.properties().iterator();
            var right = b.properties().iterator();
            while (left.hasNext() && right.hasNext()) {
                Map.Entry<String, JsonNode> l = left.next();
                Map.Entry<String, JsonNode> r = right.next();
                int c = l.getKey().compareTo(r.getKey());
                c = c != 0 ? c : compare(l.getValue(), r.getValue());
                if (c != 0) {
                    return c;
                }
            }
            return Boolean.compare(left.hasNext(), right.hasNext());
        }
        return a.toString().compareTo(b.toString());
    }

    private static int rank(JsonNode node) {
        return node.isNumber()
                ? 0
                : node.isTextual() ? 1 : node.isBoolean() ? 2 : node.isArray() ? 3 : node.isObject() ? 4 : 5;
    }

    @Override
    public boolean equals(Object o) {
        return o == this || o instanceof PathElement p && p.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return text;
    }
}
