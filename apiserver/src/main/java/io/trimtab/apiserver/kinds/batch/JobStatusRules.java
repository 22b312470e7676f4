package io.trimtab.apiserver.kinds.batch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Trees;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What a job's status may become. A rule looks only where something it is about has changed, so that a status that was stored
 * under laxer rules can still be written. Stateless.
 */
final class JobStatusRules {
    private static final String CONDITIONS = "status.conditions";

    private JobStatusRules() {}

    /** A status with the conditions that the rules ask for. */
    private record View(JsonNode status, boolean complete, boolean failed, boolean target, boolean criteria) {
        static View of(JsonNode job) {
            JsonNode status = Trees.child(job, "status");
            return new View(
                    status,
                    isTrue(status, "Complete"),
                    isTrue(status, "Failed"),
                    isTrue(status, "FailureTarget"),
                    isTrue(status, "SuccessCriteriaMet"));
        }

        boolean finished() {
            return complete || failed;
        }
    }

    private static boolean isTrue(JsonNode status, String type) {
        return has(status, type, "True");
    }

    private static boolean has(JsonNode status, String type, String value) {
        return Trees.items(status, "conditions").stream()
                .anyMatch(c -> Trees.text(c, "type").equals(type)
                        && Trees.text(c, "status").equals(value));
    }

    static void validate(ObjectNode job, ObjectNode old, FieldErrors errors) {
        View now = View.of(job);
        View had = View.of(old);
        JsonNode status = now.status();
        JsonNode spec = Trees.child(job, "spec");
        for (String counter : List.of("active", "succeeded", "failed", "ready", "terminating")) {
            FieldRules.notNegative(errors, "status", status, counter);
        }
        uncounted(errors, status);
        together(errors, now, had);
        times(errors, now, had, spec);
        finished(errors, now, had);
        indexes(errors, now, had, spec);
        boolean readyChanged = changed(now, had, "ready") || changed(now, had, "active");
        if (readyChanged && Trees.number(status, "ready") > Trees.number(status, "active")) {
            errors.invalid("status.ready", Trees.number(status, "ready"), "cannot set more ready pods than active");
        }
        if (now.criteria() && now.failed()) {
            JobRules.omitted(errors, CONDITIONS, "cannot set SuccessCriteriaMet=True and Failed=true conditions");
        }
        if (now.criteria() && now.target()) {
            JobRules.omitted(
                    errors, CONDITIONS, "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions");
        }
        if (Trees.has(spec, "successPolicy") && !now.criteria() && now.complete()) {
            JobRules.omitted(
                    errors,
                    CONDITIONS,
                    "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True");
        }
        transitions(errors, now, had, spec);
    }

    private static boolean changed(View now, View had, String field) {
        return !Trees.same(now.status(), had.status(), field);
    }

    private static void uncounted(FieldErrors errors, JsonNode status) {
        Set<String> seen = new HashSet<>();
        for (String list : List.of("succeeded", "failed")) {
            List<String> uids = Trees.texts(Trees.child(status, "uncountedTerminatedPods"), list);
            for (int i = 0; i < uids.size(); i++) {
                String path = "status.uncountedTerminatedPods." + list + "[" + i + "]";
                if (uids.get(i).isEmpty()) {
                    errors.invalid(path, "", "must not be empty");
                } else if (!seen.add(uids.get(i))) {
                    errors.duplicate(path, Trees.textNode(uids.get(i)));
                }
            }
        }
    }

    private static void together(FieldErrors errors, View now, View had) {
        boolean completeChanged = now.complete() != had.complete();
        if ((completeChanged || now.failed() != had.failed()) && now.complete() && now.failed()) {
            JobRules.omitted(errors, CONDITIONS, "cannot set Complete=True and Failed=true conditions");
        }
        if ((completeChanged || now.target() != had.target()) && now.complete() && now.target()) {
            JobRules.omitted(errors, CONDITIONS, "cannot set Complete=True and FailureTarget=true conditions");
        }
    }

    private static void times(FieldErrors errors, View now, View had, JsonNode spec) {
        JsonNode status = now.status();
        boolean completion = Trees.has(status, "completionTime");
        String path = "status.completionTime";
        if (now.complete() != had.complete() || changed(now, had, "completionTime")) {
            if (completion && !now.complete()) {
                errors.invalid(
                        path,
                        status.get("completionTime"),
                        "cannot set completionTime when there is no Complete=True condition");
            }
            if (!completion && now.complete()) {
                errors.required(path, "completionTime is required for Complete jobs");
            }
        }
        if ((changed(now, had, "startTime") || changed(now, had, "completionTime"))
                && completion
                && Trees.has(status, "startTime")
                && Trees.text(status, "completionTime").compareTo(Trees.text(status, "startTime")) < 0) {
            errors.invalid(path, status.get("completionTime"), "must be equal to or after `startTime`");
        }
        boolean noneNeeded =
                Trees.flag(spec, "suspend") && Trees.has(spec, "completions") && Trees.number(spec, "completions") == 0;
        boolean failedChanged = now.failed() != had.failed() || changed(now, had, "failedIndexes");
        if (failedChanged && now.failed() && !now.target()) {
            JobRules.omitted(
                    errors, CONDITIONS, "cannot set Failed=True condition without the FailureTarget=true condition");
        }
        if ((now.complete() != had.complete() || now.criteria() != had.criteria())
                && now.complete()
                && !now.criteria()) {
            JobRules.omitted(
                    errors,
                    CONDITIONS,
                    "cannot set Complete=True condition without the SuccessCriteriaMet=true condition");
        }
        if ((now.finished() != had.finished() || changed(now, had, "active"))
                && now.finished()
                && Trees.number(status, "active") > 0) {
            errors.invalid("status.active", Trees.number(status, "active"), "active>0 is invalid for finished job");
        }
        if ((now.finished() != had.finished() || changed(now, had, "startTime"))
                && !noneNeeded
                && now.finished()
                && !Trees.has(status, "startTime")) {
            errors.required("status.startTime", "startTime is required for finished job");
        }
    }

    private static void finished(FieldErrors errors, View now, View had) {
        JsonNode status = now.status();
        JsonNode uncounted = Trees.child(status, "uncountedTerminatedPods");
        boolean any = Trees.hasContent(uncounted, "succeeded") || Trees.hasContent(uncounted, "failed");
        if ((now.finished() != had.finished() || changed(now, had, "uncountedTerminatedPods"))
                && now.finished()
                && any) {
            errors.invalid("status.uncountedTerminatedPods", uncounted, "must be empty for finished job");
        }
        if ((now.finished() != had.finished() || changed(now, had, "terminating"))
                && now.finished()
                && Trees.number(status, "terminating") > 0) {
            errors.invalid(
                    "status.terminating",
                    Trees.number(status, "terminating"),
                    "terminating>0 is invalid for finished job");
        }
    }

    private static void indexes(FieldErrors errors, View now, View had, JsonNode spec) {
        JsonNode status = now.status();
        boolean completedChanged = changed(now, had, "completedIndexes");
        boolean failedChanged = changed(now, had, "failedIndexes");
        long completions = Trees.number(spec, "completions");
        String completed = Trees.text(status, "completedIndexes");
        String failed = Trees.text(status, "failedIndexes");
        boolean perIndex = Trees.has(spec, "backoffLimitPerIndex");
        boolean known = Trees.has(spec, "completions");
        Indexes completedIndexes = Indexes.parse(completed, completions);
        Indexes failedIndexes = Indexes.parse(failed, completions);
        if (completedChanged && known && !completedIndexes.wrong().isEmpty()) {
            errors.invalid(
                    "status.completedIndexes",
                    completed,
                    "error parsing completedIndexes: " + completedIndexes.wrong());
        }
        if (failedChanged && known && perIndex && !failedIndexes.wrong().isEmpty()) {
            errors.invalid("status.failedIndexes", failed, "error parsing failedIndexes: " + failedIndexes.wrong());
        }
        if (completedChanged
                && !completed.isEmpty()
                && !Trees.text(spec, "completionMode").equals("Indexed")) {
            errors.invalid(
                    "status.completedIndexes",
                    completed,
                    "cannot set non-empty completedIndexes when non-indexed completion mode");
        }
        if (failedChanged && !perIndex && Trees.has(status, "failedIndexes")) {
            errors.invalid(
                    "status.failedIndexes",
                    failed,
                    "cannot set non-null failedIndexes when backoffLimitPerIndex is null");
        }
        long both = completedIndexes.overlap(failedIndexes);
        if ((completedChanged || failedChanged) && known && both >= 0) {
            errors.invalid(
                    "status.failedIndexes", failed, "failedIndexes and completedIndexes overlap at index: " + both);
        }
    }

    private static void transitions(FieldErrors errors, View now, View had, JsonNode spec) {
        JsonNode status = now.status();
        for (String type : List.of("Failed", "Complete", "FailureTarget")) {
            if (isTrue(had.status(), type) && !isTrue(status, type)) {
                JobRules.omitted(errors, CONDITIONS, "cannot disable the terminal " + type + "=True condition");
            }
        }
        if (Trees.number(status, "failed") < Trees.number(had.status(), "failed")) {
            errors.invalid("status.failed", Trees.number(status, "failed"), "cannot decrease the failed counter");
        }
        boolean elastic = Trees.text(spec, "completionMode").equals("Indexed")
                && Trees.same(Trees.child(spec, "completions"), Trees.child(spec, "parallelism"));
        if (!elastic && Trees.number(status, "succeeded") < Trees.number(had.status(), "succeeded")) {
            errors.invalid(
                    "status.succeeded", Trees.number(status, "succeeded"), "cannot decrease the succeeded counter");
        }
        if (Trees.has(status, "completionTime")
                && Trees.has(had.status(), "completionTime")
                && changed(now, had, "completionTime")) {
            errors.invalid("status.completionTime", status.get("completionTime"), FieldRules.IMMUTABLE);
        }
        boolean resuming = isTrue(had.status(), "Suspended") && has(status, "Suspended", "False");
        if (Trees.has(had.status(), "startTime")
                && changed(now, had, "startTime")
                && !resuming
                && !Trees.flag(spec, "suspend")) {
            errors.required("status.startTime", "startTime cannot be removed for unsuspended job");
        }
        if (had.criteria() && !now.criteria()) {
            JobRules.omitted(errors, CONDITIONS, "cannot disable the SuccessCriteriaMet=True condition");
        }
        if (had.complete() && !had.criteria() && now.criteria()) {
            JobRules.omitted(
                    errors,
                    CONDITIONS,
                    "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions");
        }
    }
}
