package io.trimtab.controllers.job;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
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
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Runs the pods of Jobs to their end. Each pod is counted once, whatever is lost on the way: it carries a finalizer until the
 * status that counts it is stored. One look at a Job is a {@link JobSync}.
 */
public final class JobController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "job-controller";

    static final ResourceType<Job> JOBS = ResourceType.of(Job.class);
    /** Several pods tend to end at once: one look for all of them. */
    private static final Duration BATCH = Duration.ofSeconds(1);

    final Client client;
    final Driver driver;
    final EventRecorder events;
    final PodControl podControl;
    private final Lister<Job> jobs;
    private final Lister<Pod> pods;
    private final Map<Request, Backoff> backoffs = new ConcurrentHashMap<>();

    /**
     * How a Job's pods have fared.
     *
     * @param failures since the last success
     * @param last when the last of them ended
     */
    record Backoff(String uid, int failures, @Nullable Instant last) {
        private static final Duration BASE = Duration.ofSeconds(10);
        private static final Duration MAX = Duration.ofMinutes(10);

        /** How long until the next pod may be made. */
        Duration remaining(Instant now) {
            return remaining(failures, last, now);
        }

        static Duration remaining(int failures, @Nullable Instant last, Instant now) {
            if (failures == 0 || last == null) {
                return Duration.ZERO;
            }
            Duration wait = failures > 7 ? MAX : BASE.multipliedBy(1L << (failures - 1));
            Duration left = Duration.between(now, last.plus(wait.compareTo(MAX) > 0 ? MAX : wait));
            return left.isNegative() ? Duration.ZERO : left;
        }
    }

    private JobController(Manager manager) {
        this.client = manager.client(NAME);
        this.driver = manager.driver();
        this.events = manager.events(NAME);
        this.podControl = new PodControl(client, events);
        this.jobs = manager.informers().informer(Job.class).lister();
        this.pods = manager.informers().informer(Pod.class).lister();
    }

    /** Adds the controller's parts to the manager. */
    public static void addTo(Manager manager) {
        JobController controller = new JobController(manager);
        manager.add(Controller.of(NAME, Job.class)
                .watches(ResourceType.of(Pod.class), WatchScope.ALL, controller::onPod)
                .workers(5)
                .retry(Duration.ofSeconds(1), Duration.ofMinutes(1))
                .reconcile(controller));
        manager.add(Controller.named("job-controller-orphan-pods")
                .watches(ResourceType.of(Pod.class), WatchScope.ALL, (change, queue) -> {
                    Pod pod = change.object();
                    if (pod != null && JobPods.hasFinalizer(pod) && controller.isForsaken(pod)) {
                        queue.add(Request.of(pod));
                    }
                })
                .watches(ResourceType.of(Job.class), WatchScope.ALL, (change, queue) -> {
                    if (change.isDeleted() || JobPods.isFinished(change.latest())) {
                        controller
                                .pods
                                .byIndex(
                                        SharedInformer.BY_OWNER_UID,
                                        change.latest().getMetadata().getUid())
                                .stream()
                                .filter(JobPods::hasFinalizer)
                                .forEach(pod -> queue.add(Request.of(pod)));
                    }
                })
                .reconcile(controller::releaseOrphan));
    }

    private void onPod(Change<Pod> change, Enqueuer queue) {
        Pod old = change.old();
        Pod pod = change.object();
        if (old != null
                && pod != null
                && Objects.equals(
                        old.getMetadata().getResourceVersion(),
                        pod.getMetadata().getResourceVersion())) {
            return;
        }
        Request before = old == null ? null : owner(old);
        Request after = pod == null ? null : owner(pod);
        if (before != null && !before.equals(after)) {
            queue.add(before);
        }
        if (after != null) {
            boolean ended = old != null && pod != null && Pods.isActive(old) && !Pods.isActive(pod);
            if (change.isUpdated() && !ended) {
                queue.addAfter(after, BATCH);
            } else if (ended) {
                queue.addAfter(after, BATCH);
            } else {
                queue.add(after);
            }
        } else if (pod != null && OwnerReferences.controllerOf(pod).isEmpty()) {
            Map<String, String> labels =
                    Objects.requireNonNullElse(pod.getMetadata().getLabels(), Map.of());
            for (Job job : jobs.list(pod.getMetadata().getNamespace())) {
                LabelSelector selector = selector(job);
                if (!selector.isEverything() && selector.matches(labels)) {
                    queue.add(Request.of(job));
                }
            }
        }
    }

    private static @Nullable Request owner(Pod pod) {
        OwnerReference reference = OwnerReferences.controllerOf(pod).orElse(null);
        return reference != null && OwnerReferences.isOfKind(reference, "batch", "Job")
                ? new Request(pod.getMetadata().getNamespace(), reference.getName())
                : null;
    }

    private static LabelSelector selector(Job job) {
        try {
            return ModelSelectors.of(job.getSpec().getSelector());
        } catch (IllegalArgumentException e) {
            return LabelSelectors.nothing();
        }
    }

    // ---- jobs

    @Override
    public Result reconcile(Request request) throws Exception {
        Job job = jobs.get(request.namespace(), request.name()).orElse(null);
        if (job == null) {
            backoffs.remove(request);
            return Result.done();
        }
        if (JobPods.isManagedByOther(job)) {
            return Result.done();
        }
        if (JobPods.isFinished(job)) {
            backoffs.remove(request);
            return Result.done();
        }
        String mode = job.getSpec().getCompletionMode();
        if (mode != null && !mode.equals("NonIndexed") && !mode.equals("Indexed")) {
            events.warning(job, "UnknownCompletionMode", "Skipped Job sync because completion mode is unknown");
            return Result.done();
        }
        Backoff known = backoffs.get(request);
        String uid = job.getMetadata().getUid();
        Backoff backoff = known == null || !known.uid.equals(uid) ? new Backoff(uid, 0, null) : known;
        JobSync sync = new JobSync(this, job, claim(job), backoff);
        try {
            Duration again = sync.run();
            return again == null ? Result.done() : Result.after(again);
        } catch (ApiException e) {
            if (e.isConflict()) {
                return Result.again();
            }
            throw e;
        } finally {
            backoffs.put(request, sync.backoff());
        }
    }

    private List<Pod> claim(Job job) {
        Map<String, Pod> candidates = new HashMap<>();
        LabelSelector selector = selector(job);
        pods.byIndex(SharedInformer.BY_OWNER_UID, job.getMetadata().getUid())
                .forEach(pod -> candidates.put(pod.getMetadata().getName(), pod));
        pods.list(job.getMetadata().getNamespace(), selector)
                .forEach(pod -> candidates.put(pod.getMetadata().getName(), pod));
        List<Pod> sorted = new java.util.ArrayList<>(candidates.values());
        sorted.sort(java.util.Comparator.comparing(pod -> pod.getMetadata().getName()));
        return new Claims<>(client, PodControl.PODS, List.of(JobPods.FINALIZER)).claim(JOBS, job, selector, sorted);
    }

    // ---- pods without a Job

    /** Nobody will count the pod: its Job is gone, is another one, or has ended. */
    private boolean isForsaken(Pod pod) {
        Request owner = owner(pod);
        if (owner == null) {
            return OwnerReferences.controllerOf(pod).isEmpty() || Pods.isDeleting(pod);
        }
        Job job = jobs.get(owner.namespace(), owner.name())
                .filter(j -> OwnerReferences.isControlledBy(pod, j))
                .orElse(null);
        return job == null || !JobPods.isManagedByOther(job) && JobPods.isFinished(job);
    }

    private Result releaseOrphan(Request request) {
        Pod pod = pods.get(request.namespace(), request.name()).orElse(null);
        if (pod == null || !JobPods.hasFinalizer(pod) || !isForsaken(pod)) {
            return Result.done();
        }
        Request owner = owner(pod);
        if (owner != null) {
            // The cache of Jobs may be behind that of pods: the server knows.
            Job job = client.get(JOBS, owner.namespace(), owner.name()).orElse(null);
            if (job != null && OwnerReferences.isControlledBy(pod, job) && !JobPods.isFinished(job)) {
                return Result.done();
            }
        }
        removeFinalizer(pod);
        return Result.done();
    }

    /** @throws ApiException as the server refuses; not if the pod is gone */
    void removeFinalizer(Pod pod) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        ObjectNode metadata =
                body.putObject("metadata").put("uid", pod.getMetadata().getUid());
        metadata.putArray("$deleteFromPrimitiveList/finalizers").add(JobPods.FINALIZER);
        try {
            client.patch(
                    PodControl.PODS,
                    pod.getMetadata().getNamespace(),
                    pod.getMetadata().getName(),
                    Patch.strategic(body.toString()));
        } catch (ApiException e) {
            if (!e.isNotFound() && !e.isConflict() && !e.isInvalid()) {
                throw e;
            }
        }
    }
}
