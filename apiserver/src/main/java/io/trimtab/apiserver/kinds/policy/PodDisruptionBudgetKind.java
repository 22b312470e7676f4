package io.trimtab.apiserver.kinds.policy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.IntOrPercent;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/** PodDisruptionBudgets. Stateless. */
public final class PodDisruptionBudgetKind implements Kind {
    private static final List<String> COUNTERS =
            List.of("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods");

    @Override
    public void defaults(ObjectNode budget) {
        Trees.make(budget, "spec");
        ObjectNode status = Trees.make(budget, "status");
        COUNTERS.forEach(counter -> Trees.fill(status, counter, 0));
    }

    @Override
    public void prepareCreate(ObjectNode budget, WriteContext context) {
        ObjectNode status = budget.putObject("status");
        COUNTERS.forEach(counter -> status.put(counter, 0));
    }

    @Override
    public void validateCreate(ObjectNode budget, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(budget, "spec");
        if (Trees.has(spec, "minAvailable") && Trees.has(spec, "maxUnavailable")) {
            errors.invalidShown(
                    "spec",
                    InternalForm.of(spec, "policy/v1.PodDisruptionBudgetSpec"),
                    "minAvailable and maxUnavailable cannot be both set");
        }
        for (String field : List.of("minAvailable", "maxUnavailable")) {
            if (Trees.has(spec, field)) {
                IntOrPercent.validate(errors, "spec." + field, spec.get(field));
                IntOrPercent.notOver100Percent(errors, "spec." + field, spec.get(field));
            }
        }
        LabelSelectorRules.validate(errors, "spec.selector", spec.get("selector"));
        FieldRules.choice(
                errors, "spec", spec, "unhealthyPodEvictionPolicy", List.of("AlwaysAllow", "IfHealthyBudget"));
    }

    @Override
    public void validateUpdate(ObjectNode budget, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(budget, errors, context);
    }

    @Override
    public void validateStatusUpdate(ObjectNode budget, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode status = Trees.child(budget, "status");
        COUNTERS.forEach(counter -> FieldRules.notNegative(errors, "status", status, counter));
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode budget, ObjectNode old) {
        return !Trees.same(budget, old, "spec");
    }

    @Override
    public boolean allowsUnconditionalUpdate() {
        return false;
    }
}
