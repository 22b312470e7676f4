package io.trimtab.controllers.job;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.JobCondition;
import io.fabric8.kubernetes.api.model.batch.v1.JobConditionBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatus;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatusBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.SuccessPolicyRule;
import io.fabric8.kubernetes.api.model.batch.v1.UncountedTerminatedPods;
import io.trimtab.client.Written;
import io.trimtab.controller.Parallel;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.controllers.pods.SlowStart;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * One look at one Job: counts its pods, decides whether it has ended, makes or deletes pods, and stores what was counted. Belongs
 * to one reconcile.
 */
final class JobSync {
    private static final int MAX_CHANGES = 500;
    private static final int MAX_UNCOUNTED = 500;

    private final JobController controller;
    private final Job job;
    private final List<Pod> pods;
    private final Instant now;
    private final boolean indexed;
    private final int completions;
    /** The status as it will be. */
    private final JobStatus status;

    private final Set<String> uncountedSucceeded = new LinkedHashSet<>();
    private final Set<String> uncountedFailed = new LinkedHashSet<>();
    private final BitSet succeededIndexes;
    private final BitSet failedIndexes = new BitSet();
    /** Failed pods that carry the count of their index until a replacement does. */
    private final Map<Integer, Pod> held = new HashMap<>();

    private Job stored;
    private JobController.Backoff backoff;
    private @Nullable Duration again;
    /** Pods that were deleted in this run, which the cache still shows alive. */
    private int deleted;

    JobSync(JobController controller, Job job, List<Pod> pods, JobController.Backoff backoff) {
        this.controller = controller;
        this.job = job;
        this.stored = job;
        this.pods = pods;
        this.backoff = backoff;
        this.now = controller.driver.now();
        this.indexed = JobPods.isIndexed(job);
        this.completions =
                job.getSpec().getCompletions() == null ? -1 : job.getSpec().getCompletions();
        this.status = job.getStatus() == null ? new JobStatus() : new JobStatusBuilder(job.getStatus()).build();
        UncountedTerminatedPods uncounted = status.getUncountedTerminatedPods();
        if (uncounted != null) {
            uncountedSucceeded.addAll(uncounted.getSucceeded());
            uncountedFailed.addAll(uncounted.getFailed());
        }
        this.succeededIndexes = indexed ? Indexes.parse(status.getCompletedIndexes(), completions) : new BitSet();
    }

    JobController.Backoff backoff() {
        return backoff;
    }

    private static int orZero(@Nullable Integer number) {
        return number == null ? 0 : number;
    }

    /** @return when to look again though nothing happens; null for not */
    @Nullable
    Duration run() throws Exception {
        boolean suspended = JobPods.isSuspended(job);
        if (status.getStartTime() == null && !suspended) {
            status.setStartTime(Pods.time(now));
        }
        List<Pod> active = pods.stream().filter(Pods::isActive).toList();
        List<Pod> newSucceeded = pods.stream()
                .filter(pod -> JobPods.hasFinalizer(pod)
                        && Pods.phase(pod).equals("Succeeded")
                        && !uncountedSucceeded.contains(uid(pod)))
                .toList();
        List<Pod> newFailed = pods.stream()
                .filter(pod -> JobPods.hasFinalizer(pod)
                        && !Pods.phase(pod).equals("Succeeded")
                        && JobPods.isFailed(pod, job)
                        && !uncountedFailed.contains(uid(pod)))
                .toList();
        noteBackoff(newSucceeded, newFailed);
        int succeeded;
        if (indexed) {
            newSucceeded.stream()
                    .mapToInt(JobPods::index)
                    .filter(i -> i >= 0 && i < completions)
                    .forEach(succeededIndexes::set);
            succeeded = succeededIndexes.cardinality();
        } else {
            succeeded = orZero(status.getSucceeded()) + uncountedSucceeded.size() + newSucceeded.size();
        }
        int failed = orZero(status.getFailed())
                + uncountedFailed.size()
                + (int) newFailed.stream()
                        .filter(pod -> FailurePolicy.judge(job, pod).counts())
                        .count();
        judgeIndexes();

        JobCondition end = end(failed, active, suspended);
        int remaining = active.size();
        int ready = (int) active.stream().filter(Pods::isReady).count();
        Exception failure = null;
        if (end != null) {
            remaining -= delete(active);
        } else if (job.getMetadata().getDeletionTimestamp() == null) {
            try {
                remaining = manage(active, succeeded, suspended);
            } catch (Exception e) {
                failure = e;
            }
            end = success(succeeded, remaining);
            if (end == null) {
                noteSuspension(suspended);
            } else if (completions >= 0 && succeeded > completions) {
                controller.events.warning(
                        job, "TooManySucceededPods", "Too many succeeded pods running after completion count reached");
            }
        }
        status.setActive(remaining == 0 ? null : remaining);
        status.setReady(Math.min(ready, remaining));
        status.setTerminating(deleted
                + (int) pods.stream()
                        .filter(pod -> Pods.isDeleting(pod) && !Pods.isTerminal(pod))
                        .count());
        track(end);
        if (failure != null) {
            throw failure;
        }
        return again;
    }

    private static String uid(Pod pod) {
        return pod.getMetadata().getUid();
    }

    private void lookAgain(Duration wait) {
        again = again == null || wait.compareTo(again) < 0 ? wait : again;
    }

    private void noteBackoff(List<Pod> newSucceeded, List<Pod> newFailed) {
        List<Pod> ended = new ArrayList<>(newSucceeded);
        ended.addAll(newFailed);
        ended.sort(Comparator.comparing(pod -> JobPods.finishedAt(pod, now)));
        for (Pod pod : ended) {
            Instant time = JobPods.finishedAt(pod, now);
            backoff = Pods.phase(pod).equals("Succeeded")
                    ? new JobController.Backoff(backoff.uid(), 0, null)
                    : new JobController.Backoff(backoff.uid(), backoff.failures() + 1, time);
        }
    }

    // ---- the end

    private @Nullable JobCondition end(int failed, List<Pod> active, boolean suspended) {
        for (String interim : List.of("FailureTarget", "SuccessCriteriaMet")) {
            if (JobPods.isTrue(job, interim)) {
                return JobPods.condition(job, interim).orElse(null);
            }
        }
        for (Pod pod : pods) {
            String why = FailurePolicy.judge(job, pod).failJob();
            if (why != null) {
                return failure("PodFailurePolicy", why);
            }
        }
        int limit = job.getSpec().getBackoffLimit() == null ? 6 : job.getSpec().getBackoffLimit();
        if (failed > limit || restartsExceed(limit, active)) {
            return failure("BackoffLimitExceeded", "Job has reached the specified backoff limit");
        }
        Long deadline = job.getSpec().getActiveDeadlineSeconds();
        Instant started = Pods.time(status.getStartTime());
        if (deadline != null && started != null && !suspended && !JobPods.isTrue(job, "Suspended")) {
            Instant due = started.plusSeconds(deadline);
            if (!due.isAfter(now)) {
                return failure("DeadlineExceeded", "Job was active longer than specified deadline");
            }
            lookAgain(Duration.between(now, due));
        }
        if (indexed && job.getSpec().getBackoffLimitPerIndex() != null) {
            Integer most = job.getSpec().getMaxFailedIndexes();
            if (most != null && failedIndexes.cardinality() > most) {
                return failure(
                        "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes");
            }
            if (!failedIndexes.isEmpty()
                    && succeededIndexes.cardinality() + failedIndexes.cardinality() >= completions) {
                return failure("FailedIndexes", "Job has failed indexes");
            }
        }
        return successPolicy();
    }

    private boolean restartsExceed(int limit, List<Pod> active) {
        if (!"OnFailure".equals(job.getSpec().getTemplate().getSpec().getRestartPolicy())) {
            return false;
        }
        int sum = active.stream()
                .filter(pod ->
                        Pods.phase(pod).equals("Running") || Pods.phase(pod).equals("Pending"))
                .mapToInt(JobPods::restarts)
                .sum();
        return limit == 0 ? sum > 0 : sum >= limit;
    }

    private @Nullable JobCondition successPolicy() {
        if (!indexed
                || job.getSpec().getSuccessPolicy() == null
                || job.getMetadata().getDeletionTimestamp() != null) {
            return null;
        }
        List<SuccessPolicyRule> rules = job.getSpec().getSuccessPolicy().getRules();
        for (int i = 0; i < rules.size(); i++) {
            SuccessPolicyRule rule = rules.get(i);
            BitSet counted = (BitSet) succeededIndexes.clone();
            int wanted = rule.getSucceededCount() == null ? -1 : rule.getSucceededCount();
            if (rule.getSucceededIndexes() != null) {
                BitSet named = Indexes.parse(rule.getSucceededIndexes(), completions);
                counted.and(named);
                wanted = wanted < 0 ? named.cardinality() : wanted;
            }
            if (wanted >= 0 && counted.cardinality() >= wanted) {
                return condition("SuccessCriteriaMet", "True", "SuccessPolicy", "Matched rules at index " + i);
            }
        }
        return null;
    }

    private @Nullable JobCondition success(int succeeded, int active) {
        boolean complete = completions < 0 ? succeeded > 0 && active == 0 : succeeded >= completions && active == 0;
        return complete
                ? condition(
                        "SuccessCriteriaMet", "True", "CompletionsReached", "Reached expected number of succeeded pods")
                : null;
    }

    private JobCondition failure(String reason, String message) {
        return condition("FailureTarget", "True", reason, message);
    }

    private JobCondition condition(String type, String value, String reason, String message) {
        return new JobConditionBuilder()
                .withType(type)
                .withStatus(value)
                .withReason(reason)
                .withMessage(message)
                .withLastProbeTime(Pods.time(now))
                .withLastTransitionTime(Pods.time(now))
                .build();
    }

    // ---- pods

    /** Which indexes have failed for good, and which failed pods hold the count of those that have not. */
    private void judgeIndexes() {
        Integer limit = job.getSpec().getBackoffLimitPerIndex();
        if (!indexed || limit == null) {
            return;
        }
        failedIndexes.or(Indexes.parse(status.getFailedIndexes(), completions));
        Map<Integer, Integer> activeCounts = new HashMap<>();
        for (Pod pod : pods) {
            int index = JobPods.index(pod);
            if (index >= 0 && Pods.isActive(pod)) {
                activeCounts.merge(index, JobPods.failures(pod) + JobPods.ignoredFailures(pod), Math::max);
            }
        }
        for (Pod pod : pods) {
            int index = JobPods.index(pod);
            if (index < 0 || index >= completions || !JobPods.hasFinalizer(pod) || !JobPods.isFailed(pod, job)) {
                continue;
            }
            FailurePolicy.Verdict verdict = FailurePolicy.judge(job, pod);
            int count = JobPods.failures(pod) + (verdict.counts() ? 1 : 0);
            if (verdict.failIndex() || count > limit) {
                failedIndexes.set(index);
                continue;
            }
            int total = JobPods.failures(pod) + JobPods.ignoredFailures(pod);
            boolean replaced = activeCounts.getOrDefault(index, -1) > total;
            Pod other = held.get(index);
            if (!replaced
                    && !succeededIndexes.get(index)
                    && (other == null || total > JobPods.failures(other) + JobPods.ignoredFailures(other))) {
                held.put(index, pod);
            }
        }
        failedIndexes.andNot(succeededIndexes);
        for (int index = failedIndexes.nextSetBit(0); index >= 0; index = failedIndexes.nextSetBit(index + 1)) {
            held.remove(index);
        }
    }

    /** Deletes pods that are too many: they are let go first, so that they are not counted as failed. */
    private int drop(List<Pod> victims) throws Exception {
        return delete(victims, true);
    }

    /** Deletes the pods of a Job that has ended: they are counted. */
    private int delete(List<Pod> victims) throws Exception {
        return delete(victims, false);
    }

    private int delete(List<Pod> victims, boolean uncounted) throws Exception {
        List<Callable<Boolean>> calls = new ArrayList<>();
        for (Pod pod : victims) {
            calls.add(() -> {
                if (uncounted && JobPods.hasFinalizer(pod)) {
                    controller.removeFinalizer(pod);
                }
                return controller.podControl.delete(pod, job);
            });
        }
        List<Parallel.Outcome<Boolean>> outcomes = Parallel.run(controller.driver, calls);
        deleted = (int) outcomes.stream().filter(Parallel.Outcome::isSuccess).count();
        SlowStart.throwFirst(outcomes);
        return deleted;
    }

    /** @return how many pods are active afterwards */
    private int manage(List<Pod> active, int succeeded, boolean suspended) throws Exception {
        int have = active.size();
        if (suspended) {
            List<Pod> victims = JobPods.victims(job, active, have);
            return have - drop(victims);
        }
        int parallelism =
                job.getSpec().getParallelism() == null ? 1 : job.getSpec().getParallelism();
        int wanted;
        if (completions < 0) {
            wanted = succeeded > 0 ? Math.min(have, parallelism) : parallelism;
        } else {
            wanted = Math.max(0, Math.min(parallelism, completions - succeeded - failedIndexes.cardinality()));
        }
        List<Pod> victims = JobPods.victims(job, active, Math.max(0, have - wanted));
        if (!victims.isEmpty()) {
            return have - drop(victims.subList(0, Math.min(MAX_CHANGES, victims.size())));
        }
        int terminating = JobPods.replacesOnlyFailed(job)
                ? (int) pods.stream()
                        .filter(pod -> Pods.isDeleting(pod) && !Pods.isTerminal(pod))
                        .count()
                : 0;
        int missing = Math.min(MAX_CHANGES, wanted - terminating - have);
        if (missing <= 0) {
            return have;
        }
        boolean perIndex = indexed && job.getSpec().getBackoffLimitPerIndex() != null;
        Duration wait = perIndex ? Duration.ZERO : backoff.remaining(now);
        if (!wait.isZero()) {
            lookAgain(wait);
            return have;
        }
        List<Callable<Written>> calls = new ArrayList<>();
        for (int index : indexed ? freeIndexes(active, missing) : noIndexes(missing)) {
            Pod before = held.get(index);
            boolean counts = before == null || FailurePolicy.judge(job, before).counts();
            calls.add(() -> controller.podControl.create(JobPods.fromTemplate(job, index, before, counts), job));
        }
        List<Parallel.Outcome<Written>> outcomes = SlowStart.run(controller.driver, calls);
        int created =
                (int) outcomes.stream().filter(Parallel.Outcome::isSuccess).count();
        status.setActive(have + created);
        SlowStart.throwFirst(outcomes);
        return have + created;
    }

    private static List<Integer> noIndexes(int count) {
        return java.util.Collections.nCopies(count, -1);
    }

    private List<Integer> freeIndexes(List<Pod> active, int count) {
        Set<Integer> taken = new HashSet<>();
        active.forEach(pod -> taken.add(JobPods.index(pod)));
        if (JobPods.replacesOnlyFailed(job)) {
            pods.stream()
                    .filter(pod -> Pods.isDeleting(pod) && !Pods.isTerminal(pod))
                    .forEach(pod -> taken.add(JobPods.index(pod)));
        }
        List<Integer> free = new ArrayList<>();
        for (int index = 0; index < completions && free.size() < count; index++) {
            if (taken.contains(index) || succeededIndexes.get(index) || failedIndexes.get(index)) {
                continue;
            }
            Pod before = held.get(index);
            Duration wait = before == null
                    ? Duration.ZERO
                    : JobController.Backoff.remaining(
                            JobPods.failures(before) + 1, JobPods.finishedAt(before, now), now);
            if (wait.isZero()) {
                free.add(index);
            } else {
                lookAgain(wait);
            }
        }
        return free;
    }

    private void noteSuspension(boolean suspended) {
        JobCondition old = JobPods.condition(job, "Suspended").orElse(null);
        if (suspended && (old == null || !"True".equals(old.getStatus()))) {
            setCondition(condition("Suspended", "True", "JobSuspended", "Job suspended"));
            controller.events.normal(job, "Suspended", "Job suspended");
        } else if (!suspended && old != null && "True".equals(old.getStatus())) {
            setCondition(condition("Suspended", "False", "JobResumed", "Job resumed"));
            status.setStartTime(Pods.time(now));
            controller.events.normal(job, "Resumed", "Job resumed");
        }
    }

    private void setCondition(JobCondition condition) {
        List<JobCondition> conditions = new ArrayList<>(status.getConditions());
        conditions.removeIf(c -> condition.getType().equals(c.getType()));
        conditions.add(condition);
        status.setConditions(conditions);
    }

    private boolean hasCondition(String type) {
        return status.getConditions().stream().anyMatch(c -> type.equals(c.getType()) && "True".equals(c.getStatus()));
    }

    // ---- counting

    /** Notes which pods have ended, stores that, lets them go, and stores that they are counted. */
    private void track(@Nullable JobCondition end) throws Exception {
        Set<String> withFinalizer = new HashSet<>();
        pods.stream().filter(JobPods::hasFinalizer).forEach(pod -> withFinalizer.add(uid(pod)));
        countReleased(withFinalizer);
        List<Pod> release = new ArrayList<>();
        Set<String> heldUids = new HashSet<>();
        if (end == null) {
            held.values().forEach(pod -> heldUids.add(uid(pod)));
        }
        BitSet counted = indexed ? Indexes.parse(status.getCompletedIndexes(), completions) : new BitSet();
        for (Pod pod : pods) {
            if (!JobPods.hasFinalizer(pod) || heldUids.contains(uid(pod))) {
                continue;
            }
            if (uncountedSucceeded.size() + uncountedFailed.size() >= MAX_UNCOUNTED) {
                lookAgain(Duration.ofMillis(1));
                break;
            }
            boolean ended = end != null || job.getMetadata().getDeletionTimestamp() != null && Pods.isDeleting(pod);
            int index = JobPods.index(pod);
            if (Pods.phase(pod).equals("Succeeded")) {
                release.add(pod);
                if (indexed) {
                    if (index >= 0 && index < completions) {
                        counted.set(index);
                    }
                } else {
                    uncountedSucceeded.add(uid(pod));
                }
            } else if (JobPods.isFailed(pod, job) || ended && (Pods.isDeleting(pod) || end != null)) {
                release.add(pod);
                boolean valid = !indexed || index >= 0 && index < completions;
                if (valid && FailurePolicy.judge(job, pod).counts()) {
                    uncountedFailed.add(uid(pod));
                }
            }
        }
        if (indexed) {
            status.setCompletedIndexes(emptyToNull(Indexes.text(counted)));
            status.setSucceeded(zeroToNull(counted.cardinality()));
            if (job.getSpec().getBackoffLimitPerIndex() != null) {
                status.setFailedIndexes(Indexes.text(failedIndexes));
            }
        }
        if (end != null && !hasCondition(end.getType())) {
            setCondition(end);
        }
        writeUncounted();
        store();
        List<Callable<Boolean>> calls = new ArrayList<>();
        for (Pod pod : release) {
            calls.add(() -> {
                controller.removeFinalizer(pod);
                return true;
            });
        }
        List<Parallel.Outcome<Boolean>> outcomes = Parallel.run(controller.driver, calls);
        for (int i = 0; i < outcomes.size(); i++) {
            if (outcomes.get(i).isSuccess()) {
                withFinalizer.remove(uid(release.get(i)));
            }
        }
        countReleased(withFinalizer);
        writeUncounted();
        JobCondition finished = finish(end);
        store();
        if (finished != null) {
            if (finished.getType().equals("Complete")) {
                controller.events.normal(job, "Completed", "Job completed");
            } else {
                controller.events.warning(
                        job, String.valueOf(finished.getReason()), String.valueOf(finished.getMessage()));
            }
        }
        SlowStart.throwFirst(outcomes);
    }

    /** Pods that were noted and no longer hold on to us are counted now. */
    private void countReleased(Set<String> withFinalizer) {
        int before = uncountedSucceeded.size();
        uncountedSucceeded.retainAll(withFinalizer);
        if (!indexed) {
            status.setSucceeded(zeroToNull(orZero(status.getSucceeded()) + before - uncountedSucceeded.size()));
        }
        before = uncountedFailed.size();
        uncountedFailed.retainAll(withFinalizer);
        status.setFailed(zeroToNull(orZero(status.getFailed()) + before - uncountedFailed.size()));
    }

    private void writeUncounted() {
        status.setUncountedTerminatedPods(
                new UncountedTerminatedPods(List.copyOf(uncountedFailed), List.copyOf(uncountedSucceeded)));
    }

    /** The Job ends when all its pods have, and are counted. */
    private @Nullable JobCondition finish(@Nullable JobCondition end) {
        if (end == null
                || !uncountedFailed.isEmpty()
                || !uncountedSucceeded.isEmpty()
                || orZero(status.getTerminating()) > 0
                || orZero(status.getActive()) > 0) {
            return null;
        }
        boolean complete = end.getType().equals("SuccessCriteriaMet");
        JobCondition last = condition(
                complete ? "Complete" : "Failed",
                "True",
                String.valueOf(end.getReason()),
                Objects.requireNonNullElse(end.getMessage(), ""));
        setCondition(last);
        if (complete) {
            status.setCompletionTime(Pods.time(now));
        }
        return last;
    }

    private void store() {
        JobStatus old = stored.getStatus() == null ? new JobStatus() : stored.getStatus();
        if (normal(old).equals(normal(status))) {
            return;
        }
        stored = controller.client.updateStatus(
                JobController.JOBS,
                new JobBuilder(stored)
                        .withStatus(new JobStatusBuilder(status).build())
                        .build());
    }

    /** Unset and empty are the same. */
    private static JobStatus normal(JobStatus status) {
        JobStatus copy = new JobStatusBuilder(status).build();
        UncountedTerminatedPods uncounted = copy.getUncountedTerminatedPods();
        if (uncounted == null) {
            copy.setUncountedTerminatedPods(new UncountedTerminatedPods(List.of(), List.of()));
        }
        copy.setActive(orZero(copy.getActive()));
        copy.setSucceeded(orZero(copy.getSucceeded()));
        copy.setFailed(orZero(copy.getFailed()));
        return copy;
    }

    private static @Nullable Integer zeroToNull(int number) {
        return number == 0 ? null : number;
    }

    private static @Nullable String emptyToNull(String text) {
        return text.isEmpty() ? null : text;
    }
}
