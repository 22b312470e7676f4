package io.trimtab.controllers.deployment;

import static io.trimtab.controllers.deployment.Deployments.active;
import static io.trimtab.controllers.deployment.Deployments.all;
import static io.trimtab.controllers.deployment.Deployments.annotation;
import static io.trimtab.controllers.deployment.Deployments.replicas;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.api.model.apps.DeploymentCondition;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatus;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatusBuilder;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Deletions;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.controllers.pods.TemplateHash;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import io.trimtab.ownership.Claims;
import io.trimtab.ownership.OwnerReferences;
import io.trimtab.runtime.Driver;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.model.ModelSelectors;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Rolls a Deployment's pods to its template, one small step a call: each step changes the size of some ReplicaSets or writes the
 * status, and the watch events of that bring the next. The arithmetic is in {@link Sizing}, the verdicts in {@link Progress};
 * here are the order of the steps and the writes.
 */
public final class DeploymentReconciler implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "deployment-controller";

    private static final ResourceType<Deployment> DEPLOYMENTS = ResourceType.of(Deployment.class);
    private static final ResourceType<ReplicaSet> REPLICA_SETS = ResourceType.of(ReplicaSet.class);
    private static final int MAX_RETRIES = 15;
    private static final int LONGEST_HISTORY = 2000;
    private static final int LONGEST_NAME = 253;
    private static final Set<String> NOT_COPIED = Set.of(
            Deployments.LAST_APPLIED,
            Deployments.REVISION,
            Deployments.REVISION_HISTORY,
            Deployments.DESIRED_REPLICAS,
            Deployments.MAX_REPLICAS,
            Deployments.ROLLBACK_TO);

    private final Client client;
    private final EventRecorder events;
    private final Driver driver;
    private final Lister<Deployment> deployments;
    private final Lister<ReplicaSet> sets;
    private final Lister<Pod> pods;

    private DeploymentReconciler(Manager manager) {
        this.client = manager.client(NAME);
        this.events = manager.events(NAME);
        this.driver = manager.driver();
        this.deployments = manager.informers().informer(Deployment.class).lister();
        this.sets = manager.informers().informer(ReplicaSet.class).lister();
        this.pods = manager.informers().informer(Pod.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        DeploymentReconciler reconciler = new DeploymentReconciler(manager);
        return Controller.of(NAME, Deployment.class)
                .owns(ReplicaSet.class)
                .watches(ReplicaSet.class, (change, queue) -> {
                    ReplicaSet set = change.latest();
                    boolean relabelled = !change.isUpdated()
                            || !Objects.equals(
                                    Objects.requireNonNull(change.old())
                                            .getMetadata()
                                            .getLabels(),
                                    set.getMetadata().getLabels());
                    if (!change.isDeleted()
                            && relabelled
                            && OwnerReferences.controllerOf(set).isEmpty()) {
                        reconciler.selecting(set).forEach(queue::add);
                    }
                })
                .watches(Pod.class, (change, queue) -> {
                    if (change.isDeleted()) {
                        reconciler.waitingFor(change.latest()).forEach(queue::add);
                    }
                })
                .workers(5)
                .maxRetries(MAX_RETRIES)
                .reconcile(reconciler);
    }

    /** The Deployments that might adopt an orphan. */
    private List<Request> selecting(ReplicaSet orphan) {
        Map<String, String> labels =
                Objects.requireNonNullElse(orphan.getMetadata().getLabels(), Map.of());
        List<Request> found = new ArrayList<>();
        for (Deployment deployment : deployments.list(orphan.getMetadata().getNamespace())) {
            LabelSelector selector = ModelSelectors.of(deployment.getSpec().getSelector());
            if (!selector.isEverything() && selector.matches(labels)) {
                found.add(Request.of(deployment));
            }
        }
        return found;
    }

    /** The Deployment of strategy Recreate that waited for this pod as its last. */
    private List<Request> waitingFor(Pod gone) {
        return OwnerReferences.controllerOf(gone)
                .flatMap(owner -> sets.get(gone.getMetadata().getNamespace(), owner.getName())
                        .filter(set -> set.getMetadata().getUid().equals(owner.getUid())))
                .flatMap(OwnerReferences::controllerOf)
                .flatMap(owner -> deployments.get(gone.getMetadata().getNamespace(), owner.getName()))
                .filter(deployment -> !Fenceposts.isRolling(deployment))
                .filter(deployment ->
                        sets
                                .byIndex(
                                        SharedInformer.BY_OWNER_UID,
                                        deployment.getMetadata().getUid())
                                .stream()
                                .allMatch(set -> podsOf(set).isEmpty()))
                .map(Request::of)
                .stream()
                .toList();
    }

    private List<Pod> podsOf(ReplicaSet set) {
        return pods.byIndex(SharedInformer.BY_OWNER_UID, set.getMetadata().getUid());
    }

    @Override
    public Result reconcile(Request request) {
        Deployment found = deployments.get(request.namespace(), request.name()).orElse(null);
        if (found == null) {
            return Result.done(); // deleted: the garbage collector owns the sets now
        }
        Deployment deployment = new DeploymentBuilder(found).build();
        LabelSelector selector = ModelSelectors.of(deployment.getSpec().getSelector());
        if (selector.isEverything()) {
            return refuseToSelectAll(deployment);
        }
        List<ReplicaSet> owned = claim(deployment, selector);
        try {
            return step(deployment, owned);
        } catch (ApiException e) {
            if (PodControl.isNamespaceTerminating(e)) {
                return Result.done();
            }
            throw e;
        }
    }

    private Result refuseToSelectAll(Deployment deployment) {
        events.warning(
                deployment, "SelectingAll", "This deployment is selecting all pods. A non-empty selector is required.");
        long generation = Deployments.orZero(deployment.getMetadata().getGeneration());
        DeploymentStatus status = Progress.statusOf(deployment);
        if (Deployments.orZero(status.getObservedGeneration()) < generation) {
            status.setObservedGeneration(generation);
            tellStatus(deployment, status);
        }
        return Result.done();
    }

    private List<ReplicaSet> claim(Deployment deployment, LabelSelector selector) {
        return new Claims<>(client, REPLICA_SETS)
                .claim(
                        DEPLOYMENTS,
                        deployment,
                        selector,
                        sets.list(deployment.getMetadata().getNamespace()));
    }

    private Result step(Deployment deployment, List<ReplicaSet> owned) {
        if (deployment.getMetadata().getDeletionTimestamp() != null) {
            Found found = find(deployment, owned, false);
            return writeRolloutStatus(found);
        }
        deployment = notePause(deployment);
        if (Deployments.isPaused(deployment)) {
            return scale(deployment, owned);
        }
        if (annotation(deployment, Deployments.ROLLBACK_TO) != null) {
            rollback(deployment, owned);
            return Result.done();
        }
        if (isScalingEvent(deployment, owned)) {
            return scale(deployment, owned);
        }
        return Fenceposts.isRolling(deployment) ? roll(deployment, owned) : recreate(deployment, owned);
    }

    /** A size was changed from outside while sets carry the former one: they are scaled before the rollout goes on. */
    private static boolean isScalingEvent(Deployment deployment, List<ReplicaSet> owned) {
        for (ReplicaSet set : active(owned)) {
            Integer desired = Deployments.number(set, Deployments.DESIRED_REPLICAS);
            if (desired != null && desired != replicas(deployment)) {
                return true;
            }
        }
        return false;
    }

    // ---- strategies

    private Result roll(Deployment deployment, List<ReplicaSet> owned) {
        Found found = find(deployment, owned, true);
        ReplicaSet newSet = Objects.requireNonNull(found.newSet);
        List<ReplicaSet> allSets = found.all();
        int wanted = replicas(found.deployment);
        if (replicas(newSet) != wanted) {
            int size = replicas(newSet) > wanted ? wanted : Sizing.newSet(found.deployment, allSets, newSet);
            if (resize(found.deployment, newSet, size)) {
                return writeRolloutStatus(found);
            }
        }
        boolean changed = false;
        for (Map.Entry<ReplicaSet, Integer> size :
                Sizing.oldSets(found.deployment, found.old, newSet).entrySet()) {
            changed |= resize(found.deployment, size.getKey(), size.getValue());
        }
        if (!changed && Progress.isComplete(found.deployment, Progress.statusOf(found.deployment))) {
            forgetHistory(found.deployment, found.old);
        }
        return writeRolloutStatus(found);
    }

    private Result recreate(Deployment deployment, List<ReplicaSet> owned) {
        Found found = find(deployment, owned, false);
        boolean changed = false;
        for (ReplicaSet set : active(found.old)) {
            changed |= resize(found.deployment, set, 0);
        }
        if (changed || hasOldPods(found, owned)) {
            return writeRolloutStatus(found);
        }
        if (found.newSet == null) {
            found = find(found.deployment, owned, true);
        }
        resize(found.deployment, Objects.requireNonNull(found.newSet), replicas(found.deployment));
        if (Progress.isComplete(found.deployment, Progress.statusOf(found.deployment))) {
            forgetHistory(found.deployment, found.old);
        }
        return writeRolloutStatus(found);
    }

    private boolean hasOldPods(Found found, List<ReplicaSet> owned) {
        if (found.old.stream().mapToInt(Deployments::actual).sum() > 0) {
            return true;
        }
        for (ReplicaSet set : owned) {
            boolean isNew = found.newSet != null
                    && found.newSet
                            .getMetadata()
                            .getUid()
                            .equals(set.getMetadata().getUid());
            if (!isNew && podsOf(set).stream().anyMatch(pod -> !Pods.isTerminal(pod))) {
                return true;
            }
        }
        return false;
    }

    private Result scale(Deployment deployment, List<ReplicaSet> owned) {
        Found found = find(deployment, owned, false);
        resizeAll(found);
        if (Deployments.isPaused(deployment) && annotation(deployment, Deployments.ROLLBACK_TO) == null) {
            forgetHistory(found.deployment, found.old);
        }
        DeploymentStatus status = Progress.status(found.deployment, found.all(), found.newSet, driver.now());
        if (!status.equals(Progress.statusOf(found.deployment))) {
            tellStatus(found.deployment, status);
        }
        return Result.done();
    }

    private void resizeAll(Found found) {
        var single = Sizing.activeOrLatest(found.old, found.newSet);
        if (single.isPresent()) {
            if (replicas(single.get()) != replicas(found.deployment)) {
                resize(found.deployment, single.get(), replicas(found.deployment));
            }
            return;
        }
        if (Sizing.isSaturated(found.deployment, found.newSet)) {
            active(found.old).forEach(set -> resize(found.deployment, set, 0));
            return;
        }
        if (Fenceposts.isRolling(found.deployment)) {
            Sizing.proportional(found.deployment, active(found.all()))
                    .forEach((set, size) -> resize(found.deployment, set, size));
        }
    }

    /** Sets a size, and refreshes what the set notes about its Deployment's; true if the size changed. */
    private boolean resize(Deployment deployment, ReplicaSet set, int size) {
        int before = replicas(set);
        ReplicaSet changed = new ReplicaSetBuilder(set).build();
        boolean noted = noteSize(changed, deployment);
        if (before == size && !noted) {
            return false;
        }
        changed.getSpec().setReplicas(size);
        client.update(REPLICA_SETS, changed);
        if (before == size) {
            return false;
        }
        events.normal(
                deployment,
                "ScalingReplicaSet",
                "Scaled " + (size > before ? "up" : "down") + " replica set "
                        + set.getMetadata().getName() + " from " + before + " to " + size);
        return true;
    }

    /** Deletes idle sets beyond the history that is kept, lowest revision first. */
    private void forgetHistory(Deployment deployment, List<ReplicaSet> old) {
        if (!Deployments.hasHistoryLimit(deployment)) {
            return;
        }
        List<ReplicaSet> kept = old.stream()
                .filter(set -> !Deployments.isDeleting(set))
                .sorted(Comparator.comparingLong(
                                (ReplicaSet set) -> Deployments.revision(set).orElse(0))
                        .thenComparing(Deployments.BY_AGE))
                .toList();
        int surplus = kept.size() - deployment.getSpec().getRevisionHistoryLimit();
        for (int i = 0; i < surplus; i++) {
            ReplicaSet set = kept.get(i);
            long observed = set.getStatus() == null
                    ? 0
                    : Deployments.orZero(set.getStatus().getObservedGeneration());
            if (Deployments.actual(set) == 0
                    && replicas(set) == 0
                    && Deployments.orZero(set.getMetadata().getGeneration()) <= observed) {
                Deletions.ifThere(client, REPLICA_SETS, set);
            }
        }
    }

    // ---- sets

    /** What a step works with: the Deployment as last written, its old sets and its new one. */
    private record Found(
            Deployment deployment,
            List<ReplicaSet> old,
            @Nullable ReplicaSet newSet) {
        List<ReplicaSet> all() {
            return Deployments.all(old, newSet);
        }
    }

    /** Finds the old and the new set, brings the new one's notes up to date, and makes it if asked and there is none. */
    private Found find(Deployment deployment, List<ReplicaSet> owned, boolean create) {
        List<ReplicaSet> old = Deployments.findOld(deployment, owned);
        ReplicaSet existing = Deployments.findNew(deployment, owned).orElse(null);
        String revision = Long.toString(Deployments.maxRevision(old) + 1);
        if (existing != null) {
            return adjust(deployment, old, existing, revision);
        }
        return create ? create(deployment, old, revision) : new Found(deployment, old, null);
    }

    private Found adjust(Deployment deployment, List<ReplicaSet> old, ReplicaSet existing, String revision) {
        ReplicaSet changed = new ReplicaSetBuilder(existing).build();
        boolean noted = copyNotes(deployment, changed, revision);
        int minReady = Deployments.orZero(deployment.getSpec().getMinReadySeconds());
        if (noted || Deployments.orZero(changed.getSpec().getMinReadySeconds()) != minReady) {
            changed.getSpec().setMinReadySeconds(minReady == 0 ? null : minReady);
            ReplicaSet written = client.update(REPLICA_SETS, changed);
            return new Found(deployment, old, written);
        }
        String noted2 = annotation(existing, Deployments.REVISION);
        DeploymentStatus status = copyOf(Progress.statusOf(deployment));
        boolean write = noteRevision(deployment, noted2);
        if (Deployments.hasProgressDeadline(deployment)
                && Deployments.condition(status, Progress.PROGRESSING) == null) {
            Deployments.setCondition(
                    status,
                    Deployments.newCondition(
                            Progress.PROGRESSING,
                            "True",
                            "FoundNewReplicaSet",
                            "Found new replica set \"" + existing.getMetadata().getName() + "\"",
                            driver.now()));
            write = true;
        }
        return new Found(write ? writeStatus(deployment, status) : deployment, old, existing);
    }

    private Found create(Deployment deployment, List<ReplicaSet> old, String revision) {
        ReplicaSet wanted = newSet(deployment, old, revision);
        String name = wanted.getMetadata().getName();
        ReplicaSet created;
        boolean existed = false;
        try {
            created = client.create(REPLICA_SETS, wanted);
        } catch (ApiException e) {
            if (e.isAlreadyExists()) {
                created = resolveCollision(deployment, name, e);
                existed = true;
            } else {
                if (!PodControl.isNamespaceTerminating(e)) {
                    reportCreateFailure(deployment, name, e);
                }
                throw e;
            }
        }
        if (!existed && replicas(created) > 0) {
            events.normal(
                    deployment,
                    "ScalingReplicaSet",
                    "Scaled up replica set " + name + " from 0 to " + replicas(created));
        }
        DeploymentStatus status = copyOf(Progress.statusOf(deployment));
        boolean write = noteRevision(deployment, revision);
        if (!existed && Deployments.hasProgressDeadline(deployment)) {
            Deployments.setCondition(
                    status,
                    Deployments.newCondition(
                            Progress.PROGRESSING,
                            "True",
                            "NewReplicaSetCreated",
                            "Created new replica set \"" + name + "\"",
                            driver.now()));
            write = true;
        }
        return new Found(write ? writeStatus(deployment, status) : deployment, old, created);
    }

    /**
     * The name is taken. If by a set of ours with this very template, a former call made it and we did not hear; else the hash
     * collided, and counting that gives the next try another name.
     */
    private ReplicaSet resolveCollision(Deployment deployment, String name, ApiException taken) {
        String namespace = deployment.getMetadata().getNamespace();
        ReplicaSet other = client.get(REPLICA_SETS, namespace, name).orElseThrow(() -> taken);
        boolean ours = OwnerReferences.controllerOf(other)
                .filter(ref -> ref.getUid().equals(deployment.getMetadata().getUid()))
                .isPresent();
        if (ours
                && Deployments.sameTemplate(
                        other.getSpec().getTemplate(), deployment.getSpec().getTemplate())) {
            return other;
        }
        DeploymentStatus status = copyOf(Progress.statusOf(deployment));
        status.setCollisionCount(Deployments.orZero(status.getCollisionCount()) + 1);
        tellStatus(deployment, status);
        throw taken;
    }

    private void reportCreateFailure(Deployment deployment, String name, ApiException e) {
        String message = "Failed to create new replica set \"" + name + "\": " + e.getMessage();
        if (Deployments.hasProgressDeadline(deployment)) {
            DeploymentStatus status = copyOf(Progress.statusOf(deployment));
            Deployments.setCondition(
                    status,
                    Deployments.newCondition(
                            Progress.PROGRESSING, "False", "ReplicaSetCreateError", message, driver.now()));
            tellStatus(deployment, status);
        }
        events.warning(deployment, "ReplicaSetCreateError", message);
    }

    private ReplicaSet newSet(Deployment deployment, List<ReplicaSet> old, String revision) {
        PodTemplateSpec template =
                new PodTemplateSpecBuilder(deployment.getSpec().getTemplate()).build();
        Integer collisions =
                deployment.getStatus() == null ? null : deployment.getStatus().getCollisionCount();
        String hash = TemplateHash.of(template, collisions);
        Map<String, String> labels = new TreeMap<>();
        if (template.getMetadata() != null && template.getMetadata().getLabels() != null) {
            labels.putAll(template.getMetadata().getLabels());
        }
        labels.put(Deployments.HASH_LABEL, hash);
        template.getMetadata().setLabels(labels);
        String prefix = deployment.getMetadata().getName();
        int room = LONGEST_NAME - hash.length() - 1;
        ReplicaSet set = new ReplicaSetBuilder()
                .withNewMetadata()
                .withName((prefix.length() > room ? prefix.substring(0, room) : prefix) + "-" + hash)
                .withNamespace(deployment.getMetadata().getNamespace())
                .withLabels(labels)
                .withOwnerReferences(OwnerReferences.newControllerRef(deployment))
                .endMetadata()
                .withNewSpec()
                .withReplicas(0)
                .withMinReadySeconds(deployment.getSpec().getMinReadySeconds())
                .withSelector(new LabelSelectorBuilder(deployment.getSpec().getSelector())
                        .addToMatchLabels(Deployments.HASH_LABEL, hash)
                        .build())
                .withTemplate(template)
                .endSpec()
                .build();
        set.getSpec().setReplicas(Sizing.newSet(deployment, all(old, set), set));
        copyNotes(deployment, set, revision);
        noteSize(set, deployment);
        return set;
    }

    // ---- notes on objects

    /** Copies annotations and raises the revision; true if anything changed. Copies are never removed again. */
    private static boolean copyNotes(Deployment deployment, ReplicaSet set, String revision) {
        Map<String, String> notes = notesOf(set);
        Map<String, String> before = Map.copyOf(notes);
        Map<String, String> source =
                Objects.requireNonNullElse(deployment.getMetadata().getAnnotations(), Map.of());
        source.forEach((key, value) -> {
            if (!NOT_COPIED.contains(key)) {
                notes.put(key, value);
            }
        });
        raiseRevision(notes, revision);
        set.getMetadata().setAnnotations(notes);
        return !notes.equals(before);
    }

    private static void raiseRevision(Map<String, String> notes, String revision) {
        String former = notes.get(Deployments.REVISION);
        if (former == null) {
            notes.put(Deployments.REVISION, revision);
            return;
        }
        try {
            if (Long.parseLong(former) >= Long.parseLong(revision)) {
                return;
            }
        } catch (NumberFormatException e) {
            return; // somebody wrote what is no revision: leave it to them
        }
        notes.put(Deployments.REVISION, revision);
        List<String> history = new ArrayList<>();
        String noted = notes.get(Deployments.REVISION_HISTORY);
        if (noted != null && !noted.isEmpty()) {
            history.addAll(List.of(noted.split(",", -1)));
        }
        history.add(former);
        while (history.size() > 1 && String.join(",", history).length() > LONGEST_HISTORY) {
            history.remove(0);
        }
        notes.put(Deployments.REVISION_HISTORY, String.join(",", history));
    }

    /** Notes the Deployment's size, against which proportional scaling computes; true if it changed. */
    private static boolean noteSize(ReplicaSet set, Deployment deployment) {
        Map<String, String> notes = notesOf(set);
        int wanted = replicas(deployment);
        String desired = Integer.toString(wanted);
        String max = Integer.toString(wanted + Fenceposts.of(deployment).surge());
        boolean changed = !desired.equals(notes.put(Deployments.DESIRED_REPLICAS, desired))
                | !max.equals(notes.put(Deployments.MAX_REPLICAS, max));
        set.getMetadata().setAnnotations(notes);
        return changed;
    }

    private static boolean noteRevision(Deployment deployment, @Nullable String revision) {
        if (revision == null) {
            return false;
        }
        Map<String, String> notes = notesOf(deployment);
        boolean changed = !revision.equals(notes.put(Deployments.REVISION, revision));
        deployment.getMetadata().setAnnotations(notes);
        return changed;
    }

    private static Map<String, String> notesOf(HasMetadata object) {
        Map<String, String> notes = object.getMetadata().getAnnotations();
        return notes == null ? new HashMap<>() : new HashMap<>(notes);
    }

    // ---- status

    private Deployment notePause(Deployment deployment) {
        if (!Deployments.hasProgressDeadline(deployment)) {
            return deployment;
        }
        DeploymentStatus status = copyOf(Progress.statusOf(deployment));
        DeploymentCondition current = Deployments.condition(status, Progress.PROGRESSING);
        if (current != null && Progress.TIMED_OUT.equals(current.getReason())) {
            return deployment;
        }
        boolean noted = current != null && "DeploymentPaused".equals(current.getReason());
        boolean paused = Deployments.isPaused(deployment);
        if (paused == noted) {
            return deployment;
        }
        Deployments.setCondition(
                status,
                paused
                        ? Deployments.newCondition(
                                Progress.PROGRESSING,
                                "Unknown",
                                "DeploymentPaused",
                                "Deployment is paused",
                                driver.now())
                        : Deployments.newCondition(
                                Progress.PROGRESSING,
                                "Unknown",
                                "DeploymentResumed",
                                "Deployment is resumed",
                                driver.now()));
        return writeStatus(deployment, status);
    }

    private Result writeRolloutStatus(Found found) {
        DeploymentStatus status = Progress.rolloutStatus(found.deployment, found.all(), found.newSet, driver.now());
        if (!status.equals(Progress.statusOf(found.deployment))) {
            tellStatus(found.deployment, status);
            return Result.done();
        }
        Duration left = Progress.untilDeadline(found.deployment, status, driver.now());
        if (left == null) {
            return Result.done();
        }
        // A second more than the deadline, so that the next look is surely past it.
        return left.compareTo(Duration.ofSeconds(1)) < 0 ? Result.again() : Result.after(left.plusSeconds(1));
    }

    private void tellStatus(Deployment deployment, DeploymentStatus status) {
        deployment.setStatus(status);
        client.updateStatusOnly(DEPLOYMENTS, deployment);
    }

    /** Writes the status, and with it the revision annotation, which the status endpoint lets through. */
    private Deployment writeStatus(Deployment deployment, DeploymentStatus status) {
        deployment.setStatus(status);
        return new DeploymentBuilder(client.updateStatus(DEPLOYMENTS, deployment)).build();
    }

    private static DeploymentStatus copyOf(DeploymentStatus status) {
        return new DeploymentStatusBuilder(status).build();
    }

    // ---- rollback, as old clients ask for it

    private void rollback(Deployment deployment, List<ReplicaSet> owned) {
        Found found = find(deployment, owned, true);
        long revision = requestedRevision(found.deployment);
        if (revision == 0) {
            revision = Deployments.lastRevision(found.all());
            if (revision == 0) {
                events.warning(found.deployment, "DeploymentRollbackRevisionNotFound", "Unable to find last revision.");
                writeRollback(found.deployment);
                return;
            }
        }
        for (ReplicaSet set : found.all()) {
            if (Deployments.revision(set).orElse(-1) == revision) {
                rollbackTo(found.deployment, set, revision);
                return;
            }
        }
        events.warning(
                found.deployment, "DeploymentRollbackRevisionNotFound", "Unable to find the revision to rollback to.");
        writeRollback(found.deployment);
    }

    private void rollbackTo(Deployment deployment, ReplicaSet set, long revision) {
        if (Deployments.sameTemplate(
                deployment.getSpec().getTemplate(), set.getSpec().getTemplate())) {
            events.warning(
                    deployment,
                    "DeploymentRollbackTemplateUnchanged",
                    "The rollback revision contains the same template as current deployment \""
                            + deployment.getMetadata().getName() + "\"");
        } else {
            deployment
                    .getSpec()
                    .setTemplate(Deployments.withoutHash(set.getSpec().getTemplate()));
            Map<String, String> notes = new HashMap<>();
            notesOf(deployment).forEach((key, value) -> {
                if (NOT_COPIED.contains(key)) {
                    notes.put(key, value);
                }
            });
            notesOf(set).forEach((key, value) -> {
                if (!NOT_COPIED.contains(key)) {
                    notes.put(key, value);
                }
            });
            deployment.getMetadata().setAnnotations(notes);
            events.normal(
                    deployment,
                    "DeploymentRollback",
                    "Rolled back deployment \"" + deployment.getMetadata().getName() + "\" to revision " + revision);
        }
        writeRollback(deployment);
    }

    private void writeRollback(Deployment deployment) {
        Map<String, String> notes = notesOf(deployment);
        notes.remove(Deployments.ROLLBACK_TO);
        deployment.getMetadata().setAnnotations(notes);
        client.update(DEPLOYMENTS, deployment);
    }

    private static long requestedRevision(Deployment deployment) {
        try {
            return Long.parseLong(Objects.requireNonNull(annotation(deployment, Deployments.ROLLBACK_TO)));
        } catch (NumberFormatException e) {
            return 0;
        }
    }
}
