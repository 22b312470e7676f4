package io.trimtab.apiserver.kinds.admissionregistration;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.trimtab.apiserver.cel.AdmissionExpressions;
import io.trimtab.apiserver.cel.CelEnvironment;
import io.trimtab.apiserver.cel.CelProgram;
import io.trimtab.apiserver.cel.CelType;
import io.trimtab.apiserver.cel.Composition;
import io.trimtab.apiserver.cel.Escaping;
import io.trimtab.apiserver.cel.MatchConditions;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What expressions of webhooks and policies may be: that they compile, and to what type. Stateless. */
final class PolicyExpressionRules {
    private static final int MAX_CONDITIONS = 64;
    private static final int MAX_ANNOTATIONS = 20;
    private static final int MAX_VALUE = 5 * 1024;
    private static final List<String> REASONS = List.of("Forbidden", "Invalid", "RequestEntityTooLarge");

    private PolicyExpressionRules() {}

    /** @param params whether conditions may name params */
    static void conditions(FieldErrors errors, String path, JsonNode owner, boolean params) {
        List<JsonNode> conditions = Trees.items(owner, "matchConditions");
        if (conditions.size() > MAX_CONDITIONS) {
            errors.tooMany(path, conditions.size(), MAX_CONDITIONS);
        }
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < conditions.size(); i++) {
            String at = path + "[" + i + "]";
            String text = Trees.text(conditions.get(i), "expression").strip();
            if (text.isEmpty()) {
                errors.required(at + ".expression", "");
            } else {
                CelEnvironment.Compilation compiled =
                        AdmissionExpressions.environment(params, true).compile(text);
                CelProgram program = compiled.program();
                String wrong = program == null
                        ? "compilation failed: " + compiled.issues()
                        : MatchConditions.wrongType(program, CelType.BOOL);
                if (!wrong.isEmpty()) {
                    errors.invalid(at + ".expression", text, wrong);
                }
            }
            String name = Trees.text(conditions.get(i), "name");
            if (name.isEmpty()) {
                errors.required(at + ".name", "");
            } else {
                for (String wrong : Names.qualified(name)) {
                    errors.invalid(at + ".name", name, wrong);
                }
                if (!seen.add(name)) {
                    errors.duplicate(at + ".name", Trees.textNode(name));
                }
            }
        }
    }

    /** The variables, and what of a policy may use them. */
    static void policy(FieldErrors errors, String name, JsonNode spec) {
        Composition composition =
                Composition.of(spec.path("variables"), spec.path("paramKind").isObject());
        variables(errors, spec, composition);
        List<JsonNode> validations = Trees.items(spec, "validations");
        List<JsonNode> annotations = Trees.items(spec, "auditAnnotations");
        if (validations.isEmpty() && annotations.isEmpty()) {
            String one = "validations or auditAnnotations must contain at least one item";
            errors.required("spec.validations", one);
            errors.required("spec.auditAnnotations", one);
            return;
        }
        for (int i = 0; i < validations.size(); i++) {
            validation(errors, "spec.validations[" + i + "]", validations.get(i), composition);
        }
        if (annotations.size() > MAX_ANNOTATIONS) {
            // As Kubernetes keeps them in memory, which is what its messages show.
            ArrayNode shown = JsonNodeFactory.instance.arrayNode();
            annotations.forEach(a -> shown.addObject()
                    .put("Key", Trees.text(a, "key"))
                    .put("ValueExpression", Trees.text(a, "valueExpression")));
            errors.invalid(
                    "spec.auditAnnotations", shown, "must not have more than " + MAX_ANNOTATIONS + " auditAnnotations");
        }
        Set<String> keys = new HashSet<>();
        for (int i = 0; i < annotations.size(); i++) {
            String at = "spec.auditAnnotations[" + i + "]";
            annotation(errors, at, name, annotations.get(i), composition);
            String key = Trees.text(annotations.get(i), "key");
            if (!keys.add(key)) {
                errors.duplicate(at + ".key", Trees.textNode(key));
            }
        }
    }

    static void variables(FieldErrors errors, JsonNode spec, Composition composition) {
        List<JsonNode> variables = Trees.items(spec, "variables");
        for (int i = 0; i < variables.size(); i++) {
            String at = "spec.variables[" + i + "]";
            String name = Trees.text(variables.get(i), "name");
            if (name.isBlank()) {
                errors.required(at + ".name", "name is not specified");
            } else if (!name.matches("[_a-zA-Z][_a-zA-Z0-9]*") || !isFree(name)) {
                errors.invalid(at + ".name", name, "must be a valid CEL identifier");
            }
            String text = Trees.text(variables.get(i), "expression");
            if (text.isBlank()) {
                errors.required(at + ".expression", "expression is not specified");
                continue;
            }
            Composition.Expression compiled = composition.variables().get(name);
            if (compiled != null && !compiled.error().isEmpty()) {
                errors.invalid(at + ".expression", text, compiled.error());
            }
        }
    }

    /** Not a word of the language's own. */
    private static boolean isFree(String name) {
        String escaped = Escaping.escape(name);
        return escaped == null || !escaped.equals("__" + name + "__");
    }

    private static void compiled(FieldErrors errors, String path, Composition.Expression expression) {
        if (!expression.error().isEmpty()) {
            errors.invalid(path, expression.text(), expression.error());
        }
    }

    private static void validation(FieldErrors errors, String path, JsonNode validation, Composition composition) {
        String text = Trees.text(validation, "expression");
        if (text.isBlank()) {
            errors.required(path + ".expression", "expression is not specified");
        } else {
            compiled(errors, path + ".expression", composition.compile(text, CelType.BOOL));
        }
        String messageExpression = Trees.text(validation, "messageExpression");
        if (!messageExpression.isEmpty() && messageExpression.isBlank()) {
            errors.invalid(path + ".messageExpression", messageExpression, "must be non-empty if specified");
        } else if (!messageExpression.isEmpty()) {
            compiled(
                    errors, path + ".messageExpression", composition.compileMessage(messageExpression, CelType.STRING));
        }
        String message = Trees.text(validation, "message");
        if (!message.isEmpty() && message.isBlank()) {
            errors.invalid(path + ".message", message, "must be non-empty if specified");
        } else if (message.strip().matches("(?s).*[\\n\\r].*")) {
            errors.invalid(path + ".message", message, "must not contain line breaks");
        }
        if (validation.hasNonNull("reason") && !REASONS.contains(Trees.text(validation, "reason"))) {
            errors.notSupportedInOrder(path + ".reason", validation.get("reason"), REASONS);
        }
    }

    private static void annotation(
            FieldErrors errors, String path, String policy, JsonNode annotation, Composition composition) {
        String key = Trees.text(annotation, "key");
        if (policy.isEmpty()) {
            errors.invalid(path + ".key", key, "requires metadata.name be non-empty");
        } else {
            FieldRules.invalid(errors, path + ".key", policy + "/" + key, Names.qualified(policy + "/" + key));
        }
        String text = Trees.text(annotation, "valueExpression");
        String trimmed = text.strip();
        if (trimmed.isEmpty()) {
            errors.required(path + ".valueExpression", "valueExpression is not specified");
        } else if (trimmed.getBytes(StandardCharsets.UTF_8).length > MAX_VALUE) {
            errors.required(path + ".valueExpression", "must not exceed " + MAX_VALUE + " bytes in length");
        } else {
            Composition.Expression compiled = composition.compile(trimmed, CelType.STRING, CelType.NULL);
            if (!compiled.error().isEmpty()) {
                errors.invalid(path + ".valueExpression", text, compiled.error());
            }
        }
    }
}
