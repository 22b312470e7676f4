package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.TopologySelectorTerm;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.storage.CSIDriver;
import io.fabric8.kubernetes.api.model.storage.CSIStorageCapacity;
import io.fabric8.kubernetes.api.model.storage.StorageClass;
import io.trimtab.client.ApiException;
import io.trimtab.client.ResourceType;
import io.trimtab.informer.EventHandler;
import io.trimtab.informer.Lister;
import io.trimtab.runtime.Driver;
import io.trimtab.scheduler.framework.AwaitingPreBindPlugin;
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
import io.trimtab.scheduler.framework.ReservePlugin;
import io.trimtab.scheduler.framework.Snapshot;
import io.trimtab.scheduler.framework.Status;
import io.trimtab.selector.model.ModelSelectors;
import io.trimtab.volumes.Volumes;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Sends pods to nodes that reach their volumes. For claims whose class waits for a first consumer it chooses a free volume that the
 * node reaches, or asks for a new one there, and lets the pod in when the binder has bound them. All on the scheduler's lane, but
 * the writes.
 */
final class VolumeBinding
        implements PreFilterPlugin, FilterPlugin, ReservePlugin, AwaitingPreBindPlugin, EnqueueExtensions {
    static final String NAME = "VolumeBinding";
    private static final ResourceType<PersistentVolume> VOLUMES = ResourceType.of(PersistentVolume.class);
    private static final ResourceType<PersistentVolumeClaim> CLAIMS = ResourceType.of(PersistentVolumeClaim.class);

    private static final String NOT_REACHED = "node(s) didn't match PersistentVolume's node affinity";
    private static final String NONE_FREE = "node(s) didn't find available persistent volumes to bind";
    private static final String NO_SPACE = "node(s) did not have enough free storage";
    private static final String NO_VOLUME = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";

    private final Handle handle;
    private final Duration timeout;
    private final Lister<Pod> pods;
    private final Lister<Node> nodes;
    private final Lister<PersistentVolumeClaim> claims;
    private final Lister<PersistentVolume> volumes;
    private final Lister<StorageClass> classes;
    private final Lister<CSIDriver> drivers;
    private final Lister<CSIStorageCapacity> capacities;

    // On the lane only: what was decided and is not in the informers yet, by key.
    private final Map<String, PersistentVolume> assumedVolumes = new HashMap<>();
    private final Map<String, PersistentVolumeClaim> assumedClaims = new HashMap<>();
    private final Set<Wait> waits = new HashSet<>();

    VolumeBinding(Handle handle, Duration timeout) {
        this.handle = handle;
        this.timeout = timeout;
        var informers = handle.informers();
        this.pods = informers.informer(Pod.class).lister();
        this.nodes = informers.informer(Node.class).lister();
        var claimInformer = informers.informer(PersistentVolumeClaim.class);
        var volumeInformer = informers.informer(PersistentVolume.class);
        this.claims = claimInformer.lister();
        this.volumes = volumeInformer.lister();
        this.classes = informers.informer(StorageClass.class).lister();
        this.drivers = informers.informer(CSIDriver.class).lister();
        this.capacities = informers.informer(CSIStorageCapacity.class).lister();
        claimInformer.addHandler(new Waker<>());
        volumeInformer.addHandler(new Waker<>());
        informers.informer(Pod.class).addHandler(new PodsGone());
    }

    /** A choice for one node: volumes for claims, and claims that need new ones. */
    private static final class Choice {
        private final List<Binding> bindings = new ArrayList<>();
        private final List<PersistentVolumeClaim> provisions = new ArrayList<>();
    }

    private record Binding(PersistentVolume volume, PersistentVolumeClaim claim) {}

    /** The pod's claims, and what was found for them on each node. Dry runs share it, as they only add to it. */
    private static final class State implements CycleState.Data {
        private final List<PersistentVolumeClaim> bound = new ArrayList<>();
        private final List<PersistentVolumeClaim> delayed = new ArrayList<>();
        private final Map<String, List<PersistentVolume>> free = new HashMap<>();
        private final Map<String, Choice> choices = new HashMap<>();
        private boolean allBound;

        @Override
        public CycleState.Data copy() {
            return this;
        }
    }

    /** A pod that waits for its claims. */
    private static final class Wait {
        private final PodInfo pod;
        private final String node;
        private final Choice choice;
        private final Consumer<Status> done;
        private boolean written;
        private Driver.@Nullable Timer timer;

        Wait(PodInfo pod, String node, Choice choice, Consumer<Status> done) {
            this.pod = pod;
            this.node = node;
            this.choice = choice;
            this.done = done;
        }
    }

    @Override
    public String name() {
        return NAME;
    }

    // ---- before any node

    @Override
    public PreFilterResult preFilter(CycleState state, PodInfo pod, Snapshot snapshot) {
        State data = new State();
        boolean immediate = false;
        boolean any = false;
        for (Volume volume : pod.spec().getVolumes()) {
            String name = Volumes.claimName(pod.pod(), volume);
            if (name == null) {
                continue;
            }
            any = true;
            PersistentVolumeClaim claim = claim(pod.namespace(), name);
            String problem = problem(pod, volume, name, claim);
            if (problem != null || claim == null) {
                return PreFilterResult.of(Status.unresolvable(String.valueOf(problem)));
            }
            if (Volumes.isFullyBound(claim)) {
                data.bound.add(claim);
            } else if (Volumes.volumeOf(claim).isEmpty() && Volumes.isDelayed(classOf(claim))) {
                data.delayed.add(claim);
            } else {
                immediate = true;
            }
        }
        if (!any) {
            return PreFilterResult.SKIP;
        }
        if (immediate) {
            return PreFilterResult.of(Status.unresolvable("pod has unbound immediate PersistentVolumeClaims"));
        }
        for (PersistentVolumeClaim claim : data.delayed) {
            data.free.computeIfAbsent(Volumes.classOf(claim), this::volumesOfClass);
        }
        state.put(NAME, data);
        return PreFilterResult.ALL;
    }

    private @Nullable String problem(PodInfo pod, Volume volume, String name, @Nullable PersistentVolumeClaim claim) {
        boolean ephemeral = volume.getEphemeral() != null;
        if (claim == null) {
            return ephemeral
                    ? "waiting for ephemeral volume controller to create the persistentvolumeclaim \"" + name + "\""
                    : "persistentvolumeclaim \"" + name + "\" not found";
        }
        if (claim.getStatus() != null && "Lost".equals(claim.getStatus().getPhase())) {
            return "persistentvolumeclaim \"" + name + "\" bound to non-existent persistentvolume \""
                    + Volumes.volumeOf(claim) + "\"";
        }
        if (claim.getMetadata().getDeletionTimestamp() != null) {
            return "persistentvolumeclaim \"" + name + "\" is being deleted";
        }
        return ephemeral ? Volumes.notOwned(pod.pod(), claim) : null;
    }

    private @Nullable StorageClass classOf(PersistentVolumeClaim claim) {
        String name = Volumes.classOf(claim);
        return name.isEmpty() ? null : classes.get(null, name).orElse(null);
    }

    private List<PersistentVolume> volumesOfClass(String name) {
        return volumes.list().stream()
                .map(this::newest)
                .filter(volume -> Volumes.classOf(volume).equals(name))
                .sorted(Comparator.comparing(volume -> volume.getMetadata().getName()))
                .toList();
    }

    // ---- the informers' state and what was assumed on top of it

    private @Nullable PersistentVolumeClaim claim(String namespace, String name) {
        String key = namespace + "/" + name;
        PersistentVolumeClaim known = claims.get(namespace, name).orElse(null);
        PersistentVolumeClaim assumed = assumedClaims.get(key);
        if (assumed == null) {
            return known;
        }
        if (known == null || PodClaims.revision(known) > PodClaims.revision(assumed)) {
            assumedClaims.remove(key);
            return known;
        }
        return assumed;
    }

    private PersistentVolume newest(PersistentVolume known) {
        String name = known.getMetadata().getName();
        PersistentVolume assumed = assumedVolumes.get(name);
        if (assumed == null) {
            return known;
        }
        if (PodClaims.revision(known) > PodClaims.revision(assumed)) {
            assumedVolumes.remove(name);
            return known;
        }
        return assumed;
    }

    // ---- node by node

    @Override
    public Status filter(CycleState state, PodInfo pod, NodeInfo node) {
        State data = state.get(NAME, State.class);
        if (data == null) {
            return Status.error("reading \"" + NAME + "\" from cycleState: not found");
        }
        List<String> reasons = new ArrayList<>(2);
        boolean missing = false;
        for (PersistentVolumeClaim claim : data.bound) {
            PersistentVolume volume =
                    volumes.get(null, Volumes.volumeOf(claim)).map(this::newest).orElse(null);
            if (volume == null) {
                missing = true;
                break;
            }
            if (!PodClaims.reaches(node.name(), node.labels(), volume)) {
                reasons.add(NOT_REACHED);
                break;
            }
        }
        Choice choice = new Choice();
        if (!data.delayed.isEmpty()) {
            String reason = choose(data, node, choice);
            if (reason != null) {
                reasons.add(reason);
            }
        }
        if (missing) {
            reasons.add(NO_VOLUME);
        }
        if (!reasons.isEmpty()) {
            return Status.unresolvable(reasons.toArray(String[]::new));
        }
        data.choices.put(node.name(), choice);
        return Status.SUCCESS;
    }

    /** Fills the choice; the answer says why it cannot, null if it could. */
    private @Nullable String choose(State data, NodeInfo node, Choice choice) {
        List<PersistentVolumeClaim> toMatch = new ArrayList<>();
        List<PersistentVolumeClaim> toProvision = new ArrayList<>();
        for (PersistentVolumeClaim claim : data.delayed) {
            String selected = Volumes.annotation(claim, Volumes.SELECTED_NODE);
            if (selected == null) {
                toMatch.add(claim);
            } else if (selected.equals(node.name())) {
                toProvision.add(claim);
            } else {
                return NONE_FREE;
            }
        }
        toMatch.sort(Comparator.comparing(Volumes::requested));
        Set<String> taken = new HashSet<>();
        for (PersistentVolumeClaim claim : toMatch) {
            PersistentVolume match = Volumes.bestMatch(
                    claim,
                    data.free.getOrDefault(Volumes.classOf(claim), List.of()),
                    taken,
                    volume -> PodClaims.reaches(node.name(), node.labels(), volume),
                    true);
            if (match == null) {
                toProvision.add(claim);
            } else {
                taken.add(match.getMetadata().getName());
                choice.bindings.add(new Binding(match, claim));
            }
        }
        for (PersistentVolumeClaim claim : toProvision) {
            StorageClass storageClass = classOf(claim);
            if (storageClass == null
                    || storageClass.getProvisioner() == null
                    || storageClass.getProvisioner().isEmpty()
                    || storageClass.getProvisioner().equals(Volumes.NO_PROVISIONER)
                    || !allows(storageClass, node)) {
                return NONE_FREE;
            }
            if (!hasSpace(storageClass, claim, node)) {
                return NO_SPACE;
            }
            choice.provisions.add(claim);
        }
        return null;
    }

    private static boolean allows(StorageClass storageClass, NodeInfo node) {
        List<TopologySelectorTerm> terms = storageClass.getAllowedTopologies();
        return terms == null
                || terms.isEmpty()
                || terms.stream()
                        .anyMatch(term -> term.getMatchLabelExpressions().stream()
                                .allMatch(wanted -> wanted.getValues()
                                        .contains(node.labels().get(wanted.getKey()))));
    }

    /** Asks only drivers that say how much they have. */
    private boolean hasSpace(StorageClass storageClass, PersistentVolumeClaim claim, NodeInfo node) {
        CSIDriver driver = drivers.get(null, storageClass.getProvisioner()).orElse(null);
        if (driver == null || !Boolean.TRUE.equals(driver.getSpec().getStorageCapacity())) {
            return true;
        }
        BigDecimal size = Volumes.requested(claim);
        for (CSIStorageCapacity capacity : capacities.list()) {
            Quantity limit =
                    capacity.getMaximumVolumeSize() != null ? capacity.getMaximumVolumeSize() : capacity.getCapacity();
            if (storageClass.getMetadata().getName().equals(capacity.getStorageClassName())
                    && limit != null
                    && Volumes.amount(limit).compareTo(size) >= 0
                    && capacity.getNodeTopology() != null
                    && ModelSelectors.of(capacity.getNodeTopology()).matches(node.labels())) {
                return true;
            }
        }
        return false;
    }

    // ---- the chosen node

    @Override
    public Status reserve(CycleState state, PodInfo pod, String nodeName) {
        State data = state.get(NAME, State.class);
        Choice choice = data == null ? null : data.choices.get(nodeName);
        if (data == null || choice == null || data.delayed.isEmpty()) {
            if (data != null) {
                data.allBound = true;
            }
            return Status.SUCCESS;
        }
        choice.bindings.replaceAll(binding -> {
            PersistentVolume bound = Volumes.bound(binding.volume(), binding.claim());
            if (bound != binding.volume()) {
                assumedVolumes.put(bound.getMetadata().getName(), bound);
            }
            return new Binding(bound, binding.claim());
        });
        choice.provisions.replaceAll(claim -> {
            PersistentVolumeClaim selected = new PersistentVolumeClaimBuilder(claim)
                    .editMetadata()
                    .addToAnnotations(Volumes.SELECTED_NODE, nodeName)
                    .endMetadata()
                    .build();
            assumedClaims.put(key(selected), selected);
            return selected;
        });
        return Status.SUCCESS;
    }

    private static String key(PersistentVolumeClaim claim) {
        return claim.getMetadata().getNamespace() + "/" + claim.getMetadata().getName();
    }

    @Override
    public void unreserve(CycleState state, PodInfo pod, String nodeName) {
        State data = state.get(NAME, State.class);
        Choice choice = data == null ? null : data.choices.get(nodeName);
        if (choice != null) {
            choice.bindings.forEach(binding ->
                    assumedVolumes.remove(binding.volume().getMetadata().getName()));
            choice.provisions.forEach(claim -> assumedClaims.remove(key(claim)));
        }
    }

    @Override
    public void await(CycleState state, PodInfo pod, String nodeName, Consumer<Status> done) {
        State data = state.get(NAME, State.class);
        Choice choice = data == null ? null : data.choices.get(nodeName);
        if (data == null || data.allBound || choice == null) {
            done.accept(Status.SUCCESS);
            return;
        }
        Wait wait = new Wait(pod, nodeName, choice, done);
        waits.add(wait);
        wait.timer = handle.driver()
                .schedule(
                        timeout,
                        () -> handle.onLane(
                                () -> end(wait, Status.error("binding volumes: context deadline exceeded"))));
        handle.write(pod, () -> write(wait));
    }

    /** Beside the lane. */
    private void write(Wait wait) {
        Choice choice = wait.choice;
        List<Binding> bindings = new ArrayList<>();
        List<PersistentVolumeClaim> provisions = new ArrayList<>();
        try {
            for (Binding binding : choice.bindings) {
                bindings.add(new Binding(handle.client().update(VOLUMES, binding.volume()), binding.claim()));
            }
            for (PersistentVolumeClaim claim : choice.provisions) {
                provisions.add(handle.client().update(CLAIMS, claim));
            }
        } catch (ApiException e) {
            handle.onLane(() -> end(wait, Status.error(e)));
            return;
        }
        handle.onLane(() -> {
            choice.bindings.clear();
            choice.bindings.addAll(bindings);
            choice.provisions.clear();
            choice.provisions.addAll(provisions);
            wait.written = true;
            check(wait);
        });
    }

    private void end(Wait wait, Status status) {
        if (waits.remove(wait)) {
            Driver.Timer timer = wait.timer;
            if (timer != null) {
                timer.cancel();
            }
            wait.done.accept(status);
        }
    }

    private void checkAll() {
        for (Wait wait : List.copyOf(waits)) {
            check(wait);
        }
    }

    /** Looks at what the API says, not at what is assumed. */
    private void check(Wait wait) {
        if (!wait.written) {
            return;
        }
        try {
            if (isBound(wait)) {
                end(wait, Status.SUCCESS);
            }
        } catch (IllegalStateException e) {
            end(wait, Status.error("binding volumes: " + e.getMessage()));
        }
    }

    private boolean isBound(Wait wait) {
        Node node = nodes.get(null, wait.node)
                .orElseThrow(() -> new IllegalStateException(
                        "failed to get node \"" + wait.node + "\": node \"" + wait.node + "\" not found"));
        if (pods.get(wait.pod.namespace(), wait.pod.name()).isEmpty()) {
            throw new IllegalStateException("pod does not exist any more: pod \"" + wait.pod.name() + "\" not found");
        }
        for (Binding binding : wait.choice.bindings) {
            PersistentVolume volume = existing(
                    volumes.get(null, binding.volume().getMetadata().getName()).orElse(null),
                    "failed to check binding");
            PersistentVolumeClaim claim = existing(current(binding.claim()), "failed to check binding");
            if (PodClaims.revision(binding.volume()) > PodClaims.revision(volume)) {
                return false;
            }
            checkReach(volume, node);
            var reference = volume.getSpec().getClaimRef();
            if (reference == null
                    || reference.getUid() == null
                    || reference.getUid().isEmpty()) {
                throw new IllegalStateException(
                        "ClaimRef got reset for pv \"" + volume.getMetadata().getName() + "\"");
            }
            if (!Volumes.isFullyBound(claim)) {
                return false;
            }
        }
        for (PersistentVolumeClaim asked : wait.choice.provisions) {
            PersistentVolumeClaim claim = existing(current(asked), "failed to check provisioning pvc");
            if (PodClaims.revision(asked) > PodClaims.revision(claim)) {
                return false;
            }
            if (!Objects.equals(Volumes.annotation(claim, Volumes.SELECTED_NODE), wait.node)) {
                throw new IllegalStateException(
                        "provisioning failed for PVC \"" + claim.getMetadata().getName() + "\"");
            }
            if (!Volumes.volumeOf(claim).isEmpty()) {
                PersistentVolume volume =
                        volumes.get(null, Volumes.volumeOf(claim)).orElse(null);
                if (volume == null) {
                    return false;
                }
                checkReach(volume, node);
            }
            if (!Volumes.isFullyBound(claim)) {
                return false;
            }
        }
        return true;
    }

    private @Nullable PersistentVolumeClaim current(PersistentVolumeClaim claim) {
        return claims.get(
                        claim.getMetadata().getNamespace(), claim.getMetadata().getName())
                .orElse(null);
    }

    private static <T> T existing(@Nullable T object, String doing) {
        if (object == null) {
            throw new IllegalStateException(doing + ": could not find the object");
        }
        return object;
    }

    private static void checkReach(PersistentVolume volume, Node node) {
        Map<String, String> labels = node.getMetadata().getLabels() == null
                ? Map.of()
                : node.getMetadata().getLabels();
        if (!PodClaims.reaches(node.getMetadata().getName(), labels, volume)) {
            throw new IllegalStateException("pv \"" + volume.getMetadata().getName()
                    + "\" node affinity doesn't match node \""
                    + node.getMetadata().getName()
                    + "\": no matching NodeSelectorTerms");
        }
    }

    /** Looks at the waiting pods again. */
    private final class Waker<T> implements EventHandler<T> {
        @Override
        public void onAdd(T object, boolean initial) {
            if (!initial) {
                handle.onLane(VolumeBinding.this::checkAll);
            }
        }

        @Override
        public void onUpdate(T old, T object) {
            handle.onLane(VolumeBinding.this::checkAll);
        }

        @Override
        public void onDelete(T object, boolean finalStateUnknown) {
            handle.onLane(VolumeBinding.this::checkAll);
        }
    }

    private final class PodsGone implements EventHandler<Pod> {
        @Override
        public void onAdd(Pod object, boolean initial) {}

        @Override
        public void onUpdate(Pod old, Pod object) {}

        @Override
        public void onDelete(Pod object, boolean finalStateUnknown) {
            if (object.getSpec().getVolumes().stream().anyMatch(v -> Volumes.claimName(object, v) != null)) {
                handle.onLane(VolumeBinding.this::checkAll);
            }
        }
    }

    @Override
    public List<RegisteredEvent> eventsToRegister() {
        return List.of(
                RegisteredEvent.of(
                        ClusterEvent.STORAGE_CLASS,
                        ClusterEvent.ADD | ClusterEvent.UPDATE,
                        (pod, before, after) -> !(before instanceof StorageClass old)
                                || !(after instanceof StorageClass now)
                                || !topologies(old).equals(topologies(now))),
                RegisteredEvent.of(
                        ClusterEvent.CLAIM,
                        ClusterEvent.ADD | ClusterEvent.UPDATE,
                        (pod, before, after) -> PodClaims.uses(pod, after)),
                RegisteredEvent.of(ClusterEvent.VOLUME, ClusterEvent.ADD | ClusterEvent.UPDATE),
                RegisteredEvent.of(ClusterEvent.NODE, ClusterEvent.ADD | ClusterEvent.UPDATE_NODE_LABEL),
                RegisteredEvent.of(ClusterEvent.CSI_DRIVER, ClusterEvent.UPDATE),
                RegisteredEvent.of(ClusterEvent.CSI_STORAGE_CAPACITY, ClusterEvent.ADD | ClusterEvent.UPDATE));
    }

    private static Set<TopologySelectorTerm> topologies(StorageClass storageClass) {
        return storageClass.getAllowedTopologies() == null
                ? Set.of()
                : storageClass.getAllowedTopologies().stream().collect(Collectors.toSet());
    }
}
