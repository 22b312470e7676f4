package io.trimtab.apiserver.kinds.admissionregistration;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.cel.AdmissionExpressions;
import io.trimtab.apiserver.cel.CelType;
import io.trimtab.apiserver.cel.Composition;
import io.trimtab.apiserver.cel.MutationTypes;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/** MutatingAdmissionPolicies. Stateless. */
public final class MutatingPolicyKind implements Kind {
    private static final List<String> OPERATIONS = List.of("*", "CONNECT", "CREATE", "UPDATE");

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
    public void validateCreate(ObjectNode policy, FieldErrors errors, WriteContext context) {
        validate(policy, errors, true);
    }

    private static void validate(ObjectNode policy, FieldErrors errors, boolean conditions) {
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
            operations(errors, "spec.matchConstraints", match);
            if (!Trees.hasContent(match, "resourceRules")) {
                errors.required("spec.matchConstraints.resourceRules", "");
            }
        }
        if (conditions) {
            PolicyExpressionRules.conditions(errors, "spec.matchConditions", spec, kind.isObject());
        }
        Composition composition = Composition.of(
                spec.path("variables"),
                AdmissionExpressions.environment(kind.isObject(), true),
                MutationTypes.environment(kind.isObject()));
        PolicyExpressionRules.variables(errors, spec, composition);
        List<JsonNode> mutations = Trees.items(spec, "mutations");
        if (mutations.isEmpty()) {
            errors.required("spec.mutations", "mutations must contain at least one item");
        }
        for (int i = 0; i < mutations.size(); i++) {
            mutation(errors, "spec.mutations[" + i + "]", mutations.get(i), composition);
        }
        String reinvocation = Trees.text(spec, "reinvocationPolicy");
        if (reinvocation.isEmpty()) {
            errors.required("spec.reinvocationPolicy", "");
        } else {
            FieldRules.choice(errors, "spec", spec, "reinvocationPolicy", List.of("IfNeeded", "Never"));
        }
    }

    /** Nothing can be changed about what is being deleted. */
    static void operations(FieldErrors errors, String path, JsonNode match) {
        for (JsonNode rule : Trees.items(match, "resourceRules")) {
            for (String operation : Trees.texts(rule, "operations")) {
                if (!OPERATIONS.contains(operation)) {
                    errors.notSupported(path + ".resourceRules.operations", Trees.textNode(operation), OPERATIONS);
                }
            }
        }
    }

    private static void mutation(FieldErrors errors, String path, JsonNode mutation, Composition composition) {
        String type = Trees.text(mutation, "patchType");
        if (type.isEmpty()) {
            errors.required(path + ".patchType", "");
            return;
        }
        boolean patches = type.equals("JSONPatch");
        if (!patches && !type.equals("ApplyConfiguration")) {
            errors.notSupported(path + ".patchType", Trees.textNode(type), List.of("ApplyConfiguration", "JSONPatch"));
            return;
        }
        String own = patches ? "jsonPatch" : "applyConfiguration";
        String other = patches ? "applyConfiguration" : "jsonPatch";
        JsonNode body = Trees.child(mutation, own);
        if (!body.isObject()) {
            errors.required(path + "." + own, "must be specified when patchType is " + type);
        } else {
            expression(
                    errors,
                    path + "." + own + ".expression",
                    Trees.text(body, "expression"),
                    composition,
                    patches ? MutationTypes.PATCHES : MutationTypes.OBJECT);
        }
        if (Trees.child(mutation, other).isObject()) {
            errors.invalid(path + "." + other, "{" + other + "}", "must not be specified when patchType is " + type);
        }
    }

    private static void expression(
            FieldErrors errors, String path, String text, Composition composition, CelType type) {
        if (text.isBlank()) {
            errors.required(path, "");
            return;
        }
        Composition.Expression compiled = composition.compileMessage(text, type);
        if (!compiled.error().isEmpty()) {
            errors.invalid(path, text, compiled.error());
        }
    }

    @Override
    public void validateUpdate(ObjectNode policy, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(policy, "spec");
        JsonNode before = Trees.child(old, "spec");
        boolean same = Trees.same(spec, before, "matchConditions") && Trees.same(spec, before, "paramKind");
        validate(policy, errors, !same);
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
