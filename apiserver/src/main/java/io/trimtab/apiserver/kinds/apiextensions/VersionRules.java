package io.trimtab.apiserver.kinds.apiextensions;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.cel.FieldPaths;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Trees;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What a version may say besides its schema: columns, scale, selectable fields. Stateless. */
final class VersionRules {
    private static final List<String> TYPES = List.of("boolean", "date", "integer", "number", "string");
    private static final List<String> FORMATS =
            List.of("byte", "date", "date-time", "double", "float", "int32", "int64", "password");
    private static final int MAX_SELECTABLE = 8;

    private VersionRules() {}

    static void columns(String path, List<JsonNode> columns, FieldErrors errors) {
        for (int i = 0; i < columns.size(); i++) {
            JsonNode column = columns.get(i);
            String at = path + "[" + i + "]";
            if (Trees.text(column, "name").isEmpty()) {
                errors.required(at + ".name", "");
            }
            String type = Trees.text(column, "type");
            String supported = String.join(",", TYPES);
            if (type.isEmpty()) {
                errors.required(at + ".type", "must be one of " + supported);
            } else if (!TYPES.contains(type)) {
                errors.invalid(at + ".type", type, "must be one of " + supported);
            }
            String format = Trees.text(column, "format");
            if (!format.isEmpty() && !FORMATS.contains(format)) {
                errors.invalid(at + ".format", format, "must be one of " + String.join(",", FORMATS));
            }
            String jsonPath = Trees.text(column, "jsonPath");
            if (jsonPath.isEmpty()) {
                errors.required(at + ".JSONPath", "");
            } else {
                if (!jsonPath.startsWith(".")) {
                    errors.invalid(at + ".JSONPath", jsonPath, "must be a simple json path starting with .");
                }
            }
        }
    }

    static void scale(String path, JsonNode scale, FieldErrors errors) {
        if (!scale.isObject()) {
            return;
        }
        scalePath(path + ".specReplicasPath", Trees.text(scale, "specReplicasPath"), List.of(".spec."), errors);
        scalePath(path + ".statusReplicasPath", Trees.text(scale, "statusReplicasPath"), List.of(".status."), errors);
        String selector = Trees.text(scale, "labelSelectorPath");
        if (!selector.isEmpty()) {
            scalePath(path + ".labelSelectorPath", selector, List.of(".spec.", ".status."), errors);
        }
    }

    private static void scalePath(String path, String value, List<String> starts, FieldErrors errors) {
        if (value.isEmpty()) {
            errors.required(path, "");
        } else if (!value.startsWith(".")) {
            errors.invalid(path, value, "must be a simple json path starting with .");
        } else if (starts.stream().noneMatch(value::startsWith)) {
            errors.invalid(
                    path,
                    value,
                    "should be a json path under "
                            + String.join(
                                    " or ",
                                    starts.stream()
                                            .map(s -> s.substring(0, s.length() - 1))
                                            .toList()));
        }
    }

    static void selectable(String path, List<JsonNode> fields, JsonNode schema, FieldErrors errors) {
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < fields.size(); i++) {
            String at = path + "[" + i + "].jsonPath";
            String jsonPath = Trees.text(fields.get(i), "jsonPath");
            if (jsonPath.isEmpty()) {
                errors.required(at, "");
                continue;
            }
            String problem =
                    jsonPath.indexOf('[') >= 0 ? "array notation is not allowed" : FieldPaths.problem(jsonPath, schema);
            String normal = FieldPaths.normalize(jsonPath, schema);
            if (problem != null || normal == null) {
                errors.invalid(at, jsonPath, "is an invalid path: " + problem);
                continue;
            }
            if (normal.equals("metadata") || normal.startsWith("metadata.")) {
                errors.invalid(at, jsonPath, "must not point to fields in metadata");
            }
            JsonNode type = schema;
            for (String step : normal.split("\\.")) {
                type = type.path("properties").path(step);
            }
            if (!List.of("string", "boolean", "integer").contains(Trees.text(type, "type"))) {
                errors.invalid(
                        at,
                        jsonPath,
                        "must point to a field of type string, boolean or integer. Enum string fields"
                                + " and strings with formats are allowed.");
            }
            if (!seen.add(normal)) {
                errors.duplicate(at, Trees.textNode(jsonPath));
            }
        }
        if (seen.size() > MAX_SELECTABLE) {
            errors.tooMany(path, seen.size(), MAX_SELECTABLE);
        }
    }
}
