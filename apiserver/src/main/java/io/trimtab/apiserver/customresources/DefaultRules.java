package io.trimtab.apiserver.customresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.resource.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Defaults in a schema must be valid by that schema, and have no fields it does not know. Stateless. */
public final class DefaultRules {
    private DefaultRules() {}

    /**
     * Says which defaults are wrong.
     *
     * @param path of the schema in its definition
     */
    public static void check(String path, JsonNode schema, FieldErrors errors) {
        if (schema.findValue("default") != null) {
            node(path, schema, false, true, errors);
        }
    }

    private static void node(String path, JsonNode schema, boolean inMeta, boolean root, FieldErrors errors) {
        boolean embedded = root || schema.path("x-kubernetes-embedded-resource").asBoolean();
        JsonNode standard = schema.get("default");
        if (standard != null && !standard.isNull() && !(inMeta && !embedded)) {
            one(path + ".default", standard, schema, errors);
        }
        if (schema.get("items") instanceof ObjectNode items) {
            node(path + ".items", items, inMeta && !embedded, false, errors);
        }
        Map<String, JsonNode> sorted = new TreeMap<>();
        schema.path("properties").fields().forEachRemaining(f -> sorted.put(f.getKey(), f.getValue()));
        sorted.forEach((name, field) -> {
            boolean meta =
                    embedded ? name.equals("metadata") || name.equals("apiVersion") || name.equals("kind") : inMeta;
            node(path + ".properties[" + name + "]", field, meta, false, errors);
        });
    }

    private static void one(String path, JsonNode value, JsonNode schema, FieldErrors errors) {
        JsonNode pruned = value.deepCopy();
        prune(pruned, schema);
        if (!Kind.sameValue(pruned, value)) {
            errors.invalid(path, value, "must not have unknown fields");
        }
        FieldErrors found = new FieldErrors();
        new SchemaValidator(schema).validateValue(value, found);
        if (found.isEmpty()) {
            RuleValidator rules = RuleValidator.of(
                    schema, schema.path("x-kubernetes-embedded-resource").asBoolean());
            if (rules != null) {
                rules.validate(path, value, value, false, errors, new ArrayList<>());
            }
        }
        for (FieldErrors.FieldError error : found.list()) {
            boolean whole = error.field().equals("<nil>");
            String field = error.field().startsWith(".") ? error.field().substring(1) : error.field();
            // Where Kubernetes names a part of the value, it names none here, and leaves the space.
            String body = whole ? error.body().replace(": in body ", ":  in body ") : error.body();
            errors.add(new FieldErrors.FieldError(error.type(), whole ? path : path + "." + field, body));
        }
    }

    private static void prune(JsonNode value, @Nullable JsonNode schema) {
        if (schema == null
                || schema.path("x-kubernetes-preserve-unknown-fields").asBoolean()) {
            return;
        }
        if (value instanceof ObjectNode object) {
            JsonNode values = schema.get("additionalProperties");
            if (values != null && !values.isNull() && !schema.has("properties")) {
                if (values.isObject()) {
                    object.forEach(field -> prune(field, values));
                }
                return;
            }
            boolean embedded = schema.path("x-kubernetes-embedded-resource").asBoolean();
            List<String> names = new ArrayList<>();
            object.fieldNames().forEachRemaining(names::add);
            for (String name : names) {
                JsonNode declared = schema.path("properties").get(name);
                if (embedded && List.of("apiVersion", "kind", "metadata").contains(name)) {
                    continue;
                }
                if (declared == null) {
                    object.remove(name);
                } else {
                    prune(object.get(name), declared);
                }
            }
        } else if (value instanceof ArrayNode array) {
            array.forEach(item -> prune(item, schema.get("items")));
        }
    }
}
