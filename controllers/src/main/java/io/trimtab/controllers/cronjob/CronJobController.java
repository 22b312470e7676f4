package io.trimtab.controllers.cronjob;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.CronJob;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobStatus;
import io.fabric8.kubernetes.api.model.batch.v1.CronJobStatusBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.JobCondition;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Deletions;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Requests;
import io.trimtab.controller.Result;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import io.trimtab.ownership.OwnerReferences;
import io.trimtab.runtime.Driver;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Makes a Job at each time a CronJob's schedule names. The Job's name tells its time, so that no time can have two Jobs; of times
 * that were missed, only the last is made up for.
 */
public final class CronJobController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "cronjob-controller";

    private static final ResourceType<CronJob> CRON_JOBS = ResourceType.of(CronJob.class);
    private static final ResourceType<Job> JOBS = ResourceType.of(Job.class);
    private static final String TIMESTAMP = "batch.kubernetes.io/cronjob-scheduled-timestamp";
    private static final Duration SURELY_PAST = Duration.ofMillis(100);
    private static final int MANY_MISSED = 100;
    private static final DateTimeFormatter RFC_1123 =
            DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss Z", Locale.ENGLISH);

    private final Client client;
    private final Driver driver;
    private final EventRecorder events;
    private final Lister<CronJob> cronJobs;
    private final Lister<Job> jobs;

    private CronJobController(Manager manager) {
        this.client = manager.client(NAME);
        this.driver = manager.driver();
        this.events = manager.events(NAME);
        this.cronJobs = manager.informers().informer(CronJob.class).lister();
        this.jobs = manager.informers().informer(Job.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        return Controller.of(NAME, CronJob.class)
                .watches(JOBS, WatchScope.ALL, Requests.owners(CRON_JOBS, true))
                .workers(5)
                .reconcile(new CronJobController(manager));
    }

    @Override
    public Result reconcile(Request request) {
        CronJob cron = cronJobs.get(request.namespace(), request.name()).orElse(null);
        if (cron == null) {
            return Result.done();
        }
        List<Job> children = new ArrayList<>(
                jobs.byIndex(SharedInformer.BY_OWNER_UID, cron.getMetadata().getUid()).stream()
                        .filter(job -> OwnerReferences.isControlledBy(job, cron))
                        .toList());
        CronJobStatus status =
                cron.getStatus() == null ? new CronJobStatus() : new CronJobStatusBuilder(cron.getStatus()).build();
        trimHistory(cron, children, status);
        follow(cron, children, status);
        Duration again = null;
        try {
            again = makeDue(cron, status);
        } finally {
            writeStatus(cron, status);
        }
        return again == null ? Result.done() : Result.after(again);
    }

    // ---- what has become of the Jobs

    private static @Nullable String finishedAs(Job job) {
        return job.getStatus() == null
                ? null
                : job.getStatus().getConditions().stream()
                        .filter(c -> "True".equals(c.getStatus())
                                && ("Complete".equals(c.getType()) || "Failed".equals(c.getType())))
                        .map(JobCondition::getType)
                        .findFirst()
                        .orElse(null);
    }

    private static boolean isActive(CronJobStatus status, String uid) {
        return status.getActive().stream().anyMatch(reference -> uid.equals(reference.getUid()));
    }

    private static void removeActive(CronJobStatus status, String uid) {
        List<ObjectReference> active = new ArrayList<>(status.getActive());
        active.removeIf(reference -> uid.equals(reference.getUid()));
        status.setActive(active);
    }

    private void follow(CronJob cron, List<Job> children, CronJobStatus status) {
        for (Job job : children) {
            String uid = job.getMetadata().getUid();
            String name = job.getMetadata().getName();
            String finished = finishedAs(job);
            boolean known = isActive(status, uid);
            if (!known && finished == null) {
                events.warning(
                        cron, "UnexpectedJob", "Saw a job that the controller did not create or forgot: " + name);
            } else if (known && finished != null) {
                removeActive(status, uid);
                events.normal(cron, "SawCompletedJob", "Saw completed job: " + name + ", condition: " + finished);
            }
            if ("Complete".equals(finished)) {
                Instant completed = Pods.time(job.getStatus().getCompletionTime());
                Instant last = Pods.time(status.getLastSuccessfulTime());
                if (completed != null && (last == null || completed.isAfter(last))) {
                    status.setLastSuccessfulTime(Pods.time(completed));
                }
            }
        }
        for (ObjectReference reference : List.copyOf(status.getActive())) {
            boolean there =
                    children.stream().anyMatch(job -> job.getMetadata().getUid().equals(reference.getUid()));
            if (!there
                    && client.get(JOBS, cron.getMetadata().getNamespace(), reference.getName())
                            .filter(job -> job.getMetadata().getUid().equals(reference.getUid()))
                            .isEmpty()) {
                removeActive(status, reference.getUid());
                events.normal(cron, "MissingJob", "Active job went missing: " + reference.getName());
            }
        }
    }

    private void trimHistory(CronJob cron, List<Job> children, CronJobStatus status) {
        trim(cron, children, "Complete", cron.getSpec().getSuccessfulJobsHistoryLimit(), status);
        trim(cron, children, "Failed", cron.getSpec().getFailedJobsHistoryLimit(), status);
    }

    private void trim(CronJob cron, List<Job> children, String type, @Nullable Integer limit, CronJobStatus status) {
        if (limit == null) {
            return;
        }
        List<Job> ended = new ArrayList<>(
                children.stream().filter(job -> type.equals(finishedAs(job))).toList());
        ended.sort(
                Comparator.comparing((Job job) -> String.valueOf(job.getStatus().getStartTime()))
                        .thenComparing(job -> job.getMetadata().getName()));
        for (Job job : ended.subList(0, Math.max(0, ended.size() - limit))) {
            if (delete(cron, job)) {
                removeActive(status, job.getMetadata().getUid());
                children.remove(job);
            }
        }
    }

    private boolean delete(CronJob cron, Job job) {
        String name = job.getMetadata().getName();
        DeleteOptions options =
                new DeleteOptionsBuilder().withPropagationPolicy("Background").build();
        try {
            Deletions.ifThere(client, JOBS, job.getMetadata().getNamespace(), name, options);
        } catch (ApiException e) {
            events.warning(cron, "FailedDelete", "Deleted job: " + e.getMessage());
            return false;
        }
        events.normal(cron, "SuccessfulDelete", "Deleted job " + name);
        return true;
    }

    // ---- what is due

    /** @return when to look again; null if only a change can make a difference */
    private @Nullable Duration makeDue(CronJob cron, CronJobStatus status) {
        if (cron.getMetadata().getDeletionTimestamp() != null) {
            return null;
        }
        String zoneName = cron.getSpec().getTimeZone();
        ZoneId zone = ZoneOffset.UTC;
        if (zoneName != null) {
            try {
                zone = ZoneId.of(zoneName);
            } catch (DateTimeException e) {
                events.warning(cron, "UnknownTimeZone", "invalid timeZone: \"" + zoneName + "\": " + e.getMessage());
                return null;
            }
        }
        if (Boolean.TRUE.equals(cron.getSpec().getSuspend())) {
            return null;
        }
        String text = String.valueOf(cron.getSpec().getSchedule());
        if (text.contains("TZ")) {
            events.warning(
                    cron,
                    "UnsupportedSchedule",
                    "CRON_TZ or TZ used in schedule \"" + text
                            + "\" is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details");
        }
        Schedule schedule;
        try {
            schedule = Schedule.parse(text, zone);
        } catch (IllegalArgumentException e) {
            events.warning(cron, "UnparseableSchedule", "unparseable schedule: \"" + text + "\" : " + e.getMessage());
            return null;
        }
        Instant now = driver.now();
        Instant next = schedule.next(now);
        if (next == null) {
            // Such as the 31st of February: it reads like a schedule, and never comes.
            events.warning(
                    cron,
                    "InvalidSchedule",
                    "invalid schedule: " + text + " : time difference between two schedules is less than 1 second");
            return null;
        }
        Instant due = lastDue(cron, status, schedule, now);
        if (due != null && mayStart(cron, status, due, now)) {
            start(cron, status, due, zone);
        }
        return Duration.between(now, next).plus(SURELY_PAST);
    }

    private @Nullable Instant lastDue(CronJob cron, CronJobStatus status, Schedule schedule, Instant now) {
        Instant from = Pods.time(status.getLastScheduleTime());
        if (from == null) {
            from = Objects.requireNonNullElse(Pods.time(cron.getMetadata().getCreationTimestamp()), now);
        }
        Long deadline = cron.getSpec().getStartingDeadlineSeconds();
        if (deadline != null && now.minusSeconds(deadline).isAfter(from)) {
            from = now.minusSeconds(deadline);
        }
        Schedule.Due due = schedule.due(from, now);
        if (due.count() > MANY_MISSED) {
            events.warning(
                    cron,
                    "TooManyMissedTimes",
                    "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew");
        }
        return due.latest();
    }

    private boolean mayStart(CronJob cron, CronJobStatus status, Instant due, Instant now) {
        Long deadline = cron.getSpec().getStartingDeadlineSeconds();
        if (deadline != null && due.plusSeconds(deadline).isBefore(now)) {
            events.warning(
                    cron,
                    "MissSchedule",
                    "Missed scheduled time to start a job: " + RFC_1123.format(due.atOffset(ZoneOffset.UTC)));
            return false;
        }
        String name = name(cron, due);
        if (status.getActive().stream().anyMatch(reference -> name.equals(reference.getName()))
                || due.equals(Pods.time(status.getLastScheduleTime()))) {
            return false;
        }
        String policy = cron.getSpec().getConcurrencyPolicy();
        if ("Forbid".equals(policy) && !status.getActive().isEmpty()) {
            events.normal(
                    cron,
                    "JobAlreadyActive",
                    "Not starting job because prior execution is running and concurrency policy is Forbid");
            return false;
        }
        if ("Replace".equals(policy)) {
            for (ObjectReference reference : List.copyOf(status.getActive())) {
                Job job = client.get(JOBS, cron.getMetadata().getNamespace(), reference.getName())
                        .orElse(null);
                if (job != null && !delete(cron, job)) {
                    throw new IllegalStateException("could not replace job " + reference.getName());
                }
                removeActive(status, reference.getUid());
            }
        }
        return true;
    }

    private static String name(CronJob cron, Instant due) {
        return cron.getMetadata().getName() + "-" + due.getEpochSecond() / 60;
    }

    private void start(CronJob cron, CronJobStatus status, Instant due, ZoneId zone) {
        String name = name(cron, due);
        Job job;
        try {
            job = client.create(JOBS, fromTemplate(cron, name, due, zone));
            events.normal(cron, "SuccessfulCreate", "Created job " + name);
        } catch (ApiException e) {
            if (PodControl.isNamespaceTerminating(e)) {
                return;
            }
            if (!e.isAlreadyExists()) {
                events.warning(cron, "FailedCreate", "Error creating job: " + e.getMessage());
                throw e;
            }
            // Made before a crash, or by another of us: it counts if it is ours.
            job = client.get(JOBS, cron.getMetadata().getNamespace(), name).orElseThrow(() -> e);
            if (!OwnerReferences.isControlledBy(job, cron)) {
                throw e;
            }
        }
        if (finishedAs(job) == null) {
            List<ObjectReference> active = new ArrayList<>(status.getActive());
            active.add(new ObjectReferenceBuilder()
                    .withApiVersion("batch/v1")
                    .withKind("Job")
                    .withNamespace(job.getMetadata().getNamespace())
                    .withName(name)
                    .withUid(job.getMetadata().getUid())
                    .withResourceVersion(job.getMetadata().getResourceVersion())
                    .build());
            status.setActive(active);
        }
        status.setLastScheduleTime(Pods.time(due));
    }

    private static Job fromTemplate(CronJob cron, String name, Instant due, ZoneId zone) {
        var template = cron.getSpec().getJobTemplate();
        Map<String, String> labels = new HashMap<>();
        Map<String, String> annotations = new HashMap<>();
        if (template.getMetadata() != null) {
            labels.putAll(Objects.requireNonNullElse(template.getMetadata().getLabels(), Map.of()));
            annotations.putAll(Objects.requireNonNullElse(template.getMetadata().getAnnotations(), Map.of()));
        }
        annotations.put(TIMESTAMP, DateTimeFormatter.ISO_OFFSET_DATE_TIME.format(due.atZone(zone)));
        return new JobBuilder()
                .withNewMetadata()
                .withNamespace(cron.getMetadata().getNamespace())
                .withName(name)
                .withLabels(labels)
                .withAnnotations(annotations)
                .withOwnerReferences(OwnerReferences.newControllerRef(cron))
                .endMetadata()
                .withSpec(template.getSpec())
                .build();
    }

    private void writeStatus(CronJob cron, CronJobStatus status) {
        CronJobStatus old = cron.getStatus() == null ? new CronJobStatus() : cron.getStatus();
        if (old.equals(status)) {
            return;
        }
        try {
            client.updateStatus(
                    CRON_JOBS, new CronJobBuilder(cron).withStatus(status).build());
        } catch (ApiException e) {
            if (e.isNotFound()) {
                return;
            }
            throw e;
        }
    }
}
