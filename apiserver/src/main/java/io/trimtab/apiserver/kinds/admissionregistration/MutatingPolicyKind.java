package io.trimtab.apiserver.kinds.admissionregistration;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.cel.AdmissionExpressions;
import io.trimtab.apiserver.cel.CelType;
import io.trimtab.apiserver.cel.Composition;
import io.trimtab.apiserver.cel.MutationTypes;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Trees;
import java.util.List;

/** MutatingAdmissionPolicies. Stateless. */
public final class MutatingPolicyKind extends PolicyKind {
    private static final List<String> OPERATIONS = List.of("*", "CONNECT", "CREATE", "UPDATE");

    @Override
    void validate(FieldErrors errors, String name, JsonNode spec) {
        boolean params = Trees.child(spec, "paramKind").isObject();
        Composition composition = Composition.of(
                spec.path("variables"),
                AdmissionExpressions.environment(params, true),
                MutationTypes.environment(params));
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

    @Override
    void constraints(FieldErrors errors, String path, JsonNode match) {
        operations(errors, path, match);
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
}
