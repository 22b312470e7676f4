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

/** JSON patch (RFC 6902), with the library's oddities that Kubernetes' users see: negative indices, no operations on the root. */
public final class JsonPatch {
    private static final int MAX_OPERATIONS = 10_000;
    // What copies may add to a document in all: as much as a request body may hold.
    private static final long MAX_COPIED_BYTES = 3L * 1024 * 1024;
    private static final Set<String> MEMBERS = Set.of("op", "path", "from", "value");

    private long copiedBytes;

    private JsonPatch() {}

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
        ObjectNode result = document.deepCopy();
        JsonPatch run = new JsonPatch();
        for (JsonNode operation : parsed) {
            run.operation(result, operation);
        }
        return new Patched(result, strictErrors, result.toString());
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

    private void operation(ObjectNode document, JsonNode operation) {
        String path = operation.path("path").asText("");
        switch (operation.path("op").asText()) {
            case "add" -> add(document, path, value(operation));
            case "remove" -> remove(document, path);
            case "replace" -> replace(document, path, value(operation));
            case "test" -> test(document, path, operation.get("value"));
            case "move" -> {
                String from = operation.path("from").asText("");
                JsonNode moved = require(get(document, from));
                remove(document, from);
                add(document, path, moved);
            }
            case "copy" -> {
                JsonNode copied = require(get(document, operation.path("from").asText("")));
                copiedBytes += copied.toString().length();
                if (copiedBytes > MAX_COPIED_BYTES) {
                    throw Patched.doesNotApply();
                }
                add(document, path, copied.deepCopy());
            }
            default -> throw Patched.doesNotApply();
        }
    }

    private static JsonNode value(JsonNode operation) {
        JsonNode value = operation.get("value");
        return value == null ? JsonNodeFactory.instance.nullNode() : value.deepCopy();
    }

    private static void add(ObjectNode document, String path, JsonNode value) {
        JsonNode parent = parent(document, path);
        String key = key(path);
        if (parent instanceof ObjectNode object) {
            object.set(key, value);
        } else if (parent instanceof ArrayNode array) {
            array.insert(key.equals("-") ? array.size() : index(key, array.size() + 1), value);
        } else {
            throw Patched.doesNotApply();
        }
    }

    private static void remove(ObjectNode document, String path) {
        JsonNode parent = parent(document, path);
        String key = key(path);
        if (parent instanceof ObjectNode object && object.has(key)) {
            object.remove(key);
        } else if (parent instanceof ArrayNode array) {
            array.remove(index(key, array.size()));
        } else {
            throw Patched.doesNotApply();
        }
    }

    private static void replace(ObjectNode document, String path, JsonNode value) {
        JsonNode parent = parent(document, path);
        String key = key(path);
        if (parent instanceof ObjectNode object && object.has(key)) {
            object.set(key, value);
        } else if (parent instanceof ArrayNode array) {
            array.set(index(key, array.size()), value);
        } else {
            throw Patched.doesNotApply();
        }
    }

    private static void test(ObjectNode document, String path, @Nullable JsonNode expected) {
        JsonNode parent = parent(document, path);
        if (!parent.isContainerNode()) {
            throw Patched.doesNotApply();
        }
        JsonNode actual = get(document, path);
        boolean wantsNull = expected == null || expected.isNull();
        boolean isNull = actual == null || actual.isNull();
        if (wantsNull != isNull || !wantsNull && !same(expected, actual)) {
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

    private static @Nullable JsonNode get(ObjectNode document, String path) {
        JsonNode parent = parent(document, path);
        String key = key(path);
        if (parent instanceof ArrayNode array) {
            return array.get(index(key, array.size()));
        }
        return parent.get(key);
    }

    private static JsonNode parent(ObjectNode document, String path) {
        // The root cannot be addressed: Kubernetes' library looks for a member, always.
        if (path.indexOf('/') < 0) {
            throw Patched.doesNotApply();
        }
        JsonNode node = document;
        String[] steps = path.split("/", -1);
        for (int i = 1; i < steps.length - 1; i++) {
            String step = unescape(steps[i]);
            node = node instanceof ArrayNode array ? array.get(index(step, array.size())) : require(node.get(step));
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
