package io.trimtab.apiserver.openapi;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Turns documents of version 3 into the one document of version 2. */
final class Swagger {
    private Swagger() {}

    static ObjectNode of(List<ObjectNode> documents, Definitions builtin) {
        Map<String, JsonNode> paths = new TreeMap<>();
        Map<String, JsonNode> definitions = new TreeMap<>();
        for (ObjectNode document : documents) {
            document.path("paths").properties().forEach(p -> paths.put(p.getKey(), item(p.getValue())));
            document.path("components")
                    .path("schemas")
                    .properties()
                    .forEach(s -> definitions.computeIfAbsent(s.getKey(), k -> schema(s.getValue(), !builtin.has(k))));
        }
        ObjectNode swagger = JsonNodeFactory.instance.objectNode().put("swagger", "2.0");
        swagger.putObject("info").put("title", "Kubernetes").put("version", "v1.34.4");
        ObjectNode allPaths = swagger.putObject("paths");
        paths.forEach(allPaths::set);
        ObjectNode allDefinitions = swagger.putObject("definitions");
        definitions.forEach(allDefinitions::set);
        swagger.putObject("securityDefinitions")
                .putObject("BearerToken")
                .put("description", "Bearer Token authentication")
                .put("type", "apiKey")
                .put("name", "authorization")
                .put("in", "header");
        swagger.putArray("security").addObject().putArray("BearerToken");
        return swagger;
    }

    private static ObjectNode item(JsonNode item) {
        ObjectNode result = JsonNodeFactory.instance.objectNode();
        item.properties().forEach(f -> {
            if (f.getKey().equals("parameters")) {
                result.set("parameters", parameters(f.getValue()));
            } else {
                result.set(f.getKey(), operation(f.getValue()));
            }
        });
        return result;
    }

    private static ArrayNode parameters(JsonNode parameters) {
        ArrayNode result = JsonNodeFactory.instance.arrayNode();
        for (JsonNode parameter : parameters) {
            ObjectNode copy = parameter.deepCopy();
            JsonNode schema = copy.remove("schema");
            copy.put("type", schema.path("type").asText()).put("uniqueItems", true);
            result.add(copy);
        }
        return result;
    }

    private static ObjectNode operation(JsonNode operation) {
        ObjectNode result = JsonNodeFactory.instance.objectNode();
        JsonNode body = operation.path("requestBody");
        JsonNode content = operation.path("responses").path("200").path("content");
        result.put("description", operation.path("description").asText());
        ArrayNode consumes = result.putArray("consumes");
        if (body.isObject()) {
            body.path("content").fieldNames().forEachRemaining(consumes::add);
        } else {
            consumes.add("*/*");
        }
        ArrayNode produces = result.putArray("produces");
        content.fieldNames().forEachRemaining(produces::add);
        result.putArray("schemes").add("https");
        result.set("tags", operation.path("tags"));
        result.put("operationId", operation.path("operationId").asText());
        ArrayNode parameters = parameters(operation.path("parameters"));
        if (body.isObject()) {
            ObjectNode parameter =
                    parameters.insertObject(0).put("name", "body").put("in", "body");
            if (body.path("required").asBoolean()) {
                parameter.put("required", true);
            }
            parameter.set(
                    "schema", schema(body.path("content").elements().next().path("schema")));
        }
        if (!parameters.isEmpty()) {
            result.set("parameters", parameters);
        }
        ObjectNode responses = result.putObject("responses");
        operation.path("responses").properties().forEach(r -> {
            ObjectNode response = responses.putObject(r.getKey());
            response.put("description", r.getValue().path("description").asText());
            JsonNode answer = r.getValue().path("content");
            if (!answer.isEmpty()) {
                response.set("schema", schema(answer.elements().next().path("schema")));
            }
        });
        operation.properties().forEach(f -> {
            if (f.getKey().startsWith("x-")) {
                result.set(f.getKey(), f.getValue());
            }
        });
        return result;
    }

    /** References stand elsewhere and may have siblings; of alternatives version 2 knows nothing. */
    private static JsonNode schema(JsonNode schema) {
        return schema(schema, false);
    }

    /** That of a custom type keeps its defaults: those of the built-in ones are but zero values. */
    private static JsonNode schema(JsonNode schema, boolean custom) {
        if (schema.isArray()) {
            ArrayNode result = JsonNodeFactory.instance.arrayNode();
            schema.forEach(s -> result.add(schema(s, custom)));
            return result;
        }
        if (!schema.isObject()) {
            return schema;
        }
        ObjectNode result = JsonNodeFactory.instance.objectNode();
        schema.properties().forEach(f -> {
            switch (f.getKey()) {
                case "$ref" ->
                    result.put("$ref", f.getValue().asText().replace("#/components/schemas/", "#/definitions/"));
                case "allOf" -> {
                    if (f.getValue().size() == 1 && f.getValue().get(0).has("$ref")) {
                        schema(f.getValue().get(0), custom)
                                .properties()
                                .forEach(r -> result.set(r.getKey(), r.getValue()));
                    }
                }
                case "properties" -> {
                    ObjectNode properties = result.putObject("properties");
                    f.getValue().properties().forEach(p -> properties.set(p.getKey(), schema(p.getValue(), custom)));
                }
                case "oneOf" -> result.put("type", "string"); // int-or-string and quantity
                case "anyOf", "not", "nullable" -> {}
                case "default" -> {
                    if (custom) {
                        result.set("default", f.getValue());
                    }
                }
                default ->
                    result.set(
                            f.getKey(),
                            f.getValue().isContainerNode()
                                            && !f.getKey().startsWith("x-")
                                            && !f.getKey().equals("enum")
                                    ? schema(f.getValue(), custom)
                                    : f.getValue());
            }
        });
        return result;
    }
}
