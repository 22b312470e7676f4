package io.trimtab.volumes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.storage.StorageClass;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.model.ModelSelectors;
import java.math.BigDecimal;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Reads claims and volumes, and matches them. Pure; the objects are not changed. */
public final class Volumes {
    /** On a claim: both sides of its binding were written once. */
    public static final String BIND_COMPLETED = "pv.kubernetes.io/bind-completed";
    /** On a claim or a volume: the binding to the other was chosen by a controller, not by the user. */
    public static final String BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller";
    /** On a volume: who made it. */
    public static final String PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";
    /** On a claim: the node that the scheduler chose for its first pod. */
    public static final String SELECTED_NODE = "volume.kubernetes.io/selected-node";
    /** On a claim: who is to make a volume for it. */
    public static final String PROVISIONER = "volume.kubernetes.io/storage-provisioner";
    /** The provisioner of classes for which nobody makes volumes. */
    public static final String NO_PROVISIONER = "kubernetes.io/no-provisioner";

    private static final String BETA_CLASS = "volume.beta.kubernetes.io/storage-class";
    private static final String DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class";
    private static final String BETA_DEFAULT_CLASS = "storageclass.beta.kubernetes.io/is-default-class";

    private Volumes() {}

    /** The value of an annotation; null if it is not there. */
    public static @Nullable String annotation(HasMetadata object, String key) {
        Map<String, String> annotations = object.getMetadata().getAnnotations();
        return annotations == null ? null : annotations.get(key);
    }

    public static boolean hasAnnotation(HasMetadata object, String key) {
        return annotation(object, key) != null;
    }

    /** The name of the claim's StorageClass; empty for none. */
    public static String classOf(PersistentVolumeClaim claim) {
        String beta = annotation(claim, BETA_CLASS);
        return beta != null ? beta : Objects.requireNonNullElse(claim.getSpec().getStorageClassName(), "");
    }

    /** True if the claim says of what class it is, or that it is of none. */
    public static boolean namesClass(PersistentVolumeClaim claim) {
        return hasAnnotation(claim, BETA_CLASS) || claim.getSpec().getStorageClassName() != null;
    }

    /** The name of the volume's StorageClass; empty for none. */
    public static String classOf(PersistentVolume volume) {
        String beta = annotation(volume, BETA_CLASS);
        return beta != null ? beta : Objects.requireNonNullElse(volume.getSpec().getStorageClassName(), "");
    }

    /** The class that claims get which name none: of several the newest, then the first by name. */
    public static Optional<StorageClass> defaultClass(Collection<StorageClass> classes) {
        StorageClass best = null;
        for (StorageClass one : classes) {
            if (isDefault(one) && (best == null || precedes(one, best))) {
                best = one;
            }
        }
        return Optional.ofNullable(best);
    }

    private static boolean isDefault(StorageClass one) {
        return "true".equals(annotation(one, DEFAULT_CLASS)) || "true".equals(annotation(one, BETA_DEFAULT_CLASS));
    }

    private static boolean precedes(StorageClass one, StorageClass other) {
        // Timestamps of one format and zone sort as texts.
        String created = Objects.requireNonNullElse(one.getMetadata().getCreationTimestamp(), "");
        String than = Objects.requireNonNullElse(other.getMetadata().getCreationTimestamp(), "");
        int order = than.compareTo(created);
        return order < 0
                || order == 0
                        && one.getMetadata()
                                        .getName()
                                        .compareTo(other.getMetadata().getName())
                                < 0;
    }

    /** True if volumes of the class are bound only when a pod that uses them is scheduled. */
    public static boolean isDelayed(@Nullable StorageClass storageClass) {
        return storageClass != null && "WaitForFirstConsumer".equals(storageClass.getVolumeBindingMode());
    }

    /** True if both sides of the claim's binding were written. */
    public static boolean isFullyBound(PersistentVolumeClaim claim) {
        return !volumeOf(claim).isEmpty() && hasAnnotation(claim, BIND_COMPLETED);
    }

    /** The volume that the claim is bound to or asks for; empty for none. */
    public static String volumeOf(PersistentVolumeClaim claim) {
        return Objects.requireNonNullElse(claim.getSpec().getVolumeName(), "");
    }

    /** True if the volume is bound to the claim, or reserved for one of its name. */
    public static boolean isFor(PersistentVolume volume, PersistentVolumeClaim claim) {
        ObjectReference reference = volume.getSpec().getClaimRef();
        return reference != null
                && Objects.equals(reference.getName(), claim.getMetadata().getName())
                && Objects.equals(reference.getNamespace(), claim.getMetadata().getNamespace())
                && (isEmpty(reference.getUid())
                        || reference.getUid().equals(claim.getMetadata().getUid()));
    }

    /** The volume, bound to the claim; the same object if it is bound already. */
    public static PersistentVolume bound(PersistentVolume volume, PersistentVolumeClaim claim) {
        ObjectReference reference = volume.getSpec().getClaimRef();
        boolean refers = reference != null
                && isFor(volume, claim)
                && claim.getMetadata().getUid().equals(reference.getUid());
        boolean marks = !isFor(volume, claim) && !hasAnnotation(volume, BOUND_BY_CONTROLLER);
        if (refers && !marks) {
            return volume;
        }
        PersistentVolumeBuilder changed = new PersistentVolumeBuilder(volume);
        if (!refers) {
            changed.editSpec()
                    .withNewClaimRef()
                    .withApiVersion("v1")
                    .withKind("PersistentVolumeClaim")
                    .withNamespace(claim.getMetadata().getNamespace())
                    .withName(claim.getMetadata().getName())
                    .withUid(claim.getMetadata().getUid())
                    .withResourceVersion(claim.getMetadata().getResourceVersion())
                    .endClaimRef()
                    .endSpec();
        }
        if (marks) {
            changed.editMetadata().addToAnnotations(BOUND_BY_CONTROLLER, "yes").endMetadata();
        }
        return changed.build();
    }

    /** Bytes that the claim asks for. */
    public static BigDecimal requested(PersistentVolumeClaim claim) {
        var resources = claim.getSpec().getResources();
        return resources == null || resources.getRequests() == null
                ? BigDecimal.ZERO
                : amount(resources.getRequests().get("storage"));
    }

    /** Bytes that the volume has. */
    public static BigDecimal capacity(PersistentVolume volume) {
        Map<String, Quantity> capacity = volume.getSpec().getCapacity();
        return capacity == null ? BigDecimal.ZERO : amount(capacity.get("storage"));
    }

    public static BigDecimal amount(@Nullable Quantity quantity) {
        return quantity == null ? BigDecimal.ZERO : quantity.getNumericalAmount();
    }

    /** True if one is a file system and the other a block device. */
    public static boolean modesDiffer(PersistentVolumeClaim claim, PersistentVolume volume) {
        return !mode(claim.getSpec().getVolumeMode())
                .equals(mode(volume.getSpec().getVolumeMode()));
    }

    private static String mode(@Nullable String mode) {
        return mode == null || mode.isEmpty() ? "Filesystem" : mode;
    }

    /** True if the volume can be used in all the ways that the claim asks for. */
    public static boolean allowsAccess(PersistentVolumeClaim claim, PersistentVolume volume) {
        return volume.getSpec().getAccessModes().containsAll(claim.getSpec().getAccessModes());
    }

    public static String attributesClass(PersistentVolumeClaim claim) {
        return Objects.requireNonNullElse(claim.getSpec().getVolumeAttributesClassName(), "");
    }

    public static String attributesClass(PersistentVolume volume) {
        return Objects.requireNonNullElse(volume.getSpec().getVolumeAttributesClassName(), "");
    }

    /**
     * The best volume for a claim: the one reserved for it, or else the smallest that is free, large enough and as the claim wants
     * it; among equals the one with the fewest ways of access, then the first of the list.
     *
     * @param excluded names of volumes that are promised to other claims
     * @param reachable whether the node that is being looked at can use the volume; null to match without a node
     * @param delayed the claim waits for the scheduler: without a node only a volume that is reserved for it counts
     * @throws IllegalArgumentException if the claim's selector is not valid
     */
    public static @Nullable PersistentVolume bestMatch(
            PersistentVolumeClaim claim,
            List<PersistentVolume> volumes,
            Set<String> excluded,
            @Nullable Predicate<PersistentVolume> reachable,
            boolean delayed) {
        LabelSelector selector = claim.getSpec().getSelector() == null
                ? null
                : ModelSelectors.of(claim.getSpec().getSelector());
        PersistentVolume best = null;
        for (PersistentVolume volume : volumes) {
            if (excluded.contains(volume.getMetadata().getName())
                    || volume.getSpec().getClaimRef() != null && !isFor(volume, claim)
                    || capacity(volume).compareTo(requested(claim)) < 0
                    || modesDiffer(claim, volume)
                    || !attributesClass(claim).equals(attributesClass(volume))
                    || volume.getMetadata().getDeletionTimestamp() != null
                    || !allowsAccess(claim, volume)) {
                continue;
            }
            if (isFor(volume, claim)) {
                return reachable == null || reachable.test(volume) ? volume : null;
            }
            if (reachable == null && delayed
                    || volume.getStatus() == null
                    || !"Available".equals(volume.getStatus().getPhase())
                    || selector != null && !selector.matches(labels(volume))
                    || !classOf(volume).equals(classOf(claim))
                    || reachable != null && !reachable.test(volume)) {
                continue;
            }
            if (best == null || isBetter(volume, best, reachable != null)) {
                best = volume;
            }
        }
        return best;
    }

    /** With a node only the size counts; without one, the fewest ways of access come first. */
    private static boolean isBetter(PersistentVolume one, PersistentVolume other, boolean bySizeOnly) {
        int byModes = bySizeOnly
                ? 0
                : Integer.compare(
                        one.getSpec().getAccessModes().size(),
                        other.getSpec().getAccessModes().size());
        return byModes < 0 || byModes == 0 && capacity(one).compareTo(capacity(other)) < 0;
    }

    private static Map<String, String> labels(HasMetadata object) {
        Map<String, String> labels = object.getMetadata().getLabels();
        return labels == null ? Map.of() : labels;
    }

    /** The claim that a pod's volume stands for; null if it stands for none. */
    public static @Nullable String claimName(Pod pod, Volume volume) {
        if (volume.getPersistentVolumeClaim() != null) {
            return volume.getPersistentVolumeClaim().getClaimName();
        }
        return volume.getEphemeral() == null ? null : pod.getMetadata().getName() + "-" + volume.getName();
    }

    /** Why a claim cannot be the one that was made for the pod's ephemeral volume; null if it is. */
    public static @Nullable String notOwned(Pod pod, PersistentVolumeClaim claim) {
        boolean owned = claim.getMetadata().getOwnerReferences().stream()
                .anyMatch(owner -> Boolean.TRUE.equals(owner.getController())
                        && pod.getMetadata().getUid().equals(owner.getUid()));
        return owned
                ? null
                : "PVC " + claim.getMetadata().getNamespace() + "/"
                        + claim.getMetadata().getName() + " was not created for pod "
                        + pod.getMetadata().getNamespace() + "/"
                        + pod.getMetadata().getName()
                        + " (pod is not owner)";
    }

    private static boolean isEmpty(@Nullable String text) {
        return text == null || text.isEmpty();
    }
}
