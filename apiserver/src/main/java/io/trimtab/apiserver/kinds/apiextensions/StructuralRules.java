package io.trimtab.apiserver.kinds.apiextensions;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Trees;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What makes a schema structural: every field has a type of its own, and alternatives only narrow it. Stateless. */
final class StructuralRules {
    private static final List<String> JUNCTORS = List.of("allOf", "anyOf", "oneOf");
    private static final List<String> INEXPRESSIBLE =
            List.of("id", "$schema", "$ref", "patternProperties", "dependencies", "additionalItems", "definitions");
    private static final Set<String> NAMES = Set.of("name", "generateName");

    private enum Level {
        ROOT,
        FIELD,
        ITEM
    }

    private final FieldErrors errors = new FieldErrors();

    private StructuralRules() {}

    /** Whether the schema says only what a structural schema has words for, so that it can be looked at as one. */
    static boolean isExpressible(JsonNode schema) {
        for (String field : INEXPRESSIBLE) {
            JsonNode value = schema.get(field);
            if (value != null
                    && !value.isNull()
                    && !(value.isTextual() && value.asText().isEmpty())) {
                return false;
            }
        }
        if (schema.path("items").isArray()
                || schema.has("x-kubernetes-preserve-unknown-fields")
                        && !Trees.flag(schema, "x-kubernetes-preserve-unknown-fields")) {
            return false;
        }
        List<JsonNode> below = new ArrayList<>();
        Trees.child(schema, "properties").forEach(below::add);
        for (String single : List.of("items", "additionalProperties", "not")) {
            if (schema.get(single) instanceof ObjectNode part) {
                below.add(part);
            }
        }
        JUNCTORS.forEach(junctor -> below.addAll(Trees.items(schema, junctor)));
        return below.stream().allMatch(StructuralRules::isExpressible);
    }

    static void check(String path, JsonNode schema, FieldErrors errors) {
        StructuralRules rules = new StructuralRules();
        rules.invariants(path, schema, Level.ROOT);
        rules.completeness(path, path, schema, schema);
        rules.errors.list().stream()
                .sorted(Comparator.comparing(FieldErrors.FieldError::message))
                .forEach(errors::add);
    }

    static Map<String, JsonNode> fields(JsonNode schema) {
        Map<String, JsonNode> fields = new TreeMap<>();
        Trees.child(schema, "properties").fields().forEachRemaining(f -> fields.put(f.getKey(), f.getValue()));
        return fields;
    }

    private void invariants(String path, JsonNode schema, Level level) {
        String type = Trees.text(schema, "type");
        boolean embedded = Trees.flag(schema, "x-kubernetes-embedded-resource");
        boolean intOrString = Trees.flag(schema, "x-kubernetes-int-or-string");
        boolean preserves = Trees.flag(schema, "x-kubernetes-preserve-unknown-fields");
        if (type.equals("array") && !schema.has("items")) {
            errors.required(path + ".items", "must be specified");
        }
        if (schema.get("items") instanceof ObjectNode items) {
            invariants(path + ".items", items, Level.ITEM);
        }
        Map<String, JsonNode> fields = fields(schema);
        fields.forEach((name, field) -> invariants(path + ".properties[" + name + "]", field, Level.FIELD));
        JsonNode additional = schema.get("additionalProperties");
        boolean hasAdditional = additional != null && !additional.isNull();
        if (hasAdditional) {
            if (level == Level.ROOT) {
                errors.forbidden(path + ".additionalProperties", "must not be used at the root");
            }
            if (additional instanceof ObjectNode) {
                invariants(path + ".additionalProperties", additional, Level.FIELD);
            }
        }
        if (intOrString && preserves) {
            errors.invalid(
                    path + ".x-kubernetes-preserve-unknown-fields",
                    schema.get("x-kubernetes-preserve-unknown-fields"),
                    "must be false if x-kubernetes-int-or-string is true");
        }
        if (intOrString && embedded) {
            errors.invalid(
                    path + ".x-kubernetes-embedded-resource",
                    schema.get("x-kubernetes-embedded-resource"),
                    "must be false if x-kubernetes-int-or-string is true");
        }
        boolean skipAnyOf = isIntOrString(schema);
        List<JsonNode> all = Trees.items(schema, "allOf");
        boolean skipFirst = !all.isEmpty() && isIntOrString(all.get(0));
        values(path, schema, skipAnyOf, skipFirst);
        if (embedded && !type.equals("object")) {
            String must = "must be object if x-kubernetes-embedded-resource is true";
            if (type.isEmpty()) {
                errors.required(path + ".type", must);
            } else {
                errors.invalid(path + ".type", type, must);
            }
        } else if (type.isEmpty() && !intOrString && !preserves) {
            errors.required(
                    path + ".type",
                    switch (level) {
                        case ROOT -> "must not be empty at the root";
                        case ITEM -> "must not be empty for specified array items";
                        case FIELD -> "must not be empty for specified object fields";
                    });
        }
        if (embedded && hasAdditional) {
            errors.forbidden(
                    path + ".additionalProperties", "must not be used if x-kubernetes-embedded-resource is set");
        }
        if (level == Level.ROOT && !type.isEmpty() && !type.equals("object")) {
            errors.invalid(path + ".type", type, "must be object at the root");
        }
        boolean resource = level == Level.ROOT || embedded;
        for (String name : List.of("kind", "apiVersion")) {
            JsonNode field = fields.get(name);
            if (field != null && resource && !Trees.text(field, "type").equals("string")) {
                errors.invalid(path + ".properties[" + name + "].type", Trees.text(field, "type"), "must be string");
            }
        }
        JsonNode metadata = fields.get("metadata");
        if (metadata != null) {
            metadata(path + ".properties[metadata]", metadata, resource, level);
        }
        if (embedded && !preserves && fields.isEmpty()) {
            errors.required(
                    path + ".properties",
                    "must not be empty if x-kubernetes-embedded-resource is true without"
                            + " x-kubernetes-preserve-unknown-fields");
        }
    }

    private void metadata(String path, JsonNode schema, boolean resource, Level level) {
        if (resource && !Trees.text(schema, "type").equals("object")) {
            errors.invalid(path + ".type", Trees.text(schema, "type"), "must be object");
        }
        if (level != Level.ROOT) {
            return;
        }
        boolean onlyNames = fields(schema).keySet().stream().allMatch(NAMES::contains);
        boolean more = false;
        for (var names = schema.fieldNames(); names.hasNext(); ) {
            more |= !Set.of("type", "properties", "default").contains(names.next());
        }
        if (!onlyNames || more) {
            errors.forbidden(
                    path,
                    "must not specify anything other than name and generateName, but metadata is implicitly specified");
        }
    }

    /** The alternatives that stand for a number or a text. */
    private static boolean isIntOrString(JsonNode schema) {
        List<JsonNode> any = Trees.items(schema, "anyOf");
        return any.size() == 2
                && any.get(0).size() == 1
                && any.get(1).size() == 1
                && Trees.text(any.get(0), "type").equals("integer")
                && Trees.text(any.get(1), "type").equals("string");
    }

    private void values(String path, JsonNode schema, boolean skipAnyOf, boolean skipFirstAnyOf) {
        if (!skipAnyOf) {
            each(path, schema, "anyOf", false);
        }
        each(path, schema, "allOf", skipFirstAnyOf);
        each(path, schema, "oneOf", false);
        if (schema.get("not") instanceof ObjectNode not) {
            nested(path + ".not", not, false);
        }
        String pattern = Trees.text(schema, "pattern");
        if (!pattern.isEmpty()) {
            String wrong = wrongPattern(pattern);
            if (wrong != null) {
                errors.invalid(path + ".pattern", pattern, "must be a valid regular expression, but isn't: " + wrong);
            }
        }
    }

    static @Nullable String wrongPattern(String pattern) {
        try {
            Pattern.compile(pattern);
            return null;
        } catch (PatternSyntaxException e) {
            return "error parsing regexp: " + e.getDescription() + ": `" + e.getPattern() + "`";
        }
    }

    private void each(String path, JsonNode schema, String junctor, boolean skipFirstAnyOf) {
        List<JsonNode> parts = Trees.items(schema, junctor);
        for (int i = 0; i < parts.size(); i++) {
            nested(path + "." + junctor + "[" + i + "]", parts.get(i), skipFirstAnyOf && i == 0);
        }
    }

    /** Inside a junctor nothing may be said that would add to what the schema itself declares. */
    private void nested(String path, JsonNode part, boolean skipAnyOf) {
        values(path, part, skipAnyOf, false);
        if (part.get("items") instanceof ObjectNode items) {
            nested(path + ".items", items, false);
        }
        Map<String, JsonNode> fields = fields(part);
        fields.forEach((name, field) -> nested(path + ".properties[" + name + "]", field, false));
        if (!Trees.text(part, "type").isEmpty()) {
            errors.forbidden(path + ".type", "must be empty to be structural");
        }
        for (String field : List.of("additionalProperties", "default")) {
            if (part.hasNonNull(field)) {
                errors.forbidden(path + "." + field, "must be undefined to be structural");
            }
        }
        for (String field : List.of("title", "description")) {
            if (!Trees.text(part, field).isEmpty()) {
                errors.forbidden(path + "." + field, "must be empty to be structural");
            }
        }
        for (String field : List.of(
                "nullable",
                "x-kubernetes-preserve-unknown-fields",
                "x-kubernetes-embedded-resource",
                "x-kubernetes-int-or-string")) {
            if (Trees.flag(part, field)) {
                errors.forbidden(path + "." + field, "must be false to be structural");
            }
        }
        for (String field : List.of("x-kubernetes-list-map-keys", "x-kubernetes-validations")) {
            if (!part.path(field).isEmpty()) {
                errors.forbidden(path + "." + field, "must be empty to be structural");
            }
        }
        for (String field : List.of("x-kubernetes-list-type", "x-kubernetes-map-type")) {
            if (part.hasNonNull(field)) {
                errors.forbidden(path + "." + field, "must be undefined to be structural");
            }
        }
        if (fields.containsKey("metadata")) {
            errors.forbidden(path + ".properties[metadata]", "must not be specified in a nested context");
        }
    }

    /** What alternatives speak of is declared outside of them. */
    private void completeness(String declaredPath, String path, JsonNode part, @Nullable JsonNode declared) {
        for (String junctor : JUNCTORS) {
            List<JsonNode> parts = Trees.items(part, junctor);
            for (int i = 0; i < parts.size(); i++) {
                nestedCompleteness(declaredPath, path + "." + junctor + "[" + i + "]", parts.get(i), declared);
            }
        }
        if (part.get("not") instanceof ObjectNode not) {
            nestedCompleteness(declaredPath, path + ".not", not, declared);
        }
    }

    private void nestedCompleteness(String declaredPath, String path, JsonNode part, @Nullable JsonNode declared) {
        if (declared == null) {
            errors.required(declaredPath, "because it is defined in " + path);
            return;
        }
        completeness(declaredPath, path, part, declared);
        if (part.get("items") instanceof ObjectNode items) {
            nestedCompleteness(
                    declaredPath + ".items",
                    path + ".items",
                    items,
                    declared.get("items") instanceof ObjectNode d ? d : null);
        }
        fields(part).forEach((name, field) -> {
            String step = ".properties[" + name + "]";
            nestedCompleteness(
                    declaredPath + step,
                    path + step,
                    field,
                    Trees.child(declared, "properties").get(name));
        });
    }
}
