package io.trimtab.apiserver.protobuf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The fields of the messages of all built-in kinds, by number. Immutable after load. */
final class FieldTable {
    /**
     * One field.
     *
     * @param name in JSON; empty if the fields of its message stand in the place of this one
     * @param omitEmpty zero values are not shown
     * @param type what it holds: a letter for a scalar, {@code m} and a key for a message, {@code @} and a word for what has a
     *     form of its own in JSON; before it {@code *} for what may be absent, {@code [} for lists, a brace for maps, {@code W}
     *     for lists in a message
     */
    record Field(String name, boolean omitEmpty, String type) {}

    private final Map<String, String> kinds = new HashMap<>();
    private final Map<String, Map<Integer, Field>> messages = new HashMap<>();
    private final String jsonSchema;

    private FieldTable(JsonNode table) {
        table.path("kinds")
                .properties()
                .forEach(k -> kinds.put(k.getKey(), k.getValue().asText()));
        table.path("types").properties().forEach(type -> {
            Map<Integer, Field> fields = new HashMap<>();
            for (JsonNode line : type.getValue()) {
                String[] parts = line.asText().split(" ", 4);
                fields.put(Integer.parseInt(parts[0]), new Field(parts[1], parts[2].equals("o"), parts[3]));
            }
            messages.put(type.getKey(), Map.copyOf(fields));
        });
        jsonSchema = table.path("schema").asText();
    }

    static FieldTable load() {
        try (InputStream in = FieldTable.class.getResourceAsStream("/io/trimtab/apiserver/protobuf-fields.json")) {
            if (in == null) {
                throw new IllegalStateException("protobuf-fields.json is missing from the class path");
            }
            return new FieldTable(new ObjectMapper().readTree(in));
        } catch (IOException e) {
            throw new UncheckedIOException("protobuf-fields.json cannot be read", e);
        }
    }

    /** The key of a kind's message; null if the kind is not known. */
    @Nullable
    String messageOf(String apiVersion, String kind) {
        if (kind.equals("DeleteOptions")) {
            return kinds.get(kind);
        }
        return kinds.get((apiVersion.indexOf('/') < 0 ? "/" + apiVersion : apiVersion) + "/" + kind);
    }

    /** The fields of a message by number. */
    Map<Integer, Field> fields(String message) {
        return messages.getOrDefault(message, Map.of());
    }

    /** The message of the schemas that custom resource definitions hold. */
    String jsonSchema() {
        return jsonSchema;
    }
}
