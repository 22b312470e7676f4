package io.trimtab.ownership;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.selector.LabelSelector;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Sorts out which objects an owner controls: adopts orphans that its selector matches, releases what it no longer matches
 * (Kubernetes, pkg/controller/controller_ref_manager.go). Immutable, safe for use by several threads; writes block the caller.
 *
 * @param <T> what is claimed
 */
public final class Claims<T extends HasMetadata> {

    /** What is to be done about one object. */
    public enum Decision {
        /** Not ours, and not to become ours. */
        IGNORE,
        /** Ours. */
        KEEP,
        /** Ours, but the selector no longer matches. */
        RELEASE,
        /** Nobody's, and the selector matches. */
        ADOPT
    }

    private final Client client;
    private final ResourceType<T> type;
    private final List<String> finalizers;

    /** Claims objects of this type. */
    public Claims(Client client, ResourceType<T> type) {
        this(client, type, List.of());
    }

    /**
     * Claims objects of this type.
     *
     * @param finalizers added with each adoption, removed with each release
     */
    public Claims(Client client, ResourceType<T> type, List<String> finalizers) {
        this.client = client;
        this.type = type;
        this.finalizers = List.copyOf(finalizers);
    }

    /**
     * What an owner is to do about an object. Pure.
     *
     * @param matches whether the owner's selector matches the object
     */
    public static Decision decide(HasMetadata owner, HasMetadata object, boolean matches) {
        boolean ownerDeleted = isDeleted(owner);
        if (!OwnerReferences.isOrphan(object)) {
            if (!OwnerReferences.isControlledBy(object, owner)) {
                return Decision.IGNORE;
            }
            if (matches) {
                return Decision.KEEP; // even by an owner that is being deleted: it still counts them
            }
            return ownerDeleted ? Decision.IGNORE : Decision.RELEASE;
        }
        if (ownerDeleted || !matches || isDeleted(object) || !sameNamespace(owner, object)) {
            return Decision.IGNORE;
        }
        return Decision.ADOPT;
    }

    private static boolean isDeleted(HasMetadata object) {
        return object.getMetadata().getDeletionTimestamp() != null;
    }

    private static boolean sameNamespace(HasMetadata owner, HasMetadata object) {
        String namespace = owner.getMetadata().getNamespace();
        return namespace == null
                || namespace.isEmpty()
                || namespace.equals(object.getMetadata().getNamespace());
    }

    /** Claims all objects that the selector matches. */
    public <O extends HasMetadata> List<T> claim(
            ResourceType<O> ownerType, O owner, LabelSelector selector, Collection<? extends T> candidates) {
        return claim(ownerType, owner, selector, candidates, object -> true);
    }

    /**
     * Decides about each candidate, and adopts and releases accordingly. Before the first adoption the owner is read from the
     * server, once: a cache may not know yet that it is gone, or was made anew.
     *
     * @param filter a condition beside the selector; what fails it is as if the selector did not match
     * @return what the owner controls now, in the order of the candidates; an adopted object as the server returned it
     * @throws ClaimException after all were tried, if some could not be adopted or released
     */
    public <O extends HasMetadata> List<T> claim(
            ResourceType<O> ownerType,
            O owner,
            LabelSelector selector,
            Collection<? extends T> candidates,
            Predicate<? super T> filter) {
        List<T> claimed = new ArrayList<>(candidates.size());
        List<RuntimeException> failures = new ArrayList<>();
        OwnerCheck<O> check = new OwnerCheck<>(ownerType, owner);
        for (T object : candidates) {
            Map<String, String> labels = object.getMetadata().getLabels();
            boolean matches = selector.matches(labels == null ? Map.of() : labels) && filter.test(object);
            try {
                switch (decide(owner, object, matches)) {
                    case KEEP -> claimed.add(object);
                    case ADOPT -> {
                        T adopted = adopt(owner, object, check);
                        if (adopted != null) {
                            claimed.add(adopted);
                        }
                    }
                    case RELEASE -> release(owner, object);
                    case IGNORE -> {}
                }
            } catch (ApiException | IllegalStateException e) {
                failures.add(e);
            }
        }
        if (!failures.isEmpty()) {
            throw new ClaimException(failures);
        }
        return claimed;
    }

    /** Null if the object is gone. */
    private @Nullable T adopt(HasMetadata owner, T object, OwnerCheck<?> check) {
        String reason = check.whyNot();
        if (reason != null) {
            throw new IllegalStateException("can't adopt " + type.kind() + " "
                    + object.getMetadata().getNamespace() + "/"
                    + object.getMetadata().getName() + " ("
                    + object.getMetadata().getUid() + "): " + reason);
        }
        try {
            return patch(object, adoption(owner, object));
        } catch (ApiException e) {
            if (e.isNotFound()) {
                return null;
            }
            throw e;
        }
    }

    /** Makes the owner no longer control the object; an object that is gone, or another by now, is released already. */
    public void release(HasMetadata owner, T object) {
        try {
            patch(object, releasing(owner, object));
        } catch (ApiException e) {
            // Invalid: the reference is not there any more, or the uid is another's. Either way it is not ours.
            if (!e.isNotFound() && !e.isInvalid()) {
                throw e;
            }
        }
    }

    private T patch(T object, String body) {
        return client.patch(
                type, object.getMetadata().getNamespace(), object.getMetadata().getName(), Patch.strategic(body));
    }

    /** References merge by uid, so that others stay, and a plain one of ours is raised to the controlling one. */
    private String adoption(HasMetadata owner, T object) {
        ObjectNode patch = JsonNodeFactory.instance.objectNode();
        ObjectNode metadata = patch.putObject("metadata");
        OwnerReference reference = OwnerReferences.newControllerRef(owner);
        metadata.putArray("ownerReferences")
                .addObject()
                .put("apiVersion", reference.getApiVersion())
                .put("kind", reference.getKind())
                .put("name", reference.getName())
                .put("uid", reference.getUid())
                .put("controller", true)
                .put("blockOwnerDeletion", true);
        metadata.put("uid", object.getMetadata().getUid());
        if (!finalizers.isEmpty()) {
            addAll(metadata.putArray("finalizers"));
        }
        return patch.toString();
    }

    private String releasing(HasMetadata owner, T object) {
        ObjectNode patch = JsonNodeFactory.instance.objectNode();
        ObjectNode metadata = patch.putObject("metadata");
        metadata.putArray("ownerReferences")
                .addObject()
                .put("$patch", "delete")
                .put("uid", owner.getMetadata().getUid());
        metadata.put("uid", object.getMetadata().getUid());
        if (!finalizers.isEmpty()) {
            addAll(metadata.putArray("$deleteFromPrimitiveList/finalizers"));
        }
        return patch.toString();
    }

    private void addAll(ArrayNode array) {
        finalizers.forEach(array::add);
    }

    /** Asks the server about the owner when first needed, and remembers the answer for the rest of the sync. */
    private final class OwnerCheck<O extends HasMetadata> {
        private final ResourceType<O> ownerType;
        private final O owner;
        private boolean asked;
        private @Nullable String reason;
        private @Nullable ApiException failure;

        OwnerCheck(ResourceType<O> ownerType, O owner) {
            this.ownerType = ownerType;
            this.owner = owner;
        }

        /** Why nothing may be adopted; null if it may. */
        @Nullable
        String whyNot() {
            if (!asked) {
                asked = true;
                try {
                    reason = ask();
                } catch (ApiException e) {
                    failure = e;
                }
            }
            if (failure != null) {
                throw failure;
            }
            return reason;
        }

        private @Nullable String ask() {
            String namespace = owner.getMetadata().getNamespace();
            String name = owner.getMetadata().getName();
            Optional<O> fresh = client.get(ownerType, namespace, name);
            if (fresh.isEmpty()) {
                return "original " + ownerType.kind() + " " + namespace + "/" + name + " is gone";
            }
            String uid = fresh.get().getMetadata().getUid();
            if (!owner.getMetadata().getUid().equals(uid)) {
                return "original " + ownerType.kind() + " " + namespace + "/" + name + " is gone: got uid " + uid
                        + ", wanted " + owner.getMetadata().getUid();
            }
            String deleted = fresh.get().getMetadata().getDeletionTimestamp();
            return deleted == null ? null : namespace + "/" + name + " has just been deleted at " + deleted;
        }
    }
}
