package io.trimtab.apiserver.kinds.admissionregistration;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Bindings of ValidatingAdmissionPolicies, and of MutatingAdmissionPolicies. Immutable. */
public final class AdmissionPolicyBindingKind implements Kind {
    private static final List<String> ACTIONS = List.of("Audit", "Deny", "Warn");

    private final boolean validates;

    /** @param validates whether they say what is done about refusals */
    public AdmissionPolicyBindingKind(boolean validates) {
        this.validates = validates;
    }

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
            paramRef(errors, "spec.paramRef", ref);
        }
        JsonNode match = Trees.child(spec, "matchResources");
        if (match.isObject()) {
            AdmissionPolicyKind.matchResources(errors, "spec.matchResources", match);
        }
        if (!validates) {
            MutatingPolicyKind.operations(errors, "spec.matchResources", match);
            return;
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

    static void paramRef(FieldErrors errors, String path, JsonNode ref) {
        String name = Trees.text(ref, "name");
        boolean selector = Trees.has(ref, "selector");
        String exclusive = "name and selector are mutually exclusive";
        if (!name.isEmpty()) {
            for (String wrong : Names.pathSegment(name)) {
                errors.invalid(path + ".name", name, wrong);
            }
            if (selector) {
                errors.forbidden(path + ".name", exclusive);
            }
        }
        if (selector) {
            LabelSelectorRules.validate(errors, path + ".selector", ref.get("selector"));
            if (!name.isEmpty()) {
                errors.forbidden(path + ".selector", exclusive);
            }
        } else if (name.isEmpty()) {
            errors.required(path, "one of name or selector must be specified");
        }
        String action = Trees.text(ref, "parameterNotFoundAction");
        if (action.isEmpty()) {
            errors.required(path + ".parameterNotFoundAction", "");
        } else if (!action.equals("Deny") && !action.equals("Allow")) {
            errors.notSupportedInOrder(
                    path + ".parameterNotFoundAction", Trees.textNode(action), List.of("Deny", "Allow"));
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
