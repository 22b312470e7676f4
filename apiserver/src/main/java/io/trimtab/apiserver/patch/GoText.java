package io.trimtab.apiserver.patch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Values as Go prints them in error texts: {@code map[a:1 b:[x y]]}. */
final class GoText {
    private GoText() {}

    static String of(@Nullable JsonNode value) {
        StringBuilder text = new StringBuilder();
        append(text, value);
        return text.toString();
    }

    private static void append(StringBuilder text, @Nullable JsonNode value) {
        if (value == null || value.isNull()) {
            text.append("<nil>");
        } else if (value instanceof ObjectNode object) {
            TreeMap<String, JsonNode> sorted = new TreeMap<>();
            object.fields().forEachRemaining(e -> sorted.put(e.getKey(), e.getValue()));
            text.append("map[");
            String separator = "";
            for (var entry : sorted.entrySet()) {
                text.append(separator).append(entry.getKey()).append(':');
                append(text, entry.getValue());
                separator = " ";
            }
            text.append(']');
        } else if (value.isArray()) {
            text.append('[');
            String separator = "";
            for (JsonNode item : value) {
                text.append(separator);
                append(text, item);
                separator = " ";
            }
            text.append(']');
        } else {
            text.append(value.asText());
        }
    }
}
