package io.trimtab.apiserver.protobuf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The fields of the messages of all built-in kinds, by number. Immutable after load. */
final class FieldTable {
    /**
     * One field.
     *
     * @param number on the wire
     * @param name in JSON; empty if the fields of its message stand in the place of this one
     * @param omitEmpty zero values are not shown
     * @param type what it holds: a letter for a scalar, {@code m} and a key for a message, {@code @} and a word for what has a
     *     form of its own in JSON; before it {@code *} for what may be absent, {@code [} for lists, a brace for maps, {@code W}
     *     for lists in a message
     * @param message of the values, if they are messages
     */
    record Field(
            int number,
            String name,
            boolean omitEmpty,
            String type,
            @Nullable Message message) {}

    /** The fields of a message. Refers to itself in places, so it is filled after it is made. */
    static final class Message {
        private Map<Integer, Field> byNumber = Map.of();
        private List<Field> fields = List.of();

        private void fill(Map<Integer, Field> all) {
            byNumber = Map.copyOf(all);
            fields = all.values().stream()
                    .sorted(Comparator.comparingInt(Field::number))
                    .toList();
        }

        /** By rising number, which is the order on the wire. */
        List<Field> fields() {
            return fields;
        }
    }

    private final Map<String, String> kinds = new HashMap<>();
    private final Map<String, Message> messages = new HashMap<>();
    private final String jsonSchema;

    private FieldTable(JsonNode table) {
        table.path("kinds")
                .properties()
                .forEach(k -> kinds.put(k.getKey(), k.getValue().asText()));
        table.path("types").fieldNames().forEachRemaining(key -> messages.put(key, new Message()));
        table.path("types").properties().forEach(type -> {
            Map<Integer, Field> fields = new HashMap<>();
            for (JsonNode line : type.getValue()) {
                String[] parts = line.asText().split(" ", 4);
                int number = Integer.parseInt(parts[0]);
                String form = parts[3];
                int key = form.indexOf('@') < 0 ? form.indexOf('m') : -1;
                Message message = key < 0 ? null : messages.get(form.substring(key + 1));
                fields.put(number, new Field(number, parts[1].intern(), parts[2].equals("o"), form, message));
            }
            Objects.requireNonNull(messages.get(type.getKey())).fill(fields);
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
        Message found = messages.get(message);
        return found == null ? Map.of() : found.byNumber;
    }

    /** The message of a key that another method gave. */
    Message message(String key) {
        return Objects.requireNonNull(messages.get(key), key);
    }

    /** The message of the schemas that custom resource definitions hold. */
    String jsonSchema() {
        return jsonSchema;
    }
}
