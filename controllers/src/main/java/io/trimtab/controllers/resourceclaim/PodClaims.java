package io.trimtab.controllers.resourceclaim;

import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodResourceClaim;
import io.fabric8.kubernetes.api.model.PodResourceClaimStatus;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaim;
import io.trimtab.controllers.pods.Pods;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What pods and ResourceClaims say of each other. Pure. */
final class PodClaims {
    private PodClaims() {}

    /** What a pod's entry has come to so far. */
    enum State {
        /** The claim is to be made from a template, and no name is known. */
        NOT_MADE,
        /** It was decided that no claim is needed. */
        NOT_NEEDED,
        /** There is a name. */
        NAMED
    }

    /**
     * The claim behind an entry of a pod.
     *
     * @param name null unless there is one
     * @param made whether a template was its origin, so that it must belong to the pod
     */
    record Reference(State state, @Nullable String name, boolean made) {}

    static Reference reference(Pod pod, PodResourceClaim entry) {
        if (entry.getResourceClaimName() != null) {
            return new Reference(State.NAMED, entry.getResourceClaimName(), false);
        }
        List<PodResourceClaimStatus> statuses =
                pod.getStatus() == null ? List.of() : pod.getStatus().getResourceClaimStatuses();
        for (PodResourceClaimStatus status : statuses) {
            if (Objects.equals(status.getName(), entry.getName())) {
                String name = status.getResourceClaimName();
                return new Reference(name == null ? State.NOT_NEEDED : State.NAMED, name, true);
            }
        }
        return new Reference(State.NOT_MADE, null, true);
    }

    static List<PodResourceClaim> entries(Pod pod) {
        return pod.getSpec() == null ? List.of() : pod.getSpec().getResourceClaims();
    }

    /** Names of claims, as far as they are known, after the namespace and a slash. */
    static List<String> keys(Pod pod) {
        return entries(pod).stream()
                .map(entry -> reference(pod, entry).name())
                .filter(Objects::nonNull)
                .map(name -> pod.getMetadata().getNamespace() + "/" + name)
                .toList();
    }

    /** The UIDs of pods that control the claim. */
    static List<String> ownerUids(ResourceClaim claim) {
        return owner(claim).map(OwnerReference::getUid).stream().toList();
    }

    static Optional<OwnerReference> owner(ResourceClaim claim) {
        return claim.getMetadata().getOwnerReferences().stream()
                .filter(owner -> Boolean.TRUE.equals(owner.getController())
                        && "v1".equals(owner.getApiVersion())
                        && "Pod".equals(owner.getKind()))
                .findFirst();
    }

    /** Why the claim is none that was made for the pod; null if it is one. */
    static @Nullable String notOwned(Pod pod, ResourceClaim claim) {
        String uid = pod.getMetadata().getUid();
        boolean owned = claim.getMetadata().getOwnerReferences().stream()
                .anyMatch(owner -> Boolean.TRUE.equals(owner.getController()) && uid.equals(owner.getUid()));
        return owned
                ? null
                : "ResourceClaim " + claim.getMetadata().getNamespace() + "/"
                        + claim.getMetadata().getName() + " was not created for pod "
                        + pod.getMetadata().getNamespace() + "/"
                        + pod.getMetadata().getName() + " (pod is not owner)";
    }

    static boolean isAllocated(ResourceClaim claim) {
        return claim.getStatus() != null && claim.getStatus().getAllocation() != null;
    }

    static boolean isReservedFor(ResourceClaim claim, Pod pod) {
        return claim.getStatus() != null
                && claim.getStatus().getReservedFor().stream()
                        .anyMatch(user -> pod.getMetadata().getUid().equals(user.getUid()));
    }

    /** Whether it is certain that the pod runs no more and never will. */
    static boolean isDone(Pod pod) {
        return Pods.isTerminal(pod) || Pods.isDeleting(pod) && Pods.nodeName(pod) == null;
    }
}
