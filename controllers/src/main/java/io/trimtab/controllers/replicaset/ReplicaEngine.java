package io.trimtab.controllers.replicaset;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Written;
import io.trimtab.controller.Change;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Enqueuer;
import io.trimtab.controller.Expectations;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Parallel;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.controllers.replicaset.ReplicaKind.ReplicaStatus;
import io.trimtab.controllers.replicaset.ReplicaPlan.Move;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import io.trimtab.ownership.Claims;
import io.trimtab.ownership.OwnerReferences;
import io.trimtab.runtime.Driver;
import io.trimtab.selector.LabelSelector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the wanted number of pods alive, for ReplicaSets and, by another {@link ReplicaKind}, for ReplicationControllers.
 * Level-based: looks at the world, not at the event that woke it. What to do is decided in {@link ReplicaPlan}; here are the
 * reading, the writing and the expectations.
 *
 * <p>Expectations keep a sync from counting before it has seen what the last one did: pods on their way are not made twice,
 * pods on their way out are not deleted twice.
 */
public final class ReplicaEngine<T extends HasMetadata> implements Reconciler {
    private static final Logger LOG = LoggerFactory.getLogger(ReplicaEngine.class);

    /**
     * A look at a set takes the longer the more pods it has, and while they come up each of them would cause several. All that
     * comes of most of these looks are other counts: so a big set is told 20 times a second of what changes no more than counts,
     * which is as often as Kubernetes' controller manager may call the server.
     */
    private static final Duration COUNT_PERIOD = Duration.ofMillis(50);

    private static final int BIG = 100;

    private final ReplicaKind<T> kind;
    private final Client client;
    private final Driver driver;
    private final PodControl podControl;
    private final Expectations expectations;
    private final Lister<T> owners;
    private final Lister<Pod> pods;

    private ReplicaEngine(ReplicaKind<T> kind, Manager manager) {
        this.kind = kind;
        this.client = manager.client(kind.controllerName());
        this.driver = manager.driver();
        this.podControl = new PodControl(client, manager.events(kind.controllerName()));
        this.expectations = new Expectations(driver);
        this.owners = manager.informers().informer(kind.type()).lister();
        SharedInformer<Pod> informer = manager.informers().informer(Pod.class);
        Pods.indexOrphans(informer);
        this.pods = informer.lister();
    }

    /** The controller of a kind, to be added to the manager. */
    public static <T extends HasMetadata> Controller controller(ReplicaKind<T> kind, Manager manager) {
        ReplicaEngine<T> engine = new ReplicaEngine<>(kind, manager);
        return Controller.of(kind.controllerName(), kind.type(), (Change<T> change) -> {
                    if (change.isDeleted()) {
                        // A namesake that is made later must not wait for the pods of this one.
                        engine.expectations.forget(Request.of(change.latest()));
                    }
                    return true;
                })
                .watches(Pod.class, engine::onPod)
                .workers(5)
                .reconcile(engine);
    }

    // ---- triggers

    private void onPod(Change<Pod> change, Enqueuer queue) {
        Pod pod = change.latest();
        if (change.isDeleted() || change.isCreated() && Pods.isDeleting(pod)) {
            owner(pod).ifPresent(request -> {
                expectations.deletionObserved(request, Expectations.keyOf(pod));
                queue.add(request);
            });
            return;
        }
        if (change.isCreated()) {
            Optional<Request> owner = owner(pod);
            owner.ifPresent(request -> {
                expectations.creationObserved(request);
                if (expectations.isSatisfied(request)) {
                    queue.add(request); // the next pods may be made
                } else {
                    wakeToCount(request, queue);
                }
            });
            if (OwnerReferences.controllerOf(pod).isEmpty()) {
                wakeSelecting(pod, queue);
            }
            return;
        }
        onPodUpdate(Objects.requireNonNull(change.old()), pod, queue);
    }

    private void onPodUpdate(Pod old, Pod pod, Enqueuer queue) {
        if (Objects.equals(
                old.getMetadata().getResourceVersion(), pod.getMetadata().getResourceVersion())) {
            return; // a resync: nothing happened
        }
        Optional<Request> owner = owner(pod);
        if (Pods.isDeleting(pod) && !Pods.isDeleting(old)) {
            owner.ifPresent(request -> expectations.deletionObserved(request, Expectations.keyOf(pod)));
        }
        Optional<Request> former = owner(old);
        if (former.isPresent() && !former.equals(owner)) {
            queue.add(former.get());
        }
        boolean relabelled =
                !Objects.equals(old.getMetadata().getLabels(), pod.getMetadata().getLabels());
        if (owner.isPresent()) {
            if (Pods.isActive(old) && Pods.isActive(pod) && !relabelled) {
                wakeToCount(owner.get(), queue);
            } else {
                queue.add(owner.get());
            }
            if (!Pods.isReady(old) && Pods.isReady(pod)) {
                owners.get(owner.get().namespace(), owner.get().name())
                        .map(kind::minReadySeconds)
                        .filter(seconds -> seconds > 0)
                        // A second more, so that the clock is surely past it.
                        .ifPresent(seconds -> queue.addAfter(owner.get(), Duration.ofSeconds(seconds + 1L)));
            }
            return;
        }
        if (OwnerReferences.controllerOf(pod).isEmpty() && (relabelled || former.isPresent())) {
            wakeSelecting(pod, queue);
        }
    }

    private void wakeToCount(Request request, Enqueuer queue) {
        // In virtual time a look costs no time, and every state is shown.
        boolean waits = !driver.isVirtual()
                && owners.get(request.namespace(), request.name())
                        .filter(owner -> kind.replicas(owner) >= BIG)
                        .isPresent();
        queue.addAfter(request, waits ? COUNT_PERIOD : Duration.ZERO);
    }

    /** The owner of this kind that controls the pod, if it is the very one and not a namesake. */
    private Optional<Request> owner(Pod pod) {
        Optional<OwnerReference> reference = OwnerReferences.controllerOf(pod);
        if (reference.isEmpty()
                || !kind.type().kind().equals(reference.get().getKind())
                || !kind.type().apiVersion().equals(reference.get().getApiVersion())) {
            return Optional.empty();
        }
        return owners.get(pod.getMetadata().getNamespace(), reference.get().getName())
                .filter(owner ->
                        owner.getMetadata().getUid().equals(reference.get().getUid()))
                .map(Request::of);
    }

    private void wakeSelecting(Pod orphan, Enqueuer queue) {
        Map<String, String> labels = orphan.getMetadata().getLabels();
        if (labels == null || labels.isEmpty()) {
            return;
        }
        for (T owner : owners.list(orphan.getMetadata().getNamespace())) {
            LabelSelector selector = selectorOrNothing(owner);
            if (selector != null && !selector.isEverything() && selector.matches(labels)) {
                queue.add(Request.of(owner));
            }
        }
    }

    private @Nullable LabelSelector selectorOrNothing(T owner) {
        try {
            return kind.selector(owner);
        } catch (IllegalArgumentException e) {
            return null; // reported by its own reconcile
        }
    }

    // ---- reconcile

    @Override
    public Result reconcile(Request request) throws Exception {
        T owner = owners.get(request.namespace(), request.name()).orElse(null);
        if (owner == null) {
            expectations.forget(request);
            return Result.done(); // deleted: the garbage collector owns the pods now
        }
        LabelSelector selector = selectorOrNothing(owner);
        if (selector == null) {
            LOG.atError()
                    .addKeyValue("controller", kind.controllerName())
                    .addKeyValue("namespace", request.namespace())
                    .addKeyValue("name", request.name())
                    .log("The selector cannot be read; nothing is done until it is mended");
            return Result.done();
        }
        boolean mayAct = expectations.isSatisfied(request);
        List<Pod> active = claim(owner, selector);
        Exception failure = null;
        if (mayAct && owner.getMetadata().getDeletionTimestamp() == null) {
            failure = act(owner, request, active);
        }
        int minReady = kind.minReadySeconds(owner);
        ReplicaStatus status = ReplicaPlan.status(
                kind.status(owner),
                generation(owner),
                kind.replicas(owner),
                active,
                kind.template(owner),
                minReady,
                failure,
                driver.now());
        writeStatus(owner, status);
        if (failure != null) {
            throw failure;
        }
        if (minReady > 0 && status.ready() != status.available()) {
            Duration next = ReplicaPlan.nextAvailable(active, minReady, driver.now());
            return Result.after(next == null ? Duration.ofSeconds(minReady) : next);
        }
        return Result.done();
    }

    private List<Pod> claim(T owner, LabelSelector selector) {
        String uid = owner.getMetadata().getUid();
        List<Pod> owned = pods.byIndex(SharedInformer.BY_OWNER_UID, uid);
        List<Pod> candidates = new ArrayList<>(owned.size());
        for (Pod pod : owned) {
            if (Pods.isActive(pod)) {
                candidates.add(pod);
            }
        }
        // What somebody else controls is not to be had: of the pods that the selector matches, only orphans are worth a
        // look.
        for (Pod pod : pods.byIndex(Pods.ORPHANS, owner.getMetadata().getNamespace())) {
            if (Pods.isActive(pod)
                    && selector.matches(
                            Objects.requireNonNullElse(pod.getMetadata().getLabels(), Map.of()))
                    && !OwnerReferences.isOwnedBy(pod, owner)) {
                candidates.add(pod);
            }
        }
        return new Claims<>(client, PodControl.PODS).claim(kind.type(), owner, selector, candidates);
    }

    private @Nullable Exception act(T owner, Request request, List<Pod> active) {
        Move move = ReplicaPlan.move(kind.replicas(owner), active, siblings(owner), driver.now());
        if (move.create() > 0) {
            return create(owner, request, move.create());
        }
        return move.delete().isEmpty() ? null : delete(owner, request, move.delete());
    }

    /** Counts active pods by node, over all sets that the owner's own controller has, if anybody asks. */
    private ToIntFunction<Pod> siblings(T owner) {
        String controller = kind.controllerUid(owner);
        if (controller == null) {
            return pod -> 0;
        }
        return new ToIntFunction<>() {
            private @Nullable Map<String, Integer> byNode;

            @Override
            public int applyAsInt(Pod pod) {
                Map<String, Integer> counts = byNode;
                if (counts == null) {
                    counts = countByNode(owner, controller);
                    byNode = counts;
                }
                return counts.getOrDefault(Objects.requireNonNullElse(Pods.nodeName(pod), ""), 0);
            }
        };
    }

    private Map<String, Integer> countByNode(T owner, String controller) {
        Map<String, Integer> byNode = new HashMap<>();
        for (T sibling : owners.list(owner.getMetadata().getNamespace())) {
            LabelSelector selector = selectorOrNothing(sibling);
            if (selector == null || !controller.equals(kind.controllerUid(sibling))) {
                continue;
            }
            for (Pod pod : pods.list(owner.getMetadata().getNamespace(), selector)) {
                String node = Pods.nodeName(pod);
                if (node != null && Pods.isActive(pod)) {
                    byNode.merge(node, 1, Integer::sum);
                }
            }
        }
        return byNode;
    }

    /**
     * Creates pods in batches of 1, 2, 4, ...: when the server refuses (a quota, say), it is asked once and not five hundred
     * times.
     */
    private @Nullable Exception create(T owner, Request request, int count) {
        PodTemplateSpec template = kind.template(owner);
        if (template == null) {
            return new IllegalStateException(request + " has no pod template");
        }
        Pod pod = PodControl.fromTemplate(template, owner, OwnerReferences.newControllerRef(owner));
        expectations.expectCreations(request, count);
        int left = count;
        int batch = 1;
        while (left > 0) {
            int size = Math.min(batch, left);
            List<Callable<Written>> calls = new ArrayList<>(size);
            for (int i = 0; i < size; i++) {
                calls.add(() -> podControl.create(pod, owner));
            }
            Exception failure = null;
            for (Parallel.Outcome<Written> outcome : Parallel.run(driver, calls)) {
                if (outcome.failure() != null) {
                    expectations.creationObserved(request); // it will not come
                    failure = worse(failure, outcome.failure());
                }
            }
            left -= size;
            if (failure != null) {
                expectations.lowerCreations(request, left); // nor will those that were not tried
                return isIgnored(failure) ? null : failure;
            }
            batch *= 2;
        }
        return null;
    }

    private @Nullable Exception delete(T owner, Request request, List<Pod> victims) {
        Set<String> keys = new HashSet<>();
        victims.forEach(pod -> keys.add(Expectations.keyOf(pod)));
        expectations.expectDeletions(request, keys);
        List<Callable<Boolean>> calls = new ArrayList<>(victims.size());
        victims.forEach(pod -> calls.add(() -> podControl.delete(pod, owner)));
        List<Parallel.Outcome<Boolean>> outcomes = Parallel.run(driver, calls);
        Exception failure = null;
        for (int i = 0; i < outcomes.size(); i++) {
            Parallel.Outcome<Boolean> outcome = outcomes.get(i);
            boolean wasThere = outcome.failure() == null && Boolean.TRUE.equals(outcome.value());
            if (!wasThere) {
                expectations.deletionObserved(request, Expectations.keyOf(victims.get(i)));
            }
            if (outcome.failure() != null) {
                failure = worse(failure, outcome.failure());
            }
        }
        return failure;
    }

    private static Exception worse(@Nullable Exception a, Throwable b) {
        if (a != null && !isIgnored(a)) {
            return a;
        }
        return b instanceof Exception e ? e : new IllegalStateException(b);
    }

    private static boolean isIgnored(Exception failure) {
        return failure instanceof ApiException e && PodControl.isNamespaceTerminating(e);
    }

    // ---- status

    private void writeStatus(T owner, ReplicaStatus status) {
        if (status.equals(kind.status(owner))) {
            return;
        }
        try {
            client.updateStatusOnly(kind.type(), kind.withStatus(owner, status));
        } catch (ApiException e) {
            if (e.isNotFound()) {
                return; // deleted meanwhile
            }
            T fresh = client.get(
                            kind.type(),
                            owner.getMetadata().getNamespace(),
                            owner.getMetadata().getName())
                    .orElse(null);
            if (fresh == null
                    || !fresh.getMetadata().getUid().equals(owner.getMetadata().getUid())) {
                return;
            }
            // The same counts, which belong to the generation that was looked at, on the newest revision.
            client.updateStatusOnly(kind.type(), kind.withStatus(fresh, status));
        }
    }

    private static long generation(HasMetadata owner) {
        Long generation = owner.getMetadata().getGeneration();
        return generation == null ? 0 : generation;
    }
}
