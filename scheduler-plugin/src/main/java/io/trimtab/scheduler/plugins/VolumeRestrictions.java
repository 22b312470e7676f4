package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Volume;
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
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * Keeps two pods off one node that would use one disk which only one may use, and a second pod away from a claim that only one pod
 * of the cluster may use. Immutable.
 */
final class VolumeRestrictions implements PreFilterPlugin, FilterPlugin, EnqueueExtensions {
    static final String NAME = "VolumeRestrictions";
    private static final Status DISK = Status.unschedulable("node(s) had no available disk");
    private static final Status IN_USE = Status.unschedulable(
            "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod");

    private final Lister<PersistentVolumeClaim> claims;

    VolumeRestrictions(Handle handle) {
        this.claims = handle.informers().informer(PersistentVolumeClaim.class).lister();
    }

    /**
     * What the cycle knows.
     *
     * @param single the pod's claims that only one pod may use
     * @param conflicts how often other pods use them
     */
    private static final class Uses implements CycleState.Data {
        private final Set<String> single;
        private int conflicts;

        Uses(Set<String> single, int conflicts) {
            this.single = single;
            this.conflicts = conflicts;
        }

        @Override
        public CycleState.Data copy() {
            return new Uses(single, conflicts);
        }

        private void count(PodInfo pod, int sign) {
            for (String claim : PodClaims.named(pod)) {
                if (single.contains(claim)) {
                    conflicts += sign;
                }
            }
        }
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public PreFilterResult preFilter(CycleState state, PodInfo pod, Snapshot snapshot) {
        if (pod.spec().getVolumes().isEmpty()) {
            return PreFilterResult.SKIP;
        }
        Set<String> single = new HashSet<>();
        for (String name : PodClaims.named(pod)) {
            PersistentVolumeClaim claim = claims.get(pod.namespace(), name).orElse(null);
            if (claim == null) {
                return PreFilterResult.of(Status.unresolvable("persistentvolumeclaim \"" + name + "\" not found"));
            }
            if (claim.getSpec().getAccessModes().contains("ReadWriteOncePod")) {
                single.add(name);
            }
        }
        int conflicts = single.isEmpty() ? 0 : used(single, pod.namespace(), snapshot);
        if (conflicts == 0 && pod.spec().getVolumes().stream().noneMatch(VolumeRestrictions::isDisk)) {
            return PreFilterResult.SKIP;
        }
        state.put(NAME, new Uses(single, conflicts));
        return PreFilterResult.ALL;
    }

    /** How many of the claims some pod on a node uses. Looks at all pods: only for the rare pod with such a claim. */
    private static int used(Set<String> names, String namespace, Snapshot snapshot) {
        Set<String> used = new HashSet<>();
        for (NodeInfo node : snapshot.nodes()) {
            for (PodInfo other : node.pods()) {
                if (other.namespace().equals(namespace)) {
                    PodClaims.named(other).stream().filter(names::contains).forEach(used::add);
                }
            }
        }
        return used.size();
    }

    @Override
    public boolean tracksPods() {
        return true;
    }

    @Override
    public Status addPod(CycleState state, PodInfo pod, PodInfo added, NodeInfo node) {
        return count(state, pod, added, 1);
    }

    @Override
    public Status removePod(CycleState state, PodInfo pod, PodInfo removed, NodeInfo node) {
        return count(state, pod, removed, -1);
    }

    private static Status count(CycleState state, PodInfo pod, PodInfo other, int sign) {
        Uses uses = state.get(NAME, Uses.class);
        if (uses != null && other.namespace().equals(pod.namespace())) {
            uses.count(other, sign);
        }
        return Status.SUCCESS;
    }

    @Override
    public Status filter(CycleState state, PodInfo pod, NodeInfo node) {
        for (Volume volume : pod.spec().getVolumes()) {
            if (isDisk(volume)) {
                for (PodInfo other : node.pods()) {
                    if (clashes(volume, other)) {
                        return DISK;
                    }
                }
            }
        }
        Uses uses = state.get(NAME, Uses.class);
        return uses != null && uses.conflicts > 0 ? IN_USE : Status.SUCCESS;
    }

    private static boolean isDisk(Volume volume) {
        return volume.getGcePersistentDisk() != null
                || volume.getAwsElasticBlockStore() != null
                || volume.getRbd() != null
                || volume.getIscsi() != null;
    }

    private static boolean clashes(Volume volume, PodInfo other) {
        return other.spec().getVolumes().stream().anyMatch(taken -> clash(volume, taken));
    }

    private static boolean clash(Volume one, Volume other) {
        if (one.getGcePersistentDisk() != null && other.getGcePersistentDisk() != null) {
            var mine = one.getGcePersistentDisk();
            var taken = other.getGcePersistentDisk();
            if (Objects.equals(mine.getPdName(), taken.getPdName())
                    && !(isTrue(mine.getReadOnly()) && isTrue(taken.getReadOnly()))) {
                return true;
            }
        }
        if (one.getAwsElasticBlockStore() != null
                && other.getAwsElasticBlockStore() != null
                && Objects.equals(
                        one.getAwsElasticBlockStore().getVolumeID(),
                        other.getAwsElasticBlockStore().getVolumeID())) {
            return true;
        }
        if (one.getIscsi() != null && other.getIscsi() != null) {
            var mine = one.getIscsi();
            var taken = other.getIscsi();
            if (Objects.equals(mine.getIqn(), taken.getIqn())
                    && !(isTrue(mine.getReadOnly()) && isTrue(taken.getReadOnly()))) {
                return true;
            }
        }
        if (one.getRbd() != null && other.getRbd() != null) {
            var mine = one.getRbd();
            var taken = other.getRbd();
            return !Collections.disjoint(mine.getMonitors(), taken.getMonitors())
                    && Objects.equals(mine.getPool(), taken.getPool())
                    && Objects.equals(mine.getImage(), taken.getImage())
                    && !(isTrue(mine.getReadOnly()) && isTrue(taken.getReadOnly()));
        }
        return false;
    }

    private static boolean isTrue(Boolean value) {
        return Boolean.TRUE.equals(value);
    }

    @Override
    public List<RegisteredEvent> eventsToRegister() {
        return List.of(
                RegisteredEvent.of(
                        ClusterEvent.POD,
                        ClusterEvent.DELETE,
                        (pod, before, after) -> before instanceof PodInfo gone && frees(gone, pod)),
                RegisteredEvent.of(ClusterEvent.NODE, ClusterEvent.ADD),
                RegisteredEvent.of(
                        ClusterEvent.CLAIM, ClusterEvent.ADD, (pod, before, after) -> PodClaims.uses(pod, after)));
    }

    private static boolean frees(PodInfo gone, PodInfo pod) {
        return gone.namespace().equals(pod.namespace())
                && (pod.spec().getVolumes().stream().anyMatch(volume -> isDisk(volume) && clashes(volume, gone))
                        || !Collections.disjoint(PodClaims.named(pod), PodClaims.named(gone)));
    }
}
