package io.trimtab.apiserver.kinds.apiextensions;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Trees;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** What makes a schema structural: every field has a type of its own, and alternatives only narrow it. Stateless. */
final class StructuralRules {
    private static final List<String> TYPES = List.of("array", "boolean", "integer", "number", "object", "string");
    private static final Map<String, String> FORBIDDEN = Map.of(
            "definitions", "definitions is not supported",
            "dependencies", "dependencies is not supported",
            "patternProperties", "patternProperties is not supported",
            "additionalItems", "additionalItems is not supported",
            "id", "id is not supported",
            "$ref", "$ref is not supported");

    private enum Level {
        ROOT,
        FIELD,
        ITEM
    }

    private StructuralRules() {}

    static void check(String path, JsonNode schema, FieldErrors errors) {
        FieldErrors unsupported = new FieldErrors();
        forbidden(path, schema, unsupported);
        errors.addAll(unsupported);
        if (unsupported.list().stream().anyMatch(e -> e.body().endsWith(" is not supported"))) {
            return; // what cannot be said at all is not looked at as a structure
        }
        if (Trees.flag(schema, "nullable")) {
            errors.forbidden(path + ".nullable", "nullable cannot be true at the root");
        }
        typed(path, schema, Level.ROOT, errors);
    }

    private static void forbidden(String path, JsonNode schema, FieldErrors errors) {
        new TreeMap<>(FORBIDDEN).forEach((field, text) -> {
            JsonNode value = schema.get(field);
            if (value != null
                    && !value.isNull()
                    && !(value.isTextual() && value.textValue().isEmpty())) {
                errors.forbidden(path + "." + field, text);
            }
        });
        if (Trees.flag(schema, "uniqueItems")) {
            errors.forbidden(
                    path + ".uniqueItems",
                    "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
        }
        JsonNode additional = schema.get("additionalProperties");
        if (additional != null && !additional.isNull()) {
            if (additional.isBoolean() && !additional.booleanValue()) {
                errors.forbidden(path + ".additionalProperties", "additionalProperties cannot be set to false");
            }
            if (!Trees.child(schema, "properties").isEmpty() && additional.isObject()) {
                errors.forbidden(
                        path + ".additionalProperties", "additionalProperties and properties are mutual exclusive");
            }
        }
        String type = Trees.text(schema, "type");
        if (!type.isEmpty() && !TYPES.contains(type)) {
            errors.notSupportedInOrder(path + ".type", Trees.textNode(type), TYPES);
        }
        String pattern = Trees.text(schema, "pattern");
        if (!pattern.isEmpty()) {
            try {
                Pattern.compile(pattern);
            } catch (PatternSyntaxException e) {
                errors.invalid(
                        path + ".pattern",
                        pattern,
                        "must be a valid regular expression, but isn't: " + e.getDescription());
            }
        }
        JsonNode items = schema.get("items");
        if (type.equals("array") && items == null) {
            errors.required(path + ".items", "must be specified");
        }
        if (items != null && items.isArray()) {
            errors.forbidden(path + ".items", "items must be a schema object and not an array");
        }
        lists(path, schema, type, errors);
        if (schema.has("x-kubernetes-preserve-unknown-fields")
                && !Trees.flag(schema, "x-kubernetes-preserve-unknown-fields")) {
            errors.invalid(
                    path + ".x-kubernetes-preserve-unknown-fields",
                    schema.get("x-kubernetes-preserve-unknown-fields"),
                    "must be true or undefined");
        }
        if (Trees.flag(schema, "x-kubernetes-int-or-string") && !type.isEmpty()) {
            errors.forbidden(path + ".type", "must be empty if x-kubernetes-int-or-string is true");
        }
        if (Trees.flag(schema, "x-kubernetes-embedded-resource")) {
            if (!type.equals("object")) {
                errors.invalid(path + ".type", type, "must be object if x-kubernetes-embedded-resource is true");
            }
            if (Trees.child(schema, "properties").isEmpty()
                    && !Trees.flag(schema, "x-kubernetes-preserve-unknown-fields")) {
                errors.required(
                        path + ".properties",
                        "must not be empty if x-kubernetes-embedded-resource is true without"
                                + " x-kubernetes-preserve-unknown-fields");
            }
        }
        fields(schema).forEach((name, field) -> forbidden(path + ".properties[" + name + "]", field, errors));
        if (items instanceof ObjectNode) {
            forbidden(path + ".items", items, errors);
        }
        if (additional instanceof ObjectNode) {
            forbidden(path + ".additionalProperties", additional, errors);
        }
    }

    private static void lists(String path, JsonNode schema, String type, FieldErrors errors) {
        String listType = Trees.text(schema, "x-kubernetes-list-type");
        List<String> keys = Trees.texts(schema, "x-kubernetes-list-map-keys");
        String typePath = path + ".x-kubernetes-list-type";
        String keysPath = path + ".x-kubernetes-list-map-keys";
        if (!listType.isEmpty()) {
            if (!type.equals("array")) {
                errors.invalid(path + ".type", type, "must be array if x-kubernetes-list-type is specified");
            }
            if (!List.of("atomic", "set", "map").contains(listType)) {
                errors.notSupportedInOrder(typePath, Trees.textNode(listType), List.of("atomic", "set", "map"));
            }
        }
        if (!keys.isEmpty() && !listType.equals("map")) {
            if (listType.isEmpty()) {
                errors.required(typePath, "must be map if x-kubernetes-list-map-keys is non-empty");
            } else {
                errors.invalid(typePath, listType, "must be map if x-kubernetes-list-map-keys is non-empty");
            }
        }
        if (listType.equals("map")) {
            JsonNode items = Trees.child(schema, "items");
            if (keys.isEmpty()) {
                errors.required(keysPath, "must not be empty if x-kubernetes-list-type is map");
            }
            if (!Trees.text(items, "type").equals("object")) {
                errors.invalid(
                        path + ".items.type",
                        Trees.text(items, "type"),
                        "must be object if parent array's x-kubernetes-list-type is map");
            }
            List<String> required = Trees.texts(items, "required");
            for (int i = 0; i < keys.size(); i++) {
                String key = keys.get(i);
                JsonNode field = Trees.child(items, "properties").path(key);
                if (field.isMissingNode()) {
                    errors.invalid(keysPath + "[" + i + "]", key, "entries must all be names of item properties");
                } else if (List.of("array", "object").contains(Trees.text(field, "type"))) {
                    errors.invalid(
                            path + ".items.properties[" + key + "].type",
                            Trees.text(field, "type"),
                            "must be a scalar type if parent array's x-kubernetes-list-type is map");
                } else if (!required.contains(key) && !field.has("default")) {
                    errors.required(
                            path + ".items.properties[" + key + "].default",
                            "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required"
                                    + " property");
                }
            }
        }
        String mapType = Trees.text(schema, "x-kubernetes-map-type");
        if (!mapType.isEmpty() && !List.of("atomic", "granular").contains(mapType)) {
            errors.notSupportedInOrder(
                    path + ".x-kubernetes-map-type", Trees.textNode(mapType), List.of("atomic", "granular"));
        }
    }

    private static void typed(String path, JsonNode schema, Level level, FieldErrors errors) {
        String type = Trees.text(schema, "type");
        boolean free = Trees.flag(schema, "x-kubernetes-int-or-string")
                || Trees.flag(schema, "x-kubernetes-preserve-unknown-fields") && level != Level.ROOT;
        if (type.isEmpty() && !free) {
            errors.required(
                    path + ".type",
                    switch (level) {
                        case ROOT -> "must not be empty at the root";
                        case ITEM -> "must not be empty for specified array items";
                        case FIELD -> "must not be empty for specified object fields";
                    });
        }
        if (level == Level.ROOT && !type.isEmpty() && !type.equals("object")) {
            errors.invalid(path + ".type", type, "must be object at the root");
        }
        if (level == Level.ROOT && Trees.child(schema, "properties").has("metadata")) {
            fields(Trees.child(schema, "properties").get("metadata")).forEach((name, field) -> {
                if (!name.equals("name") && !name.equals("generateName")) {
                    errors.forbidden(
                            path + ".properties[metadata]",
                            "must not specify anything other than name and generateName, but metadata is implicitly"
                                    + " specified");
                }
            });
        }
        boolean intOrString = Trees.flag(schema, "x-kubernetes-int-or-string");
        for (String junctor : List.of("allOf", "anyOf", "oneOf")) {
            List<JsonNode> parts = Trees.items(schema, junctor);
            for (int i = 0; i < parts.size(); i++) {
                narrowing(path + "." + junctor + "[" + i + "]", parts.get(i), schema, intOrString, errors);
            }
        }
        if (schema.get("not") instanceof ObjectNode not) {
            narrowing(path + ".not", not, schema, false, errors);
        }
        fields(schema).forEach((name, field) -> typed(path + ".properties[" + name + "]", field, Level.FIELD, errors));
        if (schema.get("items") instanceof ObjectNode items) {
            typed(path + ".items", items, Level.ITEM, errors);
        }
        if (schema.get("additionalProperties") instanceof ObjectNode values) {
            typed(path + ".additionalProperties", values, Level.FIELD, errors);
        }
    }

    /** Inside a junctor nothing may be said that would add to what the schema itself declares. */
    private static void narrowing(String path, JsonNode part, JsonNode main, boolean mayHaveType, FieldErrors errors) {
        if (!Trees.text(part, "type").isEmpty() && !mayHaveType) {
            errors.forbidden(path + ".type", "must be empty to be structural");
        }
        for (String field : List.of("additionalProperties", "default", "title", "description")) {
            if (part.hasNonNull(field)) {
                errors.forbidden(
                        path + "." + field,
                        field.equals("additionalProperties")
                                ? "must be undefined to be structural"
                                : "must be " + (field.equals("default") ? "undefined" : "empty") + " to be structural");
            }
        }
        if (Trees.flag(part, "nullable")) {
            errors.forbidden(path + ".nullable", "must be false to be structural");
        }
        fields(part).forEach((name, field) -> {
            JsonNode declared = Trees.child(main, "properties").path(name);
            String at = path + ".properties[" + name + "]";
            if (declared.isMissingNode() && !(main.get("additionalProperties") instanceof ObjectNode)) {
                errors.required(
                        at.replaceFirst("\\.(allOf|anyOf|oneOf)\\[\\d+\\]|\\.not", ""),
                        "because it is defined in "
                                + at.substring(path.lastIndexOf("openAPIV3Schema.") + "openAPIV3Schema.".length()));
            }
            narrowing(
                    at,
                    field,
                    declared.isMissingNode() ? Trees.child(main, "additionalProperties") : declared,
                    Trees.flag(declared, "x-kubernetes-int-or-string"),
                    errors);
        });
        if (part.get("items") instanceof ObjectNode items) {
            narrowing(path + ".items", items, Trees.child(main, "items"), false, errors);
        }
        for (String junctor : List.of("allOf", "anyOf", "oneOf")) {
            List<JsonNode> parts = Trees.items(part, junctor);
            for (int i = 0; i < parts.size(); i++) {
                narrowing(path + "." + junctor + "[" + i + "]", parts.get(i), main, mayHaveType, errors);
            }
        }
        if (part.get("not") instanceof ObjectNode not) {
            narrowing(path + ".not", not, main, false, errors);
        }
    }

    private static Map<String, JsonNode> fields(JsonNode schema) {
        Map<String, JsonNode> fields = new TreeMap<>();
        Trees.child(schema, "properties").fields().forEachRemaining(f -> fields.put(f.getKey(), f.getValue()));
        return fields;
    }
}
