package io.trimtab.controllers.ttlafterfinished;

import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.trimtab.client.Client;
import io.trimtab.client.Deletions;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.informer.Lister;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Deletes a Job, and its pods before it, when {@code ttlSecondsAfterFinished} have passed since it ended. */
public final class TtlAfterFinishedController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "ttl-after-finished-controller";

    private static final ResourceType<Job> JOBS = ResourceType.of(Job.class);

    private final Client client;
    private final Driver driver;
    private final Lister<Job> jobs;

    private TtlAfterFinishedController(Manager manager) {
        this.client = manager.client(NAME);
        this.driver = manager.driver();
        this.jobs = manager.informers().informer(Job.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        return Controller.<Job>of(NAME, JOBS, change -> !change.isDeleted() && expiry(change.latest()) != null)
                .workers(5)
                .reconcile(new TtlAfterFinishedController(manager));
    }

    /** When the Job is to go; null if it does not say, has not ended, or is on its way out. Pure. */
    static @Nullable Instant expiry(Job job) {
        Integer seconds = job.getSpec().getTtlSecondsAfterFinished();
        if (seconds == null || job.getMetadata().getDeletionTimestamp() != null || job.getStatus() == null) {
            return null;
        }
        return job.getStatus().getConditions().stream()
                .filter(c -> "True".equals(c.getStatus())
                        && ("Complete".equals(c.getType()) || "Failed".equals(c.getType())))
                .map(c -> Pods.time(c.getLastTransitionTime()))
                .findFirst()
                .map(finished -> finished.plusSeconds(seconds))
                .orElse(null);
    }

    @Override
    public Result reconcile(Request request) {
        Instant now = driver.now();
        Instant due = jobs.get(request.namespace(), request.name())
                .map(TtlAfterFinishedController::expiry)
                .orElse(null);
        if (due == null) {
            return Result.done();
        }
        if (due.isAfter(now)) {
            return Result.after(Duration.between(now, due));
        }
        // The TTL may have been changed: the server knows best, for there is no way back.
        Job fresh = client.get(JOBS, request.namespace(), request.name()).orElse(null);
        Instant freshDue = fresh == null ? null : expiry(fresh);
        if (fresh == null || freshDue == null) {
            return Result.done();
        }
        if (freshDue.isAfter(now)) {
            return Result.after(Duration.between(now, freshDue));
        }
        Deletions.exactly(
                client,
                JOBS,
                fresh,
                new DeleteOptionsBuilder().withPropagationPolicy("Foreground").build());
        return Result.done();
    }
}
