package io.trimtab.apiserver.customresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.resource.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Lets an update pass whose mistakes were there before: a definition may have become stricter since, and the owner of an object
 * must still be able to change the rest of it. Stateless.
 */
final class Ratchet {
    private static final Pattern STEP = Pattern.compile("\\.?([^.\\[]+)|\\[([^\\]]+)\\]");

    private Ratchet() {}

    /**
     * The errors that are not within something which is as it was before. Items of a list have a before only where the schema
     * tells them apart by keys.
     */
    static FieldErrors withoutOld(FieldErrors errors, JsonNode object, JsonNode old, JsonNode schema) {
        FieldErrors kept = new FieldErrors();
        for (FieldErrors.FieldError error : errors.list()) {
            String path = error.field();
            boolean known = path.equals("<nil>")
                    ? Kind.sameValue(body(object), body(old))
                    : isWithinUnchanged(steps(error), object, old, schema);
            if (!known) {
                kept.add(error);
            }
        }
        return kept;
    }

    private static JsonNode body(JsonNode object) {
        com.fasterxml.jackson.databind.node.ObjectNode copy = object.deepCopy();
        copy.remove("metadata");
        return copy;
    }

    /** The way to what is wrong; what is missing is a mistake of its parent. */
    private static List<String> steps(FieldErrors.FieldError error) {
        List<String> steps = new ArrayList<>();
        Matcher matcher = STEP.matcher(error.field());
        while (matcher.find()) {
            steps.add(matcher.group(1) == null ? matcher.group(2) : matcher.group(1));
        }
        return error.type() == FieldErrors.Type.REQUIRED && !steps.isEmpty()
                ? steps.subList(0, steps.size() - 1)
                : steps;
    }

    private static boolean isWithinUnchanged(List<String> steps, JsonNode object, JsonNode old, JsonNode schema) {
        JsonNode now = object;
        JsonNode before = old;
        JsonNode type = schema;
        for (String step : steps) {
            if (now.isArray()) {
                now = step.matches("\\d{1,9}") ? now.path(Integer.parseInt(step)) : MissingNode.getInstance();
                before = "map".equals(type.path("x-kubernetes-list-type").asText())
                        ? sameKeys(now, before, type.path("x-kubernetes-list-map-keys"))
                        : MissingNode.getInstance();
                type = type.path("items");
            } else {
                now = now.path(step);
                before = before.path(step);
                JsonNode property = type.path("properties").path(step);
                type = property.isMissingNode() ? type.path("additionalProperties") : property;
            }
            if (now.isMissingNode() || before.isMissingNode()) {
                return false;
            }
            if (Kind.sameValue(now, before)) {
                return true;
            }
        }
        return false;
    }

    private static JsonNode sameKeys(JsonNode item, JsonNode list, JsonNode keys) {
        for (JsonNode other : list) {
            boolean same = true;
            for (JsonNode key : keys) {
                same &= Kind.sameValue(item.path(key.asText()), other.path(key.asText()));
            }
            if (same) {
                return other;
            }
        }
        return MissingNode.getInstance();
    }
}
