package io.trimtab.apiserver.kinds.batch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.DisabledFields;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.kinds.core.PodDefaults;
import io.trimtab.apiserver.kinds.core.PodWarnings;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Jobs. Unless told otherwise the server makes their selector, from their uid. Stateless. */
public final class JobKind implements Kind {
    private static final String PREFIX = "batch.kubernetes.io/";

    private final DisabledFields disabled;

    /** Stateless but for what it is told of the cluster. */
    public JobKind(DisabledFields disabled) {
        this.disabled = disabled;
    }

    @Override
    public void dropDisabled(ObjectNode object) {
        disabled.ofPodSpec(Trees.object(Trees.object(Trees.object(object, "spec"), "template"), "spec"));
    }

    @Override
    public void defaults(ObjectNode job) {
        ObjectNode spec = Trees.make(job, "spec");
        templateDefaults(spec);
        ObjectNode labels = Trees.object(Trees.object(Trees.object(spec, "template"), "metadata"), "labels");
        ObjectNode metadata = Trees.make(job, "metadata");
        if (labels != null && !labels.isEmpty() && !Trees.hasContent(metadata, "labels")) {
            // Shared, not copied: what the create then adds to the template's labels shows on the job, as in
            // Kubernetes.
            metadata.set("labels", labels);
        }
        Trees.fill(spec, "completionMode", "NonIndexed");
        Trees.fill(spec, "suspend", false);
        Trees.fill(
                spec, "podReplacementPolicy", Trees.has(spec, "podFailurePolicy") ? "Failed" : "TerminatingOrFailed");
        Trees.fill(spec, "manualSelector", false);
        if (!Trees.has(spec, "completions") && !Trees.has(spec, "parallelism")) {
            spec.put("completions", 1);
        }
        Trees.fill(spec, "parallelism", 1);
        Trees.fill(spec, "backoffLimit", Trees.has(spec, "backoffLimitPerIndex") ? Integer.MAX_VALUE : 6);
        Trees.make(job, "status");
    }

    /** What templates of jobs get, too. */
    static void templateDefaults(ObjectNode spec) {
        PodDefaults.template(Trees.make(spec, "template"));
        for (ObjectNode rule : Trees.objects(Trees.object(spec, "podFailurePolicy"), "rules")) {
            for (ObjectNode pattern : Trees.objects(rule, "onPodConditions")) {
                Trees.fill(pattern, "status", "True");
            }
        }
    }

    @Override
    public void prepareCreate(ObjectNode job, WriteContext context) {
        job.putObject("status");
        ObjectNode spec = Trees.make(job, "spec");
        if (Trees.flag(spec, "manualSelector")) {
            return;
        }
        String uid = Trees.text(job.get("metadata"), "uid");
        String name = Trees.text(job.get("metadata"), "name");
        ObjectNode labels = Trees.make(Trees.make(Trees.make(spec, "template"), "metadata"), "labels");
        for (String prefix : List.of("", PREFIX)) {
            if (!labels.has(prefix + "job-name")) {
                labels.put(prefix + "job-name", name);
            }
            if (!labels.has(prefix + "controller-uid")) {
                labels.put(prefix + "controller-uid", uid);
            }
        }
        ObjectNode match = Trees.make(Trees.make(spec, "selector"), "matchLabels");
        if (!match.has(PREFIX + "controller-uid")) {
            match.put(PREFIX + "controller-uid", uid);
        }
        // The next decode would copy the labels that have just come; so the answer to the create shows them already.
        ObjectNode metadata = Trees.make(job, "metadata");
        if (!Trees.hasContent(metadata, "labels")) {
            metadata.set("labels", labels.deepCopy());
        }
    }

    @Override
    public void validateCreate(ObjectNode job, FieldErrors errors, WriteContext context) {
        validate(job, errors, true);
    }

    private static void validate(ObjectNode job, FieldErrors errors, boolean prefixed) {
        JsonNode spec = Trees.child(job, "spec");
        String name = Trees.text(job.get("metadata"), "name");
        generatedSelector(errors, job, spec, name, prefixed);
        selected(errors, spec);
        if (Trees.text(spec, "completionMode").equals("Indexed") && Trees.number(spec, "completions") > 0) {
            String host = name + "-" + (Trees.number(spec, "completions") - 1);
            if (!Names.label(host).isEmpty()) {
                errors.invalid("metadata.name", name, "will not able to create pod with invalid DNS label: " + host);
            }
        }
    }

    private static void generatedSelector(
            FieldErrors errors, ObjectNode job, JsonNode spec, String name, boolean prefixed) {
        if (Trees.flag(spec, "manualSelector") || !Trees.has(spec, "selector")) {
            return;
        }
        String uid = Trees.text(job.get("metadata"), "uid");
        if (uid.isEmpty()) {
            errors.required("metadata.uid", "");
        }
        Map<String, String> expected = new HashMap<>();
        JsonNode metadata = Trees.at(spec, "template", "metadata");
        for (String prefix : prefixed ? List.of("", PREFIX) : List.of("")) {
            label(errors, metadata, prefix + "controller-uid", uid);
            label(errors, metadata, prefix + "job-name", name);
            expected.put(prefix + "controller-uid", uid);
            expected.put(prefix + "job-name", name);
        }
        FieldErrors shape = new FieldErrors();
        LabelSelectorRules.validate(shape, "", spec.get("selector"));
        if (shape.isEmpty() && !LabelSelectorRules.matches(spec.get("selector"), expected)) {
            errors.invalid("spec.selector", Trees.shown(spec, "selector"), "`selector` not auto-generated");
        }
    }

    private static void label(FieldErrors errors, JsonNode metadata, String key, String expected) {
        Map<String, String> labels = Trees.map(metadata, "labels");
        String path = "spec.template.metadata.labels[" + key + "]";
        String must = "must be '" + expected + "'";
        if (!labels.containsKey(key)) {
            errors.required(path, must);
        } else if (!expected.equals(labels.get(key))) {
            errors.invalid(path, Trees.shown(metadata, "labels"), must);
        }
    }

    private static void selected(FieldErrors errors, JsonNode spec) {
        JobRules.spec(errors, "spec", spec);
        JsonNode selector = Trees.child(spec, "selector");
        if (selector.isMissingNode()) {
            errors.required("spec.selector", "");
        } else {
            LabelSelectorRules.validate(errors, "spec.selector", selector);
        }
        FieldErrors shape = new FieldErrors();
        LabelSelectorRules.validate(shape, "", selector);
        JsonNode metadata = Trees.at(spec, "template", "metadata");
        if (shape.isEmpty() && !LabelSelectorRules.matches(selector, Trees.map(metadata, "labels"))) {
            errors.invalid(
                    "spec.template.metadata.labels",
                    Trees.shown(metadata, "labels"),
                    "`selector` does not match template `labels`");
        }
    }

    @Override
    public void validateUpdate(ObjectNode job, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(job, "spec");
        JsonNode before = Trees.child(old, "spec");
        Map<String, String> labels = Trees.map(Trees.at(before, "template", "metadata"), "labels");
        validate(job, errors, labels.containsKey(PREFIX + "job-name") && labels.containsKey(PREFIX + "controller-uid"));
        // Kubernetes looks at the spec twice here; equal sentences show once, as causes they come twice.
        selected(errors, spec);
        completions(errors, spec, before);
        FieldRules.immutable(errors, "spec", spec, before, "selector");
        template(errors, spec, before, Trees.child(old, "status"));
        FieldRules.immutable(errors, "spec", spec, before, "completionMode");
        FieldRules.immutable(errors, "spec", spec, before, "podFailurePolicy", "batch/v1.PodFailurePolicy");
        FieldRules.immutable(errors, "spec", spec, before, "backoffLimitPerIndex");
        FieldRules.immutable(errors, "spec", spec, before, "managedBy");
        FieldRules.immutable(errors, "spec", spec, before, "successPolicy", "batch/v1.SuccessPolicy");
    }

    private static void completions(FieldErrors errors, JsonNode spec, JsonNode before) {
        if (!Trees.text(spec, "completionMode").equals("Indexed")) {
            FieldRules.immutable(errors, "spec", spec, before, "completions");
        } else if (!Trees.same(spec, before, "completions")
                && Trees.has(spec, "completions")
                && Trees.number(spec, "completions") != Trees.number(spec, "parallelism")) {
            errors.invalid(
                    "spec.completions",
                    Trees.number(spec, "completions"),
                    "can only be modified in tandem with spec.parallelism");
        }
    }

    /** The template is fixed, but for where pods may go while the job is suspended and has never run. */
    private static void template(FieldErrors errors, JsonNode spec, JsonNode before, JsonNode status) {
        JsonNode now = Trees.child(spec, "template");
        JsonNode had = Trees.child(before, "template");
        if (Trees.flag(before, "suspend") && !Trees.has(status, "startTime") && had.isObject()) {
            ObjectNode copy = had.deepCopy();
            ObjectNode podSpec = Trees.make(copy, "spec");
            ObjectNode affinity = Trees.make(podSpec, "affinity");
            Trees.carry(affinity, Trees.at(now, "spec", "affinity"), "nodeAffinity");
            if (affinity.isEmpty()) {
                podSpec.remove("affinity");
            }
            for (String field : List.of("nodeSelector", "tolerations", "schedulingGates")) {
                Trees.carry(podSpec, Trees.child(now, "spec"), field);
            }
            ObjectNode metadata = Trees.make(copy, "metadata");
            Trees.carry(metadata, Trees.child(now, "metadata"), "annotations");
            Trees.carry(metadata, Trees.child(now, "metadata"), "labels");
            had = copy;
        }
        if (!Trees.same(now, had)) {
            errors.invalidShown("spec.template", InternalForm.of(now, "core/v1.PodTemplateSpec"), FieldRules.IMMUTABLE);
        }
    }

    @Override
    public void validateStatusUpdate(ObjectNode job, ObjectNode old, FieldErrors errors, WriteContext context) {
        JobStatusRules.validate(job, old, errors);
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode job, ObjectNode old) {
        return !Trees.same(job, old, "spec");
    }

    @Override
    public Propagation defaultPropagation() {
        return Propagation.ORPHAN;
    }

    @Override
    public Map<String, Function<JsonNode, String>> selectableFields() {
        return Map.of("status.successful", job -> Long.toString(Trees.number(Trees.child(job, "status"), "succeeded")));
    }

    @Override
    public void warn(ObjectNode object, List<String> warnings) {
        PodWarnings.template(Trees.at(object, "spec", "template"), "spec.template", warnings);
    }
}
