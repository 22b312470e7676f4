package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Lets only those set owners who may delete the object, and only those block an owner's deletion who may finalize it. */
final class OwnerReferencesPermissionEnforcement implements AdmissionPlugin {
    private final Authorizer authorizer;
    private final ResourceRegistry resources;

    OwnerReferencesPermissionEnforcement(Authorizer authorizer, ResourceRegistry resources) {
        this.authorizer = authorizer;
        this.resources = resources;
    }

    @Override
    public String name() {
        return "OwnerReferencesPermissionEnforcement";
    }

    @Override
    public void validate(Attributes attributes) {
        ObjectNode object = attributes.object();
        UserInfo user = attributes.user();
        boolean writes = attributes.operation() == Operation.CREATE || attributes.operation() == Operation.UPDATE;
        boolean isPodStatus = attributes.resource().group().isEmpty()
                && attributes.resource().plural().equals("pods")
                && attributes.subresource().equals("status"); // its strategy keeps the owners
        if (object == null || user == null || !writes || isPodStatus) {
            return;
        }
        JsonNode before = owners(attributes.old());
        JsonNode after = owners(object);
        if (before.isEmpty() && after.isEmpty() || before.equals(after)) {
            return;
        }
        if (attributes.operation() == Operation.UPDATE) {
            refuseUnlessDeleter(attributes, user);
        }
        List<JsonNode> blocking = newlyBlocking(before, after);
        if (blocking.isEmpty()
                || isAllowed(user, Authorizer.Attributes.resource("update", "*", "*", "*", "finalizers", "", "*"))) {
            return;
        }
        blocking.forEach(owner -> refuseUnlessFinalizer(attributes, user, owner));
    }

    private void refuseUnlessDeleter(Attributes attributes, UserInfo user) {
        ApiResource resource = attributes.resource();
        Authorizer.Decision decision = authorizer.authorize(
                user,
                Authorizer.Attributes.resource(
                        "delete",
                        resource.group(),
                        resource.version(),
                        resource.plural(),
                        attributes.subresource(),
                        attributes.namespace(),
                        attributes.name()));
        if (decision.verdict() != Authorizer.Verdict.ALLOW) {
            throw Refusals.forbidden(
                    attributes,
                    "cannot set an ownerRef on a resource you can't delete: " + decision.reason() + ", <nil>");
        }
    }

    private void refuseUnlessFinalizer(Attributes attributes, UserInfo user, JsonNode owner) {
        String apiVersion = PodTrees.text(owner, "apiVersion");
        String kind = PodTrees.text(owner, "kind");
        int slash = apiVersion.indexOf('/');
        String group = slash < 0 ? "" : apiVersion.substring(0, slash);
        Served found = resources.findByKind(group, apiVersion.substring(slash + 1), kind);
        if (found == null) {
            throw Refusals.forbidden(
                    attributes,
                    "cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion "
                            + apiVersion + " Kind " + kind + ": no matches for kind " + FieldErrors.quote(kind)
                            + " in version " + FieldErrors.quote(apiVersion));
        }
        ApiResource resource = found.resource();
        Authorizer.Decision decision = authorizer.authorize(
                user,
                Authorizer.Attributes.resource(
                        "update",
                        resource.group(),
                        resource.version(),
                        resource.plural(),
                        "finalizers",
                        resource.namespaced() ? attributes.namespace() : "",
                        PodTrees.text(owner, "name")));
        if (decision.verdict() != Authorizer.Verdict.ALLOW) {
            throw Refusals.forbidden(
                    attributes,
                    "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers"
                            + " on: " + decision.reason() + ", <nil>");
        }
    }

    private boolean isAllowed(UserInfo user, Authorizer.Attributes asked) {
        return authorizer.authorize(user, asked).verdict() == Authorizer.Verdict.ALLOW;
    }

    private static JsonNode owners(@Nullable ObjectNode object) {
        return object == null
                ? JsonNodeFactory.instance.arrayNode()
                : object.path("metadata").path("ownerReferences");
    }

    private static List<JsonNode> newlyBlocking(JsonNode before, JsonNode after) {
        Set<String> blocked = new HashSet<>();
        before.forEach(owner -> {
            if (owner.path("blockOwnerDeletion").asBoolean(false)) {
                blocked.add(PodTrees.text(owner, "uid"));
            }
        });
        List<JsonNode> found = new ArrayList<>();
        after.forEach(owner -> {
            if (owner.path("blockOwnerDeletion").asBoolean(false) && !blocked.contains(PodTrees.text(owner, "uid"))) {
                found.add(owner);
            }
        });
        return found;
    }
}
