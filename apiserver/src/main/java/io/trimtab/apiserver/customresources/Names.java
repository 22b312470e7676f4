package io.trimtab.apiserver.customresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Decides which of a definition's names it gets, and whether it is established. Stateless. */
final class Names {
    private static final String APPROVAL = "api-approved.kubernetes.io";

    private Names() {}

    static String group(JsonNode definition) {
        return definition.path("spec").path("group").asText();
    }

    static boolean isTrue(JsonNode definition, String type) {
        for (JsonNode condition : definition.path("status").path("conditions")) {
            if (condition.path("type").asText().equals(type)) {
                return condition.path("status").asText().equals("True");
            }
        }
        return false;
    }

    /**
     * The definition with the status that it should have; shares the rest.
     *
     * @param others the other definitions of the group
     */
    static ObjectNode decide(ObjectNode definition, Collection<ObjectNode> others, Instant now) {
        ObjectNode status =
                definition.get("status") instanceof ObjectNode s ? s.deepCopy() : JsonNodeFactory.instance.objectNode();
        ObjectNode result = JsonNodeFactory.instance.objectNode();
        result.setAll(definition);
        result.set("status", status);
        JsonNode asked = definition.path("spec").path("names");
        ObjectNode accepted =
                status.get("acceptedNames") instanceof ObjectNode a ? a : status.putObject("acceptedNames");
        Set<String> resources = new HashSet<>();
        Set<String> kinds = new HashSet<>();
        for (JsonNode other : others) {
            JsonNode theirs = other.path("status").path("acceptedNames");
            resources.add(theirs.path("plural").asText(""));
            resources.add(theirs.path("singular").asText(""));
            theirs.path("shortNames").forEach(n -> resources.add(n.asText()));
            kinds.add(theirs.path("kind").asText(""));
            kinds.add(theirs.path("listKind").asText(""));
        }
        resources.remove("");
        kinds.remove("");

        String reason = "";
        String message = "";
        for (String field : List.of("plural", "singular")) {
            String name = asked.path(field).asText("");
            if (resources.contains(name)) {
                reason = field.equals("plural") ? "PluralConflict" : "SingularConflict";
                message = inUse(name);
            } else {
                accepted.put(field, name);
            }
        }
        List<String> conflicts = new ArrayList<>();
        asked.path("shortNames").forEach(n -> {
            if (resources.contains(n.asText())) {
                conflicts.add(inUse(n.asText()));
            }
        });
        if (conflicts.isEmpty()) {
            copy(asked, accepted, "shortNames");
        } else {
            reason = "ShortNamesConflict";
            message = conflicts.size() == 1 ? conflicts.get(0) : "[" + String.join(", ", conflicts) + "]";
        }
        for (String field : List.of("kind", "listKind")) {
            String name = asked.path(field).asText("");
            if (kinds.contains(name)) {
                reason = field.equals("kind") ? "KindConflict" : "ListKindConflict";
                message = inUse(name);
            } else {
                accepted.put(field, name);
            }
        }
        copy(asked, accepted, "categories");

        boolean free = reason.isEmpty();
        set(status, "NamesAccepted", free, free ? "NoConflicts" : reason, free ? "no conflicts found" : message, now);
        if (free) {
            set(status, "Established", true, "InitialNamesAccepted", "the initial names have been accepted", now);
        } else if (!isTrue(definition, "Established")) {
            // Once established, it stays so: its objects are there.
            set(status, "Established", false, "NotAccepted", "not all names are accepted", now);
        }
        approval(definition, status, now);
        return result;
    }

    private static void approval(JsonNode definition, ObjectNode status, Instant now) {
        String group = group(definition);
        if (!isProtected(group)) {
            return;
        }
        String annotation =
                definition.path("metadata").path("annotations").path(APPROVAL).asText("");
        if (annotation.startsWith("unapproved")) {
            set(
                    status,
                    "KubernetesAPIApprovalPolicyConformant",
                    false,
                    "UnapprovedAnnotation",
                    "not approved: \"" + annotation + "\"",
                    now);
        } else if (!annotation.isEmpty()) {
            set(
                    status,
                    "KubernetesAPIApprovalPolicyConformant",
                    true,
                    "ApprovedAnnotation",
                    "approved in " + annotation,
                    now);
        }
    }

    private static boolean isProtected(String group) {
        return group.equals("k8s.io")
                || group.equals("kubernetes.io")
                || group.endsWith(".k8s.io")
                || group.endsWith(".kubernetes.io");
    }

    private static String inUse(String name) {
        return "\"" + name + "\" is already in use";
    }

    private static void copy(JsonNode from, ObjectNode to, String field) {
        JsonNode value = from.get(field);
        if (value == null || value.isEmpty()) {
            to.remove(field);
        } else {
            to.set(field, value.deepCopy());
        }
    }

    /** Sets a condition; the time moves only with the status. */
    static void set(ObjectNode status, String type, boolean value, String reason, String message, Instant now) {
        ArrayNode conditions =
                status.get("conditions") instanceof ArrayNode present ? present : status.putArray("conditions");
        ObjectNode condition = null;
        for (JsonNode one : conditions) {
            if (one.path("type").asText().equals(type)) {
                condition = (ObjectNode) one;
            }
        }
        String text = value ? "True" : "False";
        if (condition == null) {
            condition = conditions.addObject();
        }
        if (!condition.path("status").asText("").equals(text)) {
            condition.put(
                    "lastTransitionTime", now.truncatedTo(ChronoUnit.SECONDS).toString());
        }
        condition
                .put("message", message)
                .put("reason", reason)
                .put("status", text)
                .put("type", type);
    }
}
