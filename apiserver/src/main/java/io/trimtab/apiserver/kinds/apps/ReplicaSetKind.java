package io.trimtab.apiserver.kinds.apps;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.DisabledFields;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.kinds.core.PodDefaults;
import io.trimtab.apiserver.kinds.core.PodWarnings;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/** ReplicaSets. Stateless. */
public final class ReplicaSetKind implements Kind {

    private final DisabledFields disabled;

    /** Stateless but for what it is told of the cluster. */
    public ReplicaSetKind(DisabledFields disabled) {
        this.disabled = disabled;
    }

    @Override
    public void dropDisabled(ObjectNode object) {
        disabled.ofPodSpec(Trees.object(Trees.object(Trees.object(object, "spec"), "template"), "spec"));
        disabled.drop("DeploymentReplicaSetTerminatingReplicas", Trees.object(object, "status"), "terminatingReplicas");
    }

    @Override
    public void defaults(ObjectNode set) {
        ObjectNode spec = Trees.make(set, "spec");
        Trees.fill(spec, "replicas", 1);
        PodDefaults.template(Trees.make(spec, "template"));
        Trees.fill(Trees.make(set, "status"), "replicas", 0);
    }

    @Override
    public void prepareCreate(ObjectNode set, WriteContext context) {
        set.putObject("status").put("replicas", 0);
    }

    @Override
    public void validateCreate(ObjectNode set, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(set, "spec");
        FieldRules.notNegative(errors, "spec", spec, "replicas");
        FieldRules.notNegative(errors, "spec", spec, "minReadySeconds");
        // The word "deployment" is what Kubernetes says here, too.
        Workloads.selector(errors, spec, "deployment");
        Workloads.template(errors, spec, "ReplicaSet");
    }

    @Override
    public void validateUpdate(ObjectNode set, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(set, errors, context);
        FieldRules.immutable(errors, "spec", Trees.child(set, "spec"), Trees.child(old, "spec"), "selector");
    }

    @Override
    public void validateStatusUpdate(ObjectNode set, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode status = Trees.child(set, "status");
        Workloads.counters(
                errors,
                status,
                List.of(
                        "replicas",
                        "fullyLabeledReplicas",
                        "readyReplicas",
                        "availableReplicas",
                        "observedGeneration",
                        "terminatingReplicas"));
        Workloads.partsOfReplicas(
                errors, status, List.of("fullyLabeledReplicas", "readyReplicas", "availableReplicas"), "readyReplicas");
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode set, ObjectNode old) {
        return !Trees.same(set, old, "spec");
    }

    @Override
    public Scale scale() {
        return new Scale(
                "/spec/replicas",
                "/status/replicas",
                set -> LabelSelectorRules.text(Trees.at(set, "spec", "selector")));
    }

    @Override
    public void warn(ObjectNode object, List<String> warnings) {
        PodWarnings.template(Trees.at(object, "spec", "template"), "spec.template", warnings);
    }
}
