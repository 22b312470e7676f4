package io.trimtab.controllers.persistentvolume;

import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimStatus;
import io.fabric8.kubernetes.api.model.Quantity;
import io.trimtab.client.Client;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.ResourceType;
import io.trimtab.events.EventRecorder;
import io.trimtab.volumes.Volumes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Writes what the binder decides, each step only if it changes something. A conflict throws: the key is looked at again. The order
 * of the steps of a binding (volume, its phase, claim, its phase) is such that whoever crashes in between is carried on from there.
 */
final class Writes {
    static final ResourceType<PersistentVolume> VOLUMES = ResourceType.of(PersistentVolume.class);
    static final ResourceType<PersistentVolumeClaim> CLAIMS = ResourceType.of(PersistentVolumeClaim.class);

    private static final String BETA_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner";
    private static final String PRE_RESIZE = "volume.alpha.kubernetes.io/pre-resize-capacity";

    private final Client client;
    private final EventRecorder events;

    Writes(Client client, EventRecorder events) {
        this.client = client;
        this.events = events;
    }

    Client client() {
        return client;
    }

    EventRecorder events() {
        return events;
    }

    void bind(PersistentVolume volume, PersistentVolumeClaim claim) {
        PersistentVolume bound = Volumes.bound(volume, claim);
        if (bound != volume) {
            bound = client.update(VOLUMES, bound);
        }
        bound = phase(bound, "Bound", "");
        PersistentVolumeClaim completed = complete(claim, bound);
        phase(completed, "Bound", bound);
    }

    /** The claim with its side of the binding. */
    private PersistentVolumeClaim complete(PersistentVolumeClaim claim, PersistentVolume volume) {
        String name = volume.getMetadata().getName();
        boolean binds = !name.equals(claim.getSpec().getVolumeName());
        if (!binds && Volumes.hasAnnotation(claim, Volumes.BIND_COMPLETED)) {
            return claim;
        }
        var changed = new PersistentVolumeClaimBuilder(claim)
                .editMetadata()
                .addToAnnotations(Volumes.BIND_COMPLETED, "yes")
                .endMetadata()
                .editSpec()
                .withVolumeName(name)
                .endSpec();
        if (binds && !Volumes.hasAnnotation(claim, Volumes.BOUND_BY_CONTROLLER)) {
            changed.editMetadata()
                    .addToAnnotations(Volumes.BOUND_BY_CONTROLLER, "yes")
                    .endMetadata();
        }
        return client.update(CLAIMS, changed.build());
    }

    /** Frees the volume: for anybody if the binder had chosen it, else for the claim's name that the user wrote. */
    void unbind(PersistentVolume volume) {
        PersistentVolume changed = KubernetesJson.copy(volume);
        if (Volumes.hasAnnotation(volume, Volumes.BOUND_BY_CONTROLLER)) {
            changed.getSpec().setClaimRef(null);
            Map<String, String> annotations = new HashMap<>(volume.getMetadata().getAnnotations());
            annotations.remove(Volumes.BOUND_BY_CONTROLLER);
            changed.getMetadata().setAnnotations(annotations.isEmpty() ? null : annotations);
        } else {
            changed.getSpec().getClaimRef().setUid(null);
        }
        phase(client.update(VOLUMES, changed), "Available", "");
    }

    PersistentVolume phase(PersistentVolume volume, String phase, String message) {
        String before = volume.getStatus() == null ? null : volume.getStatus().getPhase();
        if (phase.equals(before)) {
            return volume;
        }
        return client.updateStatus(
                VOLUMES,
                new PersistentVolumeBuilder(volume)
                        .editOrNewStatus()
                        .withPhase(phase)
                        .withMessage(message.isEmpty() ? null : message)
                        .endStatus()
                        .build());
    }

    /** Marks a volume as failed, and says so once. */
    void fail(PersistentVolume volume, String reason, String message) {
        PersistentVolume changed = phase(volume, "Failed", message);
        if (changed != volume) {
            events.warning(changed, reason, message);
        }
    }

    /** Marks a claim as lost, and says so once. */
    void lose(PersistentVolumeClaim claim, String reason, String message) {
        boolean changes =
                claim.getStatus() == null || !"Lost".equals(claim.getStatus().getPhase());
        if (changes) {
            events.warning(phase(claim, "Lost", null), reason, message);
        }
    }

    /**
     * Writes a claim's phase and what it has of its volume.
     *
     * @param volume null if it has none
     */
    PersistentVolumeClaim phase(PersistentVolumeClaim claim, String phase, @Nullable PersistentVolume volume) {
        PersistentVolumeClaim changed = KubernetesJson.copy(claim);
        if (changed.getStatus() == null) {
            changed.setStatus(new PersistentVolumeClaimStatus());
        }
        PersistentVolumeClaimStatus status = changed.getStatus();
        String before = status.getPhase();
        boolean dirty = !phase.equals(before);
        status.setPhase(phase);
        if (volume == null) {
            dirty |= !status.getAccessModes().isEmpty()
                    || status.getCapacity() != null && !status.getCapacity().isEmpty()
                    || status.getCurrentVolumeAttributesClassName() != null;
            status.setAccessModes(List.of());
            status.setCapacity(null);
            status.setCurrentVolumeAttributesClassName(null);
        } else {
            List<String> modes = volume.getSpec().getAccessModes();
            dirty |= !modes.equals(status.getAccessModes());
            status.setAccessModes(modes);
            if (!phase.equals(before)) {
                status.setCapacity(capacity(volume, status.getCapacity()));
            }
            String attributes = volume.getSpec().getVolumeAttributesClassName();
            if ("Pending".equals(before)
                    && phase.equals("Bound")
                    && !Objects.equals(status.getCurrentVolumeAttributesClassName(), attributes)) {
                status.setCurrentVolumeAttributesClassName(attributes);
                dirty = true;
            }
        }
        return dirty ? client.updateStatus(CLAIMS, changed) : claim;
    }

    private static Map<String, Quantity> capacity(PersistentVolume volume, @Nullable Map<String, Quantity> before) {
        Map<String, Quantity> capacity = volume.getSpec().getCapacity();
        if (capacity == null || !capacity.containsKey("storage")) {
            throw new IllegalStateException(
                    "PersistentVolume \"" + volume.getMetadata().getName() + "\" is without a storage capacity");
        }
        String preResize = Volumes.annotation(volume, PRE_RESIZE);
        if (preResize != null) {
            Map<String, Quantity> kept = before == null ? new HashMap<>() : new HashMap<>(before);
            kept.put("storage", Quantity.parse(preResize));
            return kept;
        }
        return capacity;
    }

    /** Writes on the claim who is to make a volume for it. */
    PersistentVolumeClaim provisioner(PersistentVolumeClaim claim, String name) {
        if (name.equals(Volumes.annotation(claim, Volumes.PROVISIONER))) {
            return claim;
        }
        PersistentVolumeClaim changed = new PersistentVolumeClaimBuilder(claim)
                .editMetadata()
                .addToAnnotations(BETA_PROVISIONER, name)
                .addToAnnotations(Volumes.PROVISIONER, name)
                .endMetadata()
                .build();
        return client.update(CLAIMS, migrated(changed));
    }

    /** The claim with the driver that has taken over from the plugin; the same object if nothing changes. Not written. */
    static PersistentVolumeClaim migrated(PersistentVolumeClaim claim) {
        Map<String, String> annotations = Migration.corrected(claim, Volumes.PROVISIONER, BETA_PROVISIONER);
        return annotations == null
                ? claim
                : new PersistentVolumeClaimBuilder(claim)
                        .editMetadata()
                        .withAnnotations(annotations)
                        .endMetadata()
                        .build();
    }
}
