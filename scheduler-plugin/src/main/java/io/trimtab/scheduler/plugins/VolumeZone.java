package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Holds pods to the zones of their volumes, as these say by labels. Immutable. */
final class VolumeZone implements PreFilterPlugin, FilterPlugin, EnqueueExtensions {
    static final String NAME = "VolumeZone";
    private static final Status ELSEWHERE = Status.unresolvable("node(s) had no available volume zone");

    /** The labels that say where, old names first, and their names now. */
    private static final List<String> LABELS = List.of(
            "failure-domain.beta.kubernetes.io/zone",
            "failure-domain.beta.kubernetes.io/region",
            "topology.kubernetes.io/zone",
            "topology.kubernetes.io/region");

    private static final Map<String, String> RENAMED =
            Map.of(LABELS.get(0), LABELS.get(2), LABELS.get(1), LABELS.get(3));

    private final Lister<PersistentVolumeClaim> claims;
    private final Lister<PersistentVolume> volumes;
    private final Lister<StorageClass> classes;

    VolumeZone(Handle handle) {
        this.claims = handle.informers().informer(PersistentVolumeClaim.class).lister();
        this.volumes = handle.informers().informer(PersistentVolume.class).lister();
        this.classes = handle.informers().informer(StorageClass.class).lister();
    }

    private record Place(String key, Set<String> values) {}

    private record Places(List<Place> all) implements CycleState.Data {
        @Override
        public CycleState.Data copy() {
            return this;
        }
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public PreFilterResult preFilter(CycleState state, PodInfo pod, Snapshot snapshot) {
        List<Place> places = new ArrayList<>();
        for (String name : PodClaims.named(pod)) {
            if (name.isEmpty()) {
                return refused("PersistentVolumeClaim had no name");
            }
            PersistentVolumeClaim claim = claims.get(pod.namespace(), name).orElse(null);
            if (claim == null) {
                return refused("persistentvolumeclaim \"" + name + "\" not found");
            }
            String volumeName = Volumes.volumeOf(claim);
            if (volumeName.isEmpty()) {
                String className = Volumes.classOf(claim);
                if (className.isEmpty()) {
                    return refused("PersistentVolumeClaim had no pv name and storageClass name");
                }
                StorageClass storageClass = classes.get(null, className).orElse(null);
                if (storageClass == null) {
                    return refused("storageclass.storage.k8s.io \"" + className + "\" not found");
                }
                if (storageClass.getVolumeBindingMode() == null) {
                    return refused("VolumeBindingMode not set for StorageClass \"" + className + "\"");
                }
                if (Volumes.isDelayed(storageClass)) {
                    continue;
                }
                return refused("PersistentVolume had no name");
            }
            PersistentVolume volume = volumes.get(null, volumeName).orElse(null);
            if (volume == null) {
                return refused("persistentvolume \"" + volumeName + "\" not found");
            }
            addPlaces(volume, places);
        }
        if (places.isEmpty()) {
            return PreFilterResult.SKIP;
        }
        state.put(NAME, new Places(places));
        return PreFilterResult.ALL;
    }

    private static PreFilterResult refused(String why) {
        return PreFilterResult.of(Status.unresolvable(why));
    }

    private static void addPlaces(PersistentVolume volume, List<Place> places) {
        Map<String, String> labels = volume.getMetadata().getLabels();
        if (labels != null) {
            for (String key : LABELS) {
                String value = labels.get(key);
                if (value != null) {
                    // A volume in several zones names them in one label.
                    places.add(new Place(key, Set.of(value.split("__"))));
                }
            }
        }
    }

    @Override
    public Status filter(CycleState state, PodInfo pod, NodeInfo node) {
        Places places = state.get(NAME, Places.class);
        if (places == null || LABELS.stream().noneMatch(node.labels()::containsKey)) {
            return Status.SUCCESS;
        }
        for (Place place : places.all()) {
            String value = node.labels().get(place.key());
            if (value == null) {
                value = node.labels().get(RENAMED.getOrDefault(place.key(), place.key()));
            }
            if (value == null || !place.values().contains(value)) {
                return ELSEWHERE;
            }
        }
        return Status.SUCCESS;
    }

    @Override
    public List<RegisteredEvent> eventsToRegister() {
        return List.of(
                RegisteredEvent.of(
                        ClusterEvent.STORAGE_CLASS,
                        ClusterEvent.ADD,
                        (pod, before, after) -> after instanceof StorageClass added && Volumes.isDelayed(added)),
                RegisteredEvent.of(ClusterEvent.NODE, ClusterEvent.ADD | ClusterEvent.UPDATE_NODE_LABEL),
                RegisteredEvent.of(
                        ClusterEvent.CLAIM,
                        ClusterEvent.ADD | ClusterEvent.UPDATE,
                        (pod, before, after) -> PodClaims.uses(pod, after)),
                RegisteredEvent.of(ClusterEvent.VOLUME, ClusterEvent.ADD | ClusterEvent.UPDATE));
    }
}
