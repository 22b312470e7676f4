package io.trimtab.apiserver.customresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.resource.Kind;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Lets an update pass whose mistakes were there before: a definition may have become stricter since, and the owner of an object
 * must still be able to change the rest of it. Stateless.
 */
final class Ratchet {
    private static final Pattern STEP = Pattern.compile("\\.?([^.\\[]+)|\\[([^\\]]+)\\]");

    private Ratchet() {}

    /** The errors at paths whose value is another than before. */
    static FieldErrors withoutOld(FieldErrors errors, JsonNode object, JsonNode old) {
        FieldErrors kept = new FieldErrors();
        for (FieldErrors.FieldError error : errors.list()) {
            String path = error.field();
            boolean known = path.equals("<nil>")
                    ? Kind.sameValue(body(object), body(old))
                    : error.type() != FieldErrors.Type.REQUIRED && isUnchanged(path, object, old);
            if (!known) {
                kept.add(error);
            }
        }
        return kept;
    }

    private static boolean isUnchanged(String path, JsonNode object, JsonNode old) {
        JsonNode now = at(path, object);
        return !now.isMissingNode() && Kind.sameValue(now, at(path, old));
    }

    private static JsonNode body(JsonNode object) {
        com.fasterxml.jackson.databind.node.ObjectNode copy = object.deepCopy();
        copy.remove("metadata");
        return copy;
    }

    private static JsonNode at(String path, JsonNode root) {
        JsonNode node = root;
        Matcher steps = STEP.matcher(path);
        while (steps.find()) {
            String step = steps.group(1) == null ? steps.group(2) : steps.group(1);
            if (node.isArray()) {
                node = step.matches("\\d{1,9}") ? node.path(Integer.parseInt(step)) : MissingNode.getInstance();
            } else {
                node = node.path(step);
            }
        }
        return node;
    }
}
