package io.trimtab.apiserver.auth;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.admission.AdmissionPlugin;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.Statuses;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keeps users from giving away what they do not have: a role may be written only by who holds all its rules, or may {@code
 * escalate}; a binding only by who holds the rules of its role, or may {@code bind}. Not switched off by flags. Safe for use
 * by any thread.
 */
public final class RbacEscalation {
    private static final String GROUP = "rbac.authorization.k8s.io";
    private static final List<PolicyRule> EVERYTHING = List.of(
            new PolicyRule(List.of("*"), List.of("*"), List.of("*"), List.of(), List.of()),
            new PolicyRule(List.of("*"), List.of(), List.of(), List.of(), List.of("*")));

    private final Authorizer authorizer;
    private final RbacAuthorizer rbac;

    /** @param authorizer the whole chain, which decides about the verbs {@code escalate} and {@code bind} */
    public RbacEscalation(Authorizer authorizer, RbacAuthorizer rbac) {
        this.authorizer = authorizer;
        this.rbac = rbac;
    }

    /**
     * Checks a write of a role or binding; other writes pass.
     *
     * @throws io.trimtab.apiserver.errors.StatusException 403 if it would give more than the user has; 404 if a binding names
     *     no role
     */
    public void check(AdmissionPlugin.Attributes attributes) {
        ObjectNode object = attributes.object();
        UserInfo user = attributes.user();
        boolean write = attributes.operation() == AdmissionPlugin.Operation.CREATE
                || attributes.operation() == AdmissionPlugin.Operation.UPDATE;
        if (!write || object == null || !attributes.resource().group().equals(GROUP)) {
            return;
        }
        if (user == null || user.groups().contains(UserInfo.MASTERS_GROUP)) {
            return;
        }
        String plural = attributes.resource().plural();
        switch (plural) {
            case "roles", "clusterroles" -> checkRole(user, plural, attributes, object);
            case "rolebindings", "clusterrolebindings" -> checkBinding(user, plural, attributes, object);
            default -> {}
        }
    }

    private void checkRole(UserInfo user, String plural, AdmissionPlugin.Attributes attributes, ObjectNode object) {
        if (isAllowed(user, "escalate", plural, attributes.namespace(), attributes.name())
                || changesOwnershipOnly(object, attributes.old())) {
            return;
        }
        String name = object.path("metadata").path("name").asText(attributes.name());
        confirm(user, plural, attributes.namespace(), name, PolicyRule.listOf(object.path("rules")));
        if (plural.equals("clusterroles") && (aggregates(object) || aggregates(attributes.old()))) {
            // It gathers whatever others label: that may be anything.
            List<PolicyRule> held = rbac.rulesOf(user, attributes.namespace(), new LinkedHashSet<>());
            if (!PolicyRule.missing(held, EVERYTHING).isEmpty()) {
                throw Statuses.forbidden(
                        GROUP, plural, name, "must have cluster-admin privileges to use the aggregationRule");
            }
        }
    }

    private void checkBinding(UserInfo user, String plural, AdmissionPlugin.Attributes attributes, ObjectNode object) {
        String kind = object.path("roleRef").path("kind").asText();
        String role = object.path("roleRef").path("name").asText();
        if (changesOwnershipOnly(object, attributes.old())) {
            return;
        }
        String roles = kind.equals("Role") ? "roles" : "clusterroles";
        String group = object.path("roleRef").path("apiGroup").asText(GROUP);
        if (group.equals(GROUP) && isAllowed(user, "bind", roles, attributes.namespace(), role)) {
            return;
        }
        String name = object.path("metadata").path("name").asText(attributes.name());
        confirm(
                user,
                plural,
                attributes.namespace(),
                name,
                rbac.rulesOfRole(kind, attributes.namespace(), role, plural));
    }

    private boolean isAllowed(UserInfo user, String verb, String plural, String namespace, String name) {
        return authorizer
                        .authorize(user, Authorizer.Attributes.resource(verb, GROUP, "*", plural, "", namespace, name))
                        .verdict()
                == Authorizer.Verdict.ALLOW;
    }

    private void confirm(UserInfo user, String plural, String namespace, String name, List<PolicyRule> wanted) {
        Set<String> errors = new LinkedHashSet<>();
        List<PolicyRule> missing = PolicyRule.missing(rbac.rulesOf(user, namespace, errors), wanted);
        if (missing.isEmpty()) {
            return;
        }
        String why = "user " + FieldErrors.quote(user.name()) + " (groups=" + PolicyRule.quoted(user.groups())
                + ") is attempting to grant RBAC permissions not currently held:\n" + PolicyRule.show(missing);
        if (!errors.isEmpty()) {
            why += "; resolution errors: [" + RbacAuthorizer.joined(errors) + "]";
        }
        throw Statuses.forbidden(GROUP, plural, name, why);
    }

    private static boolean aggregates(@Nullable ObjectNode role) {
        return role != null
                && !role.path("aggregationRule").path("clusterRoleSelectors").isEmpty();
    }

    /** Finalizers and owner references: the garbage collector must be able to change them. */
    private static boolean changesOwnershipOnly(ObjectNode object, @Nullable ObjectNode old) {
        if (old == null) {
            return false;
        }
        return withoutOwnership(object).equals(withoutOwnership(old));
    }

    private static ObjectNode withoutOwnership(ObjectNode object) {
        ObjectNode copy = object.deepCopy();
        if (copy.path("metadata") instanceof ObjectNode metadata) {
            metadata.remove(List.of("ownerReferences", "finalizers", "selfLink", "managedFields"));
        }
        return copy;
    }
}
