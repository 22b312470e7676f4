package io.trimtab.webhook;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The difference between two documents. Pure.
 *
 * <p>A handler sees an object through a Java class, which may know fewer fields than the document has, and have defaults that it
 * has not. So the difference is taken between two views through the class, and {@link #carry carried} over to the document as it
 * came; only then is it written as a JSON patch.
 */
final class JsonChange {
    private JsonChange() {}

    /**
     * The document with the change from one view of it to another.
     *
     * @param document what came; not changed
     * @param before the document as seen through a class
     * @param after the same view, changed
     */
    static JsonNode carry(@Nullable JsonNode document, JsonNode before, JsonNode after) {
        if (document == null) {
            return after;
        }
        if (before.equals(after)) {
            return document;
        }
        if (document instanceof ObjectNode d && before instanceof ObjectNode b && after instanceof ObjectNode a) {
            return carryObject(d, b, a);
        }
        if (document instanceof ArrayNode d
                && before instanceof ArrayNode b
                && after instanceof ArrayNode a
                && d.size() == b.size()) {
            return carryArray(d, b, a);
        }
        return after;
    }

    private static ObjectNode carryObject(ObjectNode document, ObjectNode before, ObjectNode after) {
        ObjectNode result = document.objectNode();
        result.setAll(document);
        Set<String> names = new LinkedHashSet<>();
        before.fieldNames().forEachRemaining(names::add);
        after.fieldNames().forEachRemaining(names::add);
        for (String name : names) {
            JsonNode old = before.get(name);
            JsonNode now = after.get(name);
            if (now == null) {
                result.remove(name);
            } else if (old == null) {
                result.set(name, now);
            } else if (!old.equals(now)) {
                result.set(name, carry(document.get(name), old, now));
            }
        }
        return result;
    }

    private static ArrayNode carryArray(ArrayNode document, ArrayNode before, ArrayNode after) {
        ArrayNode result = document.arrayNode();
        for (int i = 0; i < after.size(); i++) {
            JsonNode now = after.get(i);
            int from = origin(before, now, i);
            result.add(from < 0 ? now : carry(document.get(from), before.get(from), now));
        }
        return result;
    }

    /** Which element this one was: an equal one, one of the same name, or the one at its place; -1 if it is new. */
    private static int origin(ArrayNode before, JsonNode now, int at) {
        if (at < before.size() && before.get(at).equals(now)) {
            return at;
        }
        for (int i = 0; i < before.size(); i++) {
            if (before.get(i).equals(now)) {
                return i;
            }
        }
        if (now.hasNonNull("name")) {
            for (int i = 0; i < before.size(); i++) {
                if (now.get("name").equals(before.get(i).get("name"))) {
                    return i;
                }
            }
            return -1;
        }
        return at < before.size() && before.get(at).isObject() && now.isObject() ? at : -1;
    }

    /** The operations, as RFC 6902 has them, that make one document the other. */
    static ArrayNode patch(JsonNode from, JsonNode to) {
        ArrayNode operations = JsonNodeFactory.instance.arrayNode();
        diff("", from, to, operations);
        return operations;
    }

    private static void diff(String path, JsonNode from, JsonNode to, ArrayNode operations) {
        if (from.equals(to)) {
            return;
        }
        if (from instanceof ObjectNode before && to instanceof ObjectNode after) {
            before.fieldNames().forEachRemaining(name -> {
                if (!after.has(name)) {
                    operation(operations, "remove", path + "/" + escaped(name), null);
                }
            });
            after.fields().forEachRemaining(field -> {
                String at = path + "/" + escaped(field.getKey());
                JsonNode old = before.get(field.getKey());
                if (old == null) {
                    operation(operations, "add", at, field.getValue());
                } else {
                    diff(at, old, field.getValue(), operations);
                }
            });
            return;
        }
        if (from instanceof ArrayNode before && to instanceof ArrayNode after) {
            diffArrays(path, before, after, operations);
            return;
        }
        operation(operations, "replace", path, to);
    }

    /** Equal heads and tails stay; what is between changes place by place, and then grows or shrinks. */
    private static void diffArrays(String path, ArrayNode from, ArrayNode to, ArrayNode operations) {
        int head = 0;
        int shorter = Math.min(from.size(), to.size());
        while (head < shorter && from.get(head).equals(to.get(head))) {
            head++;
        }
        int tail = 0;
        while (tail < shorter - head && from.get(from.size() - 1 - tail).equals(to.get(to.size() - 1 - tail))) {
            tail++;
        }
        int both = shorter - head - tail;
        for (int i = head; i < head + both; i++) {
            diff(path + "/" + i, from.get(i), to.get(i), operations);
        }
        for (int i = from.size() - tail - 1; i >= head + both; i--) {
            operation(operations, "remove", path + "/" + i, null);
        }
        for (int i = head + both; i < to.size() - tail; i++) {
            operation(operations, "add", path + "/" + i, to.get(i));
        }
    }

    private static void operation(ArrayNode operations, String op, String path, @Nullable JsonNode value) {
        ObjectNode operation = operations.addObject().put("op", op).put("path", path);
        if (value != null) {
            operation.set("value", value);
        }
    }

    private static String escaped(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }
}
