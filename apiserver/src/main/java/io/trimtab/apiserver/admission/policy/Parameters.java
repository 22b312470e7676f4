package io.trimtab.apiserver.admission.policy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.selector.FieldSelector;
import io.trimtab.selector.LabelSelectors;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The objects that bindings hand to their policies. Safe for use by any thread. */
final class Parameters {
    /** They cannot be found out; the message says why. */
    static final class MisconfiguredException extends Exception {
        private static final long serialVersionUID = 1L;

        MisconfiguredException(String message) {
            super(message, null, false, false);
        }
    }

    private final ResourceRegistry registry;

    Parameters(ResourceRegistry registry) {
        this.registry = registry;
    }

    /** What a policy says its parameters are; null if it has none. */
    @Nullable
    Served kind(JsonNode policySpec) throws MisconfiguredException {
        JsonNode kind = policySpec.path("paramKind");
        if (!kind.isObject()) {
            return null;
        }
        String apiVersion = kind.path("apiVersion").asText("");
        String name = kind.path("kind").asText("");
        for (Served served : registry.all()) {
            ApiResource resource = served.resource();
            if (resource.apiVersion().equals(apiVersion) && resource.kind().equals(name)) {
                return served;
            }
        }
        int slash = apiVersion.indexOf('/');
        String group = slash < 0 ? "" : apiVersion.substring(0, slash);
        throw new MisconfiguredException("failed to find resource referenced by paramKind: '" + group + "/"
                + apiVersion.substring(slash + 1) + ", Kind=" + name + "'");
    }

    /**
     * The parameters of a binding, one evaluation each.
     *
     * @param kind of the policy; null if it has no parameters
     * @param namespace of the write; empty if it is cluster-scoped
     * @return a single null if the policy has no parameters, or the binding hands it none
     */
    List<@Nullable ObjectNode> of(@Nullable Served kind, JsonNode binding, String namespace, Storage storage)
            throws MisconfiguredException {
        List<@Nullable ObjectNode> found = new ArrayList<>();
        JsonNode ref = binding.path("paramRef");
        if (kind == null || !ref.isObject()) {
            found.add(null);
            return found;
        }
        ApiResource resource = kind.resource();
        String in = ref.path("namespace").asText("");
        if (resource.namespaced()) {
            in = in.isEmpty() ? namespace : in;
            if (in.isEmpty()) {
                throw new MisconfiguredException(
                        "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources");
            }
        } else if (!in.isEmpty()) {
            throw new MisconfiguredException(
                    "paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
        }
        String where = resource.namespaced() ? in : null;
        String name = ref.path("name").asText("");
        if (!name.isEmpty()) {
            Optional<StoredObject> one = storage.get(kind.storage(), where, name);
            one.ifPresent(object -> found.add(shown(object, kind)));
        } else if (ref.has("selector")) {
            Storage.ListQuery all = new Storage.ListQuery(
                    where, LabelSelectors.everything(), FieldSelector.everything(), 0, false, 0, null);
            for (var objects = storage.list(kind.storage(), all).objects(); objects.hasNext(); ) {
                StoredObject object = objects.next();
                if (LabelSelectorRules.isEmpty(ref.path("selector"))
                        || LabelSelectorRules.matches(ref.path("selector"), object.labels())) {
                    found.add(shown(object, kind));
                }
            }
        } else {
            throw new MisconfiguredException("one of name or selector must be provided");
        }
        if (found.isEmpty() && ref.path("parameterNotFoundAction").asText("").equals("Deny")) {
            throw new MisconfiguredException("no params found for policy binding with `Deny` parameterNotFoundAction");
        }
        return found;
    }

    private static ObjectNode shown(StoredObject object, Served kind) {
        ObjectNode tree = object.tree();
        if (kind.conversion() != null) {
            tree = kind.conversion().fromStorage(tree.deepCopy());
        }
        if (tree.has("apiVersion") && tree.has("kind")) {
            return tree;
        }
        ObjectNode typed = tree.objectNode();
        typed.put("apiVersion", kind.resource().apiVersion());
        typed.put("kind", kind.resource().kind());
        typed.setAll(tree);
        return typed;
    }
}
