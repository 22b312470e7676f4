package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.storage.CSINode;
import io.fabric8.kubernetes.api.model.storage.CSINodeDriver;
import io.fabric8.kubernetes.api.model.storage.StorageClass;
import io.trimtab.informer.Lister;
import io.trimtab.scheduler.framework.ClusterEvent;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.EnqueueExtensions;
import io.trimtab.scheduler.framework.FilterPlugin;
import io.trimtab.scheduler.framework.Handle;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.PreFilterPlugin;
import io.trimtab.scheduler.framework.PreFilterResult;
import io.trimtab.scheduler.framework.RegisteredEvent;
import io.trimtab.scheduler.framework.Snapshot;
import io.trimtab.scheduler.framework.Status;
import io.trimtab.volumes.Volumes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Puts no more volumes of a CSI driver on a node than the driver can attach there. Immutable. */
final class NodeVolumeLimits implements PreFilterPlugin, FilterPlugin, EnqueueExtensions {
    static final String NAME = "NodeVolumeLimits";
    private static final Status TOO_MANY = Status.unschedulable("node(s) exceed max volume count");

    private final Lister<PersistentVolumeClaim> claims;
    private final Lister<PersistentVolume> volumes;
    private final Lister<StorageClass> classes;
    private final Lister<CSINode> nodes;

    NodeVolumeLimits(Handle handle) {
        this.claims = handle.informers().informer(PersistentVolumeClaim.class).lister();
        this.volumes = handle.informers().informer(PersistentVolume.class).lister();
        this.classes = handle.informers().informer(StorageClass.class).lister();
        this.nodes = handle.informers().informer(CSINode.class).lister();
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public PreFilterResult preFilter(CycleState state, PodInfo pod, Snapshot snapshot) {
        for (Volume volume : pod.spec().getVolumes()) {
            if (volume.getPersistentVolumeClaim() != null || volume.getEphemeral() != null) {
                return PreFilterResult.ALL;
            }
        }
        return PreFilterResult.SKIP;
    }

    @Override
    public Status filter(CycleState state, PodInfo pod, NodeInfo node) {
        CSINode limits = nodes.get(null, node.name()).orElse(null);
        if (limits == null || limits.getSpec() == null) {
            return Status.SUCCESS;
        }
        Map<String, Integer> allowed = new HashMap<>();
        for (CSINodeDriver driver : limits.getSpec().getDrivers()) {
            if (driver.getAllocatable() != null && driver.getAllocatable().getCount() != null) {
                allowed.put(driver.getName(), driver.getAllocatable().getCount());
            }
        }
        if (allowed.isEmpty()) {
            return Status.SUCCESS;
        }
        Map<String, String> wanted = new HashMap<>();
        collect(pod, wanted);
        Map<String, String> taken = new HashMap<>();
        node.pods().forEach(other -> collect(other, taken));
        wanted.keySet().removeAll(taken.keySet());
        Map<String, Integer> counts = new HashMap<>();
        taken.values().forEach(driver -> counts.merge(driver, 1, Integer::sum));
        Map<String, Integer> more = new HashMap<>();
        wanted.values().forEach(driver -> more.merge(driver, 1, Integer::sum));
        for (Map.Entry<String, Integer> one : more.entrySet()) {
            Integer limit = allowed.get(one.getKey());
            if (limit != null && counts.getOrDefault(one.getKey(), 0) + one.getValue() > limit) {
                return TOO_MANY;
            }
        }
        return Status.SUCCESS;
    }

    /** The volumes that a pod needs attached, each with its driver. */
    private void collect(PodInfo pod, Map<String, String> drivers) {
        for (Volume volume : pod.spec().getVolumes()) {
            String name = Volumes.claimName(pod.pod(), volume);
            PersistentVolumeClaim claim =
                    name == null ? null : claims.get(pod.namespace(), name).orElse(null);
            if (claim != null) {
                add(claim, drivers);
            }
        }
    }

    private void add(PersistentVolumeClaim claim, Map<String, String> drivers) {
        String name = Volumes.volumeOf(claim);
        @Nullable
        PersistentVolume volume =
                name.isEmpty() ? null : volumes.get(null, name).orElse(null);
        if (volume == null) {
            // Not made yet: it will be by the driver that the class names.
            classes.get(null, Volumes.classOf(claim))
                    .ifPresent(storageClass -> drivers.put(
                            storageClass.getProvisioner() + "-"
                                    + claim.getMetadata().getNamespace() + "/"
                                    + claim.getMetadata().getName(),
                            storageClass.getProvisioner()));
        } else if (volume.getSpec().getCsi() != null) {
            String driver = volume.getSpec().getCsi().getDriver();
            drivers.put(driver + "/" + volume.getSpec().getCsi().getVolumeHandle(), driver);
        }
    }

    @Override
    public List<RegisteredEvent> eventsToRegister() {
        return List.of(
                RegisteredEvent.of(ClusterEvent.CSI_NODE, ClusterEvent.ADD | ClusterEvent.UPDATE),
                RegisteredEvent.of(
                        ClusterEvent.POD,
                        ClusterEvent.DELETE,
                        (pod, before, after) -> before instanceof PodInfo gone
                                && gone.spec().getVolumes().stream()
                                        .anyMatch(volume -> Volumes.claimName(gone.pod(), volume) != null)),
                RegisteredEvent.of(
                        ClusterEvent.CLAIM, ClusterEvent.ADD, (pod, before, after) -> PodClaims.uses(pod, after)));
    }
}
