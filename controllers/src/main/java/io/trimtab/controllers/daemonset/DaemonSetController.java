package io.trimtab.controllers.daemonset;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.ControllerRevision;
import io.fabric8.kubernetes.api.model.apps.ControllerRevisionBuilder;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetBuilder;
import io.fabric8.kubernetes.api.model.apps.DaemonSetStatus;
import io.fabric8.kubernetes.api.model.apps.DaemonSetStatusBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Deletions;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.client.Written;
import io.trimtab.controller.Change;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Enqueuer;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Parallel;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Requests;
import io.trimtab.controller.Result;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.SlowStart;
import io.trimtab.controllers.pods.TemplateHash;
import io.trimtab.controllers.revisions.Revisions;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import io.trimtab.ownership.Claims;
import io.trimtab.ownership.OwnerReferences;
import io.trimtab.queue.RateLimiter;
import io.trimtab.queue.RateLimiters;
import io.trimtab.runtime.Driver;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import io.trimtab.selector.model.ModelSelectors;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one pod of each DaemonSet on every node that should have one, and rolls new templates out node by node. What to do is
 * decided in {@link DaemonPlan}. It keeps no expectations: its caches are at least as new as its own last write.
 */
public final class DaemonSetController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "daemonset-controller";

    private static final String COMPONENT = "daemon-set-controller";
    private static final ResourceType<DaemonSet> SETS = ResourceType.of(DaemonSet.class);
    private static final int BURST = 250;
    private static final Duration FAILED_BACKOFF = Duration.ofSeconds(1);
    private static final Duration MAX_FAILED_BACKOFF = Duration.ofMinutes(15);

    private final Client client;
    private final Driver driver;
    private final EventRecorder events;
    private final PodControl podControl;
    private final Lister<DaemonSet> sets;
    private final Lister<Pod> pods;
    private final Lister<Node> nodes;
    private final Lister<ControllerRevision> revisions;
    private final RateLimiter<String> failedBackoff = RateLimiters.exponential(FAILED_BACKOFF, MAX_FAILED_BACKOFF);
    /** When a pod that failed on a node may be replaced. */
    private final Map<String, Instant> failedUntil = new ConcurrentHashMap<>();

    private DaemonSetController(Manager manager) {
        this.client = manager.client(COMPONENT);
        this.driver = manager.driver();
        this.events = manager.events(NAME);
        this.podControl = new PodControl(client, events);
        this.sets = manager.informers().informer(DaemonSet.class).lister();
        this.pods = manager.informers().informer(Pod.class).lister();
        this.nodes = manager.informers().informer(Node.class).lister();
        this.revisions = manager.informers().informer(ControllerRevision.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        DaemonSetController controller = new DaemonSetController(manager);
        return Controller.of(NAME, DaemonSet.class)
                .owns(Pod.class)
                .watches(ResourceType.of(Pod.class), WatchScope.ALL, controller::onOrphan)
                .watches(ResourceType.of(Node.class), WatchScope.ALL, controller::onNode)
                .watches(ResourceType.of(ControllerRevision.class), WatchScope.ALL, Requests.owners(SETS, true))
                .workers(2)
                .reconcile(PodControl.untilNamespaceEnds(controller));
    }

    private void onOrphan(Change<Pod> change, Enqueuer queue) {
        Pod pod = change.object();
        Map<String, String> labels = pod == null ? null : pod.getMetadata().getLabels();
        if (pod == null || labels == null || OwnerReferences.controllerOf(pod).isPresent()) {
            return;
        }
        for (DaemonSet set : sets.list(pod.getMetadata().getNamespace())) {
            if (selector(set).matches(labels)) {
                queue.add(Request.of(set));
            }
        }
    }

    /** Wakes the sets for which the change of the node makes a difference. */
    private void onNode(Change<Node> change, Enqueuer queue) {
        Node old = change.old();
        Node now = change.object();
        if (old != null
                && now != null
                && Objects.equals(
                        old.getMetadata().getLabels(), now.getMetadata().getLabels())
                && Objects.equals(old.getSpec(), now.getSpec())) {
            return;
        }
        for (DaemonSet set : sets.list()) {
            DaemonPods.Decision before = old == null ? null : DaemonPods.decide(set, old);
            DaemonPods.Decision after = now == null ? null : DaemonPods.decide(set, now);
            if (!Objects.equals(before, after)) {
                queue.add(Request.of(set));
            }
        }
    }

    /** An empty selector would take every pod there is: it is treated as none. */
    private static LabelSelector selector(DaemonSet set) {
        try {
            LabelSelector selector = ModelSelectors.of(set.getSpec().getSelector());
            return selector.isEverything() ? LabelSelectors.nothing() : selector;
        } catch (IllegalArgumentException e) {
            return LabelSelectors.nothing();
        }
    }

    @Override
    public Result reconcile(Request request) throws Exception {
        DaemonSet set = sets.get(request.namespace(), request.name()).orElse(null);
        if (set == null) {
            return Result.done();
        }
        if (ModelSelectors.of(set.getSpec().getSelector()).isEverything()) {
            events.warning(
                    set, "SelectingAll", "This daemon set is selecting all pods. A non-empty selector is required.");
            return Result.done();
        }
        if (set.getMetadata().getDeletionTimestamp() != null) {
            return Result.done();
        }
        List<ControllerRevision> history = history(set);
        ControllerRevision current = current(set, history);
        String hash = Objects.requireNonNullElse(current.getMetadata().getLabels(), Map.<String, String>of())
                .getOrDefault(Revisions.HASH_LABEL, "");
        List<Pod> owned = claim(set);
        Map<String, List<Pod>> byNode = DaemonPlan.byNode(owned);
        List<Node> all = nodes.list();
        Exception failure = null;
        Duration retry = null;
        try {
            retry = act(set, hash, all, byNode);
            cleanUp(set, history, current, owned);
        } catch (ApiException | IllegalStateException | IllegalArgumentException e) {
            failure = e;
        }
        DaemonPlan.Counts counts = DaemonPlan.count(set, hash, all, byNode, driver.now());
        writeStatus(set, counts);
        if (failure != null) {
            throw failure;
        }
        Integer minReady = set.getSpec().getMinReadySeconds();
        if (minReady != null && minReady > 0 && counts.ready() != counts.available()) {
            Duration wait = Duration.ofSeconds(minReady);
            retry = retry == null || wait.compareTo(retry) < 0 ? wait : retry;
        }
        return retry == null ? Result.done() : Result.after(retry);
    }

    // ---- pods

    private List<Pod> claim(DaemonSet set) {
        Map<String, Pod> candidates = new HashMap<>();
        LabelSelector selector = selector(set);
        pods.byIndex(SharedInformer.BY_OWNER_UID, set.getMetadata().getUid())
                .forEach(pod -> candidates.put(pod.getMetadata().getName(), pod));
        pods.list(set.getMetadata().getNamespace(), selector)
                .forEach(pod -> candidates.put(pod.getMetadata().getName(), pod));
        List<Pod> sorted = new ArrayList<>(candidates.values());
        sorted.sort(java.util.Comparator.comparing(pod -> pod.getMetadata().getName()));
        return new Claims<>(client, PodControl.PODS).claim(SETS, set, selector, sorted);
    }

    /** @return when to look again at pods that failed; null for not */
    private @Nullable Duration act(DaemonSet set, String hash, List<Node> all, Map<String, List<Pod>> byNode)
            throws Exception {
        Instant now = driver.now();
        DaemonPlan plan = DaemonPlan.manage(set, hash, all, byNode, now);
        List<Pod> delete = new ArrayList<>(plan.delete);
        Duration retry = null;
        for (Pod pod : plan.failed) {
            String node = String.valueOf(DaemonPods.targetNode(pod));
            String key = set.getMetadata().getUid() + "/" + set.getMetadata().getGeneration() + "/" + node;
            Instant until = failedUntil.get(key);
            if (until != null && until.isAfter(now)) {
                Duration wait = Duration.between(now, until);
                retry = retry == null || wait.compareTo(retry) < 0 ? wait : retry;
                continue;
            }
            if (until != null && until.plus(MAX_FAILED_BACKOFF).isBefore(now)) {
                failedBackoff.forget(key); // long ago: begin anew
            }
            failedUntil.put(key, now.plus(failedBackoff.when(key)));
            events.warning(
                    set,
                    "FailedDaemonPod",
                    "Found failed daemon pod " + Request.of(pod) + " on node " + node + ", will try to kill it");
            delete.add(pod);
        }
        for (Pod pod : plan.succeeded) {
            events.normal(
                    set,
                    "SucceededDaemonPod",
                    "Found succeeded daemon pod " + Request.of(pod) + " on node " + DaemonPods.targetNode(pod)
                            + ", will try to delete it");
            delete.add(pod);
        }
        carryOut(set, hash, plan.create, delete);
        boolean rolls = set.getSpec().getUpdateStrategy() == null
                || !"OnDelete".equals(set.getSpec().getUpdateStrategy().getType());
        if (rolls && plan.create.isEmpty() && delete.isEmpty()) {
            DaemonPlan next = DaemonPlan.roll(set, hash, all, byNode, now);
            carryOut(set, hash, next.create, next.delete);
        }
        return retry;
    }

    private void carryOut(DaemonSet set, String hash, List<String> create, List<Pod> delete) throws Exception {
        List<Callable<Written>> creates = new ArrayList<>();
        for (String node : create.subList(0, Math.min(BURST, create.size()))) {
            creates.add(() -> podControl.create(DaemonPods.pod(set, node, hash), set));
        }
        List<Callable<Boolean>> deletes = new ArrayList<>();
        for (Pod pod : delete.subList(0, Math.min(BURST, delete.size()))) {
            deletes.add(() -> podControl.delete(pod, set));
        }
        List<Parallel.Outcome<Written>> created = SlowStart.run(driver, creates);
        List<Parallel.Outcome<Boolean>> deleted = Parallel.run(driver, deletes);
        SlowStart.throwFirst(created);
        SlowStart.throwFirst(deleted);
    }

    // ---- history

    private List<ControllerRevision> history(DaemonSet set) {
        LabelSelector selector = selector(set);
        Map<String, ControllerRevision> candidates = new HashMap<>();
        revisions
                .byIndex(SharedInformer.BY_OWNER_UID, set.getMetadata().getUid())
                .forEach(revision -> candidates.put(revision.getMetadata().getName(), revision));
        revisions
                .list(set.getMetadata().getNamespace(), selector)
                .forEach(revision -> candidates.put(revision.getMetadata().getName(), revision));
        List<ControllerRevision> sorted = new ArrayList<>(candidates.values());
        sorted.sort(Revisions.ORDER);
        return new Claims<>(client, Revisions.TYPE).claim(SETS, set, selector, sorted);
    }

    /** The revision of the template as it is now: made if there is none, and the newest of all. */
    private ControllerRevision current(DaemonSet set, List<ControllerRevision> history) {
        ObjectNode data = Revisions.patch(set.getSpec().getTemplate());
        List<ControllerRevision> same = history.stream()
                .filter(revision -> Revisions.same(revision.getData(), data))
                .toList();
        List<ControllerRevision> others =
                history.stream().filter(revision -> !same.contains(revision)).toList();
        long number = Revisions.next(others);
        if (same.isEmpty()) {
            return create(set, number);
        }
        ControllerRevision keep = same.get(same.size() - 1);
        same.stream().filter(revision -> revision != keep).forEach(duplicate -> merge(set, duplicate, keep));
        if (Revisions.number(keep) < number) {
            return client.update(
                    Revisions.TYPE,
                    new ControllerRevisionBuilder(keep).withRevision(number).build());
        }
        return keep;
    }

    /** Two revisions of one template: the pods of one become the other's. */
    private void merge(DaemonSet set, ControllerRevision duplicate, ControllerRevision keep) {
        String from = hashOf(duplicate);
        String to = hashOf(keep);
        for (Pod pod :
                pods.byIndex(SharedInformer.BY_OWNER_UID, set.getMetadata().getUid())) {
            Map<String, String> labels = pod.getMetadata().getLabels();
            if (labels != null && from.equals(labels.get(Revisions.HASH_LABEL)) && !from.equals(to)) {
                ObjectNode body = JsonNodeFactory.instance.objectNode();
                body.putObject("metadata").putObject("labels").put(Revisions.HASH_LABEL, to);
                client.patch(
                        PodControl.PODS,
                        pod.getMetadata().getNamespace(),
                        pod.getMetadata().getName(),
                        Patch.strategic(body.toString()));
            }
        }
        Deletions.ifThere(client, Revisions.TYPE, duplicate);
    }

    private static String hashOf(ControllerRevision revision) {
        Map<String, String> labels = revision.getMetadata().getLabels();
        return labels == null ? "" : labels.getOrDefault(Revisions.HASH_LABEL, "");
    }

    private ControllerRevision create(DaemonSet set, long number) {
        Integer collisions = set.getStatus() == null ? null : set.getStatus().getCollisionCount();
        String hash = TemplateHash.of(set.getSpec().getTemplate(), collisions);
        String name = set.getMetadata().getName() + "-" + hash;
        ControllerRevision fresh =
                Revisions.fresh(set, set.getSpec().getTemplate(), name, Revisions.HASH_LABEL, hash, number);
        try {
            return client.create(Revisions.TYPE, fresh);
        } catch (ApiException e) {
            if (!e.isAlreadyExists()) {
                throw e;
            }
            Optional<ControllerRevision> there =
                    client.get(Revisions.TYPE, set.getMetadata().getNamespace(), name);
            if (there.isPresent() && Revisions.same(there.get().getData(), fresh.getData())) {
                return there.get();
            }
            // Another template has this name: count up, and the next name is another one.
            client.updateStatus(
                    SETS,
                    new DaemonSetBuilder(set)
                            .editOrNewStatus()
                            .withCollisionCount(collisions == null ? 1 : collisions + 1)
                            .endStatus()
                            .build());
            throw e;
        }
    }

    private void cleanUp(DaemonSet set, List<ControllerRevision> history, ControllerRevision current, List<Pod> owned) {
        Integer limit = set.getSpec().getRevisionHistoryLimit();
        List<ControllerRevision> old = history.stream()
                .filter(revision -> !revision.getMetadata()
                                .getName()
                                .equals(current.getMetadata().getName())
                        && !Revisions.same(revision.getData(), current.getData()))
                .toList();
        int surplus = old.size() - (limit == null ? 10 : limit);
        Set<String> live = new HashSet<>();
        owned.forEach(pod -> {
            Map<String, String> labels = pod.getMetadata().getLabels();
            if (labels != null && labels.containsKey(Revisions.HASH_LABEL)) {
                live.add(labels.get(Revisions.HASH_LABEL));
            }
        });
        for (ControllerRevision revision : old) {
            if (surplus > 0 && !live.contains(hashOf(revision))) {
                Deletions.ifThere(client, Revisions.TYPE, revision);
                surplus--;
            }
        }
    }

    // ---- status

    private void writeStatus(DaemonSet set, DaemonPlan.Counts counts) {
        DaemonSetStatus old = set.getStatus() == null ? new DaemonSetStatus() : set.getStatus();
        DaemonSetStatus status = new DaemonSetStatusBuilder(old)
                .withDesiredNumberScheduled(counts.desired())
                .withCurrentNumberScheduled(counts.current())
                .withNumberMisscheduled(counts.misscheduled())
                .withNumberReady(counts.ready())
                .withUpdatedNumberScheduled(orNull(counts.updated()))
                .withNumberAvailable(orNull(counts.available()))
                .withNumberUnavailable(orNull(counts.desired() - counts.available()))
                .withObservedGeneration(set.getMetadata().getGeneration())
                .build();
        if (status.equals(old)) {
            return;
        }
        try {
            client.updateStatus(
                    SETS, new DaemonSetBuilder(set).withStatus(status).build());
        } catch (ApiException e) {
            if (e.isNotFound()) {
                return;
            }
            if (!e.isConflict()) {
                throw e;
            }
            DaemonSet fresh = client.get(
                            SETS,
                            set.getMetadata().getNamespace(),
                            set.getMetadata().getName())
                    .orElse(null);
            if (fresh != null
                    && fresh.getMetadata().getUid().equals(set.getMetadata().getUid())) {
                client.updateStatus(
                        SETS, new DaemonSetBuilder(fresh).withStatus(status).build());
            }
        }
    }

    /** These counts are left out when they are zero, as the API's types have it. */
    private static @Nullable Integer orNull(int count) {
        return count == 0 ? null : count;
    }
}
