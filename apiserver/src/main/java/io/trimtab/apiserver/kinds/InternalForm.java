package io.trimtab.apiserver.kinds;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Shows a value as Kubernetes does where its messages print an internal struct: all fields in their order under their Go names,
 * with the zero values of what is unset. Stateless.
 *
 * <p>{@code internal-types.tsv} holds the structs, by the type of the API that they stand for: a line for each, a column for each
 * field: {@code GoName|jsonName|type}, the first left out where it is the second with a capital, with {@code ?} before it where an
 * empty value is left out. Types are {@code s} text, {@code i} number, {@code b} truth, {@code Q} quantity, {@code T} time,
 * {@code I} number or text, {@code B} bytes, {@code X} what looks the same inside and outside, {@code @type} a struct; with
 * {@code *}, {@code []} or {@code {}} before it a pointer, list or map. {@code ../} names a field of the struct around, {@code -}
 * one that the API has not.
 */
public final class InternalForm {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    /** The fields of metadata in the order in which they are shown. */
    private static final List<String> METADATA = List.of(
            "name",
            "generateName",
            "namespace",
            "selfLink",
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "labels",
            "annotations",
            "ownerReferences",
            "finalizers",
            "managedFields");

    private InternalForm() {}

    /** Read when the first message needs it: few processes ever do. */
    private static final class Types {
        static final Map<String, List<Field>> ALL = read();

        private static Map<String, List<Field>> read() {
            Map<String, List<Field>> types = new HashMap<>();
            try (InputStream in = InternalForm.class.getResourceAsStream("/io/trimtab/apiserver/internal-types.tsv")) {
                String text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
                for (String line : text.split("\n")) {
                    String[] columns = line.split("\t");
                    List<Field> fields = new ArrayList<>();
                    for (int i = 1; i < columns.length; i++) {
                        fields.add(Field.parse(columns[i]));
                    }
                    types.put(columns[0], List.copyOf(fields));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return Map.copyOf(types);
        }
    }

    private record Field(String shown, String name, String type, boolean omitsEmpty) {
        static Field parse(String column) {
            boolean omits = column.startsWith("?");
            String[] parts = (omits ? column.substring(1) : column).split("\\|");
            return parts.length == 2
                    ? new Field(
                            parts[0].substring(0, 1).toUpperCase(java.util.Locale.ROOT) + parts[0].substring(1),
                            parts[0],
                            parts[1],
                            omits)
                    : new Field(parts[0], parts[1], parts[2], omits);
        }
    }

    /**
     * The text of a struct.
     *
     * @param type of the API, as in {@code core/v1.PodSpec}; with {@code []} before it a list of them
     */
    public static String of(@Nullable JsonNode value, String type) {
        return FieldErrors.show(tree(value, type));
    }

    /** The same as a tree. */
    public static JsonNode tree(@Nullable JsonNode value, String type) {
        JsonNode given = value == null ? NODES.missingNode() : value;
        return convert(given, type.startsWith("[]") ? "[]@" + type.substring(2) : "@" + type, NODES.missingNode());
    }

    private static JsonNode convert(JsonNode value, String type, JsonNode parent) {
        boolean absent = value.isNull() || value.isMissingNode();
        return switch (type.charAt(0)) {
            case '*' -> absent ? NODES.nullNode() : convert(value, type.substring(1), parent);
            case '[' -> {
                if (absent) {
                    yield NODES.nullNode();
                }
                ArrayNode list = NODES.arrayNode();
                value.forEach(item -> list.add(convert(item, type.substring(2), value)));
                yield list;
            }
            case '{' -> {
                if (absent) {
                    yield NODES.nullNode();
                }
                ObjectNode map = NODES.objectNode();
                Map<String, JsonNode> sorted = new TreeMap<>();
                value.fields().forEachRemaining(e -> sorted.put(e.getKey(), e.getValue()));
                sorted.forEach((key, item) -> map.set(key, convert(item, type.substring(2), value)));
                yield map;
            }
            case '@' -> struct(absent ? NODES.objectNode() : value, type.substring(1), parent);
            case 's' -> absent ? NODES.textNode("") : value;
            case 'i', 'I' -> absent ? NODES.numberNode(0) : value;
            case 'b' -> absent ? NODES.booleanNode(false) : value;
            case 'Q' -> absent ? NODES.textNode("0") : value;
            case 'X' -> absent ? NODES.nullNode() : value;
            default -> absent ? NODES.nullNode() : value;
        };
    }

    private static ObjectNode struct(JsonNode value, String type, JsonNode parent) {
        ObjectNode struct = NODES.objectNode();
        for (Field field : Objects.requireNonNull(Types.ALL.get(type), type)) {
            if (field.shown().equals("^metadata")) {
                JsonNode metadata = value.path("metadata");
                for (String name : METADATA) {
                    if (metadata.hasNonNull(name)) {
                        struct.set(
                                name, metadata.get(name).isObject() ? sorted(metadata.get(name)) : metadata.get(name));
                    }
                }
                continue;
            }
            JsonNode inner =
                    field.name().startsWith("../") ? parent.path(field.name().substring(3)) : value.path(field.name());
            JsonNode shown = convert(inner, field.type(), value);
            if (!field.omitsEmpty() || !isEmpty(shown)) {
                struct.set(field.shown(), shown);
            }
        }
        return struct;
    }

    private static ObjectNode sorted(JsonNode map) {
        Map<String, JsonNode> entries = new TreeMap<>();
        map.fields().forEachRemaining(e -> entries.put(e.getKey(), e.getValue()));
        ObjectNode sorted = NODES.objectNode();
        sorted.setAll(entries);
        return sorted;
    }

    private static boolean isEmpty(JsonNode value) {
        return value.isNull()
                || value.isTextual() && value.textValue().isEmpty()
                || value.isArray() && value.isEmpty()
                || value.isNumber() && value.asDouble() == 0
                || value.isBoolean() && !value.booleanValue();
    }
}
