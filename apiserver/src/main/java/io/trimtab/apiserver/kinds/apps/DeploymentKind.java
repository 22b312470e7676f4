package io.trimtab.apiserver.kinds.apps;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.DisabledFields;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.IntOrPercent;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.kinds.core.PodDefaults;
import io.trimtab.apiserver.kinds.core.PodWarnings;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/** Deployments. Stateless. */
public final class DeploymentKind implements Kind {

    private final DisabledFields disabled;

    /** Stateless but for what it is told of the cluster. */
    public DeploymentKind(DisabledFields disabled) {
        this.disabled = disabled;
    }

    @Override
    public void dropDisabled(ObjectNode object) {
        disabled.ofPodSpec(Trees.object(Trees.object(Trees.object(object, "spec"), "template"), "spec"));
        disabled.drop("DeploymentReplicaSetTerminatingReplicas", Trees.object(object, "status"), "terminatingReplicas");
    }

    @Override
    public void defaults(ObjectNode deployment) {
        ObjectNode spec = Trees.make(deployment, "spec");
        Trees.fill(spec, "replicas", 1);
        PodDefaults.template(Trees.make(spec, "template"));
        ObjectNode strategy = Trees.make(spec, "strategy");
        Trees.fill(strategy, "type", "RollingUpdate");
        if (Trees.text(strategy, "type").equals("RollingUpdate")) {
            ObjectNode rolling = Trees.make(strategy, "rollingUpdate");
            for (String field : List.of("maxUnavailable", "maxSurge")) {
                if (!Trees.has(rolling, field)) {
                    rolling.put(field, "25%");
                }
            }
        }
        Trees.fill(spec, "revisionHistoryLimit", 10);
        Trees.fill(spec, "progressDeadlineSeconds", 600);
        Trees.make(deployment, "status");
    }

    @Override
    public void prepareCreate(ObjectNode deployment, WriteContext context) {
        deployment.putObject("status");
    }

    @Override
    public void prepareStatusUpdate(ObjectNode deployment, ObjectNode old, WriteContext context) {
        // Labels stay with the spec's writers: the one kind where status writers may not change them.
        Trees.carry(Trees.make(deployment, "metadata"), old.get("metadata"), "labels");
    }

    @Override
    public void validateCreate(ObjectNode deployment, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(deployment, "spec");
        FieldRules.notNegative(errors, "spec", spec, "replicas");
        Workloads.selector(errors, spec, "deployment");
        Workloads.template(errors, spec, "ReplicaSet");
        strategy(errors, Trees.child(spec, "strategy"));
        FieldRules.notNegative(errors, "spec", spec, "minReadySeconds");
        FieldRules.notNegative(errors, "spec", spec, "revisionHistoryLimit");
        if (Trees.has(spec, "progressDeadlineSeconds")) {
            long deadline = Trees.number(spec, "progressDeadlineSeconds");
            FieldRules.notNegative(errors, "spec", spec, "progressDeadlineSeconds");
            if (deadline <= Trees.number(spec, "minReadySeconds")) {
                errors.invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds");
            }
        }
    }

    private static void strategy(FieldErrors errors, JsonNode strategy) {
        String path = "spec.strategy";
        switch (Trees.text(strategy, "type")) {
            case "Recreate" -> {
                if (Trees.has(strategy, "rollingUpdate")) {
                    errors.forbidden(
                            path + ".rollingUpdate", "may not be specified when strategy `type` is 'Recreate'");
                }
            }
            case "RollingUpdate" -> {
                if (!Trees.has(strategy, "rollingUpdate")) {
                    errors.required(path + ".rollingUpdate", "this should be defaulted and never be nil");
                    return;
                }
                rollingUpdate(errors, path + ".rollingUpdate", strategy.get("rollingUpdate"));
            }
            default ->
                errors.add(new FieldErrors.FieldError(
                        FieldErrors.Type.NOT_SUPPORTED,
                        path,
                        "Unsupported value: " + InternalForm.of(strategy, "apps/v1.DeploymentStrategy")
                                + ": supported values: \"Recreate\", \"RollingUpdate\""));
        }
    }

    private static void rollingUpdate(FieldErrors errors, String path, JsonNode rolling) {
        JsonNode unavailable = Trees.child(rolling, "maxUnavailable");
        JsonNode surge = Trees.child(rolling, "maxSurge");
        IntOrPercent.validate(errors, path + ".maxUnavailable", unavailable);
        IntOrPercent.validate(errors, path + ".maxSurge", surge);
        if (IntOrPercent.amount(unavailable) == 0 && IntOrPercent.amount(surge) == 0) {
            errors.invalid(path + ".maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0");
        }
        IntOrPercent.notOver100Percent(errors, path + ".maxUnavailable", unavailable);
    }

    @Override
    public void validateUpdate(ObjectNode deployment, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(deployment, errors, context);
        FieldRules.immutable(errors, "spec", Trees.child(deployment, "spec"), Trees.child(old, "spec"), "selector");
    }

    @Override
    public void validateStatusUpdate(ObjectNode deployment, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode status = Trees.child(deployment, "status");
        Workloads.counters(
                errors,
                status,
                List.of(
                        "observedGeneration",
                        "replicas",
                        "updatedReplicas",
                        "readyReplicas",
                        "availableReplicas",
                        "unavailableReplicas",
                        "terminatingReplicas",
                        "collisionCount"));
        Workloads.partsOfReplicas(
                errors, status, List.of("updatedReplicas", "readyReplicas", "availableReplicas"), "readyReplicas");
        Workloads.collisionsGrow(errors, status, Trees.child(old, "status"));
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    /** Annotations count, too: a rollout's revision and cause live there. */
    @Override
    public boolean isSpecChange(ObjectNode deployment, ObjectNode old) {
        return !Trees.same(deployment, old, "spec")
                || !Trees.same(deployment.get("metadata"), old.get("metadata"), "annotations");
    }

    @Override
    public Scale scale() {
        return new Scale(
                "/spec/replicas",
                "/status/replicas",
                deployment -> LabelSelectorRules.text(Trees.at(deployment, "spec", "selector")));
    }

    @Override
    public void warn(ObjectNode object, List<String> warnings) {
        PodWarnings.template(Trees.at(object, "spec", "template"), "spec.template", warnings);
    }
}
