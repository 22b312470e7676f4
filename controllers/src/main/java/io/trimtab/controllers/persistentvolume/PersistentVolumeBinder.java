package io.trimtab.controllers.persistentvolume;

import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.storage.StorageClass;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.controller.Change;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Enqueuer;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import io.trimtab.volumes.Volumes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Binds claims to volumes, one to one, and reclaims volumes whose claims are gone. A key with a namespace is a claim, one without
 * is a volume; one worker looks at both, so that two claims do not reach for one volume.
 */
public final class PersistentVolumeBinder implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "persistentvolume-binder-controller";

    /** Of a claim that waits and a volume that is being reclaimed, as often as Kubernetes does. */
    static final Duration RESYNC = Duration.ofSeconds(15);

    static final String BY_CLAIM = "claimName";
    private static final String BY_WAITING_CLASS = "waitingForClass";
    private static final String BY_VOLUME = "volumeName";

    private final Lister<PersistentVolumeClaim> claims;
    private final Lister<PersistentVolume> volumes;
    private final ClaimSync claimSync;
    private final VolumeSync volumeSync;

    private PersistentVolumeBinder(Manager manager) {
        Client client = manager.client("persistent-volume-binder");
        Writes writes = new Writes(client, manager.events("persistentvolume-controller"));
        SharedInformer<PersistentVolumeClaim> claimInformer =
                manager.informers().informer(PersistentVolumeClaim.class);
        SharedInformer<Pod> pods = manager.informers().informer(Pod.class);
        pods.addIndex(BY_CLAIM, PersistentVolumeBinder::claimKeys);
        claimInformer.addIndex(BY_WAITING_CLASS, PersistentVolumeBinder::waitingClass);
        claimInformer.addIndex(
                BY_VOLUME, claim -> Volumes.volumeOf(claim).isEmpty() ? List.of() : List.of(Volumes.volumeOf(claim)));
        this.claims = claimInformer.lister();
        this.volumes = manager.informers().informer(PersistentVolume.class).lister();
        this.claimSync = new ClaimSync(
                writes,
                volumes,
                manager.informers().informer(StorageClass.class).lister(),
                pods.lister());
        this.volumeSync = new VolumeSync(writes, claims, pods.lister());
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        PersistentVolumeBinder binder = new PersistentVolumeBinder(manager);
        return Controller.of(NAME, PersistentVolumeClaim.class)
                .watches(PersistentVolumeClaim.class, (change, queue) -> {
                    if (change.isDeleted() && !Volumes.volumeOf(change.latest()).isEmpty()) {
                        queue.add(new Request("", Volumes.volumeOf(change.latest())));
                    }
                })
                .watches(PersistentVolume.class, binder::volumeChanged)
                .watches(StorageClass.class, binder::classChanged)
                .watches(
                        PodControl.PODS,
                        VolumeSync.RECYCLERS,
                        (change, queue) -> VolumeSync.recycled(change.latest()).ifPresent(queue::add))
                .reconcile(binder);
    }

    private static List<String> claimKeys(Pod pod) {
        List<String> keys = new ArrayList<>();
        if (pod.getSpec() != null) {
            pod.getSpec().getVolumes().forEach(volume -> {
                String name = Volumes.claimName(pod, volume);
                if (name != null) {
                    keys.add(pod.getMetadata().getNamespace() + "/" + name);
                }
            });
        }
        return keys;
    }

    private static List<String> waitingClass(PersistentVolumeClaim claim) {
        return Volumes.hasAnnotation(claim, Volumes.BIND_COMPLETED)
                        || !Volumes.volumeOf(claim).isEmpty()
                ? List.of()
                : List.of(Volumes.classOf(claim));
    }

    private void volumeChanged(Change<PersistentVolume> change, Enqueuer queue) {
        PersistentVolume volume = change.latest();
        queue.add(new Request("", volume.getMetadata().getName()));
        ObjectReference reference = volume.getSpec().getClaimRef();
        if (reference != null) {
            if (!change.isUpdated()) {
                queue.add(new Request(reference.getNamespace(), reference.getName()));
            }
        }
        if (change.isDeleted() || change.initial()) {
            return;
        }
        claims.byIndex(BY_VOLUME, volume.getMetadata().getName()).stream()
                .filter(claim -> !Volumes.hasAnnotation(claim, Volumes.BIND_COMPLETED))
                .forEach(claim -> queue.add(Request.of(claim)));
        for (PersistentVolumeClaim claim : claims.byIndex(BY_WAITING_CLASS, Volumes.classOf(volume))) {
            if (Volumes.isFor(volume, claim) || mayBind(claim, volume)) {
                queue.add(Request.of(claim));
            }
        }
    }

    private static boolean mayBind(PersistentVolumeClaim claim, PersistentVolume volume) {
        try {
            return Volumes.bestMatch(claim, List.of(volume), Set.of(), null, false) != null;
        } catch (IllegalArgumentException e) {
            return false; // the claim's own reconcile says what is wrong with its selector
        }
    }

    private void classChanged(Change<StorageClass> change, Enqueuer queue) {
        if (!change.isDeleted() && !change.initial()) {
            claims.byIndex(BY_WAITING_CLASS, change.latest().getMetadata().getName())
                    .forEach(claim -> queue.add(Request.of(claim)));
            claims.byIndex(BY_WAITING_CLASS, "").stream()
                    .filter(claim -> !Volumes.namesClass(claim))
                    .forEach(claim -> queue.add(Request.of(claim)));
        }
    }

    @Override
    public Result reconcile(Request request) {
        try {
            return sync(request);
        } catch (ApiException e) {
            if (e.isNotFound()) {
                return Result.done(); // gone while it was looked at: its deletion wakes what it concerns
            }
            throw e;
        }
    }

    private Result sync(Request request) {
        if (request.namespace().isEmpty()) {
            Optional<PersistentVolume> volume = volumes.get(null, request.name());
            return volume.isPresent() ? volumeSync.sync(volume.get()) : Result.done();
        }
        Optional<PersistentVolumeClaim> claim = claims.get(request.namespace(), request.name());
        return claim.isPresent() ? claimSync.sync(claim.get()) : Result.done();
    }
}
