package io.trimtab.apiserver.kinds.admissionregistration;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** ValidatingAdmissionPolicyBindings. Stateless. */
public final class AdmissionPolicyBindingKind implements Kind {
    private static final List<String> ACTIONS = List.of("Audit", "Deny", "Warn");

    @Override
    public void defaults(ObjectNode binding) {
        ObjectNode match = Trees.object(Trees.make(binding, "spec"), "matchResources");
        if (match != null) {
            AdmissionPolicyKind.matchResources(match);
        }
    }

    @Override
    public void validateCreate(ObjectNode binding, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(binding, "spec");
        String policy = Trees.text(spec, "policyName");
        if (policy.isEmpty()) {
            errors.required("spec.policyName", "");
        } else {
            FieldRules.invalid(errors, "spec.policyName", policy, Names.subdomain(policy));
        }
        JsonNode ref = Trees.child(spec, "paramRef");
        if (!ref.isMissingNode()) {
            boolean name = Trees.hasContent(ref, "name");
            boolean selector = Trees.has(ref, "selector");
            if (name && selector) {
                errors.forbidden("spec.paramRef.name", "name and selector are mutually exclusive");
            } else if (!name && !selector) {
                errors.required("spec.paramRef", "one of name or selector must be specified");
            }
            if (!Trees.has(ref, "parameterNotFoundAction")) {
                errors.required("spec.paramRef.parameterNotFoundAction", "");
            }
        }
        List<String> actions = Trees.texts(spec, "validationActions");
        if (actions.isEmpty()) {
            errors.required("spec.validationActions", "at least one validation action is required");
        }
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < actions.size(); i++) {
            String path = "spec.validationActions[" + i + "]";
            if (!ACTIONS.contains(actions.get(i))) {
                errors.notSupported(path, Trees.textNode(actions.get(i)), ACTIONS);
            }
            if (!seen.add(actions.get(i))) {
                errors.duplicate(path, Trees.textNode(actions.get(i)));
            }
        }
        if (seen.contains("Deny") && seen.contains("Warn")) {
            errors.invalid(
                    "spec.validationActions",
                    spec.get("validationActions"),
                    "must not contain both Deny and Warn (repeating the same validation failure information in the API"
                            + " response and headers serves no purpose)");
        }
    }

    @Override
    public void validateUpdate(ObjectNode binding, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(binding, errors, context);
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode binding, ObjectNode old) {
        return !Trees.same(binding, old, "spec");
    }

    @Override
    public boolean allowsUnconditionalUpdate() {
        return false;
    }
}
