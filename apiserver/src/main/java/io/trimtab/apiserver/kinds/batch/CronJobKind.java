package io.trimtab.apiserver.kinds.batch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.DisabledFields;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.kinds.core.PodWarnings;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** CronJobs. Stateless. */
public final class CronJobKind implements Kind {

    private final DisabledFields disabled;

    /** Stateless but for what it is told of the cluster. */
    public CronJobKind(DisabledFields disabled) {
        this.disabled = disabled;
    }

    @Override
    public void dropDisabled(ObjectNode object) {
        disabled.ofPodSpec(Trees.object(
                Trees.object(
                        Trees.object(Trees.object(Trees.object(object, "spec"), "jobTemplate"), "spec"), "template"),
                "spec"));
    }

    @Override
    public void defaults(ObjectNode cron) {
        ObjectNode spec = Trees.make(cron, "spec");
        Trees.fill(spec, "concurrencyPolicy", "Allow");
        Trees.fill(spec, "suspend", false);
        ObjectNode template = Trees.make(spec, "jobTemplate");
        Trees.make(template, "metadata");
        JobKind.templateDefaults(Trees.make(template, "spec"));
        Trees.fill(spec, "successfulJobsHistoryLimit", 3);
        Trees.fill(spec, "failedJobsHistoryLimit", 1);
        Trees.make(cron, "status");
    }

    @Override
    public void prepareCreate(ObjectNode cron, WriteContext context) {
        cron.putObject("status");
    }

    @Override
    public void validateCreate(ObjectNode cron, FieldErrors errors, WriteContext context) {
        validate(cron, null, errors);
        String name = Trees.text(cron.get("metadata"), "name");
        // The jobs' names are the schedule's with eleven more characters, and must fit a label.
        if (name.length() > 52) {
            errors.invalid("metadata.name", name, "must be no more than 52 characters");
        }
    }

    private static void validate(ObjectNode cron, @Nullable JsonNode before, FieldErrors errors) {
        JsonNode spec = Trees.child(cron, "spec");
        String schedule = Trees.text(spec, "schedule");
        if (schedule.isEmpty()) {
            errors.required("spec.schedule", "");
        } else {
            String wrong = CronSchedule.wrong(schedule);
            if (!wrong.isEmpty()) {
                errors.invalid("spec.schedule", schedule, wrong);
            }
            boolean zoned = schedule.contains("TZ");
            boolean wasZoned = before != null && Trees.text(before, "schedule").contains("TZ");
            if (zoned && wasZoned && Trees.has(spec, "timeZone")) {
                errors.invalid(
                        "spec.schedule", schedule, "cannot use both timeZone field and TZ or CRON_TZ in schedule");
            } else if (zoned && !wasZoned) {
                errors.invalid(
                        "spec.schedule", schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
            }
        }
        FieldRules.notNegative(errors, "spec", spec, "startingDeadlineSeconds");
        if (Trees.has(spec, "timeZone")
                && (before == null || !Trees.shown(spec, "timeZone").equals(Trees.shown(before, "timeZone")))) {
            TimeZones.validate(errors, "spec.timeZone", Trees.text(spec, "timeZone"));
        }
        FieldRules.requiredChoice(errors, "spec", spec, "concurrencyPolicy", List.of("Allow", "Forbid", "Replace"));
        JsonNode job = Trees.at(spec, "jobTemplate", "spec");
        JobRules.spec(errors, "spec.jobTemplate.spec", job);
        if (Trees.has(job, "selector")) {
            errors.invalid("spec.jobTemplate.spec.selector", job.get("selector"), "`selector` will be auto-generated");
        }
        if (Trees.flag(job, "manualSelector")) {
            errors.notSupportedInOrder(
                    "spec.jobTemplate.spec.manualSelector", job.get("manualSelector"), List.of("nil", "false"));
        }
        FieldRules.notNegative(errors, "spec", spec, "successfulJobsHistoryLimit");
        FieldRules.notNegative(errors, "spec", spec, "failedJobsHistoryLimit");
    }

    @Override
    public void validateUpdate(ObjectNode cron, ObjectNode old, FieldErrors errors, WriteContext context) {
        validate(cron, Trees.child(old, "spec"), errors);
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode cron, ObjectNode old) {
        return !Trees.same(cron, old, "spec");
    }

    @Override
    public void warn(ObjectNode object, List<String> warnings) {
        PodWarnings.template(
                Trees.at(object, "spec", "jobTemplate", "spec", "template"),
                "spec.jobTemplate.spec.template",
                warnings);
    }
}
