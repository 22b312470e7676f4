package io.trimtab.controllers.persistentvolume;

import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.storage.StorageClass;
import io.trimtab.controller.Result;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.informer.Lister;
import io.trimtab.volumes.Volumes;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the binder does about one claim. Used by the binder's one worker. */
final class ClaimSync {
    private final Writes writes;
    private final Lister<PersistentVolume> volumes;
    private final Lister<StorageClass> classes;
    private final Lister<Pod> pods;

    ClaimSync(Writes writes, Lister<PersistentVolume> volumes, Lister<StorageClass> classes, Lister<Pod> pods) {
        this.writes = writes;
        this.volumes = volumes;
        this.classes = classes;
        this.pods = pods;
    }

    Result sync(PersistentVolumeClaim claim) {
        PersistentVolumeClaim migrated = Writes.migrated(claim);
        PersistentVolumeClaim current =
                migrated == claim ? claim : writes.client().update(Writes.CLAIMS, migrated);
        if (Volumes.hasAnnotation(current, Volumes.BIND_COMPLETED)) {
            syncBound(current);
            return Result.done();
        }
        return Volumes.volumeOf(current).isEmpty() ? syncUnbound(current) : syncRequested(current);
    }

    private void syncBound(PersistentVolumeClaim claim) {
        String name = Volumes.volumeOf(claim);
        if (name.isEmpty()) {
            writes.lose(
                    claim,
                    "ClaimLost",
                    "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
            return;
        }
        PersistentVolume volume = volumes.get(null, name).orElse(null);
        if (volume == null) {
            writes.lose(claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
        } else if (volume.getSpec().getClaimRef() == null
                || claim.getMetadata()
                        .getUid()
                        .equals(volume.getSpec().getClaimRef().getUid())) {
            writes.bind(volume, claim);
        } else {
            writes.lose(
                    claim, "ClaimMisbound", "Two claims are bound to the same volume, this one is bound incorrectly");
        }
    }

    private Result syncUnbound(PersistentVolumeClaim claim) {
        String className = Volumes.classOf(claim);
        StorageClass storageClass =
                className.isEmpty() ? null : classes.get(null, className).orElse(null);
        boolean delayed = Volumes.isDelayed(storageClass);
        List<PersistentVolume> byName = volumes.list().stream()
                .sorted(Comparator.comparing(volume -> volume.getMetadata().getName()))
                .toList();
        PersistentVolume match = Volumes.bestMatch(claim, byName, Set.of(), null, delayed);
        if (match != null) {
            writes.bind(match, claim);
            return Result.done();
        }
        if (!Volumes.namesClass(claim)) {
            Optional<StorageClass> byDefault = Volumes.defaultClass(classes.list());
            if (byDefault.isPresent()) {
                writes.client()
                        .update(
                                Writes.CLAIMS,
                                new PersistentVolumeClaimBuilder(claim)
                                        .editSpec()
                                        .withStorageClassName(
                                                byDefault.get().getMetadata().getName())
                                        .endSpec()
                                        .build());
                return Result.done();
            }
        }
        if (delayed && !Volumes.hasAnnotation(claim, Volumes.SELECTED_NODE)) {
            sayWaits(claim);
        } else if (!className.isEmpty()) {
            provision(claim, className, storageClass);
            return Result.after(PersistentVolumeBinder.RESYNC);
        } else {
            writes.events()
                    .normal(
                            claim,
                            "FailedBinding",
                            "no persistent volumes available for this claim and no storage class is set");
        }
        writes.phase(claim, "Pending", null);
        return Result.after(PersistentVolumeBinder.RESYNC);
    }

    private void sayWaits(PersistentVolumeClaim claim) {
        String key =
                claim.getMetadata().getNamespace() + "/" + claim.getMetadata().getName();
        List<String> names = pods.byIndex(PersistentVolumeBinder.BY_CLAIM, key).stream()
                .filter(pod -> !Pods.isTerminal(pod) && Pods.nodeName(pod) == null)
                .map(pod -> pod.getMetadata().getName())
                .sorted()
                .toList();
        if (names.isEmpty()) {
            writes.events()
                    .normal(claim, "WaitForFirstConsumer", "waiting for first consumer to be created before binding");
        } else {
            writes.events()
                    .normal(
                            claim,
                            "WaitForPodScheduled",
                            "waiting for pod" + (names.size() > 1 ? "s " : " ") + String.join(",", names)
                                    + " to be scheduled");
        }
    }

    private void provision(PersistentVolumeClaim claim, String className, @Nullable StorageClass storageClass) {
        if (storageClass == null) {
            failed(claim, "storageclass.storage.k8s.io \"" + className + "\" not found");
            return;
        }
        String provisioner = storageClass.getProvisioner();
        String refusal = InTreePlugins.refusal(provisioner);
        if (refusal != null) {
            failed(claim, refusal);
            return;
        }
        String driver = InTreePlugins.driverFor(provisioner);
        String name = driver == null ? provisioner : driver;
        PersistentVolumeClaim asked = writes.provisioner(claim, name);
        writes.events()
                .normal(
                        asked,
                        "ExternalProvisioning",
                        "Waiting for a volume to be created either by the external provisioner '" + name
                                + "' or manually by the system administrator. If volume creation is delayed, please verify"
                                + " that the provisioner is running and correctly registered.");
    }

    private void failed(PersistentVolumeClaim claim, String why) {
        writes.events().warning(claim, "ProvisioningFailed", why);
    }

    /** The claim asks for one volume by name. */
    private Result syncRequested(PersistentVolumeClaim claim) {
        PersistentVolume volume = volumes.get(null, Volumes.volumeOf(claim)).orElse(null);
        if (volume == null) {
            writes.phase(claim, "Pending", null);
            return Result.after(PersistentVolumeBinder.RESYNC);
        }
        if (volume.getSpec().getClaimRef() == null) {
            String misfit = misfit(volume, claim);
            if (misfit == null) {
                writes.bind(volume, claim);
                return Result.done();
            }
            writes.events()
                    .warning(
                            claim,
                            "VolumeMismatch",
                            "Cannot bind to requested volume \""
                                    + volume.getMetadata().getName() + "\": " + misfit);
            writes.phase(claim, "Pending", null);
            return Result.after(PersistentVolumeBinder.RESYNC);
        }
        if (Volumes.isFor(volume, claim)) {
            writes.bind(volume, claim);
            return Result.done();
        }
        writes.events()
                .warning(
                        claim,
                        "FailedBinding",
                        "volume \"" + volume.getMetadata().getName() + "\" already bound to a different claim.");
        if (!Volumes.hasAnnotation(claim, Volumes.BOUND_BY_CONTROLLER)) {
            writes.phase(claim, "Pending", null);
        }
        return Result.after(PersistentVolumeBinder.RESYNC);
    }

    /** Why the volume is not what the claim asks for; null if it is. Pure. */
    static @Nullable String misfit(PersistentVolume volume, PersistentVolumeClaim claim) {
        if (volume.getMetadata().getDeletionTimestamp() != null) {
            return "the volume is marked for deletion \"" + volume.getMetadata().getName() + "\"";
        }
        if (Volumes.capacity(volume).compareTo(Volumes.requested(claim)) < 0) {
            return "requested PV is too small";
        }
        if (!Volumes.classOf(volume).equals(Volumes.classOf(claim))) {
            return "storageClassName does not match";
        }
        if (!Volumes.attributesClass(volume).equals(Volumes.attributesClass(claim))) {
            return "volumeAttributesClassName does not match";
        }
        if (Volumes.modesDiffer(claim, volume)) {
            return "incompatible volumeMode";
        }
        return Volumes.allowsAccess(claim, volume) ? null : "incompatible accessMode";
    }
}
