package io.trimtab.apiserver.patch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.schema.DecodeException;
import io.trimtab.apiserver.schema.Decoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** JSON merge patch (RFC 7386). Stateless. */
public final class MergePatch {
    private MergePatch() {}

    /**
     * @param document not changed
     * @throws StatusException 400 if the patch is malformed
     */
    public static Patched apply(ObjectNode document, byte[] patch) {
        List<String> strictErrors = new ArrayList<>();
        JsonNode parsed;
        try {
            parsed = Decoder.parse(patch, Decoder.Syntax.JSON, strictErrors);
        } catch (DecodeException e) {
            throw Statuses.badRequest("error decoding patch: " + e.getMessage());
        }
        if (parsed.isNull()) {
            throw Statuses.badRequest("Invalid JSON Patch");
        }
        if (!parsed.isObject()) {
            throw Statuses.badRequest("error decoding patch: json: cannot unmarshal " + JsonPatch.kind(parsed)
                    + " into Go value of type map[string]interface {}");
        }
        Touched touched = new Touched();
        ObjectNode result = merged(document, (ObjectNode) parsed, touched);
        return new Patched(result, strictErrors, () -> touched.show(result));
    }

    /** The document with the patch merged in; a tree of its own. */
    public static ObjectNode merge(@Nullable JsonNode document, ObjectNode patch) {
        ObjectNode result = document instanceof ObjectNode o ? o.deepCopy() : JsonNodeFactory.instance.objectNode();
        mergeInto(result, patch, new Touched());
        return result;
    }

    /** The document with the patch merged in; shares what the patch does not go into. */
    private static ObjectNode merged(ObjectNode document, ObjectNode patch, Touched touched) {
        ObjectNode result = JsonNodeFactory.instance.objectNode();
        result.setAll(document);
        touched.add(result);
        for (Map.Entry<String, JsonNode> entry : patch.properties()) {
            String name = entry.getKey();
            JsonNode value = entry.getValue();
            if (value.isNull()) {
                result.remove(name);
            } else if (value instanceof ObjectNode object) {
                ObjectNode inner = result.get(name) instanceof ObjectNode o ? o : JsonNodeFactory.instance.objectNode();
                result.set(name, merged(inner, object, touched));
            } else {
                result.set(name, withoutNulls(value, touched));
            }
        }
        return result;
    }

    private static void mergeInto(ObjectNode target, ObjectNode patch, Touched touched) {
        touched.add(target);
        patch.fields().forEachRemaining(entry -> {
            String name = entry.getKey();
            JsonNode value = entry.getValue();
            if (value.isNull()) {
                target.remove(name);
            } else if (value instanceof ObjectNode object) {
                ObjectNode inner = target.get(name) instanceof ObjectNode o ? o : target.putObject(name);
                mergeInto(inner, object, touched);
            } else {
                target.set(name, withoutNulls(value, touched));
            }
        });
    }

    // Kubernetes' library drops null members inside replaced lists as well, which the RFC does not ask for.
    private static JsonNode withoutNulls(JsonNode value, Touched touched) {
        if (value instanceof ArrayNode array) {
            ArrayNode result = JsonNodeFactory.instance.arrayNode();
            array.forEach(item -> result.add(withoutNulls(item, touched)));
            touched.add(result);
            return result;
        }
        if (value instanceof ObjectNode object) {
            ObjectNode result = JsonNodeFactory.instance.objectNode();
            mergeInto(result, object, touched);
            return result;
        }
        return value;
    }
}
