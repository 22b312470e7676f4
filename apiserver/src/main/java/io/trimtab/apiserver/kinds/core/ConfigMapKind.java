package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;
import java.util.Map;

/** ConfigMaps. Stateless. */
public final class ConfigMapKind implements Kind {
    static final int MAX_BYTES = 1 << 20;

    @Override
    public void validateCreate(ObjectNode map, FieldErrors errors, WriteContext context) {
        long size = 0;
        Map<String, JsonNode> binary = Trees.entries(map, "binaryData");
        for (Map.Entry<String, JsonNode> entry : Trees.entries(map, "data").entrySet()) {
            String key = entry.getKey();
            FieldRules.invalid(errors, "data[" + key + "]", key, Names.configKey(key));
            if (binary.containsKey(key)) {
                errors.invalid("data[" + key + "]", key, "duplicate of key present in binaryData");
            }
            size += FieldRules.utf8Length(entry.getValue().asText());
        }
        for (Map.Entry<String, JsonNode> entry : binary.entrySet()) {
            String key = entry.getKey();
            FieldRules.invalid(errors, "binaryData[" + key + "]", key, Names.configKey(key));
            size += decodedLength(entry.getValue().asText());
        }
        if (size > MAX_BYTES) {
            // The path is empty and still a path: it shows as a pair of brackets.
            errors.tooLong("[]", MAX_BYTES);
        }
    }

    /** How many bytes a base64 text stands for. */
    static long decodedLength(String base64) {
        int padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;
        return base64.length() / 4L * 3 - padding;
    }

    @Override
    public void validateUpdate(ObjectNode map, ObjectNode old, FieldErrors errors, WriteContext context) {
        immutable(map, old, errors, List.of("data", "binaryData"));
        validateCreate(map, errors, context);
    }

    /** What is marked as immutable stays so, with its content. */
    static void immutable(ObjectNode object, ObjectNode old, FieldErrors errors, List<String> fields) {
        if (!Trees.flag(old, "immutable")) {
            return;
        }
        String set = "field is immutable when `immutable` is set";
        if (!Trees.flag(object, "immutable")) {
            errors.forbidden("immutable", set);
        }
        for (String field : fields) {
            if (!Trees.map(object, field).equals(Trees.map(old, field))) {
                errors.forbidden(field, set);
            }
        }
    }
}
