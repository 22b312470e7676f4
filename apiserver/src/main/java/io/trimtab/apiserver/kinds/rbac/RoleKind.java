package io.trimtab.apiserver.kinds.rbac;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/** Roles and ClusterRoles. Stateless. */
public final class RoleKind implements Kind {
    private final boolean namespaced;

    /** @param namespaced true for Role, false for ClusterRole */
    public RoleKind(boolean namespaced) {
        this.namespaced = namespaced;
    }

    @Override
    public void defaults(ObjectNode role) {
        // The list has no "absent": it is written as null.
        if (!role.has("rules")) {
            role.putNull("rules");
        }
    }

    @Override
    public void validateCreate(ObjectNode role, FieldErrors errors, WriteContext context) {
        int i = 0;
        for (JsonNode rule : Trees.items(role, "rules")) {
            rule(errors, "rules[" + i++ + "]", rule);
        }
        if (namespaced || !Trees.has(role, "aggregationRule")) {
            return;
        }
        List<JsonNode> selectors = Trees.items(role.get("aggregationRule"), "clusterRoleSelectors");
        String path = "aggregationRule.clusterRoleSelectors";
        if (selectors.isEmpty()) {
            errors.required(path, "at least one clusterRoleSelector required if aggregationRule is non-nil");
        }
        for (int j = 0; j < selectors.size(); j++) {
            LabelSelectorRules.validate(errors, path + "[" + j + "]", selectors.get(j));
        }
    }

    private void rule(FieldErrors errors, String path, JsonNode rule) {
        if (!Trees.hasContent(rule, "verbs")) {
            errors.required(path + ".verbs", "verbs must contain at least one value");
        }
        if (Trees.hasContent(rule, "nonResourceURLs")) {
            JsonNode urls = rule.get("nonResourceURLs");
            if (namespaced) {
                errors.invalid(path + ".nonResourceURLs", urls, "namespaced rules cannot apply to non-resource URLs");
            }
            if (Trees.hasContent(rule, "apiGroups")
                    || Trees.hasContent(rule, "resources")
                    || Trees.hasContent(rule, "resourceNames")) {
                errors.invalid(
                        path + ".nonResourceURLs",
                        urls,
                        "rules cannot apply to both regular resources and non-resource URLs");
            }
            return;
        }
        if (!Trees.hasContent(rule, "apiGroups")) {
            errors.required(path + ".apiGroups", "resource rules must supply at least one api group");
        }
        if (!Trees.hasContent(rule, "resources")) {
            errors.required(path + ".resources", "resource rules must supply at least one resource");
        }
    }

    @Override
    public void validateUpdate(ObjectNode role, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(role, errors, context);
    }

    @Override
    public NameRule nameRule() {
        return NameRule.PATH_SEGMENT;
    }

    @Override
    public boolean allowsCreateOnUpdate() {
        return true;
    }

    @Override
    public boolean isValidatedAsNewToo() {
        return true;
    }
}
