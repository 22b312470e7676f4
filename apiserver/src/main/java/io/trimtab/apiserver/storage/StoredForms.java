package io.trimtab.apiserver.storage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/**
 * Turns what Kubernetes' own API server stores in another version, or completes only when it reads, into the form in which
 * objects are stored here. Stateless.
 */
final class StoredForms {
    /** Stored in a version that older servers know too; the fields are the same. */
    private static final Map<String, String> SAME_FIELDS =
            Map.of("VolumeAttributesClass storage.k8s.io/v1beta1", "storage.k8s.io/v1");

    private StoredForms() {}

    /** @param object changed in place */
    static ObjectNode ours(ObjectNode object) {
        String kind = object.path("kind").asText("");
        String apiVersion = object.path("apiVersion").asText("");
        String newer = SAME_FIELDS.get(kind + " " + apiVersion);
        if (newer != null) {
            object.put("apiVersion", newer);
        } else if (kind.equals("CustomResourceDefinition") && apiVersion.equals("apiextensions.k8s.io/v1beta1")) {
            definition(object);
        } else if (kind.equals("PersistentVolumeClaim") && apiVersion.equals("v1")) {
            // Reset when a claim is created, after defaults were set: each reader sets the default again.
            ObjectNode status = object.withObjectProperty("status");
            if (status.path("phase").asText("").isEmpty()) {
                status.put("phase", "Pending");
            }
        }
        return object;
    }

    /** What is the same for all versions stands above them in v1beta1, and in each of them in v1. */
    private static void definition(ObjectNode object) {
        object.put("apiVersion", "apiextensions.k8s.io/v1");
        if (!(object.get("spec") instanceof ObjectNode old)) {
            return;
        }
        ObjectNode spec = JsonNodeFactory.instance.objectNode();
        copy(old, "group", spec, "group");
        copy(old, "names", spec, "names");
        copy(old, "scope", spec, "scope");
        ArrayNode versions = spec.putArray("versions");
        if (old.path("versions").isEmpty() && old.has("version")) {
            ObjectNode only = JsonNodeFactory.instance.objectNode();
            only.set("name", old.get("version"));
            versions.add(version(only.put("served", true).put("storage", true), old));
        }
        for (JsonNode version : old.path("versions")) {
            versions.add(version(version, old));
        }
        if (old.get("conversion") instanceof ObjectNode conversion) {
            ObjectNode made = spec.putObject("conversion");
            copy(conversion, "strategy", made, "strategy");
            if (conversion.has("webhookClientConfig") || conversion.has("conversionReviewVersions")) {
                ObjectNode webhook = made.putObject("webhook");
                copy(conversion, "webhookClientConfig", webhook, "clientConfig");
                copy(conversion, "conversionReviewVersions", webhook, "conversionReviewVersions");
            }
        }
        // Not said means true there, and false here.
        if (old.path("preserveUnknownFields").asBoolean(true)) {
            spec.put("preserveUnknownFields", true);
        }
        object.set("spec", spec);
    }

    private static ObjectNode version(JsonNode version, ObjectNode spec) {
        ObjectNode made = JsonNodeFactory.instance.objectNode();
        for (String field : new String[] {"name", "served", "storage", "deprecated", "deprecationWarning"}) {
            copy(version, field, made, field);
        }
        copy(version.has("schema") ? version : spec, version.has("schema") ? "schema" : "validation", made, "schema");
        copy(version.has("subresources") ? version : spec, "subresources", made, "subresources");
        JsonNode columns = (version.has("additionalPrinterColumns") ? version : spec).path("additionalPrinterColumns");
        if (!columns.isEmpty()) {
            ArrayNode list = made.putArray("additionalPrinterColumns");
            for (JsonNode column : columns) {
                ObjectNode one = list.addObject();
                column.properties()
                        .forEach(field -> one.set(
                                field.getKey().equals("JSONPath") ? "jsonPath" : field.getKey(), field.getValue()));
            }
        }
        copy(version.has("selectableFields") ? version : spec, "selectableFields", made, "selectableFields");
        return made;
    }

    private static void copy(JsonNode from, String name, ObjectNode to, String as) {
        JsonNode value = from.get(name);
        if (value != null) {
            to.set(as, value);
        }
    }
}
