package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.DisabledFields;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** ReplicationControllers: ReplicaSets with a plain map for a selector. Stateless. */
public final class ReplicationControllerKind implements Kind {

    private final DisabledFields disabled;

    /** Stateless but for what it is told of the cluster. */
    public ReplicationControllerKind(DisabledFields disabled) {
        this.disabled = disabled;
    }

    @Override
    public void dropDisabled(ObjectNode object) {
        disabled.ofPodSpec(Trees.object(Trees.object(Trees.object(object, "spec"), "template"), "spec"));
    }

    @Override
    public void defaults(ObjectNode controller) {
        ObjectNode spec = Trees.make(controller, "spec");
        ObjectNode template = Trees.object(spec, "template");
        ObjectNode labels = Trees.object(Trees.object(template, "metadata"), "labels");
        if (labels != null) {
            if (!Trees.hasContent(spec, "selector")) {
                spec.set("selector", labels.deepCopy());
            }
            ObjectNode metadata = Trees.make(controller, "metadata");
            if (!Trees.hasContent(metadata, "labels")) {
                metadata.set("labels", labels.deepCopy());
            }
        }
        Trees.fill(spec, "replicas", 1);
        PodDefaults.templateOf(spec);
        Trees.fill(Trees.make(controller, "status"), "replicas", 0);
    }

    @Override
    public void prepareCreate(ObjectNode controller, WriteContext context) {
        controller.putObject("status").put("replicas", 0);
    }

    @Override
    public void validateCreate(ObjectNode controller, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(controller, "spec");
        FieldRules.notNegative(errors, "spec", spec, "minReadySeconds");
        Map<String, String> selector = Trees.map(spec, "selector");
        if (selector.isEmpty()) {
            errors.required("spec.selector", "");
        }
        FieldRules.notNegative(errors, "spec", spec, "replicas");
        if (!Trees.has(spec, "template")) {
            errors.required("spec.template", "");
            return;
        }
        JsonNode metadata = Trees.at(spec, "template", "metadata");
        Map<String, String> labels = Trees.map(metadata, "labels");
        if (!labels.entrySet().containsAll(selector.entrySet())) {
            errors.invalid(
                    "spec.template.metadata.labels",
                    Trees.shown(metadata, "labels"),
                    "`selector` does not match template `labels`");
        }
        PodSpecRules.alwaysRunningTemplate(errors, "spec.template", spec.get("template"), "ReplicationController");
    }

    @Override
    public void validateUpdate(ObjectNode controller, ObjectNode old, FieldErrors errors, WriteContext context) {
        // Kubernetes looks twice, so that each cause comes twice.
        validateCreate(controller, errors, context);
        validateCreate(controller, errors, context);
    }

    @Override
    public void validateStatusUpdate(ObjectNode controller, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode status = Trees.child(controller, "status");
        for (String field : List.of(
                "replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration")) {
            FieldRules.notNegative(errors, "status", status, field);
        }
        for (String field : List.of("fullyLabeledReplicas", "readyReplicas", "availableReplicas")) {
            if (Trees.number(status, field) > Trees.number(status, "replicas")) {
                errors.invalid(
                        "status." + field, Trees.number(status, field), "cannot be greater than status.replicas");
            }
        }
        if (Trees.number(status, "availableReplicas") > Trees.number(status, "readyReplicas")) {
            errors.invalid(
                    "status.availableReplicas",
                    Trees.number(status, "availableReplicas"),
                    "cannot be greater than readyReplicas");
        }
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode controller, ObjectNode old) {
        return !Trees.same(controller, old, "spec");
    }

    @Override
    public Propagation defaultPropagation() {
        return Propagation.ORPHAN;
    }

    @Override
    public Map<String, Function<JsonNode, String>> selectableFields() {
        return Map.of(
                "status.replicas",
                controller -> Long.toString(Trees.number(Trees.child(controller, "status"), "replicas")));
    }

    @Override
    public Scale scale() {
        return new Scale(
                "/spec/replicas",
                "/status/replicas",
                controller -> LabelSelectorRules.text(Trees.map(Trees.child(controller, "spec"), "selector")));
    }

    @Override
    public void warn(ObjectNode object, List<String> warnings) {
        PodWarnings.template(Trees.at(object, "spec", "template"), "spec.template", warnings);
    }
}
