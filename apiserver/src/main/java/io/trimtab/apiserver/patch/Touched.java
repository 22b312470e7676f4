package io.trimtab.apiserver.patch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.TreeMap;

/**
 * The containers that a patch went into. Refusals show the patched document as Kubernetes' patch library writes it: the members
 * of what it went into sorted, the rest as it was.
 */
final class Touched {
    private final Set<JsonNode> nodes = Collections.newSetFromMap(new IdentityHashMap<>());

    void add(JsonNode node) {
        nodes.add(node);
    }

    String show(JsonNode root) {
        StringBuilder text = new StringBuilder();
        append(text, root);
        return text.toString().replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026");
    }

    private void append(StringBuilder text, JsonNode node) {
        if (!nodes.contains(node)) {
            text.append(node);
        } else if (node instanceof ObjectNode object) {
            TreeMap<String, JsonNode> sorted = new TreeMap<>();
            object.properties().forEach(e -> sorted.put(e.getKey(), e.getValue()));
            String separator = "{";
            for (var entry : sorted.entrySet()) {
                text.append(separator).append(FieldErrors.quote(entry.getKey())).append(':');
                append(text, entry.getValue());
                separator = ",";
            }
            text.append(sorted.isEmpty() ? "{}" : "}");
        } else {
            String separator = "[";
            for (JsonNode item : node) {
                text.append(separator);
                append(text, item);
                separator = ",";
            }
            text.append(node.isEmpty() ? "[]" : "]");
        }
    }
}
