package io.trimtab.apiserver.auth;

import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.storage.Storage;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides by roles and bindings. Knows only how to allow: what no rule allows, somebody else may. A ClusterRole that a
 * RoleBinding names counts in that namespace only. Safe for use by any thread.
 */
public final class RbacAuthorizer implements Authorizer, RuleResolver, AutoCloseable {
    private final RbacIndex index;

    public RbacAuthorizer(Storage storage) {
        this.index = new RbacIndex(storage);
    }

    @Override
    public Decision authorize(UserInfo user, Attributes attributes) {
        String resource = attributes.subresource().isEmpty()
                ? attributes.resource()
                : attributes.resource() + "/" + attributes.subresource();
        Search search = new Search();
        index.visit(user, attributes.namespace(), (binding, role) -> {
            if (role == null) {
                search.errors.add(binding.roleNotFound());
            } else if (role.allows(attributes, resource)) {
                search.found = binding;
            }
            return search.found == null;
        });
        if (search.found != null) {
            return new Decision(Verdict.ALLOW, "RBAC: allowed by " + search.found.describe());
        }
        return search.errors.isEmpty()
                ? Decision.NO_OPINION
                : new Decision(Verdict.NO_OPINION, "RBAC: " + joined(search.errors));
    }

    @Override
    public Rules rulesFor(UserInfo user, String namespace) {
        List<PolicyRule> resources = new ArrayList<>();
        List<PolicyRule> paths = new ArrayList<>();
        Set<String> errors = new LinkedHashSet<>();
        for (PolicyRule rule : rulesOf(user, namespace, errors)) {
            if (!rule.resources().isEmpty()) {
                resources.add(rule);
            }
            if (!rule.paths().isEmpty()) {
                paths.add(rule);
            }
        }
        return new Rules(resources, paths, false, joined(errors));
    }

    /** All rules that a user has in a namespace; empty for the rules it has everywhere. */
    List<PolicyRule> rulesOf(UserInfo user, String namespace, Set<String> errors) {
        List<PolicyRule> rules = new ArrayList<>();
        index.visit(user, namespace, (binding, role) -> {
            if (role == null) {
                errors.add(binding.roleNotFound());
            } else {
                rules.addAll(role.rules());
            }
            return true;
        });
        return rules;
    }

    /**
     * The rules of the role that a binding names.
     *
     * @param asked the resource of the request: Kubernetes says that this is what was not found
     * @throws io.trimtab.apiserver.errors.StatusException 404 if there is no such role
     */
    List<PolicyRule> rulesOfRole(String kind, String namespace, String name, String asked) {
        RbacIndex.CompiledRole role = index.role(kind, namespace, name);
        if (role == null) {
            throw Statuses.notFound("rbac.authorization.k8s.io", asked, name);
        }
        return role.rules();
    }

    static String joined(Set<String> errors) {
        return errors.size() == 1
                ? errors.iterator().next()
                : errors.isEmpty() ? "" : "[" + String.join(", ", errors) + "]";
    }

    @Override
    public void close() {
        index.close();
    }

    /** What a walk over the bindings has found so far. */
    private static final class Search {
        private RbacIndex.@Nullable Binding found;
        private final Set<String> errors = new LinkedHashSet<>();
    }
}
