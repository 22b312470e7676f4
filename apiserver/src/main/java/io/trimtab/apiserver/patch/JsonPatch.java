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
        try {
            for (JsonNode operation : parsed) {
                run.operation(operation);
            }
        } catch (DoesNotApplyException e) {
            throw Patched.doesNotApply();
        }
        return new Patched(run.document, strictErrors, () -> run.touched.show(run.document));
    }

    /**
     * Carries out operations that came from elsewhere than a request.
     *
     * @param document not changed
     * @throws DoesNotApplyException if one does not apply; the message is that of the library that Kubernetes uses
     */
    public static ObjectNode apply(ObjectNode document, JsonNode operations) {
        JsonPatch run = new JsonPatch(document.deepCopy());
        for (JsonNode operation : operations) {
            run.operation(operation);
        }
        return run.document;
    }

    /** An operation that does not fit the document. */
    public static final class DoesNotApplyException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        DoesNotApplyException(String message) {
            super(message, null, false, false);
        }
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
        String op = operation.path("op").asText("unknown");
        switch (op) {
            case "add" -> add("add", path, value(operation));
            case "remove" -> remove("remove", path, path);
            case "replace" -> replace(path, value(operation));
            case "test" -> test(path, operation.get("value"));
            case "move" -> {
                String from = operation.path("from").asText("");
                JsonNode moved = get("move operation does not apply: doc is missing from path: " + from, from);
                remove("move", from, key(from));
                add("move", path, moved);
            }
            case "copy" -> {
                String from = operation.path("from").asText("");
                JsonNode copied = get("copy operation does not apply: doc is missing from path: " + from, from);
                copiedBytes += copied.toString().length();
                if (copiedBytes > MAX_COPIED_BYTES) {
                    throw new DoesNotApplyException("Unable to complete the copy, the accumulated size increase of copy"
                            + " is " + copiedBytes + ", exceeding the limit " + MAX_COPIED_BYTES);
                }
                add("copy", path, copied.deepCopy());
            }
            default -> throw new DoesNotApplyException("Unexpected kind: " + op);
        }
    }

    private static JsonNode value(JsonNode operation) {
        JsonNode value = operation.get("value");
        return value == null ? JsonNodeFactory.instance.nullNode() : value.deepCopy();
    }

    private void add(String op, String path, JsonNode value) {
        String missing = op.equals("add")
                ? "add operation does not apply: doc is missing path: \"" + path + "\""
                : op + " operation does not apply: doc is missing destination path: " + path;
        JsonNode parent = parent(missing, path);
        String key = key(path);
        if (parent instanceof ObjectNode object) {
            object.set(key, value);
        } else if (parent instanceof ArrayNode array) {
            try {
                array.insert(key.equals("-") ? array.size() : index(key, array.size() + 1), value);
            } catch (DoesNotApplyException e) {
                throw new DoesNotApplyException("error in " + op + " for path: '" + path + "': " + e.getMessage());
            }
        } else {
            throw missing(missing);
        }
    }

    /** @param shown what the message calls the place */
    private void remove(String op, String path, String shown) {
        String missing = op.equals("remove")
                ? "remove operation does not apply: doc is missing path: \"" + path + "\""
                : op + " operation does not apply: doc is missing from path: " + path;
        JsonNode parent = parent(missing, path);
        String key = key(path);
        try {
            if (parent instanceof ObjectNode object) {
                if (!object.has(key)) {
                    throw missing("Unable to remove nonexistent key: " + key);
                }
                object.remove(key);
            } else if (parent instanceof ArrayNode array) {
                array.remove(index(key, array.size()));
            } else {
                throw missing("Unable to remove nonexistent key: " + key);
            }
        } catch (DoesNotApplyException e) {
            throw new DoesNotApplyException("error in " + op + " for path: '" + shown + "': " + e.getMessage());
        }
    }

    private void replace(String path, JsonNode value) {
        if (path.isEmpty() && value instanceof ObjectNode whole) {
            document = whole;
            touched.add(whole);
            return;
        }
        JsonNode parent = parent("replace operation does not apply: doc is missing path: " + path, path);
        String key = key(path);
        if (parent instanceof ObjectNode object) {
            object.set(key, value); // Absent or not: the library that Kubernetes uses does not ask.
        } else if (parent instanceof ArrayNode array) {
            try {
                array.set(index(key, array.size()), value);
            } catch (DoesNotApplyException e) {
                throw missing("replace operation does not apply: doc is missing key: " + path);
            }
        } else {
            throw missing("replace operation does not apply: doc is missing path: " + path);
        }
    }

    private void test(String path, @Nullable JsonNode expected) {
        JsonNode actual =
                path.isEmpty() ? document : get("test operation does not apply: is missing path: " + path, path);
        boolean wantsNull = expected == null || expected.isNull();
        if (wantsNull != actual.isNull() || !wantsNull && !same(expected, actual)) {
            throw new DoesNotApplyException("testing value " + path + " failed: test failed");
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

    private static DoesNotApplyException missing(String what) {
        return new DoesNotApplyException(what + ": missing value");
    }

    private JsonNode get(String missing, String path) {
        JsonNode parent = parent(missing, path);
        String key = key(path);
        if (!parent.isContainerNode()) {
            throw missing(missing);
        }
        JsonNode found = parent instanceof ArrayNode array ? array.get(index(key, array.size())) : parent.get(key);
        return found == null ? JsonNodeFactory.instance.nullNode() : found;
    }

    private JsonNode parent(String missing, String path) {
        // Only replace and test know the root: the others look for a member of something, always.
        if (path.indexOf('/') < 0) {
            throw missing(missing);
        }
        JsonNode node = document;
        String[] steps = path.split("/", -1);
        for (int i = 1; i < steps.length - 1; i++) {
            String step = unescape(steps[i]);
            JsonNode next;
            try {
                next = node instanceof ArrayNode array ? array.get(index(step, array.size())) : node.get(step);
            } catch (DoesNotApplyException e) {
                next = null;
            }
            if (next == null) {
                throw missing(missing);
            }
            node = next;
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
        int asked;
        try {
            asked = Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new DoesNotApplyException("value was not a proper array index: '" + text + "': strconv.Atoi: parsing "
                    + FieldErrors.quote(text) + ": invalid syntax");
        }
        int index = asked < 0 && asked >= -bound ? asked + bound : asked;
        if (index >= 0 && index < bound) {
            return index;
        }
        throw new DoesNotApplyException("Unable to access invalid index: " + asked + ": invalid index referenced");
    }
}
