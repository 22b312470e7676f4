package io.trimtab.apiserver.openapi;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * Writes a document of version 2 as the message {@code openapi.v2.Document}, which Go's clients ask for. Field numbers are those of
 * gnostic's OpenAPIv2.proto. Extensions, defaults and enumerated values travel there as YAML, of which JSON is a part.
 */
final class SwaggerProtobuf {
    /** The type of the answer; requests may also have an {@code @} in the place of the dot before the version. */
    static final String TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

    private static final Map<String, Integer> METHODS =
            Map.of("get", 2, "put", 3, "post", 4, "delete", 5, "options", 6, "head", 7, "patch", 8);

    /** The numbers of the fields that all parameters outside of bodies share, which differ by where the parameter stands. */
    private record Numbers(int which, int type, int uniqueItems, int extension) {}

    private static final Numbers HEADER = new Numbers(1, 5, 19, 22);
    private static final Numbers QUERY = new Numbers(3, 6, 20, 23);
    private static final Numbers PATH = new Numbers(4, 5, 19, 22);

    private SwaggerProtobuf() {}

    static byte[] of(ObjectNode swagger) {
        Message document = new Message();
        document.text(1, swagger.path("swagger"));
        document.message(2, info(swagger.path("info")));
        Message paths = new Message();
        swagger.path("paths").properties().forEach(p -> paths.message(2, named(p.getKey(), pathItem(p.getValue()))));
        document.message(8, paths);
        Message definitions = new Message();
        swagger.path("definitions")
                .properties()
                .forEach(d -> definitions.message(1, named(d.getKey(), schema(d.getValue()))));
        document.message(9, definitions);
        for (JsonNode requirement : swagger.path("security")) {
            Message all = new Message();
            requirement.properties().forEach(r -> all.message(1, named(r.getKey(), texts(r.getValue()))));
            document.message(12, all);
        }
        Message security = new Message();
        swagger.path("securityDefinitions")
                .properties()
                .forEach(d -> security.message(1, named(d.getKey(), new Message().message(2, apiKey(d.getValue())))));
        document.message(13, security);
        return document.toBytes();
    }

    private static Message info(JsonNode info) {
        return new Message().text(1, info.path("title")).text(2, info.path("version"));
    }

    private static Message apiKey(JsonNode key) {
        return new Message()
                .text(1, key.path("type"))
                .text(2, key.path("name"))
                .text(3, key.path("in"))
                .text(4, key.path("description"));
    }

    private static Message named(String name, Message value) {
        return new Message().text(1, name).message(2, value);
    }

    private static Message texts(JsonNode values) {
        return new Message().texts(1, values);
    }

    private static Message any(JsonNode value) {
        return new Message().text(2, value.toString() + "\n");
    }

    private static Message extensions(Message message, int number, JsonNode of) {
        of.properties().forEach(f -> {
            if (f.getKey().startsWith("x-")) {
                message.message(number, named(f.getKey(), any(f.getValue())));
            }
        });
        return message;
    }

    private static Message pathItem(JsonNode item) {
        Message result = new Message();
        item.properties().forEach(f -> {
            Integer number = METHODS.get(f.getKey());
            if (number != null) {
                result.message(number, operation(f.getValue()));
            }
        });
        item.path("parameters").forEach(p -> result.message(9, new Message().message(1, parameter(p))));
        return extensions(result, 9 + 1, item);
    }

    private static Message operation(JsonNode operation) {
        Message result = new Message()
                .texts(1, operation.path("tags"))
                .text(3, operation.path("description"))
                .text(5, operation.path("operationId"))
                .texts(6, operation.path("produces"))
                .texts(7, operation.path("consumes"));
        operation.path("parameters").forEach(p -> result.message(8, new Message().message(1, parameter(p))));
        Message responses = new Message();
        operation.path("responses").properties().forEach(r -> {
            JsonNode json = r.getValue();
            Message response = new Message().text(1, json.path("description"));
            if (json.has("schema")) {
                response.message(2, new Message().message(1, schema(json.path("schema"))));
            }
            responses.message(1, named(r.getKey(), new Message().message(1, response)));
        });
        result.message(9, responses).texts(10, operation.path("schemes"));
        return extensions(result, 13, operation);
    }

    private static Message parameter(JsonNode json) {
        String in = json.path("in").asText();
        if (in.equals("body")) {
            Message body = new Message()
                    .text(1, json.path("description"))
                    .text(2, json.path("name"))
                    .text(3, in)
                    .flag(4, json.path("required"))
                    .message(5, schema(json.path("schema")));
            return new Message().message(1, extensions(body, 6, json));
        }
        Numbers numbers = in.equals("path") ? PATH : in.equals("header") ? HEADER : QUERY;
        Message other = new Message()
                .flag(1, json.path("required"))
                .text(2, in)
                .text(3, json.path("description"))
                .text(4, json.path("name"))
                .text(numbers.type(), json.path("type"))
                .flag(numbers.uniqueItems(), json.path("uniqueItems"));
        extensions(other, numbers.extension(), json);
        return new Message().message(2, new Message().message(numbers.which(), other));
    }

    private static Message schema(JsonNode json) {
        Message result = new Message()
                .text(1, json.path("$ref"))
                .text(2, json.path("format"))
                .text(3, json.path("title"))
                .text(4, json.path("description"));
        if (json.has("default")) {
            result.message(5, any(json.path("default")));
        }
        result.real(6, json.path("multipleOf"))
                .real(7, json.path("maximum"))
                .flag(8, json.path("exclusiveMaximum"))
                .real(9, json.path("minimum"))
                .flag(10, json.path("exclusiveMinimum"))
                .integer(11, json.path("maxLength"))
                .integer(12, json.path("minLength"))
                .text(13, json.path("pattern"))
                .integer(14, json.path("maxItems"))
                .integer(15, json.path("minItems"))
                .flag(16, json.path("uniqueItems"))
                .integer(17, json.path("maxProperties"))
                .integer(18, json.path("minProperties"))
                .texts(19, json.path("required"));
        json.path("enum").forEach(value -> result.message(20, any(value)));
        JsonNode values = json.path("additionalProperties");
        if (values.isObject()) {
            result.message(21, new Message().message(1, schema(values)));
        } else if (values.isBoolean()) {
            // A choice says which it is by being there, so that false stands, too.
            result.message(21, new Message().varint(2, values.asBoolean() ? 1 : 0));
        }
        JsonNode type = json.path("type");
        if (type.isTextual()) {
            result.message(22, new Message().text(1, type));
        }
        JsonNode items = json.path("items");
        if (items.isObject()) {
            result.message(23, new Message().message(1, schema(items)));
        }
        json.path("allOf").forEach(part -> result.message(24, schema(part)));
        if (json.has("properties")) {
            Message properties = new Message();
            json.path("properties")
                    .properties()
                    .forEach(p -> properties.message(1, named(p.getKey(), schema(p.getValue()))));
            result.message(25, properties);
        }
        JsonNode docs = json.path("externalDocs");
        if (docs.isObject()) {
            result.message(29, new Message().text(1, docs.path("description")).text(2, docs.path("url")));
        }
        if (json.has("example")) {
            result.message(30, any(json.path("example")));
        }
        return extensions(result, 31, json);
    }

    /** A message as it grows. What is absent or has its zero value is left out, as proto3 has it. For one thread. */
    private static final class Message {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        Message text(int number, JsonNode value) {
            return value.isTextual() ? text(number, value.textValue()) : this;
        }

        Message text(int number, String value) {
            return value.isEmpty() ? this : part(number, value.getBytes(StandardCharsets.UTF_8));
        }

        Message texts(int number, JsonNode values) {
            values.forEach(value -> part(number, value.asText().getBytes(StandardCharsets.UTF_8)));
            return this;
        }

        Message flag(int number, JsonNode value) {
            return value.asBoolean() ? varint(number, 1) : this;
        }

        Message integer(int number, JsonNode value) {
            return value.asLong() == 0 ? this : varint(number, value.asLong());
        }

        Message real(int number, JsonNode value) {
            if (value.asDouble() != 0) {
                write((long) number << 3 | 1);
                long bits = Double.doubleToLongBits(value.asDouble());
                for (int shift = 0; shift < 64; shift += 8) {
                    bytes.write((int) (bits >>> shift));
                }
            }
            return this;
        }

        Message message(int number, Message value) {
            return part(number, value.toBytes());
        }

        Message varint(int number, long value) {
            write((long) number << 3);
            write(value);
            return this;
        }

        byte[] toBytes() {
            return bytes.toByteArray();
        }

        private Message part(int number, byte[] value) {
            write((long) number << 3 | 2);
            write(value.length);
            bytes.writeBytes(value);
            return this;
        }

        private void write(long value) {
            long rest = value;
            while ((rest & ~0x7fL) != 0) {
                bytes.write((int) (rest & 0x7f | 0x80));
                rest >>>= 7;
            }
            bytes.write((int) rest);
        }
    }
}
