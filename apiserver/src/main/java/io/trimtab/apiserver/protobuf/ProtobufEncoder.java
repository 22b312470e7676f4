package io.trimtab.apiserver.protobuf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.protobuf.FieldTable.Field;
import io.trimtab.apiserver.protobuf.FieldTable.Message;
import java.io.ByteArrayOutputStream;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes objects of built-in kinds in Kubernetes' protobuf, byte for byte as its API server does: fields by number, zero values
 * included where Go holds a value and not a pointer, keys of maps sorted. Safe for use by any thread; the trees are only read.
 */
public final class ProtobufEncoder {
    /** Items of a list are joined into pieces of about this size. */
    private static final int PIECE_BYTES = 64 * 1024;
    /** The empty content encoding and content type that end every envelope. */
    private static final byte[] ENVELOPE_END = {0x1a, 0, 0x22, 0};

    private static final ObjectMapper JSON = new ObjectMapper();

    private final WireWriter out = new WireWriter();

    private ProtobufEncoder() {}

    /** Whether objects of the kind can be written: lists, partial metadata and Status are kinds as well. */
    public static boolean knows(String apiVersion, String kind) {
        return writing(apiVersion, kind) != null;
    }

    /**
     * An object in its envelope.
     *
     * @param object in canonical JSON, with kind and apiVersion
     * @throws IllegalArgumentException if the kind is not known
     */
    public static byte[] object(ObjectNode object) {
        ProtobufEncoder encoder = new ProtobufEncoder();
        encoder.envelope(object);
        return encoder.out.toBytes();
    }

    /**
     * One frame of a watch: its length, and the event with the object in its envelope.
     *
     * @param type {@code ADDED} and so on
     */
    public static byte[] watchFrame(String type, ObjectNode object) {
        ProtobufEncoder encoder = new ProtobufEncoder();
        WireWriter out = encoder.out;
        encoder.envelope(object);
        out.close(1, 0);
        out.close(2, 0);
        out.text(1, type);
        int size = out.size();
        out.raw(new byte[] {(byte) (size >>> 24), (byte) (size >>> 16), (byte) (size >>> 8), (byte) size});
        return out.toBytes();
    }

    /**
     * A list in its envelope, in pieces. The envelope begins with the length of all, so every item is encoded before the first
     * piece is there; but only the encoded form of the items is held, not their trees.
     *
     * @param kind of the list, such as {@code PodList}
     * @param metadata of the list
     * @param items taken one at a time
     */
    public static <T> Iterator<byte[]> list(
            String apiVersion, String kind, JsonNode metadata, Iterator<T> items, Function<T, ObjectNode> tree) {
        List<byte[]> pieces = new ArrayList<>();
        pieces.add(new byte[0]); // the beginning, when the length is known
        ByteArrayOutputStream piece = new ByteArrayOutputStream(1024);
        Message message = item(apiVersion, kind);
        ProtobufEncoder encoder = new ProtobufEncoder();
        long length = 0;
        while (items.hasNext()) {
            encoder.out.clear();
            encoder.message(tree.apply(items.next()), message);
            encoder.out.close(2, 0);
            length += encoder.out.size();
            encoder.out.writeTo(piece);
            if (piece.size() >= PIECE_BYTES) {
                pieces.add(piece.toByteArray());
                piece.reset();
            }
        }
        piece.writeBytes(ENVELOPE_END);
        pieces.add(piece.toByteArray());

        encoder.out.clear();
        encoder.message(metadata, listMeta());
        encoder.out.close(1, 0);
        encoder.out.varint(length + encoder.out.size());
        encoder.out.tag(2, WireReader.BYTES);
        encoder.beginEnvelope(apiVersion, kind);
        pieces.set(0, encoder.out.toBytes());
        if (pieces.size() == 2) {
            ByteArrayOutputStream whole = new ByteArrayOutputStream(pieces.get(0).length + pieces.get(1).length);
            pieces.forEach(whole::writeBytes);
            return List.of(whole.toByteArray()).iterator();
        }
        return pieces.iterator();
    }

    // --- what is written how

    /** Writes the fields of one kind of object. */
    private interface Writing {
        void write(ProtobufEncoder encoder, ObjectNode object);
    }

    private static @Nullable Writing writing(String apiVersion, String kind) {
        FieldTable table = ProtobufBodies.Holder.TABLE;
        if (kind.equals("PartialObjectMetadata")) {
            return ProtobufEncoder::partial;
        }
        String key = table.messageOf(apiVersion, kind);
        if (key != null) {
            Message message = table.message(key);
            return (encoder, object) -> encoder.message(object, message);
        }
        if (!kind.endsWith("List")) {
            return null;
        }
        Writing items = writing(apiVersion, kind.substring(0, kind.length() - "List".length()));
        return items == null ? null : (encoder, object) -> encoder.list(object, items);
    }

    private static Message item(String apiVersion, String listKind) {
        String kind = listKind.substring(0, listKind.length() - "List".length());
        String key = ProtobufBodies.Holder.TABLE.messageOf(apiVersion, kind);
        if (key == null) {
            throw new IllegalArgumentException("no message for " + apiVersion + " " + kind);
        }
        return ProtobufBodies.Holder.TABLE.message(key);
    }

    private static Message metadataOf(String kind) {
        FieldTable table = ProtobufBodies.Holder.TABLE;
        String key = Objects.requireNonNull(table.messageOf("v1", kind));
        return Objects.requireNonNull(table.message(key).fields().get(0).message());
    }

    private static Message objectMeta() {
        return metadataOf("Pod");
    }

    private static Message listMeta() {
        return metadataOf("Status");
    }

    private void envelope(ObjectNode object) {
        String apiVersion = object.path("apiVersion").asText();
        String kind = object.path("kind").asText();
        Writing writing = writing(apiVersion, kind);
        if (writing == null) {
            throw new IllegalArgumentException("no message for " + apiVersion + " " + kind);
        }
        out.raw(ENVELOPE_END);
        int end = out.size();
        writing.write(this, object);
        out.close(2, end);
        beginEnvelope(apiVersion, kind);
    }

    private void beginEnvelope(String apiVersion, String kind) {
        int end = out.size();
        out.text(2, kind);
        out.text(1, apiVersion);
        out.close(1, end);
        out.raw(ProtobufBodies.MAGIC);
    }

    private void partial(ObjectNode object) {
        int end = out.size();
        message(object.get("metadata"), objectMeta());
        out.close(1, end);
    }

    private void list(ObjectNode list, Writing items) {
        JsonNode all = list.path("items");
        for (int i = all.size() - 1; i >= 0; i--) {
            int end = out.size();
            items.write(this, (ObjectNode) all.get(i));
            out.close(2, end);
        }
        int end = out.size();
        message(list.get("metadata"), listMeta());
        out.close(1, end);
    }

    // --- fields, the last one first

    /** The fields of a message; null for one in which all are zero. */
    private void message(@Nullable JsonNode object, Message message) {
        List<Field> fields = message.fields();
        for (int i = fields.size() - 1; i >= 0; i--) {
            Field field = fields.get(i);
            if (field.name().isEmpty()) {
                // The message's fields stand in the place of this one.
                int end = out.size();
                message(object, Objects.requireNonNull(field.message()));
                out.close(field.number(), end);
            } else {
                JsonNode value = object == null ? null : object.get(field.name());
                field(field, value == null || value.isNull() ? null : value);
            }
        }
    }

    private void field(Field field, @Nullable JsonNode value) {
        switch (field.type().charAt(0)) {
            case '*' -> {
                if (value != null) {
                    value(field, 1, field.number(), value);
                }
            }
            case '[' -> {
                if (value != null) {
                    for (int i = value.size() - 1; i >= 0; i--) {
                        value(field, 1, field.number(), value.get(i));
                    }
                }
            }
            case '{' -> {
                if (value != null) {
                    map(field, value);
                }
            }
            case 'y', 'W' -> {
                if (value != null) {
                    value(field, 0, field.number(), value);
                }
            }
            default -> value(field, 0, field.number(), value);
        }
    }

    private void map(Field field, JsonNode map) {
        String[] keys = new String[map.size()];
        int n = 0;
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            keys[n++] = entry.getKey();
        }
        Arrays.sort(keys);
        for (int i = keys.length - 1; i >= 0; i--) {
            int end = out.size();
            JsonNode value = map.get(keys[i]);
            value(field, 1, 2, value.isNull() ? null : value);
            out.text(1, keys[i]);
            out.close(field.number(), end);
        }
    }

    /**
     * One value with its tag.
     *
     * @param at where the value's own form begins in the type of the field
     * @param value null for the zero value
     */
    private void value(Field field, int at, int number, @Nullable JsonNode value) {
        String type = field.type();
        switch (type.charAt(at)) {
            case 's' -> out.text(number, value == null ? "" : value.asText());
            case 'i' -> out.integer(number, value == null ? 0 : value.asLong());
            case 'b' -> out.integer(number, value != null && value.asBoolean() ? 1 : 0);
            case 'd' -> {
                out.fixed64(value == null ? 0 : value.asDouble());
                out.tag(number, WireReader.FIXED64);
            }
            case 'y' ->
                out.bytes(
                        number,
                        value == null ? new byte[0] : Base64.getDecoder().decode(value.asText()));
            case 'm' -> {
                int end = out.size();
                message(value, Objects.requireNonNull(field.message()));
                out.close(number, end);
            }
            case 'W' -> {
                int end = out.size();
                for (int i = value == null ? -1 : value.size() - 1; i >= 0; i--) {
                    out.text(1, Objects.requireNonNull(value).get(i).asText());
                }
                out.close(number, end);
            }
            default -> {
                int end = out.size();
                special(type.substring(at + 1), value);
                out.close(number, end);
            }
        }
    }

    /** The fields of what has a form of its own in JSON. */
    private void special(String form, @Nullable JsonNode value) {
        switch (form) {
            case "quantity" -> out.text(1, value == null ? "0" : value.asText());
            case "time", "microtime" -> {
                if (value != null && !value.asText().isEmpty()) {
                    Instant time = Instant.parse(value.asText());
                    // Time holds seconds; its fraction is written all the same, as zero.
                    out.integer(2, form.equals("time") ? 0 : time.getNano() / 1000 * 1000);
                    out.integer(1, time.getEpochSecond());
                }
            }
            case "intorstring" -> {
                boolean text = value != null && value.isTextual();
                out.text(3, value != null && text ? value.asText() : "");
                out.integer(2, text || value == null ? 0 : value.asLong());
                out.integer(1, text ? 1 : 0);
            }
            case "raw" -> {
                if (value != null) {
                    out.bytes(1, json(value));
                }
            }
            case "schemaorbool" -> {
                boolean schema = value != null && value.isObject();
                if (value != null && schema) {
                    schema(2, value);
                }
                out.integer(1, schema || value != null && value.asBoolean() ? 1 : 0);
            }
            case "schemaorarray", "schemaorstrings" -> {
                if (value != null && value.isArray()) {
                    for (int i = value.size() - 1; i >= 0; i--) {
                        if (form.equals("schemaorarray")) {
                            schema(2, value.get(i));
                        } else {
                            out.text(2, value.get(i).asText());
                        }
                    }
                } else if (value != null) {
                    schema(1, value);
                }
            }
            default -> throw new IllegalStateException("no way to write " + form);
        }
    }

    private void schema(int number, JsonNode value) {
        FieldTable table = ProtobufBodies.Holder.TABLE;
        int end = out.size();
        message(value, table.message(table.jsonSchema()));
        out.close(number, end);
    }

    private static byte[] json(JsonNode value) {
        try {
            return JSON.writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }
}
