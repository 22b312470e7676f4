package io.trimtab.ownership;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import java.util.List;
import java.util.Optional;

/** Reads and makes owner references. */
public final class OwnerReferences {
    private OwnerReferences() {}

    /** The one reference that says {@code controller: true}. */
    public static Optional<OwnerReference> controllerOf(HasMetadata object) {
        for (OwnerReference reference : all(object)) {
            if (Boolean.TRUE.equals(reference.getController())) {
                return Optional.of(reference);
            }
        }
        return Optional.empty();
    }

    /** True if this very object (by uid, not by name) controls the other. */
    public static boolean isControlledBy(HasMetadata object, HasMetadata owner) {
        for (OwnerReference reference : all(object)) {
            if (Boolean.TRUE.equals(reference.getController())) {
                return owner.getMetadata().getUid().equals(reference.getUid());
            }
        }
        return false;
    }

    /** True if the other lists this very object as an owner, controlling or not. */
    public static boolean isOwnedBy(HasMetadata object, HasMetadata owner) {
        return all(object).stream().anyMatch(r -> owner.getMetadata().getUid().equals(r.getUid()));
    }

    /** True if nothing controls the object. */
    public static boolean isOrphan(HasMetadata object) {
        for (OwnerReference reference : all(object)) {
            if (Boolean.TRUE.equals(reference.getController())) {
                return false;
            }
        }
        return true;
    }

    /** True if the reference is to this kind, whatever its version (a controller's own may have moved on). */
    public static boolean isOfKind(OwnerReference reference, String group, String kind) {
        String apiVersion = reference.getApiVersion();
        int slash = apiVersion == null ? -1 : apiVersion.indexOf('/');
        return kind.equals(reference.getKind()) && group.equals(slash < 0 ? "" : apiVersion.substring(0, slash));
    }

    /** The reference by which the owner controls what it makes; a foreground deletion of the owner waits for those. */
    public static OwnerReference newControllerRef(HasMetadata owner) {
        OwnerReference reference = newOwnerRef(owner);
        reference.setController(true);
        reference.setBlockOwnerDeletion(true);
        return reference;
    }

    /** A reference that keeps the object until all of its owners are gone, and no more. */
    public static OwnerReference newOwnerRef(HasMetadata owner) {
        OwnerReference reference = new OwnerReference();
        reference.setApiVersion(owner.getApiVersion());
        reference.setKind(owner.getKind());
        reference.setName(owner.getMetadata().getName());
        reference.setUid(owner.getMetadata().getUid());
        return reference;
    }

    private static List<OwnerReference> all(HasMetadata object) {
        List<OwnerReference> references = object.getMetadata().getOwnerReferences();
        return references == null ? List.of() : references;
    }
}
