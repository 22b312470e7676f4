package io.trimtab.controllers.persistentvolume;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.client.Deletions;
import io.trimtab.client.WatchScope;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.informer.Lister;
import io.trimtab.volumes.Volumes;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the binder does about one volume. Used by the binder's one worker. */
final class VolumeSync {
    /** All pods: the pods that wipe volumes have no label. */
    static final WatchScope RECYCLERS = WatchScope.ALL;

    private static final String RECYCLER_NAMESPACE = "default";
    private static final String RECYCLER_PREFIX = "recycler-for-";

    private final Writes writes;
    private final Lister<PersistentVolumeClaim> claims;
    private final Lister<Pod> pods;

    VolumeSync(Writes writes, Lister<PersistentVolumeClaim> claims, Lister<Pod> pods) {
        this.writes = writes;
        this.claims = claims;
        this.pods = pods;
    }

    /** The volume that a pod wipes. */
    static Optional<Request> recycled(Pod pod) {
        String name = pod.getMetadata().getName();
        return RECYCLER_NAMESPACE.equals(pod.getMetadata().getNamespace()) && name.startsWith(RECYCLER_PREFIX)
                ? Optional.of(new Request("", name.substring(RECYCLER_PREFIX.length())))
                : Optional.empty();
    }

    Result sync(PersistentVolume found) {
        PersistentVolume volume = migrated(found);
        ObjectReference reference = volume.getSpec().getClaimRef();
        if (reference == null || uid(reference).isEmpty()) {
            writes.phase(volume, "Available", "");
            return Result.done();
        }
        PersistentVolumeClaim claim = claimOf(volume, reference);
        if (claim == null) {
            return reclaim(released(volume));
        }
        if (Volumes.volumeOf(claim).isEmpty()) {
            return waitForClaim(volume, claim);
        }
        if (Volumes.volumeOf(claim).equals(volume.getMetadata().getName())) {
            writes.phase(volume, "Bound", "");
            return Result.done();
        }
        if (Volumes.hasAnnotation(volume, Volumes.PROVISIONED_BY)
                && "Delete".equals(volume.getSpec().getPersistentVolumeReclaimPolicy())) {
            // Made for a claim that took another one.
            return reclaim(released(volume));
        }
        writes.unbind(volume);
        return Result.done();
    }

    private PersistentVolume migrated(PersistentVolume volume) {
        Map<String, String> annotations = Migration.corrected(volume, Volumes.PROVISIONED_BY);
        return annotations == null
                ? volume
                : writes.client()
                        .update(
                                Writes.VOLUMES,
                                new PersistentVolumeBuilder(volume)
                                        .editMetadata()
                                        .withAnnotations(annotations)
                                        .endMetadata()
                                        .build());
    }

    private static String uid(ObjectReference reference) {
        return reference.getUid() == null ? "" : reference.getUid();
    }

    /** The very claim that the volume is bound to; null if it is gone. Asks the server before it says so for the first time. */
    private @Nullable PersistentVolumeClaim claimOf(PersistentVolume volume, ObjectReference reference) {
        PersistentVolumeClaim claim =
                claims.get(reference.getNamespace(), reference.getName()).orElse(null);
        boolean known = claim != null || isReleased(volume);
        if (!known
                || claim != null && !uid(reference).equals(claim.getMetadata().getUid())) {
            claim = writes.client()
                    .get(Writes.CLAIMS, reference.getNamespace(), reference.getName())
                    .orElse(null);
        }
        return claim != null && uid(reference).equals(claim.getMetadata().getUid()) ? claim : null;
    }

    private static boolean isReleased(PersistentVolume volume) {
        String phase = volume.getStatus() == null ? null : volume.getStatus().getPhase();
        return "Released".equals(phase) || "Failed".equals(phase);
    }

    private PersistentVolume released(PersistentVolume volume) {
        return isReleased(volume) ? volume : writes.phase(volume, "Released", "");
    }

    private Result waitForClaim(PersistentVolume volume, PersistentVolumeClaim claim) {
        if (Volumes.modesDiffer(claim, volume)) {
            writes.events()
                    .warning(
                            volume,
                            "VolumeMismatch",
                            "Cannot bind PersistentVolume to requested PersistentVolumeClaim \""
                                    + claim.getMetadata().getName() + "\" due to incompatible volumeMode.");
            writes.events()
                    .warning(
                            claim,
                            "VolumeMismatch",
                            "Cannot bind PersistentVolume \""
                                    + volume.getMetadata().getName()
                                    + "\" to requested PersistentVolumeClaim due to incompatible volumeMode.");
        }
        // The claim's own reconcile does the rest: the change of the volume has woken it.
        return Result.done();
    }

    private Result reclaim(PersistentVolume volume) {
        if (Volumes.hasAnnotation(volume, Migration.MIGRATED_TO)) {
            return Result.done();
        }
        String policy = volume.getSpec().getPersistentVolumeReclaimPolicy();
        switch (policy == null ? "" : policy) {
            case "Retain":
                return Result.done();
            case "Recycle":
                return recycle(volume);
            case "Delete":
                delete(volume);
                return Result.done();
            default:
                writes.fail(
                        volume, "VolumeUnknownReclaimPolicy", "Volume has unrecognized PersistentVolumeReclaimPolicy");
                return Result.done();
        }
    }

    private void delete(PersistentVolume volume) {
        InTreePlugins.Deletion deletion = InTreePlugins.delete(volume);
        if (deletion.failure() != null) {
            writes.fail(volume, "VolumeFailedDelete", deletion.failure());
        } else if (!deletion.external() && volume.getMetadata().getDeletionTimestamp() == null) {
            Deletions.ifThere(writes.client(), Writes.VOLUMES, volume);
        }
    }

    private Result recycle(PersistentVolume volume) {
        ObjectReference reference = volume.getSpec().getClaimRef();
        String key = reference.getNamespace() + "/" + reference.getName();
        boolean another =
                claims.get(reference.getNamespace(), reference.getName()).isPresent();
        List<String> users = pods.byIndex(PersistentVolumeBinder.BY_CLAIM, key).stream()
                .filter(pod -> !Pods.isTerminal(pod))
                .map(pod -> pod.getMetadata().getNamespace() + "/"
                        + pod.getMetadata().getName())
                .sorted()
                .toList();
        if (!users.isEmpty() && !another) {
            writes.events().normal(volume, "VolumeFailedRecycle", "Volume is used by pods: " + String.join(",", users));
            return Result.after(PersistentVolumeBinder.RESYNC);
        }
        if (!InTreePlugins.canRecycle(volume)) {
            writes.fail(volume, "VolumeFailedRecycle", "No recycler plugin found for the volume!");
            return Result.done();
        }
        String name = RECYCLER_PREFIX + volume.getMetadata().getName();
        Pod pod = pods.get(RECYCLER_NAMESPACE, name).orElse(null);
        if (pod == null) {
            try {
                writes.client().create(PodControl.PODS, recycler(name, volume));
            } catch (ApiException e) {
                if (!e.isAlreadyExists()) {
                    throw e;
                }
            }
            return Result.done();
        }
        if (!Pods.isTerminal(pod) || pod.getMetadata().getDeletionTimestamp() != null) {
            return Result.done();
        }
        writes.client().delete(PodControl.PODS, RECYCLER_NAMESPACE, name, new DeleteOptions());
        if ("Succeeded".equals(Pods.phase(pod))) {
            writes.events().normal(volume, "VolumeRecycled", "Volume recycled");
            writes.unbind(volume);
            return Result.done();
        }
        String message = pod.getStatus().getMessage();
        writes.fail(
                volume,
                "VolumeFailedRecycle",
                "Recycle failed: "
                        + (message == null || message.isEmpty() ? "pod failed, pod.Status.Message unknown" : message));
        return Result.after(PersistentVolumeBinder.RESYNC);
    }

    private static Pod recycler(String name, PersistentVolume volume) {
        var host = volume.getSpec().getHostPath();
        Volume source = host != null
                ? new VolumeBuilder()
                        .withName("vol")
                        .withNewHostPath(host.getPath(), host.getType())
                        .build()
                : new VolumeBuilder()
                        .withName("vol")
                        .withNfs(volume.getSpec().getNfs())
                        .build();
        return new PodBuilder()
                .withNewMetadata()
                .withNamespace(RECYCLER_NAMESPACE)
                .withName(name)
                .endMetadata()
                .withNewSpec()
                .withActiveDeadlineSeconds(60L)
                .withRestartPolicy("Never")
                .withVolumes(source)
                .addNewContainer()
                .withName("pv-recycler")
                .withImage("registry.k8s.io/build-image/debian-base:bookworm-v1.0.4")
                .withCommand("/bin/sh")
                .withArgs(
                        "-c",
                        "test -e /scrub && find /scrub -mindepth 1 -delete && test -z \"$(ls -A /scrub)\" || exit 1")
                .addNewVolumeMount()
                .withName("vol")
                .withMountPath("/scrub")
                .endVolumeMount()
                .endContainer()
                .endSpec()
                .build();
    }
}
