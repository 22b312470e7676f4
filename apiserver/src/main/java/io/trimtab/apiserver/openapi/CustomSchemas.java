package io.trimtab.apiserver.openapi;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.schema.Schema;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The types of custom resources. */
final class CustomSchemas {
    private static final int MAX_DEPTH = 64;
    private static final String PRESERVE = "x-kubernetes-preserve-unknown-fields";

    private CustomSchemas() {}

    /**
     * The type of the objects: what the definition says, and what all objects have. Version 2 has no words for open objects, and
     * kubectl takes what is not said there for forbidden: so it says nothing of an object that takes unknown fields.
     */
    static ObjectNode object(
            @Nullable ObjectNode schema, ApiResource resource, Definitions definitions, boolean version2) {
        ObjectNode type = JsonNodeFactory.instance.objectNode().put("type", "object");
        if (schema != null && !(version2 && schema.path(PRESERVE).asBoolean())) {
            type = schema.deepCopy();
            if (version2) {
                reduce(type);
            }
            strip(type, definitions, version2);
            type.put("type", "object");
            common(type.withObjectProperty("properties"), "ObjectMeta", definitions, "every object's metadata");
        }
        kind(type, resource, resource.kind());
        return type;
    }

    /** Takes away what version 2 has no words for. */
    private static void reduce(ObjectNode schema) {
        schema.remove(List.of("allOf", "oneOf", "anyOf", "not"));
        boolean nullable = schema.path("nullable").asBoolean();
        boolean open = schema.path(PRESERVE).asBoolean();
        if (nullable || open) {
            schema.remove(List.of("items", "properties", "nullable"));
        }
        String type = schema.path("type").asText();
        if (nullable || type.equals("array") && !schema.has("items") || type.equals("object") && open) {
            schema.remove("type");
        }
        // Whoever leaves out the null of a required field would not be understood.
        if (schema.path("required") instanceof ArrayNode required) {
            for (int i = required.size() - 1; i >= 0; i--) {
                if (schema.path("properties")
                        .path(required.get(i).asText())
                        .path("nullable")
                        .asBoolean()) {
                    required.remove(i);
                }
            }
            if (required.isEmpty()
                    || schema.path("additionalProperties").path("nullable").asBoolean()) {
                schema.remove("required");
            }
        }
        children(schema, CustomSchemas::reduce);
    }

    /** Takes away what is not published, and tells of the objects within objects what all objects have. */
    private static void strip(ObjectNode schema, Definitions definitions, boolean version2) {
        schema.remove(List.of("example", "externalDocs"));
        children(schema, child -> strip(child, definitions, version2));
        if (schema.path("x-kubernetes-embedded-resource").asBoolean()
                && !(version2 && schema.path(PRESERVE).asBoolean())) {
            common(schema.withObjectProperty("properties"), "ObjectMeta", definitions, "every object's metadata");
            ArrayNode required = schema.withArrayProperty("required");
            for (String name : List.of("kind", "apiVersion")) {
                boolean has = false;
                for (JsonNode known : required) {
                    has |= known.asText().equals(name);
                }
                if (!has) {
                    required.add(name);
                }
            }
        }
    }

    private static void children(ObjectNode schema, Consumer<ObjectNode> visitor) {
        schema.path("properties").forEach(child -> visit(child, visitor));
        visit(schema.path("items"), visitor);
        visit(schema.path("additionalProperties"), visitor);
    }

    private static void visit(JsonNode child, Consumer<ObjectNode> visitor) {
        if (child instanceof ObjectNode schema) {
            visitor.accept(schema);
        }
    }

    /** The type of their lists. */
    static ObjectNode list(String name, ApiResource resource, Definitions definitions) {
        ObjectNode type = JsonNodeFactory.instance.objectNode().put("type", "object");
        type.put("description", resource.kind() + "List is a list of " + resource.kind());
        type.putArray("required").add("items");
        ObjectNode properties = type.putObject("properties");
        properties.putObject("items").put("type", "array").putObject("items").put("$ref", "#/" + name);
        common(properties, "ListMeta", definitions, "every list's metadata");
        kind(type, resource, resource.kind() + "List");
        return type;
    }

    private static void common(ObjectNode properties, String meta, Definitions definitions, String metadata) {
        for (String name : List.of("apiVersion", "kind")) {
            properties
                    .putObject(name)
                    .put("type", "string")
                    .set("description", definitions.words("every object").path(name));
        }
        properties
                .putObject("metadata")
                .put("$ref", "#/" + Definitions.META + meta)
                .set("description", definitions.words(metadata));
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
            json.put(PRESERVE, true);
        }
        return json;
    }
}
