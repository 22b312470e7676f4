package io.trimtab.apiserver.patch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.schema.DecodeException;
import io.trimtab.apiserver.schema.Decoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** JSON patch (RFC 6902), with the library's oddities that Kubernetes' users see: negative indices, and few operations on the root. */
public final class JsonPatch {
    private static final int MAX_OPERATIONS = 10_000;
    // What copies may add to a document in all: as much as a request body may hold.
    private static final long MAX_COPIED_BYTES = 3L * 1024 * 1024;
    private static final Set<String> MEMBERS = Set.of("op", "path", "from", "value");

    private final Touched touched = new Touched();
    private ObjectNode document;
    private long copiedBytes;

    private JsonPatch(ObjectNode document) {
        this.document = document;
        touched.add(document);
    }

    /**
     * @param document not changed
     * @throws StatusException 400 if the patch is malformed, 413 if it is too long, 422 if it does not apply
     */
    public static Patched apply(ObjectNode document, byte[] patch) {
        List<String> duplicates = new ArrayList<>();
        JsonNode parsed;
        try {
            parsed = Decoder.parse(patch, Decoder.Syntax.JSON, duplicates);
        } catch (DecodeException e) {
            throw Statuses.badRequest("error decoding patch: " + e.getMessage());
        }
        List<String> strictErrors = new ArrayList<>();
        check(parsed, duplicates, strictErrors);
        if (parsed.size() > MAX_OPERATIONS) {
            throw Statuses.entityTooLarge(
                    "The allowed maximum operations in a JSON patch is " + MAX_OPERATIONS + ", got " + parsed.size());
        }
        JsonPatch run = new JsonPatch(document.deepCopy());
        for (JsonNode operation : parsed) {
            run.operation(operation);
        }
        return new Patched(run.document, strictErrors, run.touched.show(run.document));
    }

    private static void check(JsonNode patch, List<String> duplicates, List<String> strictErrors) {
        if (!patch.isArray() && !patch.isNull()) {
            throw malformed(kind(patch) + " into Go value of type []handlers.jsonPatchOp");
        }
        for (int i = 0; i < patch.size(); i++) {
            JsonNode operation = patch.get(i);
            if (!operation.isObject()) {
                throw malformed(kind(operation) + " into Go value of type handlers.jsonPatchOp");
            }
            int index = i;
            operation.fieldNames().forEachRemaining(name -> {
                if (!MEMBERS.contains(name)) {
                    strictErrors.add("json patch unknown field " + FieldErrors.quote("[" + index + "]." + name));
                } else if (!name.equals("value") && !operation.get(name).isTextual()) {
                    throw malformed(kind(operation.get(name)) + " into Go struct field jsonPatchOp." + name
                            + " of type string");
                }
            });
        }
        duplicates.forEach(d -> strictErrors.add("json patch " + d));
    }

    private static StatusException malformed(String what) {
        return Statuses.badRequest("error decoding patch: json: cannot unmarshal " + what);
    }

    static String kind(JsonNode node) {
        return node.isObject()
                ? "object"
                : node.isArray() ? "array" : node.isTextual() ? "string" : node.isBoolean() ? "bool" : "number";
    }

    private void operation(JsonNode operation) {
        String path = operation.path("path").asText("");
        switch (operation.path("op").asText()) {
            case "add" -> add(path, value(operation));
            case "remove" -> remove(path);
            case "replace" -> replace(path, value(operation));
            case "test" -> test(path, operation.get("value"));
            case "move" -> {
                String from = operation.path("from").asText("");
                JsonNode moved = get(from);
                remove(from);
                add(path, moved);
            }
            case "copy" -> {
                JsonNode copied = get(operation.path("from").asText(""));
                copiedBytes += copied.toString().length();
                if (copiedBytes > MAX_COPIED_BYTES) {
                    throw Patched.doesNotApply();
                }
                add(path, copied.deepCopy());
            }
            default -> throw Patched.doesNotApply();
        }
    }

    private static JsonNode value(JsonNode operation) {
        JsonNode value = operation.get("value");
        return value == null ? JsonNodeFactory.instance.nullNode() : value.deepCopy();
    }

    private void add(String path, JsonNode value) {
        JsonNode parent = parent(path);
        String key = key(path);
        if (parent instanceof ObjectNode object) {
            object.set(key, value);
        } else if (parent instanceof ArrayNode array) {
            array.insert(key.equals("-") ? array.size() : index(key, array.size() + 1), value);
        } else {
            throw Patched.doesNotApply();
        }
    }

    private void remove(String path) {
        JsonNode parent = parent(path);
        String key = key(path);
        if (parent instanceof ObjectNode object && object.has(key)) {
            object.remove(key);
        } else if (parent instanceof ArrayNode array) {
            array.remove(index(key, array.size()));
        } else {
            throw Patched.doesNotApply();
        }
    }

    private void replace(String path, JsonNode value) {
        if (path.isEmpty() && value instanceof ObjectNode whole) {
            document = whole;
            touched.add(whole);
            return;
        }
        JsonNode parent = parent(path);
        String key = key(path);
        if (parent instanceof ObjectNode object) {
            object.set(key, value); // Absent or not: the library that Kubernetes uses does not ask.
        } else if (parent instanceof ArrayNode array) {
            array.set(index(key, array.size()), value);
        } else {
            throw Patched.doesNotApply();
        }
    }

    private void test(String path, @Nullable JsonNode expected) {
        JsonNode actual = path.isEmpty() ? document : get(path);
        boolean wantsNull = expected == null || expected.isNull();
        if (wantsNull != actual.isNull() || !wantsNull && !same(expected, actual)) {
            throw Patched.doesNotApply();
        }
    }

    private static boolean same(@Nullable JsonNode a, @Nullable JsonNode b) {
        return a != null && b != null && a.equals(NUMBERS_BY_VALUE, b);
    }

    private static final java.util.Comparator<JsonNode> NUMBERS_BY_VALUE = (a, b) -> {
        if (a.isNumber() && b.isNumber()) {
            return a.decimalValue().compareTo(b.decimalValue());
        }
        return a.equals(b) ? 0 : 1;
    };

    private static JsonNode require(@Nullable JsonNode node) {
        if (node == null) {
            throw Patched.doesNotApply();
        }
        return node;
    }

    private JsonNode get(String path) {
        JsonNode parent = parent(path);
        String key = key(path);
        JsonNode found = parent instanceof ArrayNode array ? array.get(index(key, array.size())) : parent.get(key);
        if (!parent.isContainerNode()) {
            throw Patched.doesNotApply();
        }
        return found == null ? JsonNodeFactory.instance.nullNode() : found;
    }

    private JsonNode parent(String path) {
        // Only replace and test know the root: the others look for a member of something, always.
        if (path.indexOf('/') < 0) {
            throw Patched.doesNotApply();
        }
        JsonNode node = document;
        String[] steps = path.split("/", -1);
        for (int i = 1; i < steps.length - 1; i++) {
            String step = unescape(steps[i]);
            node = node instanceof ArrayNode array ? array.get(index(step, array.size())) : require(node.get(step));
            touched.add(node);
        }
        return node;
    }

    private static String key(String path) {
        return unescape(path.substring(path.lastIndexOf('/') + 1));
    }

    private static String unescape(String step) {
        return step.indexOf('~') < 0 ? step : step.replace("~1", "/").replace("~0", "~");
    }

    private static int index(String text, int bound) {
        try {
            int index = Integer.parseInt(text);
            if (index < 0 && index >= -bound) {
                index += bound;
            }
            if (index >= 0 && index < bound) {
                return index;
            }
        } catch (NumberFormatException e) {
            // falls through: the same refusal
        }
        throw Patched.doesNotApply();
    }
}
