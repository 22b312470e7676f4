package io.trimtab.controllers.protection;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.storage.VolumeAttributesClass;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Holds a finalizer on claims and volumes, and lets go of those that are being deleted when nothing uses them any more: no pod that
 * still runs a claim, no claim that is bound to a volume.
 */
public final class VolumeProtection {
    /** The name under which the protection of claims is switched on and off. */
    public static final String CLAIMS_NAME = "persistentvolumeclaim-protection-controller";
    /** The name under which the protection of volumes is switched on and off. */
    public static final String VOLUMES_NAME = "persistentvolume-protection-controller";

    /** The name under which the protection of classes of attributes is switched on and off. */
    public static final String ATTRIBUTES_NAME = "volumeattributesclass-protection-controller";

    private static final String ATTRIBUTES_FINALIZER = "kubernetes.io/vac-protection";
    private static final ResourceType<VolumeAttributesClass> ATTRIBUTES = ResourceType.of(VolumeAttributesClass.class);
    private static final String CLAIM_FINALIZER = "kubernetes.io/pvc-protection";
    private static final String VOLUME_FINALIZER = "kubernetes.io/pv-protection";
    private static final String BY_ATTRIBUTES = "volumeAttributesClass";
    private static final String BY_CLAIM = "claimName";
    private static final ResourceType<PersistentVolumeClaim> CLAIMS = ResourceType.of(PersistentVolumeClaim.class);
    private static final ResourceType<PersistentVolume> VOLUMES = ResourceType.of(PersistentVolume.class);

    private VolumeProtection() {}

    /** The protection of claims, to be added to the manager. */
    public static Controller claims(Manager manager) {
        Client client = manager.client("pvc-protection-controller");
        SharedInformer<Pod> pods = manager.informers().informer(Pod.class);
        pods.addIndex(BY_CLAIM, VolumeProtection::claimKeys);
        Lister<PersistentVolumeClaim> claims =
                manager.informers().informer(PersistentVolumeClaim.class).lister();
        return Controller.of(CLAIMS_NAME, PersistentVolumeClaim.class)
                .watches(Pod.class, (change, queue) -> {
                    if (change.isDeleted() || Pods.isTerminal(change.latest())) {
                        claimNames(change.latest())
                                .forEach(name -> queue.add(new Request(
                                        change.latest().getMetadata().getNamespace(), name)));
                    }
                })
                .reconcile(request -> {
                    Optional<PersistentVolumeClaim> claim = claims.get(request.namespace(), request.name());
                    if (claim.isPresent()) {
                        boolean used = isUsed(client, pods.lister(), request, claim.get());
                        protect(client, CLAIMS, claim.get(), CLAIM_FINALIZER, used);
                    }
                    return Result.done();
                });
    }

    /** The protection of volumes, to be added to the manager. */
    public static Controller volumes(Manager manager) {
        Client client = manager.client("pv-protection-controller");
        Lister<PersistentVolume> volumes =
                manager.informers().informer(PersistentVolume.class).lister();
        return Controller.of(VOLUMES_NAME, PersistentVolume.class).reconcile(request -> {
            Optional<PersistentVolume> volume = volumes.get(null, request.name());
            if (volume.isPresent()) {
                boolean bound = volume.get().getStatus() != null
                        && "Bound".equals(volume.get().getStatus().getPhase());
                protect(client, VOLUMES, volume.get(), VOLUME_FINALIZER, bound);
            }
            return Result.done();
        });
    }

    /** The protection of classes of volume attributes, to be added to the manager: in use by a claim or a volume, they stay. */
    public static Controller attributes(Manager manager) {
        Client client = manager.client("volumeattributesclass-protection-controller");
        Lister<VolumeAttributesClass> classes =
                manager.informers().informer(VolumeAttributesClass.class).lister();
        SharedInformer<PersistentVolumeClaim> claims = manager.informers().informer(PersistentVolumeClaim.class);
        SharedInformer<PersistentVolume> volumes = manager.informers().informer(PersistentVolume.class);
        claims.addIndex(BY_ATTRIBUTES, VolumeProtection::attributesOf);
        volumes.addIndex(BY_ATTRIBUTES, VolumeProtection::attributesOf);
        return Controller.of(ATTRIBUTES_NAME, VolumeAttributesClass.class)
                .watches(
                        PersistentVolumeClaim.class,
                        (change, queue) -> Stream.of(change.old(), change.object())
                                .filter(Objects::nonNull)
                                .flatMap(claim -> attributesOf(claim).stream())
                                .forEach(name -> queue.add(new Request("", name))))
                .watches(
                        PersistentVolume.class,
                        (change, queue) -> Stream.of(change.old(), change.object())
                                .filter(Objects::nonNull)
                                .flatMap(volume -> attributesOf(volume).stream())
                                .forEach(name -> queue.add(new Request("", name))))
                .reconcile(request -> {
                    Optional<VolumeAttributesClass> found = classes.get(null, request.name());
                    if (found.isPresent()) {
                        boolean used = !claims.lister()
                                        .byIndex(BY_ATTRIBUTES, request.name())
                                        .isEmpty()
                                || !volumes.lister()
                                        .byIndex(BY_ATTRIBUTES, request.name())
                                        .isEmpty();
                        protect(client, ATTRIBUTES, found.get(), ATTRIBUTES_FINALIZER, used);
                    }
                    return Result.done();
                });
    }

    private static List<String> attributesOf(PersistentVolume volume) {
        String name = volume.getSpec() == null ? null : volume.getSpec().getVolumeAttributesClassName();
        return name == null ? List.of() : List.of(name);
    }

    private static List<String> attributesOf(PersistentVolumeClaim claim) {
        Set<String> names = new TreeSet<>();
        if (claim.getSpec() != null && claim.getSpec().getVolumeAttributesClassName() != null) {
            names.add(claim.getSpec().getVolumeAttributesClassName());
        }
        if (claim.getStatus() != null) {
            if (claim.getStatus().getCurrentVolumeAttributesClassName() != null) {
                names.add(claim.getStatus().getCurrentVolumeAttributesClassName());
            }
            var modification = claim.getStatus().getModifyVolumeStatus();
            if (modification != null && modification.getTargetVolumeAttributesClassName() != null) {
                names.add(modification.getTargetVolumeAttributesClassName());
            }
        }
        return List.copyOf(names);
    }

    private static List<String> claimKeys(Pod pod) {
        return claimNames(pod).stream()
                .map(name -> pod.getMetadata().getNamespace() + "/" + name)
                .toList();
    }

    private static List<String> claimNames(Pod pod) {
        List<String> names = new ArrayList<>();
        if (pod.getSpec() != null) {
            for (Volume volume : pod.getSpec().getVolumes()) {
                if (volume.getPersistentVolumeClaim() != null) {
                    names.add(volume.getPersistentVolumeClaim().getClaimName());
                } else if (volume.getEphemeral() != null) {
                    names.add(pod.getMetadata().getName() + "-" + volume.getName());
                }
            }
        }
        return names;
    }

    /** A pod that is on a node and has not ended uses its claims. Asks the server before it says no. */
    private static boolean isUsed(Client client, Lister<Pod> pods, Request claim, PersistentVolumeClaim object) {
        if (object.getMetadata().getDeletionTimestamp() == null) {
            return true;
        }
        if (pods.byIndex(BY_CLAIM, claim.toString()).stream().anyMatch(VolumeProtection::usesClaims)) {
            return true;
        }
        return client
                .list(PodControl.PODS, claim.namespace(), new io.fabric8.kubernetes.api.model.ListOptions())
                .items()
                .stream()
                .filter(pod -> claimNames(pod).contains(claim.name()))
                .anyMatch(VolumeProtection::usesClaims);
    }

    private static boolean usesClaims(Pod pod) {
        return Pods.nodeName(pod) != null && !Pods.isTerminal(pod);
    }

    private static <T extends HasMetadata> void protect(
            Client client, ResourceType<T> type, T object, String finalizer, boolean used) {
        boolean deleting = object.getMetadata().getDeletionTimestamp() != null;
        List<String> finalizers = new ArrayList<>(object.getMetadata().getFinalizers());
        boolean changes;
        if (deleting) {
            changes = !used && finalizers.remove(finalizer);
        } else {
            changes = !finalizers.contains(finalizer) && finalizers.add(finalizer);
        }
        if (!changes) {
            return;
        }
        T changed = KubernetesJson.copy(object);
        changed.getMetadata().setFinalizers(finalizers);
        try {
            client.update(type, changed);
        } catch (ApiException e) {
            if (!e.isNotFound()) {
                throw e;
            }
        }
    }
}
