package io.trimtab.apiserver.kinds.apiextensions;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.customresources.DefaultRules;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Trees;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a definition may say in a schema. Belongs to one validation. */
final class SchemaRules {
    private static final List<String> TYPES = List.of("array", "boolean", "integer", "number", "object", "string");
    private static final Set<String> META = Set.of("metadata", "kind", "apiVersion");

    /** The fields that the schema of a resource with a status may have at its root, as Kubernetes names them in memory. */
    private static final List<String> FOR_STATUS = List.of(
            "Description",
            "Type",
            "Format",
            "Title",
            "Maximum",
            "ExclusiveMaximum",
            "Minimum",
            "ExclusiveMinimum",
            "MaxLength",
            "MinLength",
            "Pattern",
            "MaxItems",
            "MinItems",
            "UniqueItems",
            "MultipleOf",
            "Required",
            "Items",
            "Properties",
            "ExternalDocs",
            "Example",
            "XPreserveUnknownFields",
            "XValidations");

    static final String FIT_FOR_STATUS = "[" + String.join(" ", FOR_STATUS) + "]";

    /**
     * Where in the schema we are.
     *
     * @param noDefaults why there may be no default here; null if there may
     * @param uncorrelatable the path from which on nobody knows which old value a new one replaces; null if it is known
     */
    private record Place(
            @Nullable String noDefaults,
            boolean inMeta,
            @Nullable String uncorrelatable) {
        Place withoutDefaults(String reason) {
            return new Place(reason, inMeta, uncorrelatable);
        }

        Place uncorrelatable(String path) {
            return uncorrelatable != null ? this : new Place(noDefaults, inMeta, path);
        }

        Place meta() {
            return new Place(noDefaults, true, uncorrelatable);
        }
    }

    private final FieldErrors errors = new FieldErrors();
    private final FieldErrors ruleErrors = new FieldErrors();
    private final @Nullable ExpressionCosts costs;

    private SchemaRules(@Nullable ExpressionCosts costs) {
        this.costs = costs;
    }

    /**
     * Says what is wrong with a schema.
     *
     * @param unchanged whether it was accepted before: rules that have become too expensive since may stay
     */
    static void check(String path, JsonNode schema, boolean unchanged, FieldErrors errors) {
        if (Trees.flag(schema, "nullable")) {
            errors.forbidden(path + ".nullable", "nullable cannot be true at the root");
        }
        boolean expressible = StructuralRules.isExpressible(schema);
        FieldErrors structure = new FieldErrors();
        if (expressible) {
            StructuralRules.check(path, schema, structure);
            if (structure.isEmpty()) {
                DefaultRules.check(path, schema, structure);
            }
        }
        errors.addAll(structure);
        boolean evaluates = expressible && structure.isEmpty() && schema.findValue("x-kubernetes-validations") != null;
        SchemaRules rules = new SchemaRules(evaluates ? new ExpressionCosts(unchanged) : null);
        rules.node(path, schema, new Place(null, false, null), true, evaluates ? RuleScope.root(schema) : null);
        errors.addAll(rules.errors);
        errors.addAll(rules.ruleErrors);
        if (rules.costs != null) {
            rules.costs.checkTotal(path, errors);
        }
    }

    private void node(String path, JsonNode schema, Place place, boolean root, @Nullable RuleScope scope) {
        int before = errors.list().size();
        words(path, schema, place);
        if (Trees.flag(schema, "uniqueItems")) {
            errors.forbidden(
                    path + ".uniqueItems",
                    "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
        }
        JsonNode additional = schema.get("additionalProperties");
        if (additional != null && !additional.isNull()) {
            if (!Trees.child(schema, "properties").isEmpty() && (additional.isObject() || !additional.asBoolean())) {
                errors.forbidden(
                        path + ".additionalProperties", "additionalProperties and properties are mutual exclusive");
            }
            if (additional instanceof ObjectNode) {
                Place below = place.inMeta()
                        ? place.withoutDefaults("inside additionalProperties applying to object metadata")
                        : place;
                node(
                        path + ".additionalProperties",
                        additional,
                        below,
                        false,
                        scope == null ? null : scope.values(additional));
            }
        }
        boolean embedded = Trees.flag(schema, "x-kubernetes-embedded-resource");
        String mapType = Trees.text(schema, "x-kubernetes-map-type");
        StructuralRules.fields(schema).forEach((name, field) -> {
            Place below = place;
            if (!mapType.isEmpty() && !mapType.equals("granular") && !mapType.equals("atomic")) {
                below = below.uncorrelatable(path);
            }
            if ((root || embedded) && META.contains(name)) {
                below = below.meta();
                if (root) {
                    below = below.withoutDefaults("in top-level " + name);
                }
            }
            node(
                    path + ".properties[" + name + "]",
                    field,
                    below,
                    false,
                    scope == null ? null : scope.property(name, field));
        });
        if (schema.get("not") instanceof ObjectNode not) {
            node(path + ".not", not, place, false, null);
        }
        for (String junctor : List.of("allOf", "oneOf", "anyOf")) {
            List<JsonNode> parts = Trees.items(schema, junctor);
            for (int i = 0; i < parts.size(); i++) {
                node(path + "." + junctor + "[" + i + "]", parts.get(i), place, false, null);
            }
        }
        if (schema.get("items") instanceof ObjectNode items) {
            boolean map = Trees.text(schema, "x-kubernetes-list-type").equals("map");
            node(
                    path + ".items",
                    items,
                    map ? place : place.uncorrelatable(path),
                    false,
                    scope == null ? null : scope.items(items));
        }
        lists(path, schema);
        rules(path, schema, place, scope, before);
    }

    /** What OpenAPI has words for and Kubernetes has not. */
    private void words(String path, JsonNode schema, Place place) {
        String type = Trees.text(schema, "type");
        if (!type.isEmpty() && !TYPES.contains(type)) {
            errors.notSupportedInOrder(path + ".type", Trees.textNode(type), TYPES);
        }
        if (schema.hasNonNull("default") && place.noDefaults() != null) {
            errors.forbidden(path + ".default", "must not be set " + place.noDefaults());
        }
        if (!Trees.text(schema, "id").isEmpty()) {
            errors.forbidden(path + ".id", "id is not supported");
        }
        for (String word : List.of("additionalItems", "patternProperties", "definitions", "dependencies", "$ref")) {
            JsonNode value = schema.get(word);
            if (value != null && !value.isNull()) {
                errors.forbidden(path + "." + word, word + " is not supported");
            }
        }
        if (type.equals("null")) {
            errors.forbidden(path + ".type", "type cannot be set to null, use nullable as an alternative");
        }
        if (schema.path("items").isArray()) {
            errors.forbidden(path + ".items", "items must be a schema object and not an array");
        }
        if (place.inMeta() && Trees.flag(schema, "x-kubernetes-embedded-resource")) {
            errors.forbidden(path + ".x-kubernetes-embedded-resource", "must not be used inside of resource meta");
        }
    }

    private void lists(String path, JsonNode schema) {
        String type = Trees.text(schema, "type");
        if (schema.has("x-kubernetes-preserve-unknown-fields")
                && !Trees.flag(schema, "x-kubernetes-preserve-unknown-fields")) {
            errors.invalid(
                    path + ".x-kubernetes-preserve-unknown-fields",
                    schema.get("x-kubernetes-preserve-unknown-fields"),
                    "must be true or undefined");
        }
        if (schema.hasNonNull("x-kubernetes-map-type")) {
            mustBe(path, type, "object", "must be object if x-kubernetes-map-type is specified");
            JsonNode mapType = schema.get("x-kubernetes-map-type");
            if (!List.of("atomic", "granular").contains(mapType.asText())) {
                errors.notSupportedInOrder(path + ".x-kubernetes-map-type", mapType, List.of("atomic", "granular"));
            }
        }
        String listType = Trees.text(schema, "x-kubernetes-list-type");
        String typePath = path + ".x-kubernetes-list-type";
        JsonNode items = Trees.child(schema, "items");
        if (schema.hasNonNull("x-kubernetes-list-type")) {
            if (!type.equals("array")) {
                mustBe(path, type, "array", "must be array if x-kubernetes-list-type is specified");
            } else if (listType.equals("set") && items.isObject()) {
                setItems(path, items);
            }
            if (!List.of("atomic", "set", "map").contains(listType)) {
                errors.notSupportedInOrder(typePath, Trees.textNode(listType), List.of("atomic", "set", "map"));
            }
        }
        List<String> keys = Trees.texts(schema, "x-kubernetes-list-map-keys");
        if (!keys.isEmpty()) {
            String must = "must be map if x-kubernetes-list-map-keys is non-empty";
            if (!schema.hasNonNull("x-kubernetes-list-type")) {
                errors.required(typePath, must);
            } else if (!listType.equals("map")) {
                errors.invalid(typePath, listType, must);
            }
        }
        if (listType.equals("map")) {
            mapList(path, schema, items, keys);
        }
        if (items.isObject() && List.of("map", "set").contains(listType)) {
            correlated(path, listType, items, keys);
        }
    }

    private void mustBe(String path, String type, String wanted, String must) {
        if (type.isEmpty()) {
            errors.required(path + ".type", must);
        } else if (!type.equals(wanted)) {
            errors.invalid(path + ".type", type, must);
        }
    }

    private void setItems(String path, JsonNode items) {
        String must = "must be atomic as item of a list with x-kubernetes-list-type=set";
        JsonNode listType = items.get("x-kubernetes-list-type");
        switch (Trees.text(items, "type")) {
            case "array" -> {
                if (listType != null && !listType.asText().equals("atomic")) {
                    errors.invalid(path + ".items.x-kubernetes-list-type", listType, must);
                }
            }
            case "object" -> {
                if (!Trees.text(items, "x-kubernetes-map-type").equals("atomic")) {
                    errors.invalid(path + ".items.x-kubernetes-map-type", listType, must);
                }
            }
            default -> {}
        }
    }

    private void mapList(String path, JsonNode schema, JsonNode items, List<String> keys) {
        String keysPath = path + ".x-kubernetes-list-map-keys";
        if (keys.isEmpty()) {
            errors.required(keysPath, "must not be empty if x-kubernetes-list-type is map");
        }
        if (items.isMissingNode()) {
            errors.required(path + ".items", "must have a schema if x-kubernetes-list-type is map");
        }
        if (!items.isObject()) {
            return;
        }
        String type = Trees.text(items, "type");
        if (!type.equals("object")) {
            errors.invalid(
                    path + ".items.type", type, "must be object if parent array's x-kubernetes-list-type is map");
            return;
        }
        Set<String> seen = new HashSet<>();
        for (String key : keys) {
            JsonNode field = Trees.child(items, "properties").path(key);
            if (field.isMissingNode()) {
                errors.invalid(
                        keysPath,
                        schema.get("x-kubernetes-list-map-keys"),
                        "entries must all be names of item properties");
            } else if (List.of("array", "object").contains(Trees.text(field, "type"))) {
                errors.invalid(
                        path + ".items.properties[" + key + "].type",
                        type,
                        "must be a scalar type if parent array's x-kubernetes-list-type is map");
            }
            if (!seen.add(key)) {
                errors.invalid(
                        keysPath, schema.get("x-kubernetes-list-map-keys"), "must not contain duplicate entries");
            }
        }
    }

    private void correlated(String path, String listType, JsonNode items, List<String> keys) {
        if (Trees.flag(items, "nullable")) {
            errors.forbidden(path + ".items.nullable", "cannot be nullable when x-kubernetes-list-type is " + listType);
        }
        if (!listType.equals("map")) {
            return;
        }
        List<String> required = Trees.texts(items, "required");
        for (String key : keys) {
            JsonNode field = Trees.child(items, "properties").path(key);
            if (field.isMissingNode()) {
                continue;
            }
            String at = path + ".items.properties[" + key + "]";
            if (!required.contains(key) && !field.hasNonNull("default")) {
                errors.required(
                        at + ".default",
                        "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required"
                                + " property");
            }
            if (Trees.flag(field, "nullable")) {
                errors.forbidden(
                        at + ".nullable", "this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
            }
        }
    }

    private void rules(String path, JsonNode schema, Place place, @Nullable RuleScope scope, int before) {
        List<JsonNode> rules = Trees.items(schema, "x-kubernetes-validations");
        for (int i = 0; i < rules.size(); i++) {
            ExpressionRules.shape(path + ".x-kubernetes-validations[" + i + "]", rules.get(i), schema, errors);
        }
        // Rules are looked at once the schema at and below their place is in order: it makes the types they see.
        ExpressionCosts sum = costs;
        if (!rules.isEmpty() && scope != null && sum != null && errors.list().size() == before) {
            ExpressionRules.check(
                    path + ".x-kubernetes-validations", schema, scope, place.uncorrelatable(), sum, ruleErrors);
        }
    }

    /** Whether the schema of a resource with a status has only such fields at its root. */
    static boolean isFitForStatus(JsonNode schema) {
        for (var fields = schema.fields(); fields.hasNext(); ) {
            var field = fields.next();
            JsonNode value = field.getValue();
            boolean empty = value.isNull()
                    || value.isBoolean() && !value.booleanValue()
                    || value.isTextual() && value.asText().isEmpty();
            String name = field.getKey();
            String inMemory =
                    switch (name) {
                        case "x-kubernetes-preserve-unknown-fields" -> "XPreserveUnknownFields";
                        case "x-kubernetes-validations" -> "XValidations";
                        default -> Character.toUpperCase(name.charAt(0)) + name.substring(1);
                    };
            if (!empty && !FOR_STATUS.contains(inMemory)) {
                return false;
            }
        }
        return true;
    }
}
