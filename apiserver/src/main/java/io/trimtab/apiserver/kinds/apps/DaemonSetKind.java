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
import io.trimtab.apiserver.kinds.core.PodSpecRules;
import io.trimtab.apiserver.kinds.core.PodWarnings;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/**
 * DaemonSets. The generation of their template, a field of the first versions, lives on as an annotation that the server keeps.
 * Stateless.
 */
public final class DaemonSetKind implements Kind {
    private static final String TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";
    private static final List<String> COUNTERS =
            List.of("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady");

    private final DisabledFields disabled;

    /** Stateless but for what it is told of the cluster. */
    public DaemonSetKind(DisabledFields disabled) {
        this.disabled = disabled;
    }

    @Override
    public void dropDisabled(ObjectNode object) {
        disabled.ofPodSpec(Trees.object(Trees.object(Trees.object(object, "spec"), "template"), "spec"));
    }

    @Override
    public void defaults(ObjectNode set) {
        ObjectNode spec = Trees.make(set, "spec");
        PodDefaults.template(Trees.make(spec, "template"));
        ObjectNode strategy = Trees.make(spec, "updateStrategy");
        Trees.fill(strategy, "type", "RollingUpdate");
        if (Trees.text(strategy, "type").equals("RollingUpdate")) {
            ObjectNode rolling = Trees.make(strategy, "rollingUpdate");
            Trees.fill(rolling, "maxUnavailable", 1);
            Trees.fill(rolling, "maxSurge", 0);
        }
        Trees.fill(spec, "revisionHistoryLimit", 10);
        counters(Trees.make(set, "status"));
        // Kubernetes keeps the number in its internal spec and writes the annotation whenever it converts; so a writer
        // that does not send it owns it all the same.
        Trees.fill(Trees.make(Trees.make(set, "metadata"), "annotations"), TEMPLATE_GENERATION, "0");
    }

    private static void counters(ObjectNode status) {
        COUNTERS.forEach(counter -> Trees.fill(status, counter, 0));
    }

    @Override
    public void prepareCreate(ObjectNode set, WriteContext context) {
        counters(set.putObject("status"));
        long generation = templateGeneration(set);
        mark(set, generation < 1 ? 1 : generation);
    }

    @Override
    public void prepareUpdate(ObjectNode set, ObjectNode old, WriteContext context) {
        Trees.carry(set, old, "status");
        long generation = templateGeneration(old);
        boolean changed = !Trees.same(Trees.child(set, "spec"), Trees.child(old, "spec"), "template");
        mark(set, changed ? generation + 1 : generation);
    }

    private static long templateGeneration(ObjectNode set) {
        try {
            return Long.parseLong(Trees.text(Trees.at(set, "metadata", "annotations"), TEMPLATE_GENERATION));
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    private static void mark(ObjectNode set, long generation) {
        Trees.make(Trees.make(set, "metadata"), "annotations").put(TEMPLATE_GENERATION, Long.toString(generation));
    }

    @Override
    public void validateCreate(ObjectNode set, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(set, "spec");
        JsonNode selector = Trees.child(spec, "selector");
        LabelSelectorRules.validate(errors, "spec.selector", selector);
        if (Workloads.isConvertible(selector)) {
            Workloads.mismatch(errors, spec);
        }
        if (selector.isObject() && LabelSelectorRules.isEmpty(selector)) {
            errors.invalid("spec.selector", selector, "empty selector is invalid for daemonset");
        }
        PodSpecRules.alwaysRunningTemplate(errors, "spec.template", Trees.child(spec, "template"), "DaemonSet");
        FieldRules.notNegative(errors, "spec", spec, "minReadySeconds");
        strategy(errors, Trees.child(spec, "updateStrategy"));
        FieldRules.notNegative(errors, "spec", spec, "revisionHistoryLimit");
    }

    private static void strategy(FieldErrors errors, JsonNode strategy) {
        String path = "spec.updateStrategy";
        switch (Trees.text(strategy, "type")) {
            case "OnDelete" -> {}
            case "RollingUpdate" -> {
                if (!Trees.has(strategy, "rollingUpdate")) {
                    errors.required(path + ".rollingUpdate", "");
                } else {
                    rollingUpdate(errors, path + ".rollingUpdate", strategy.get("rollingUpdate"));
                }
            }
            default ->
                errors.add(new FieldErrors.FieldError(
                        FieldErrors.Type.NOT_SUPPORTED,
                        path,
                        "Unsupported value: " + InternalForm.of(strategy, "apps/v1.DaemonSetUpdateStrategy")
                                + ": supported values: \"RollingUpdate\", \"OnDelete\""));
        }
    }

    private static void rollingUpdate(FieldErrors errors, String path, JsonNode rolling) {
        JsonNode unavailable = Trees.child(rolling, "maxUnavailable");
        JsonNode surge = Trees.child(rolling, "maxSurge");
        IntOrPercent.validate(errors, path + ".maxUnavailable", unavailable);
        IntOrPercent.validate(errors, path + ".maxSurge", surge);
        IntOrPercent.notOver100Percent(errors, path + ".maxUnavailable", unavailable);
        IntOrPercent.notOver100Percent(errors, path + ".maxSurge", surge);
        boolean has = IntOrPercent.amount(unavailable) != 0;
        boolean surges = IntOrPercent.amount(surge) != 0;
        if (has && surges) {
            errors.invalid(path + ".maxSurge", surge, "may not be set when maxUnavailable is non-zero");
        } else if (!has && !surges) {
            errors.required(path + ".maxUnavailable", "cannot be 0 when maxSurge is 0");
        }
    }

    @Override
    public void validateUpdate(ObjectNode set, ObjectNode old, FieldErrors errors, WriteContext context) {
        FieldRules.immutable(errors, "spec", Trees.child(set, "spec"), Trees.child(old, "spec"), "selector");
        validateCreate(set, errors, context);
    }

    @Override
    public void validateStatusUpdate(ObjectNode set, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode status = Trees.child(set, "status");
        Workloads.counters(errors, status, COUNTERS);
        Workloads.counters(
                errors,
                status,
                List.of(
                        "observedGeneration",
                        "updatedNumberScheduled",
                        "numberAvailable",
                        "numberUnavailable",
                        "collisionCount"));
        Workloads.collisionsGrow(errors, status, Trees.child(old, "status"));
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
    public void warn(ObjectNode object, List<String> warnings) {
        PodWarnings.template(Trees.at(object, "spec", "template"), "spec.template", warnings);
    }
}
