package io.trimtab.controllers.statefulset;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.ControllerRevision;
import io.fabric8.kubernetes.api.model.apps.ControllerRevisionBuilder;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSetBuilder;
import io.fabric8.kubernetes.api.model.apps.StatefulSetStatus;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Deletions;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.controller.Change;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Enqueuer;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.controllers.pods.TemplateHash;
import io.trimtab.controllers.revisions.Revisions;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import io.trimtab.ownership.Claims;
import io.trimtab.ownership.OwnerReferences;
import io.trimtab.runtime.Driver;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import io.trimtab.selector.model.ModelSelectors;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the pods of StatefulSets: each by its own name, with its own volumes, in order unless the set says otherwise. One look at
 * a set is a {@link SetSync}. It needs no expectations: names are fixed, so nothing can be made twice.
 */
public final class StatefulSetController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "statefulset-controller";

    static final ResourceType<StatefulSet> SETS = ResourceType.of(StatefulSet.class);
    static final ResourceType<PersistentVolumeClaim> CLAIMS = ResourceType.of(PersistentVolumeClaim.class);
    private static final String HASH_LABEL = "controller.kubernetes.io/hash";
    private static final int LONGEST_PREFIX = 223;

    final Client client;
    final Driver driver;
    final EventRecorder events;
    final Lister<PersistentVolumeClaim> claims;
    private final Lister<StatefulSet> sets;
    private final Lister<Pod> pods;
    private final Lister<ControllerRevision> revisions;

    private StatefulSetController(Manager manager) {
        this.client = manager.client(NAME);
        this.driver = manager.driver();
        this.events = manager.events(NAME);
        this.claims = manager.informers().informer(PersistentVolumeClaim.class).lister();
        this.sets = manager.informers().informer(StatefulSet.class).lister();
        this.pods = manager.informers().informer(Pod.class).lister();
        this.revisions = manager.informers().informer(ControllerRevision.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        StatefulSetController controller = new StatefulSetController(manager);
        return Controller.of(NAME, StatefulSet.class)
                .owns(Pod.class)
                .watches(ResourceType.of(Pod.class), WatchScope.ALL, controller::onOrphan)
                // Not for their events: both have to be there before anything is decided.
                .watches(ControllerRevision.class, (change, queue) -> {})
                .watches(PersistentVolumeClaim.class, (change, queue) -> {})
                .workers(5)
                .reconcile(PodControl.untilNamespaceEnds(controller));
    }

    private void onOrphan(Change<Pod> change, Enqueuer queue) {
        Pod pod = change.object();
        Map<String, String> labels = pod == null ? null : pod.getMetadata().getLabels();
        if (pod == null || labels == null || OwnerReferences.controllerOf(pod).isPresent()) {
            return;
        }
        for (StatefulSet set : sets.list(pod.getMetadata().getNamespace())) {
            if (Members.ordinal(set, pod) >= 0 && selector(set).matches(labels)) {
                queue.add(Request.of(set));
            }
        }
    }

    private static LabelSelector selector(StatefulSet set) {
        try {
            return ModelSelectors.of(set.getSpec().getSelector());
        } catch (IllegalArgumentException e) {
            return LabelSelectors.nothing();
        }
    }

    @Override
    public Result reconcile(Request request) throws Exception {
        StatefulSet set = sets.get(request.namespace(), request.name()).orElse(null);
        if (set == null) {
            return Result.done();
        }
        List<ControllerRevision> history = history(set);
        List<Pod> members = claim(set);
        Integer collisions = set.getStatus() == null ? null : set.getStatus().getCollisionCount();
        ControllerRevision update = update(set, history, collisions);
        String currentName = set.getStatus() == null ? null : set.getStatus().getCurrentRevision();
        ControllerRevision current = history.stream()
                .filter(revision -> revision.getMetadata().getName().equals(currentName))
                .findFirst()
                .orElse(update);
        SetSync sync = new SetSync(this, set, members, current, update);
        Exception failure = null;
        try {
            sync.run();
        } catch (ApiException | IllegalStateException e) {
            failure = e;
        }
        StatefulSetStatus status = sync.status();
        writeStatus(set, status);
        if (failure != null) {
            if (failure instanceof ApiException e && PodControl.isNamespaceTerminating(e)) {
                return Result.done();
            }
            throw failure;
        }
        cleanUp(set, history, current, update, members);
        Duration again = sync.again();
        return again == null ? Result.done() : Result.after(again);
    }

    private List<Pod> claim(StatefulSet set) {
        LabelSelector selector = selector(set);
        Map<String, Pod> candidates = new HashMap<>();
        pods.byIndex(SharedInformer.BY_OWNER_UID, set.getMetadata().getUid())
                .forEach(pod -> candidates.put(pod.getMetadata().getName(), pod));
        pods.list(set.getMetadata().getNamespace(), selector)
                .forEach(pod -> candidates.put(pod.getMetadata().getName(), pod));
        List<Pod> sorted = new ArrayList<>(candidates.values());
        sorted.sort(Comparator.comparing(pod -> pod.getMetadata().getName()));
        return new Claims<>(client, PodControl.PODS)
                .claim(SETS, set, selector, sorted, pod -> Members.ordinal(set, pod) >= 0);
    }

    // ---- history

    private List<ControllerRevision> history(StatefulSet set) {
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

    /** The revision of the template as it is now: the newest one, an older one made the newest, or a fresh one. */
    private ControllerRevision update(StatefulSet set, List<ControllerRevision> history, @Nullable Integer collisions) {
        Object data = Revisions.patch(set.getSpec().getTemplate());
        ControllerRevision same = null;
        for (ControllerRevision revision : history) {
            same = Revisions.same(revision.getData(), data) ? revision : same;
        }
        long number = Revisions.next(history);
        if (same == null) {
            return create(set, number, collisions);
        }
        if (same == history.get(history.size() - 1)) {
            return same;
        }
        return client.update(
                Revisions.TYPE,
                new ControllerRevisionBuilder(same).withRevision(number).build());
    }

    private ControllerRevision create(StatefulSet set, long number, @Nullable Integer collisions) {
        String hash = TemplateHash.of(set.getSpec().getTemplate(), collisions);
        String base = set.getMetadata().getName();
        String name = (base.length() > LONGEST_PREFIX ? base.substring(0, LONGEST_PREFIX) : base) + "-" + hash;
        ControllerRevision fresh = Revisions.fresh(set, set.getSpec().getTemplate(), name, HASH_LABEL, hash, number);
        try {
            return client.create(Revisions.TYPE, fresh);
        } catch (ApiException e) {
            if (!e.isAlreadyExists()) {
                throw e;
            }
            ControllerRevision there = client.get(
                            Revisions.TYPE, set.getMetadata().getNamespace(), name)
                    .orElse(null);
            if (there != null
                    && OwnerReferences.isControlledBy(there, set)
                    && Revisions.same(there.getData(), fresh.getData())) {
                return there;
            }
            client.updateStatus(
                    SETS,
                    new StatefulSetBuilder(set)
                            .editOrNewStatus()
                            .withCollisionCount(collisions == null ? 1 : collisions + 1)
                            .endStatus()
                            .build());
            throw e;
        }
    }

    private void cleanUp(
            StatefulSet set,
            List<ControllerRevision> history,
            ControllerRevision current,
            ControllerRevision update,
            List<Pod> members) {
        Set<String> live = new HashSet<>();
        live.add(current.getMetadata().getName());
        live.add(update.getMetadata().getName());
        members.forEach(pod -> live.add(Members.revision(pod)));
        List<ControllerRevision> old = history.stream()
                .filter(revision -> !live.contains(revision.getMetadata().getName()))
                .toList();
        Integer limit = set.getSpec().getRevisionHistoryLimit();
        int surplus = old.size() - (limit == null ? 10 : limit);
        for (ControllerRevision revision : old.subList(0, Math.max(0, surplus))) {
            Deletions.ifThere(client, Revisions.TYPE, revision);
        }
    }

    // ---- status

    private void writeStatus(StatefulSet set, StatefulSetStatus status) {
        if (Objects.equals(set.getStatus(), status)) {
            return;
        }
        try {
            client.updateStatus(
                    SETS, new StatefulSetBuilder(set).withStatus(status).build());
        } catch (ApiException e) {
            if (e.isNotFound()) {
                return;
            }
            if (!e.isConflict()) {
                throw e;
            }
            StatefulSet fresh = client.get(
                            SETS,
                            set.getMetadata().getNamespace(),
                            set.getMetadata().getName())
                    .orElse(null);
            if (fresh != null
                    && fresh.getMetadata().getUid().equals(set.getMetadata().getUid())) {
                client.updateStatus(
                        SETS, new StatefulSetBuilder(fresh).withStatus(status).build());
            }
        }
    }

    /** A pod of the set that is to go. Tells its event. */
    void delete(StatefulSet set, Pod pod) {
        try {
            client.delete(
                    PodControl.PODS,
                    pod.getMetadata().getNamespace(),
                    pod.getMetadata().getName(),
                    new DeleteOptions());
        } catch (ApiException e) {
            if (e.isNotFound()) {
                return;
            }
            tell(set, "Delete", "delete Pod " + pod.getMetadata().getName(), e);
            throw e;
        }
        tell(set, "Delete", "delete Pod " + pod.getMetadata().getName(), null);
    }

    void tell(StatefulSet set, String verb, String what, @Nullable ApiException failure) {
        String where = what + " in StatefulSet " + set.getMetadata().getName();
        if (failure == null) {
            events.normal(set, "Successful" + verb, where + (what.contains(" Claim ") ? " success" : " successful"));
        } else {
            events.warning(set, "Failed" + verb, where + " failed error: " + failure.getMessage());
        }
    }

    @Nullable
    Duration untilAvailable(Pod pod, int minReadySeconds) {
        return Pods.untilAvailable(pod, minReadySeconds, driver.now());
    }
}
