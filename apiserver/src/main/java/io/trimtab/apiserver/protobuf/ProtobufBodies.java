package io.trimtab.apiserver.protobuf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import io.trimtab.apiserver.protobuf.FieldTable.Field;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.Map;

/**
 * Turns a body in Kubernetes' protobuf into the JSON that a Go program would have written of the same object: zero values that
 * JSON leaves out are left out. Fields that are not known are skipped. Safe for use by any thread.
 */
public final class ProtobufBodies {
    static final byte[] MAGIC = {'k', '8', 's', 0};
    private static final int MAX_DEPTH = 200;
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final DateTimeFormatter SECONDS =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss'Z'").withZone(ZoneOffset.UTC);
    private static final DateTimeFormatter MICROS =
            DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

    /** Loaded when the first such body comes or goes: many servers never see one. */
    static final class Holder {
        static final FieldTable TABLE = FieldTable.load();
    }

    private ProtobufBodies() {}

    /**
     * The object as JSON. Of a kind that is not known only kind and apiVersion are there.
     *
     * @param apiVersion of an object that does not say
     * @param kind of an object that does not say
     * @throws MalformedProtobufException if the body is not protobuf
     */
    public static byte[] toJson(byte[] body, String apiVersion, String kind) {
        try {
            return JSON.writeValueAsBytes(read(body, apiVersion, kind));
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Whether bytes begin as Kubernetes' protobuf does. */
    public static boolean isProtobuf(byte[] body) {
        return body.length >= MAGIC.length && java.util.Arrays.equals(body, 0, 4, MAGIC, 0, 4);
    }

    /**
     * The object as a tree of the caller's own; otherwise as {@link #toJson}.
     *
     * @throws MalformedProtobufException if the body is not protobuf
     */
    public static ObjectNode read(byte[] body, String defaultApiVersion, String defaultKind) {
        if (body.length == 0) {
            throw new MalformedProtobufException("empty data");
        }
        if (!isProtobuf(body)) {
            throw new MalformedProtobufException(
                    "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]");
        }
        if (body.length == MAGIC.length) {
            throw new MalformedProtobufException("empty body");
        }
        WireReader envelope = new WireReader(java.util.Arrays.copyOfRange(body, 4, body.length));
        String apiVersion = "";
        String kind = "";
        byte[] raw = new byte[0];
        while (envelope.hasMore()) {
            int tag = envelope.tag();
            if (tag >>> 3 == 1 && (tag & 7) == WireReader.BYTES) {
                WireReader type = envelope.message();
                while (type.hasMore()) {
                    int field = type.tag();
                    if (field >>> 3 == 1) {
                        apiVersion = type.message().restAsText();
                    } else if (field >>> 3 == 2) {
                        kind = type.message().restAsText();
                    } else {
                        type.skip(field & 7);
                    }
                }
            } else if (tag >>> 3 == 2 && (tag & 7) == WireReader.BYTES) {
                raw = envelope.message().rest();
            } else {
                envelope.skip(tag & 7);
            }
        }
        apiVersion = apiVersion.isEmpty() ? defaultApiVersion : apiVersion;
        kind = kind.isEmpty() ? defaultKind : kind;
        ObjectNode object = NODES.objectNode().put("kind", kind).put("apiVersion", apiVersion);
        String message = Holder.TABLE.messageOf(apiVersion, kind);
        if (message != null) {
            try {
                readMessage(new WireReader(raw), message, object, 0);
            } catch (MalformedProtobufException e) {
                String version = apiVersion.substring(apiVersion.indexOf('/') + 1);
                throw new MalformedProtobufException(String.valueOf(e.getMessage()), kind, version);
            }
        }
        return object;
    }

    private static void readMessage(WireReader in, String message, ObjectNode into, int depth) {
        if (depth > MAX_DEPTH) {
            throw new MalformedProtobufException("nested too deep");
        }
        Map<Integer, Field> fields = Holder.TABLE.fields(message);
        while (in.hasMore()) {
            int tag = in.tag();
            Field field = fields.get(tag >>> 3);
            if (field == null) {
                in.skip(tag & 7);
            } else {
                readField(in, tag & 7, field, into, depth);
            }
        }
    }

    private static void readField(WireReader in, int wireType, Field field, ObjectNode into, int depth) {
        String type = field.type();
        char first = type.charAt(0);
        if (first == '[') {
            ArrayNode list = field.name().isEmpty() ? NODES.arrayNode() : into.withArrayProperty(field.name());
            if (type.equals("[i") && wireType == WireReader.BYTES) {
                WireReader packed = in.message();
                while (packed.hasMore()) {
                    list.add(packed.varint());
                }
                return;
            }
            list.add(value(in, wireType, type.substring(1), depth));
        } else if (first == '{') {
            ObjectNode map = into.withObjectProperty(field.name());
            WireReader entry = in.message();
            String key = "";
            JsonNode value = emptyValue(type.substring(1));
            while (entry.hasMore()) {
                int tag = entry.tag();
                if (tag >>> 3 == 1) {
                    key = entry.message().restAsText();
                } else if (tag >>> 3 == 2) {
                    value = value(entry, tag & 7, type.substring(1), depth);
                } else {
                    entry.skip(tag & 7);
                }
            }
            map.set(key, value);
        } else if (field.name().isEmpty()) {
            // The message's fields stand in the place of this one.
            String message = first == '*' ? type.substring(2) : type.substring(1);
            readMessage(in.message(), message, into, depth + 1);
        } else {
            boolean pointer = first == '*';
            JsonNode value = value(in, wireType, pointer ? type.substring(1) : type, depth);
            boolean dropped = value.isMissingNode() || !pointer && field.omitEmpty() && isZero(value);
            if (!dropped) {
                into.set(field.name(), value);
            }
        }
    }

    private static boolean isZero(JsonNode value) {
        return value.isTextual() && value.textValue().isEmpty()
                || value.isNumber() && value.doubleValue() == 0
                || value.isBoolean() && !value.booleanValue()
                || value.isArray() && value.isEmpty();
    }

    /** The value of a map's entry that says none. */
    private static JsonNode emptyValue(String type) {
        return switch (type.charAt(0)) {
            case 's', 'y' -> TextNode.valueOf("");
            case 'i' -> LongNode.valueOf(0);
            case 'b' -> BooleanNode.FALSE;
            case 'd' -> DoubleNode.valueOf(0);
            case 'W' -> NODES.arrayNode();
            case 'm' -> NODES.objectNode();
            default -> type.equals("@quantity") ? TextNode.valueOf("0") : NODES.nullNode();
        };
    }

    private static JsonNode value(WireReader in, int wireType, String type, int depth) {
        char first = type.charAt(0);
        boolean scalar = first == 'i' || first == 'b';
        int expected = scalar ? WireReader.VARINT : first == 'd' ? WireReader.FIXED64 : WireReader.BYTES;
        if (wireType != expected) {
            throw new MalformedProtobufException("wrong wireType = " + wireType);
        }
        switch (first) {
            case 's' -> {
                return TextNode.valueOf(in.message().restAsText());
            }
            case 'i' -> {
                return LongNode.valueOf(in.varint());
            }
            case 'b' -> {
                return BooleanNode.valueOf(in.varint() != 0);
            }
            case 'd' -> {
                return DoubleNode.valueOf(in.fixed64());
            }
            case 'y' -> {
                return TextNode.valueOf(
                        Base64.getEncoder().encodeToString(in.message().rest()));
            }
            case 'W' -> {
                ArrayNode list = NODES.arrayNode();
                WireReader items = in.message();
                while (items.hasMore()) {
                    int tag = items.tag();
                    if (tag >>> 3 == 1) {
                        list.add(value(items, tag & 7, type.substring(1), depth));
                    } else {
                        items.skip(tag & 7);
                    }
                }
                return list;
            }
            case '*' -> {
                return value(in, wireType, type.substring(1), depth);
            }
            case 'm' -> {
                ObjectNode object = NODES.objectNode();
                readMessage(in.message(), type.substring(1), object, depth + 1);
                return object;
            }
            default -> {
                return special(in.message(), type.substring(1), depth);
            }
        }
    }

    /** What has a form of its own in JSON. */
    private static JsonNode special(WireReader in, String form, int depth) {
        if (form.equals("time") || form.equals("microtime")) {
            if (!in.hasMore()) {
                return MissingNode.getInstance();
            }
        }
        long one = 0;
        long two = 0;
        String text = "";
        byte[] bytes = new byte[0];
        ArrayNode list = NODES.arrayNode();
        JsonNode schema = MissingNode.getInstance();
        boolean schemas = form.startsWith("schemaor");
        while (in.hasMore()) {
            int tag = in.tag();
            int number = tag >>> 3;
            int wireType = tag & 7;
            if (wireType == WireReader.VARINT) {
                long value = in.varint();
                one = number == 1 ? value : one;
                two = number == 2 ? value : two;
            } else if (wireType != WireReader.BYTES) {
                in.skip(wireType);
            } else if (schemas && isSchema(form, number)) {
                ObjectNode object = NODES.objectNode();
                readMessage(in.message(), Holder.TABLE.jsonSchema(), object, depth + 1);
                if (form.equals("schemaorarray") && number == 2) {
                    list.add(object);
                } else {
                    schema = object;
                }
            } else {
                bytes = in.message().rest();
                text = new String(bytes, StandardCharsets.UTF_8);
                if (schemas) {
                    list.add(text);
                }
            }
        }
        return switch (form) {
            case "quantity" -> TextNode.valueOf(text.isEmpty() ? "0" : text);
            case "time" -> TextNode.valueOf(SECONDS.format(Instant.ofEpochSecond(one)));
            case "microtime" -> TextNode.valueOf(MICROS.format(Instant.ofEpochSecond(one, two)));
            case "intorstring" -> one == 0 ? LongNode.valueOf(two) : TextNode.valueOf(text);
            case "duration" -> TextNode.valueOf(GoDurations.text(one));
            case "raw" -> parsed(bytes);
            case "schemaorbool" -> schema.isMissingNode() ? BooleanNode.valueOf(one != 0) : schema;
            default -> schema.isMissingNode() ? list : schema;
        };
    }

    private static boolean isSchema(String form, int number) {
        return form.equals("schemaorbool") ? number == 2 : number == 1 || form.equals("schemaorarray");
    }

    private static JsonNode parsed(byte[] json) {
        if (json.length == 0) {
            return MissingNode.getInstance();
        }
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            throw new MalformedProtobufException("raw JSON cannot be read: " + e.getMessage());
        }
    }
}
