package io.trimtab.apiserver.openapi;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.schema.Schema;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The types of custom resources. */
final class CustomSchemas {
    private static final int MAX_DEPTH = 64;

    private CustomSchemas() {}

    /** The type of the objects: what the definition says, and what all objects have. */
    static ObjectNode object(@Nullable ObjectNode schema, ApiResource resource) {
        ObjectNode type = schema == null ? JsonNodeFactory.instance.objectNode() : schema.deepCopy();
        type.put("type", "object");
        ObjectNode properties = type.withObjectProperty("properties");
        common(properties, "ObjectMeta");
        kind(type, resource, resource.kind());
        return type;
    }

    /** The type of their lists. */
    static ObjectNode list(String name, ApiResource resource) {
        ObjectNode type = JsonNodeFactory.instance.objectNode().put("type", "object");
        type.putArray("required").add("items");
        ObjectNode properties = type.putObject("properties");
        properties.putObject("items").put("type", "array").putObject("items").put("$ref", "#/" + name);
        common(properties, "ListMeta");
        kind(type, resource, resource.kind() + "List");
        return type;
    }

    private static void common(ObjectNode properties, String meta) {
        properties.putObject("apiVersion").put("type", "string");
        properties.putObject("kind").put("type", "string");
        properties.putObject("metadata").put("$ref", "#/" + Definitions.META + meta);
    }

    private static void kind(ObjectNode type, ApiResource resource, String kind) {
        type.putArray("x-kubernetes-group-version-kind")
                .addObject()
                .put("group", resource.group())
                .put("version", resource.version())
                .put("kind", kind);
    }

    /** A schema in the words of OpenAPI: its shape, without what validates values. */
    static ObjectNode shape(Schema schema) {
        return shape(schema, 0);
    }

    private static ObjectNode shape(Schema schema, int depth) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        if (depth > MAX_DEPTH) {
            return json; // a type that contains itself; deeper than anybody writes
        }
        switch (schema.type()) {
            case INT_OR_STRING -> json.put("x-kubernetes-int-or-string", true);
            case ANY -> {}
            default -> json.put("type", schema.type().name().toLowerCase(java.util.Locale.ROOT));
        }
        if (!schema.format().isEmpty()) {
            json.put("format", schema.format());
        }
        if (!schema.properties().isEmpty()) {
            ObjectNode properties = json.putObject("properties");
            for (Map.Entry<String, Schema> property : schema.properties().entrySet()) {
                properties.set(property.getKey(), shape(property.getValue(), depth + 1));
            }
        }
        Schema values = schema.additionalProperties();
        if (values != null) {
            json.set("additionalProperties", shape(values, depth + 1));
        }
        Schema items = schema.items();
        if (items != null) {
            json.set("items", shape(items, depth + 1));
        }
        if (!schema.required().isEmpty()) {
            ArrayNode required = json.putArray("required");
            schema.required().stream().sorted().forEach(required::add);
        }
        if (schema.defaultValue() != null) {
            json.set("default", schema.defaultValue());
        }
        if (schema.preservesUnknownFields()) {
            json.put("x-kubernetes-preserve-unknown-fields", true);
        }
        return json;
    }
}
