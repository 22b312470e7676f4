package io.trimtab.apiserver.bootstrap;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.PolicyRule;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import java.util.List;
import java.util.Optional;

/**
 * Brings a default role or binding of an older start up to date: adds what is missing, and leaves what somebody has added.
 * Objects annotated {@code rbac.authorization.kubernetes.io/autoupdate: "false"} stay as they are. Stateless.
 */
final class RoleReconciler {
    private static final String AUTO_UPDATE = "rbac.authorization.kubernetes.io/autoupdate";

    private RoleReconciler() {}

    /** @return what must be made anew, because it cannot be changed; it has been deleted */
    static Optional<ObjectNode> reconcile(
            Storage storage, ApiResource resource, StoredObject found, ObjectNode wanted) {
        if (isProtected(found.tree())) {
            return Optional.empty();
        }
        if (wanted.has("roleRef") && !wanted.path("roleRef").equals(found.tree().path("roleRef"))) {
            return storage.delete(resource, found).map(gone -> wanted);
        }
        ObjectNode changed = found.copy();
        merge(changed, wanted, "labels");
        merge(changed, wanted, "annotations");
        if (wanted.has("roleRef")) {
            addMissing(changed, wanted.path("subjects"), "subjects");
        } else {
            addMissingRules(changed, wanted);
        }
        if (!changed.equals(found.tree())) {
            // Another writer in between has looked at the same defaults; the next start looks again.
            storage.replace(resource, found, changed);
        }
        return Optional.empty();
    }

    private static boolean isProtected(JsonNode object) {
        return object.path("metadata")
                .path("annotations")
                .path(AUTO_UPDATE)
                .asText("")
                .equals("false");
    }

    /** What stands there wins over what we would write. */
    private static void merge(ObjectNode changed, ObjectNode wanted, String field) {
        wanted.path("metadata").path(field).fields().forEachRemaining(entry -> {
            ObjectNode there = changed.withObjectProperty("metadata").withObjectProperty(field);
            if (!there.has(entry.getKey())) {
                there.set(entry.getKey(), entry.getValue());
            }
        });
    }

    private static void addMissing(ObjectNode changed, JsonNode wanted, String field) {
        for (JsonNode one : wanted) {
            boolean there = false;
            for (JsonNode other : changed.path(field)) {
                there |= other.equals(one);
            }
            if (!there) {
                array(changed, field).add(one.deepCopy());
            }
        }
    }

    private static void addMissingRules(ObjectNode changed, ObjectNode wanted) {
        if (wanted.has("aggregationRule")) {
            // The rules of such a role are a controller's to write.
            if (!changed.has("aggregationRule")) {
                changed.set("aggregationRule", wanted.get("aggregationRule").deepCopy());
            }
            return;
        }
        changed.remove("aggregationRule");
        List<PolicyRule> held = PolicyRule.listOf(changed.path("rules"));
        for (PolicyRule missing : PolicyRule.missing(held, PolicyRule.listOf(wanted.path("rules")))) {
            ObjectNode rule = array(changed, "rules").addObject();
            put(rule, "apiGroups", missing.groups());
            put(rule, "nonResourceURLs", missing.paths());
            put(rule, "resourceNames", missing.names());
            put(rule, "resources", missing.resources());
            put(rule, "verbs", missing.verbs());
        }
    }

    private static void put(ObjectNode rule, String field, List<String> values) {
        if (!values.isEmpty()) {
            ArrayNode array = rule.putArray(field);
            values.forEach(array::add);
        }
    }

    private static ArrayNode array(ObjectNode object, String field) {
        return object.get(field) instanceof ArrayNode found ? found : object.putArray(field);
    }
}
