package io.trimtab.apiserver.kinds.admissionregistration;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/** What validating and mutating admission policies have in common: whom they are for, with which parameters, and when. Stateless. */
abstract class PolicyKind implements Kind {
    @Override
    public void defaults(ObjectNode policy) {
        ObjectNode spec = Trees.make(policy, "spec");
        if (!Trees.has(spec, "failurePolicy")) {
            spec.put("failurePolicy", "Fail");
        }
        ObjectNode constraints = Trees.object(spec, "matchConstraints");
        if (constraints != null) {
            AdmissionPolicyKind.matchResources(constraints);
        }
    }

    @Override
    public final void validateCreate(ObjectNode policy, FieldErrors errors, WriteContext context) {
        validate(policy, errors, true);
    }

    @Override
    public final void validateUpdate(ObjectNode policy, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(policy, "spec");
        JsonNode before = Trees.child(old, "spec");
        // Conditions that were accepted before are, as long as nothing about them changes.
        boolean same = Trees.same(spec, before, "matchConditions") && Trees.same(spec, before, "paramKind");
        validate(policy, errors, !same);
    }

    private void validate(ObjectNode policy, FieldErrors errors, boolean conditions) {
        JsonNode spec = Trees.child(policy, "spec");
        FieldRules.choice(errors, "spec", spec, "failurePolicy", List.of("Fail", "Ignore"));
        JsonNode kind = Trees.child(spec, "paramKind");
        if (kind.isObject()) {
            AdmissionPolicyKind.paramKind(errors, "spec.paramKind", kind);
        }
        JsonNode match = Trees.child(spec, "matchConstraints");
        if (match.isMissingNode()) {
            errors.required("spec.matchConstraints", "");
        } else {
            AdmissionPolicyKind.matchResources(errors, "spec.matchConstraints", match);
            constraints(errors, "spec.matchConstraints", match);
            if (!Trees.hasContent(match, "resourceRules")) {
                errors.required("spec.matchConstraints.resourceRules", "");
            }
        }
        if (conditions) {
            PolicyExpressionRules.conditions(errors, "spec.matchConditions", spec, kind.isObject());
        }
        validate(errors, Trees.text(policy.get("metadata"), "name"), spec);
    }

    /** What else holds of whom a policy of this sort is for. */
    void constraints(FieldErrors errors, String path, JsonNode match) {}

    /** What a policy of this sort does. */
    abstract void validate(FieldErrors errors, String name, JsonNode spec);

    @Override
    public final boolean managesGeneration() {
        return true;
    }

    @Override
    public final boolean isSpecChange(ObjectNode policy, ObjectNode old) {
        return !Trees.same(policy, old, "spec");
    }

    @Override
    public final boolean allowsUnconditionalUpdate() {
        return false;
    }
}
