package io.trimtab.controllers.persistentvolume;

import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.trimtab.client.Client;
import io.trimtab.client.KubernetesJson;
import io.trimtab.controller.Change;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.volumes.Volumes;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Grows the volumes of claims that ask for more; those of CSI drivers it leaves to the drivers, and says so. */
public final class VolumeExpander implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "persistentvolume-expander-controller";

    private static final String RESIZER = "volume.kubernetes.io/storage-resizer";

    private final Client client;
    private final EventRecorder events;
    private final Lister<PersistentVolumeClaim> claims;

    private VolumeExpander(Manager manager) {
        this.client = manager.client("expand-controller");
        this.events = manager.events("volume_expand");
        this.claims = manager.informers().informer(PersistentVolumeClaim.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        return Controller.<PersistentVolumeClaim>of(NAME, Writes.CLAIMS, VolumeExpander::asks)
                .workers(10)
                .reconcile(new VolumeExpander(manager));
    }

    private static boolean asks(Change<PersistentVolumeClaim> change) {
        if (change.isDeleted() || !isBound(change.latest()) || !grows(change.latest())) {
            return false;
        }
        PersistentVolumeClaim old = change.old();
        return old == null
                || !isBound(old)
                || Volumes.requested(old).compareTo(Volumes.requested(change.latest())) != 0
                || has(old).compareTo(has(change.latest())) != 0;
    }

    private static boolean isBound(PersistentVolumeClaim claim) {
        return claim.getStatus() != null && "Bound".equals(claim.getStatus().getPhase());
    }

    private static boolean grows(PersistentVolumeClaim claim) {
        return Volumes.requested(claim).compareTo(has(claim)) > 0;
    }

    private static BigDecimal has(PersistentVolumeClaim claim) {
        Map<String, Quantity> capacity =
                claim.getStatus() == null ? null : claim.getStatus().getCapacity();
        return capacity == null ? BigDecimal.ZERO : Volumes.amount(capacity.get("storage"));
    }

    @Override
    public Result reconcile(Request request) {
        PersistentVolumeClaim claim =
                claims.get(request.namespace(), request.name()).orElse(null);
        if (claim == null || !isBound(claim) || !grows(claim)) {
            return Result.done();
        }
        PersistentVolume volume =
                client.get(Writes.VOLUMES, null, Volumes.volumeOf(claim)).orElse(null);
        if (volume == null) {
            throw new IllegalStateException("failed to get PV \"" + Volumes.volumeOf(claim) + "\": persistentvolumes \""
                    + Volumes.volumeOf(claim) + "\" not found");
        }
        var reference = volume.getSpec().getClaimRef();
        if (reference == null || !claim.getMetadata().getUid().equals(reference.getUid())) {
            throw new IllegalStateException("persistent Volume is not bound to PVC being updated : " + request);
        }
        String migrated = InTreePlugins.migratedPlugin(volume);
        if (migrated != null) {
            leave(claim, migrated);
        } else if (volume.getSpec().getCsi() != null || volume.getSpec().getFlexVolume() != null) {
            events.normal(claim, "ExternalExpanding", "waiting for an external controller to expand this PVC");
        } else if (volume.getSpec().getHostPath() == null) {
            events.warning(claim, "ExternalExpanding", "waiting for an external controller to expand this PVC");
        } else {
            expand(claim, volume);
        }
        return Result.done();
    }

    private void leave(PersistentVolumeClaim claim, String plugin) {
        events.normal(
                claim,
                "ExternalExpanding",
                "CSI migration enabled for " + plugin + "; waiting for external resizer to expand the pvc");
        @Nullable String driver = InTreePlugins.driverFor(plugin);
        if (driver != null && !driver.equals(Volumes.annotation(claim, RESIZER))) {
            client.update(
                    Writes.CLAIMS,
                    new PersistentVolumeClaimBuilder(claim)
                            .editMetadata()
                            .addToAnnotations(RESIZER, driver)
                            .endMetadata()
                            .build());
        }
    }

    /** A directory has no size: it grows at once. */
    private void expand(PersistentVolumeClaim claim, PersistentVolume volume) {
        Quantity size = claim.getSpec().getResources().getRequests().get("storage");
        if (Volumes.capacity(volume).compareTo(Volumes.amount(size)) < 0) {
            client.update(
                    Writes.VOLUMES,
                    new PersistentVolumeBuilder(volume)
                            .editSpec()
                            .addToCapacity("storage", size)
                            .endSpec()
                            .build());
        }
        PersistentVolumeClaim changed = KubernetesJson.copy(claim);
        changed.getStatus().setCapacity(Map.of("storage", size));
        changed.getStatus().setAllocatedResources(Map.of("storage", size));
        changed.getStatus().setAllocatedResourceStatuses(null);
        changed.getStatus()
                .setConditions(changed.getStatus().getConditions().stream()
                        .filter(condition ->
                                !List.of("Resizing", "FileSystemResizePending").contains(condition.getType()))
                        .toList());
        client.updateStatus(Writes.CLAIMS, changed);
    }
}
