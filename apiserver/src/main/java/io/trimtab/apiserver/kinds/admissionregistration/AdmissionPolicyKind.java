package io.trimtab.apiserver.kinds.admissionregistration;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/** ValidatingAdmissionPolicies. Stateless. */
public final class AdmissionPolicyKind implements Kind {

    @Override
    public void defaults(ObjectNode policy) {
        ObjectNode spec = Trees.make(policy, "spec");
        if (!Trees.has(spec, "failurePolicy")) {
            spec.put("failurePolicy", "Fail");
        }
        ObjectNode constraints = Trees.object(spec, "matchConstraints");
        if (constraints != null) {
            matchResources(constraints);
        }
        Trees.make(policy, "status");
    }

    /** What policies and their bindings match. */
    static void matchResources(ObjectNode match) {
        if (!Trees.has(match, "matchPolicy")) {
            match.put("matchPolicy", "Equivalent");
        }
        Trees.make(match, "namespaceSelector");
        Trees.make(match, "objectSelector");
        for (String list : List.of("resourceRules", "excludeResourceRules")) {
            for (ObjectNode rule : Trees.objects(match, list)) {
                if (!Trees.has(rule, "scope")) {
                    rule.put("scope", "*");
                }
            }
        }
    }

    @Override
    public void prepareCreate(ObjectNode policy, WriteContext context) {
        policy.putObject("status");
    }

    @Override
    public void validateCreate(ObjectNode policy, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(policy, "spec");
        FieldRules.choice(errors, "spec", spec, "failurePolicy", List.of("Fail", "Ignore"));
        JsonNode kind = Trees.child(spec, "paramKind");
        if (!kind.isMissingNode()) {
            for (String field : List.of("apiVersion", "kind")) {
                if (!Trees.hasContent(kind, field)) {
                    errors.required("spec.paramKind." + field, "");
                }
            }
        }
        JsonNode match = Trees.child(spec, "matchConstraints");
        if (match.isMissingNode()) {
            errors.required("spec.matchConstraints", "");
        } else {
            if (!Trees.hasContent(match, "resourceRules")) {
                errors.required("spec.matchConstraints.resourceRules", "");
            }
            int i = 0;
            for (JsonNode rule : Trees.items(match, "resourceRules")) {
                WebhookConfigurationKind.rule(errors, "spec.matchConstraints.resourceRules[" + i++ + "]", rule);
            }
            for (String selector : List.of("namespaceSelector", "objectSelector")) {
                LabelSelectorRules.validate(errors, "spec.matchConstraints." + selector, match.get(selector));
            }
        }
        if (!Trees.hasContent(spec, "validations") && !Trees.hasContent(spec, "auditAnnotations")) {
            String one = "validations or auditAnnotations must be non-empty";
            errors.required("spec.validations", one);
            errors.required("spec.auditAnnotations", one);
        }
        int i = 0;
        for (JsonNode validation : Trees.items(spec, "validations")) {
            if (Trees.text(validation, "expression").isBlank()) {
                errors.required("spec.validations[" + i + "].expression", "expression is not specified");
            }
            i++;
        }
    }

    @Override
    public void validateUpdate(ObjectNode policy, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(policy, errors, context);
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode policy, ObjectNode old) {
        return !Trees.same(policy, old, "spec");
    }

    @Override
    public boolean allowsUnconditionalUpdate() {
        return false;
    }
}
