package io.trimtab.apiserver.kinds.rbac;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/** RoleBindings and ClusterRoleBindings. Stateless. */
public final class RoleBindingKind implements Kind {
    private static final String GROUP = "rbac.authorization.k8s.io";
    private final boolean namespaced;

    /** @param namespaced true for RoleBinding, false for ClusterRoleBinding */
    public RoleBindingKind(boolean namespaced) {
        this.namespaced = namespaced;
    }

    @Override
    public void defaults(ObjectNode binding) {
        Trees.fill(Trees.make(binding, "roleRef"), "apiGroup", GROUP);
        for (ObjectNode subject : Trees.objects(binding, "subjects")) {
            String kind = Trees.text(subject, "kind");
            if (kind.equals("User") || kind.equals("Group")) {
                Trees.fill(subject, "apiGroup", GROUP);
            }
        }
    }

    @Override
    public void validateCreate(ObjectNode binding, FieldErrors errors, WriteContext context) {
        JsonNode ref = Trees.child(binding, "roleRef");
        group(errors, "roleRef.apiGroup", ref, GROUP);
        List<String> kinds = namespaced ? List.of("Role", "ClusterRole") : List.of("ClusterRole");
        String kind = Trees.text(ref, "kind");
        if (!kinds.contains(kind)) {
            errors.notSupportedInOrder("roleRef.kind", Trees.textNode(kind), kinds);
        }
        String name = Trees.text(ref, "name");
        if (name.isEmpty()) {
            errors.required("roleRef.name", "");
        } else {
            FieldRules.invalid(errors, "roleRef.name", name, Names.pathSegment(name));
        }
        int i = 0;
        for (JsonNode subject : Trees.items(binding, "subjects")) {
            subject(errors, "subjects[" + i++ + "]", subject);
        }
    }

    private static void group(FieldErrors errors, String path, JsonNode parent, String expected) {
        String group = Trees.text(parent, "apiGroup");
        if (!group.equals(expected)) {
            errors.notSupportedInOrder(path, Trees.textNode(group), List.of(expected));
        }
    }

    private void subject(FieldErrors errors, String path, JsonNode subject) {
        String name = Trees.text(subject, "name");
        if (name.isEmpty()) {
            errors.required(path + ".name", "");
        }
        switch (Trees.text(subject, "kind")) {
            case "ServiceAccount" -> {
                if (!name.isEmpty()) {
                    FieldRules.invalid(errors, path + ".name", name, Names.subdomain(name));
                }
                group(errors, path + ".apiGroup", subject, "");
                if (!namespaced && Trees.text(subject, "namespace").isEmpty()) {
                    errors.required(path + ".namespace", "");
                }
            }
            case "User", "Group" -> group(errors, path + ".apiGroup", subject, GROUP);
            default ->
                errors.notSupportedInOrder(
                        path + ".kind",
                        Trees.textNode(Trees.text(subject, "kind")),
                        List.of("ServiceAccount", "User", "Group"));
        }
    }

    @Override
    public void validateUpdate(ObjectNode binding, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(binding, errors, context);
        if (!Trees.same(binding, old, "roleRef")) {
            errors.invalidShown(
                    "roleRef",
                    InternalForm.of(Trees.child(binding, "roleRef"), "rbac/v1.RoleRef"),
                    "cannot change roleRef");
        }
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
