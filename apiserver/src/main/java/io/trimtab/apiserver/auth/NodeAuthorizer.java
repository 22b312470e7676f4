package io.trimtab.apiserver.auth;

import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.storage.Storage;
import java.util.List;
import java.util.Set;

/**
 * Decides for nodes (users of the group {@code system:nodes}): what the pods bound to a node mention, its own Node and lease,
 * and what every node may. Has no opinion about other users. Safe for use by any thread.
 */
public final class NodeAuthorizer implements Authorizer, RuleResolver, AutoCloseable {
    private static final Decision ALLOWED = new Decision(Verdict.ALLOW, "");
    private static final Set<String> OWN_VERBS = Set.of("get", "create", "update", "patch", "delete");

    private final NodeGraph graph;
    private final List<PolicyRule> rules;

    public NodeAuthorizer(Storage storage) {
        this.graph = new NodeGraph(storage);
        this.rules = DefaultRules.of("system:node");
    }

    @Override
    public Rules rulesFor(UserInfo user, String namespace) {
        return NodeIdentity.of(user) == null
                ? Rules.NONE
                : new Rules(List.of(), List.of(), true, "node authorizer does not support user rule resolution");
    }

    @Override
    public Decision authorize(UserInfo user, Attributes asked) {
        String node = NodeIdentity.of(user);
        if (node == null) {
            return Decision.NO_OPINION;
        }
        if (node.isEmpty()) {
            return no("unknown node for user " + FieldErrors.quote(user.name()));
        }
        if (asked.resourceRequest()) {
            String resource = asked.group().isEmpty() ? asked.resource() : asked.resource() + "." + asked.group();
            switch (resource) {
                case "secrets", "configmaps":
                    return read(node, asked);
                case "persistentvolumeclaims":
                    return asked.subresource().equals("status") ? status(node, asked) : get(node, asked);
                case "persistentvolumes", "resourceclaims.resource.k8s.io", "volumeattachments.storage.k8s.io":
                    return get(node, asked);
                case "serviceaccounts":
                    return serviceAccount(node, asked);
                case "leases.coordination.k8s.io":
                    return lease(node, asked);
                case "csinodes.storage.k8s.io":
                    return csiNode(node, asked);
                case "resourceslices.resource.k8s.io":
                    return slice(node, asked);
                case "nodes":
                    return nodes(node, asked);
                case "pods":
                    return pods(node, asked);
                default:
                    break;
            }
        }
        return rules.stream().anyMatch(rule -> rule.allows(asked)) ? ALLOWED : Decision.NO_OPINION;
    }

    @Override
    public void close() {
        graph.close();
    }

    private static Decision no(String reason) {
        return new Decision(Verdict.NO_OPINION, reason);
    }

    private Decision status(String node, Attributes asked) {
        return asked.verb().equals("update") || asked.verb().equals("patch")
                ? related(node, asked)
                : no("can only get/update/patch this type");
    }

    private Decision get(String node, Attributes asked) {
        if (!asked.verb().equals("get")) {
            return no("can only get individual resources of this type");
        }
        return asked.subresource().isEmpty() ? related(node, asked) : no("cannot get subresource");
    }

    private Decision read(String node, Attributes asked) {
        if (!Set.of("get", "list", "watch").contains(asked.verb())) {
            return no("can only read resources of this type");
        }
        if (!asked.subresource().isEmpty()) {
            return no("cannot read subresource");
        }
        return asked.namespace().isEmpty() ? no("can only read namespaced object of this type") : related(node, asked);
    }

    private Decision related(String node, Attributes asked) {
        if (asked.name().isEmpty()) {
            return no("No Object name found");
        }
        return graph.isRelated(node, asked.resource(), asked.namespace(), asked.name())
                ? ALLOWED
                : no("no relationship found between node '" + node + "' and this object");
    }

    private Decision serviceAccount(String node, Attributes asked) {
        if (asked.verb().equals("get") && asked.subresource().isEmpty()) {
            return read(node, asked);
        }
        if (!asked.verb().equals("create") || asked.name().isEmpty()) {
            return no("can only create tokens for individual service accounts");
        }
        return asked.subresource().equals("token")
                ? related(node, asked)
                : no("can only create token subresource of serviceaccount");
    }

    private static Decision lease(String node, Attributes asked) {
        if (!OWN_VERBS.contains(asked.verb())) {
            return no("can only get, create, update, patch, or delete a node lease");
        }
        if (!asked.namespace().equals("kube-node-lease")) {
            return no("can only access leases in the \"kube-node-lease\" system namespace");
        }
        // The name of what is created is not known here; admission looks at it.
        return asked.verb().equals("create") || asked.name().equals(node)
                ? ALLOWED
                : no("can only access node lease with the same name as the requesting node");
    }

    private static Decision csiNode(String node, Attributes asked) {
        if (!OWN_VERBS.contains(asked.verb())) {
            return no("can only get, create, update, patch, or delete a CSINode");
        }
        if (!asked.subresource().isEmpty()) {
            return no("cannot authorize CSINode subresources");
        }
        return asked.verb().equals("create") || asked.name().equals(node)
                ? ALLOWED
                : no("can only access CSINode with the same name as the requesting node");
    }

    private Decision slice(String node, Attributes asked) {
        if (!asked.subresource().isEmpty()) {
            return no("cannot authorize ResourceSlice subresources");
        }
        return switch (asked.verb()) {
            case "create" -> ALLOWED; // admission looks at the node it names
            case "get", "update", "patch", "delete" -> related(node, asked);
            case "watch", "list", "deletecollection" ->
                selects(asked, "spec.nodeName", node)
                        ? ALLOWED
                        : no("can only list/watch/deletecollection resourceslices with nodeName field selector");
            default ->
                no("only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update,"
                        + " patch, delete, deletecollection");
        };
    }

    private static Decision nodes(String node, Attributes asked) {
        boolean writes = asked.verb().equals("update") || asked.verb().equals("patch");
        if (asked.subresource().equals("status")) {
            return writes ? ALLOWED : Decision.NO_OPINION;
        }
        if (!asked.subresource().isEmpty()) {
            return Decision.NO_OPINION;
        }
        if (writes || asked.verb().equals("create")) {
            return ALLOWED; // admission keeps it to its own
        }
        if (!Set.of("get", "list", "watch").contains(asked.verb())) {
            return Decision.NO_OPINION;
        }
        if (asked.name().equals(node)) {
            return ALLOWED;
        }
        return no(
                asked.name().isEmpty()
                        ? "node '" + node + "' cannot read all nodes, only its own Node object"
                        : "node '" + node + "' cannot read '" + asked.name() + "', only its own Node object");
    }

    private Decision pods(String node, Attributes asked) {
        boolean writes = asked.verb().equals("update") || asked.verb().equals("patch");
        switch (asked.subresource()) {
            case "":
                return switch (asked.verb()) {
                    case "get" -> get(node, asked);
                    case "list", "watch" -> {
                        if (selects(asked, "spec.nodeName", node)) {
                            yield ALLOWED;
                        }
                        yield asked.name().isEmpty()
                                ? no("can only list/watch pods with spec.nodeName field selector")
                                : related(node, asked);
                    }
                    case "create", "delete" -> ALLOWED; // of mirror pods; admission sees to it
                    default -> Decision.NO_OPINION;
                };
            case "status":
                return writes ? ALLOWED : Decision.NO_OPINION;
            case "eviction":
                return asked.verb().equals("create") ? ALLOWED : Decision.NO_OPINION;
            default:
                return Decision.NO_OPINION;
        }
    }

    private static boolean selects(Attributes asked, String field, String value) {
        for (String requirement : asked.fieldSelector().split(",")) {
            if (requirement.equals(field + "=" + value) || requirement.equals(field + "==" + value)) {
                return true;
            }
        }
        return false;
    }
}
