package io.trimtab.scheduler;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.storage.CSIDriver;
import io.fabric8.kubernetes.api.model.storage.CSINode;
import io.fabric8.kubernetes.api.model.storage.CSIStorageCapacity;
import io.fabric8.kubernetes.api.model.storage.StorageClass;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Manager;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.EventHandler;
import io.trimtab.informer.InformerFactory;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import io.trimtab.runtime.Driver;
import io.trimtab.scheduler.cache.ClusterCache;
import io.trimtab.scheduler.framework.ClusterEvent;
import io.trimtab.scheduler.framework.Code;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.PostFilterResult;
import io.trimtab.scheduler.framework.QueueSortPlugin;
import io.trimtab.scheduler.framework.Snapshot;
import io.trimtab.scheduler.framework.Status;
import io.trimtab.scheduler.framework.WaitingPod;
import io.trimtab.scheduler.queue.PodChanges;
import io.trimtab.scheduler.queue.QueuedPod;
import io.trimtab.scheduler.queue.SchedulingQueue;
import io.trimtab.scheduler.queue.WakeRules;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Places pods on nodes.
 *
 * <p>One lane owns the queue and the cache: informers hand their events to it, and each scheduling cycle is a step on it. What
 * is decided is assumed in the cache at once and written beside the lane, so the next pod need not wait for the API server.
 * In virtual time all of it runs on one thread, ties included, from one seed.
 */
public final class Scheduler implements Manager.Component {
    /** The name of the component, and of its lease. */
    public static final String NAME = "kube-scheduler";

    private static final Logger log = LoggerFactory.getLogger(Scheduler.class);
    private static final ResourceType<Pod> PODS = ResourceType.of(Pod.class);

    /** Pods in one step; informers' events come in between. */
    private static final int PODS_PER_STEP = 16;
    /** Beyond this many decisions that are not being written yet, the next cycle waits. */
    private static final int MAX_UNWRITTEN = 2000;

    private final Manager manager;
    private final Driver driver;
    private final Driver.Lane lane;
    private final Client client;
    private final Lister<Pod> pods;
    private final ClusterCache cache = new ClusterCache();
    private final Map<String, ProfileRunner> profiles = new LinkedHashMap<>();
    private final SchedulingQueue queue;
    private final NodeSearch nodeSearch;
    private final PodWrites writes;
    private final WaitingPods waiting;
    private final SchedulerMetrics metrics;

    // On the lane only.
    private boolean started;
    private boolean closed;
    private boolean stepDue;

    private Scheduler(Manager manager, SchedulerOptions options) {
        this.manager = manager;
        this.driver = manager.driver();
        this.lane = driver.lane("scheduler");
        this.client = manager.client(NAME);
        this.waiting = new WaitingPods(driver, lane);
        this.writes = new PodWrites(driver, lane, options.bindings(), this::wake);
        this.nodeSearch = new NodeSearch(driver.random(), options.percentageOfNodesToScore());
        SharedInformer<Pod> podInformer = manager.informers().informer(Pod.class);
        this.pods = podInformer.lister();
        PluginRegistry registry = new PluginRegistry(options.factories());
        Services services = new Services();
        Map<String, SchedulingQueue.Profile> queued = new HashMap<>();
        QueueSortPlugin sort = null;
        for (ProfileOptions profile : options.profiles()) {
            ProfileRunner runner = new ProfileRunner(profile, registry, services);
            if (profiles.put(profile.schedulerName(), runner) != null) {
                throw new IllegalArgumentException("there are two profiles named " + profile.schedulerName());
            }
            if (sort != null && !sort.name().equals(runner.queueSort().name())) {
                throw new IllegalArgumentException("all profiles must sort the queue alike, but "
                        + profile.schedulerName() + " has " + runner.queueSort().name() + " and another has "
                        + sort.name());
            }
            sort = runner.queueSort();
            queued.put(
                    profile.schedulerName(),
                    new SchedulingQueue.Profile(runner.preEnqueuePlugins(), WakeRules.of(runner.plugins())));
        }
        if (sort == null) {
            throw new IllegalArgumentException("at least one profile is needed");
        }
        this.queue = new SchedulingQueue(
                driver, lane, options.initialBackoff(), options.maxBackoff(), sort, queued, this::wake);
        this.metrics = new SchedulerMetrics(options.metrics());
        metrics.watch(queue, cache);
        watch(podInformer);
        watchOthers(queued.values());
    }

    /**
     * Adds a scheduler to the manager; it begins when the caches are synced.
     *
     * @throws IllegalArgumentException if the options name plugins that are not there, or contradict themselves
     */
    public static Scheduler addTo(Manager manager, SchedulerOptions options) {
        Scheduler scheduler = new Scheduler(manager, options);
        manager.add(scheduler);
        return scheduler;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public void start() {
        lane.execute(() -> {
            started = true;
            wake();
        });
    }

    @Override
    public void close() {
        lane.execute(() -> {
            closed = true;
            queue.close();
        });
    }

    // ---- what happens in the cluster ----

    private void watch(SharedInformer<Pod> podInformer) {
        podInformer.addHandler(new Handler<>(
                pod -> podChanged(null, PodInfo.of(pod)),
                (before, after) -> podChanged(info(before), PodInfo.of(after)),
                pod -> podDeleted(info(pod))));
        manager.informers()
                .informer(Node.class)
                .addHandler(new Handler<>(this::nodeAdded, this::nodeChanged, this::nodeDeleted));
        manager.informers()
                .informer(Namespace.class)
                .addHandler(new Handler<>(
                        namespace -> cache.setNamespace(
                                namespace.getMetadata().getName(),
                                namespace.getMetadata().getLabels()),
                        (before, after) -> cache.setNamespace(
                                after.getMetadata().getName(),
                                after.getMetadata().getLabels()),
                        namespace ->
                                cache.removeNamespace(namespace.getMetadata().getName())));
    }

    /** What else the plugins wait for. */
    private void watchOthers(Collection<SchedulingQueue.Profile> queued) {
        Set<String> resources = new TreeSet<>();
        queued.forEach(profile -> resources.addAll(profile.rules().resources()));
        watch(resources, ClusterEvent.CLAIM, PersistentVolumeClaim.class);
        watch(resources, ClusterEvent.VOLUME, PersistentVolume.class);
        watch(resources, ClusterEvent.STORAGE_CLASS, StorageClass.class);
        watch(resources, ClusterEvent.CSI_NODE, CSINode.class);
        watch(resources, ClusterEvent.CSI_DRIVER, CSIDriver.class);
        watch(resources, ClusterEvent.CSI_STORAGE_CAPACITY, CSIStorageCapacity.class);
    }

    private <T extends HasMetadata> void watch(Set<String> wanted, String resource, Class<T> type) {
        if (wanted.contains(resource)) {
            ClusterEvent add = new ClusterEvent(resource, ClusterEvent.ADD);
            ClusterEvent update = new ClusterEvent(resource, ClusterEvent.UPDATE_OTHER);
            ClusterEvent delete = new ClusterEvent(resource, ClusterEvent.DELETE);
            manager.informers()
                    .informer(type)
                    .addHandler(new Handler<T>(
                            added -> queue.happened(add, null, added),
                            (before, after) -> queue.happened(update, before, after),
                            deleted -> queue.happened(delete, deleted, null)));
        }
    }

    private interface Change<T> {
        void accept(T before, T after);
    }

    /** Hands an informer's events to the lane, in order. */
    private final class Handler<T> implements EventHandler<T> {
        private final Consumer<T> added;
        private final Change<T> changed;
        private final Consumer<T> deleted;

        Handler(Consumer<T> added, Change<T> changed, Consumer<T> deleted) {
            this.added = added;
            this.changed = changed;
            this.deleted = deleted;
        }

        @Override
        public void onAdd(T object, boolean initial) {
            lane.execute(() -> added.accept(object));
        }

        @Override
        public void onUpdate(T old, T object) {
            if (old != object) {
                lane.execute(() -> changed.accept(old, object));
            }
        }

        @Override
        public void onDelete(T object, boolean finalStateUnknown) {
            lane.execute(() -> deleted.accept(object));
        }
    }

    private enum Standing {
        PENDING,
        ON_NODE,
        NOT_OURS
    }

    private Standing standing(@Nullable PodInfo pod) {
        if (pod == null || pod.isTerminal()) {
            return Standing.NOT_OURS;
        }
        if (!pod.nodeName().isEmpty()) {
            return Standing.ON_NODE;
        }
        return profiles.containsKey(pod.schedulerName()) ? Standing.PENDING : Standing.NOT_OURS;
    }

    /** What is known of the pod already, or else worked out anew. */
    private PodInfo info(Pod pod) {
        PodInfo known = cache.placed(pod.getMetadata().getUid());
        if (known == null) {
            known = queue.waiting(pod.getMetadata().getUid());
        }
        return known != null && known.pod() == pod ? known : PodInfo.of(pod);
    }

    private void podChanged(@Nullable PodInfo before, PodInfo after) {
        Standing was = standing(before);
        Standing is = standing(after);
        if (was == Standing.PENDING && is != Standing.PENDING) {
            pendingGone(after, is == Standing.ON_NODE);
        }
        if (was == Standing.ON_NODE && is != Standing.ON_NODE && before != null) {
            placedGone(before);
        }
        if (is == Standing.ON_NODE) {
            cache.setPod(after);
            queue.nominations().remove(after.uid());
            if (was == Standing.ON_NODE && before != null) {
                for (ClusterEvent event : PodChanges.of(before, after)) {
                    queue.happened(event, before, after);
                }
            } else {
                queue.happened(ClusterEvent.ASSIGNED_POD_ADD, null, after);
            }
        } else if (is == Standing.PENDING) {
            if (cache.isAssumed(after)) {
                return;
            }
            if (was == Standing.PENDING && before != null) {
                queue.update(before, after);
                if (!before.nominatedNode().isEmpty() && !before.nominatedNode().equals(after.nominatedNode())) {
                    wakeBelow(before);
                }
            } else {
                queue.add(after);
            }
        }
    }

    private void podDeleted(PodInfo pod) {
        switch (standing(pod)) {
            case PENDING -> {
                pendingGone(pod, false);
                if (cache.placed(pod.uid()) != null) {
                    // Gone between the decision and its confirmation, or while nobody watched.
                    placedGone(pod);
                }
            }
            case ON_NODE -> placedGone(pod);
            case NOT_OURS -> {}
        }
    }

    private void placedGone(PodInfo pod) {
        PodInfo known = cache.placed(pod.uid());
        cache.removePod(pod);
        queue.happened(ClusterEvent.ASSIGNED_POD_DELETE, known == null ? pod : known, null);
    }

    private void pendingGone(PodInfo pod, boolean bound) {
        queue.delete(pod);
        if (bound) {
            return;
        }
        WaitingPod held = waiting.get(pod.uid());
        if (held != null) {
            held.reject("", "removed");
            queue.happened(ClusterEvent.ASSIGNED_POD_DELETE, pod, null);
        } else if (!pod.nominatedNode().isEmpty()) {
            wakeBelow(pod);
        }
    }

    /** A nomination is free again: for pods that could not have taken the place from it. */
    private void wakeBelow(PodInfo pod) {
        queue.happened(ClusterEvent.ASSIGNED_POD_DELETE, pod, null, other -> other.priority() <= pod.priority());
    }

    private void nodeAdded(Node node) {
        cache.setNode(node);
        queue.happened(ClusterEvent.NODE_ADD, null, node);
    }

    private void nodeChanged(Node before, Node after) {
        cache.setNode(after);
        for (ClusterEvent event : NodeChanges.of(before, after)) {
            queue.happened(event, before, after);
        }
    }

    private void nodeDeleted(Node node) {
        cache.removeNode(node.getMetadata().getName());
        queue.happened(ClusterEvent.NODE_DELETE, node, null);
    }

    // ---- the loop ----

    private void wake() {
        if (started && !closed && !stepDue && queue.ready() > 0 && writes.waiting() < MAX_UNWRITTEN) {
            stepDue = true;
            lane.execute(this::step);
        }
    }

    private void step() {
        for (int i = 0; i < PODS_PER_STEP && !closed && writes.waiting() < MAX_UNWRITTEN; i++) {
            QueuedPod next = queue.pop();
            if (next == null) {
                break;
            }
            scheduleOne(next);
        }
        stepDue = false;
        wake();
    }

    private void scheduleOne(QueuedPod queued) {
        PodInfo pod = queued.pod();
        ProfileRunner profile = profiles.get(pod.schedulerName());
        if (profile == null || skips(profile, pod)) {
            queue.done(pod.uid());
            return;
        }
        CycleState state = new CycleState();
        long begin = driver.nanoTime();
        NodeSearch.Outcome outcome = nodeSearch.search(profile, state, pod);
        Duration took = Duration.ofNanos(driver.nanoTime() - begin);
        metrics.searched(took);
        String node = outcome.node();
        if (node == null) {
            notPlaced(profile, state, queued, outcome);
            activate(state);
            String result = outcome.status().isRejected() ? "unschedulable" : "error";
            metrics.attempted(result, profile.schedulerName(), Duration.ofNanos(driver.nanoTime() - begin));
            return;
        }
        cache.assume(pod, node);
        queue.nominations().remove(pod.uid());
        Status reserved = profile.runReserve(state, pod, node);
        if (!reserved.isSuccess()) {
            undo(profile, state, queued, node, reserved);
            return;
        }
        ProfileRunner.Permitted permitted = profile.runPermit(state, pod, node);
        activate(state);
        switch (permitted.status().code()) {
            case SUCCESS -> bind(profile, state, queued, node);
            case WAIT ->
                waiting.add(pod, permitted.waits(), status -> {
                    if (status.isSuccess()) {
                        bind(profile, state, queued, node);
                    } else {
                        undo(profile, state, queued, node, status);
                    }
                });
            default -> undo(profile, state, queued, node, permitted.status());
        }
    }

    private void activate(CycleState state) {
        if (!state.podsToActivate().isEmpty()) {
            queue.activate(Set.copyOf(state.podsToActivate()));
            state.podsToActivate().clear();
        }
    }

    private boolean skips(ProfileRunner profile, PodInfo pod) {
        if (pod.isTerminating()) {
            profile.events().warning(pod.pod(), "FailedScheduling", "skip schedule deleting pod: " + pod.key());
            return true;
        }
        return cache.placed(pod.uid()) != null;
    }

    private void bind(ProfileRunner profile, CycleState state, QueuedPod queued, String node) {
        queue.done(queued.pod().uid());
        profile.awaitPreBind(state, queued.pod(), node, status -> {
            if (status.isSuccess()) {
                bindNow(profile, state, queued, node);
            } else {
                undo(profile, state, queued, node, status);
            }
        });
    }

    private void bindNow(ProfileRunner profile, CycleState state, QueuedPod queued, String node) {
        PodInfo pod = queued.pod();
        long begin = driver.nanoTime();
        writes.submit(pod.uid(), () -> {
            Status status = profile.runPreBind(state, pod, node);
            if (status.isSuccess()) {
                status = profile.runBind(state, pod, node);
            }
            if (status.isSuccess()) {
                profile.events().normal(pod.pod(), "Scheduled", "Successfully assigned " + pod.key() + " to " + node);
                profile.runPostBind(state, pod, node);
                lane.execute(() -> {
                    activate(state);
                    metrics.attempted(
                            "scheduled", profile.schedulerName(), Duration.ofNanos(driver.nanoTime() - begin));
                    metrics.bound(queued.attempts(), Duration.between(queued.since(), driver.now()));
                });
            } else {
                Status failure = status;
                lane.execute(() -> undo(profile, state, queued, node, failure));
            }
        });
    }

    /** Takes back what was assumed; others may fit now, this one comes back to the queue. */
    private void undo(ProfileRunner profile, CycleState state, QueuedPod queued, String node, Status status) {
        PodInfo pod = queued.pod();
        profile.runUnreserve(state, pod, node);
        cache.forget(pod);
        boolean rejected = status.isRejected();
        if (rejected && status.plugin() != null) {
            queued.rejectors().add(status.plugin());
            if (status.code() == Code.PENDING) {
                queued.pending().add(status.plugin());
            }
        }
        // A rejected pod freed this place itself: the event must not wake it to try the same again.
        queue.happened(
                ClusterEvent.ASSIGNED_POD_DELETE,
                pod,
                null,
                other -> !rejected || !other.uid().equals(pod.uid()));
        failed(profile, queued, status, status.message(), "");
    }

    private void notPlaced(ProfileRunner profile, CycleState state, QueuedPod queued, NodeSearch.Outcome outcome) {
        Status status = outcome.status();
        if (cache.nodes().isEmpty()) {
            // No plugin rejected the pod, so no event is known that would help: it comes back after a back-off.
            failed(profile, queued, status, status.message(), "");
            return;
        }
        if (!status.isRejected()) {
            log.atError()
                    .addKeyValue("pod", queued.pod().key())
                    .setCause(status.cause())
                    .log("Error selecting node for pod: " + status.message());
            failed(profile, queued, status, status.message(), "");
            return;
        }
        queued.rejectors().addAll(outcome.rejectors());
        queued.pending().addAll(outcome.pending());
        String making = "";
        String nominated = null;
        if (profile.hasPostFilters()) {
            PostFilterResult result = profile.runPostFilter(state, queued.pod(), outcome.statuses());
            making = result.status().message();
            nominated = result.nominatedNode();
        }
        String text = FitText.of(cache.nodes().size(), outcome.statuses(), outcome.preFilter(), making);
        failed(profile, queued, status, text, nominated);
    }

    /**
     * Gives a pod back to the queue and says why.
     *
     * @param nominated null to leave its nomination as it is; empty to take it back
     */
    private void failed(
            ProfileRunner profile, QueuedPod queued, Status status, String message, @Nullable String nominated) {
        PodInfo tried = queued.pod();
        Optional<Pod> current = pods.get(tried.namespace(), tried.name())
                .filter(pod -> tried.uid().equals(pod.getMetadata().getUid()));
        if (current.isEmpty()
                || current.get().getSpec().getNodeName() != null
                        && !current.get().getSpec().getNodeName().isEmpty()) {
            queue.done(tried.uid());
            return;
        }
        PodInfo pod = current.get() == tried.pod() ? tried : PodInfo.of(current.get());
        queue.giveBack(queued, pod);
        queue.nominations().add(pod, nominated);
        say(profile, tried, "Warning", "FailedScheduling", "Scheduling", FitText.forEvent(message));
        String reason = status.isRejected() ? "Unschedulable" : "SchedulerError";
        String patch = PodStatusPatch.of(pod.pod(), "PodScheduled", "False", reason, message, nominated, driver.now());
        if (patch != null) {
            write(pod, patch);
        }
    }

    private static void say(
            ProfileRunner profile, PodInfo pod, String type, String reason, String action, String message) {
        profile.events().record(EventRecorder.referenceTo(pod.pod()), null, type, reason, action, message);
    }

    private void write(PodInfo pod, String patch) {
        writes.submit(pod.uid(), () -> {
            try {
                client.patch(
                        PODS,
                        pod.namespace(),
                        pod.name(),
                        Patch.strategic(patch).on("status"));
            } catch (ApiException e) {
                if (!e.isNotFound()) {
                    log.atError().addKeyValue("pod", pod.key()).setCause(e).log("A pod's status could not be written");
                }
            }
        });
    }

    private final class Services implements SchedulerServices {
        @Override
        public Driver driver() {
            return driver;
        }

        @Override
        public Client client() {
            return client;
        }

        @Override
        public InformerFactory informers() {
            return manager.informers();
        }

        @Override
        public EventRecorder events(String schedulerName) {
            return manager.events(schedulerName);
        }

        @Override
        public Snapshot snapshot() {
            return cache;
        }

        @Override
        public boolean hasNominations() {
            return !queue.nominations().isEmpty();
        }

        @Override
        public List<PodInfo> nominatedPods(String node) {
            return queue.nominations().to(node);
        }

        @Override
        public void clearNomination(PodInfo pod) {
            queue.nominations().remove(pod.uid());
            String patch = "{\"metadata\":{\"uid\":\"" + pod.uid() + "\"},\"status\":{\"nominatedNodeName\":null}}";
            write(pod, patch);
        }

        @Override
        public @Nullable WaitingPod waitingPod(String uid) {
            return waiting.get(uid);
        }

        @Override
        public Collection<WaitingPod> waitingPods() {
            return waiting.all();
        }

        @Override
        public void activate(Collection<String> keys) {
            Set<String> copy = Set.copyOf(keys);
            lane.execute(() -> queue.activate(copy));
        }

        @Override
        public void onLane(Runnable step) {
            lane.execute(step);
        }

        @Override
        public void write(PodInfo about, Runnable step) {
            writes.submit(about.uid(), step);
        }

        private void write(PodInfo pod, String patch) {
            Scheduler.this.write(pod, patch);
        }
    }
}
