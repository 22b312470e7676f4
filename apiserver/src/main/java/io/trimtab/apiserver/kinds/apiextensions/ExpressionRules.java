package io.trimtab.apiserver.kinds.apiextensions;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.cel.DeclType;
import io.trimtab.apiserver.cel.ExpressionRule;
import io.trimtab.apiserver.cel.FieldPaths;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Trees;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What rules in {@code x-kubernetes-validations} may say: that they compile, and what they cost. Stateless. */
final class ExpressionRules {
    private static final List<String> REASONS =
            List.of("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired");

    private ExpressionRules() {}

    /** The parts of a rule, without compiling it. */
    static void shape(String path, JsonNode rule, JsonNode schema, FieldErrors errors) {
        String text = Trees.text(rule, "rule").strip();
        String message = Trees.text(rule, "message");
        String trimmed = message.strip();
        if (text.isEmpty()) {
            errors.required(path + ".rule", "rule is not specified");
        } else if (!message.isEmpty() && trimmed.isEmpty()) {
            errors.invalid(path + ".message", message, "must be non-empty if specified");
        } else if (trimmed.indexOf('\n') >= 0) {
            errors.invalid(path + ".message", message, "must not contain line breaks");
        } else if (text.indexOf('\n') >= 0 && trimmed.isEmpty()) {
            errors.required(path + ".message", "message must be specified if rule contains line breaks");
        }
        String expression = Trees.text(rule, "messageExpression");
        if (!expression.isEmpty() && expression.isBlank()) {
            errors.required(path + ".messageExpression", "messageExpression must be non-empty if specified");
        }
        if (rule.hasNonNull("reason") && !REASONS.contains(Trees.text(rule, "reason"))) {
            errors.notSupportedInOrder(path + ".reason", rule.get("reason"), REASONS);
        }
        String fieldPath = Trees.text(rule, "fieldPath");
        if (!fieldPath.isEmpty() && fieldPath.isBlank()) {
            errors.invalid(path + ".fieldPath", fieldPath, "must be non-empty if specified");
        }
        if (fieldPath.indexOf('\n') >= 0) {
            errors.invalid(path + ".fieldPath", fieldPath, "must not contain line breaks");
        }
        if (!fieldPath.isEmpty() && FieldPaths.problem(fieldPath, schema) != null) {
            errors.invalid(path + ".fieldPath", fieldPath, "must be a valid path");
        }
    }

    static void check(
            String path,
            JsonNode schema,
            RuleScope scope,
            @Nullable String uncorrelatable,
            ExpressionCosts costs,
            FieldErrors errors) {
        DeclType type = scope.type();
        if (type == null) {
            errors.internal(
                    path,
                    "internal error: failed to construct type information for x-kubernetes-validations rules: unable to"
                            + " convert structural schema to CEL declarations");
            return;
        }
        List<ExpressionRule> rules = ExpressionRule.compile(schema, type);
        for (int i = 0; i < rules.size(); i++) {
            one(path + "[" + i + "]", rules.get(i), scope, uncorrelatable, costs, errors);
        }
    }

    private static void one(
            String path,
            ExpressionRule rule,
            RuleScope scope,
            @Nullable String uncorrelatable,
            ExpressionCosts costs,
            FieldErrors errors) {
        long times = scope.cardinality() == RuleScope.UNBOUNDED ? rule.maxCardinality() : scope.cardinality();
        long cost = ExpressionCosts.multiply(rule.maxCost(), times);
        costs.add(path + ".rule", "estimated rule cost", cost, errors);
        costs.observe(path + ".rule", cost);
        if (rule.error() != null) {
            errors.invalid(path + ".rule", shown(rule.source()), rule.error());
        }
        if (rule.messageError() != null) {
            errors.invalid(path + ".messageExpression", shown(rule.source()), rule.messageError());
        } else if (rule.messageProgram() != null) {
            costs.add(path + ".messageExpression", "estimated messageExpression cost", rule.messageMaxCost(), errors);
            costs.observe(path + ".messageExpression", rule.messageMaxCost());
        }
        if (rule.usesOldSelf()) {
            if (uncorrelatable != null) {
                errors.invalid(
                        path + ".rule",
                        Trees.text(rule.source(), "rule"),
                        "oldSelf cannot be used on the uncorrelatable portion of the schema within " + uncorrelatable);
            }
        } else if (rule.source().hasNonNull("optionalOldSelf")) {
            errors.invalid(
                    path + ".optionalOldSelf",
                    rule.source().get("optionalOldSelf"),
                    "may not be set if oldSelf is not used in rule");
        }
    }

    /** As Kubernetes keeps a rule in memory, which is what its messages show. */
    private static ObjectNode shown(JsonNode rule) {
        ObjectNode shown = JsonNodeFactory.instance.objectNode();
        shown.put("Rule", Trees.text(rule, "rule"));
        shown.put("Message", Trees.text(rule, "message"));
        shown.put("MessageExpression", Trees.text(rule, "messageExpression"));
        shown.set("Reason", rule.get("reason"));
        shown.put("FieldPath", Trees.text(rule, "fieldPath"));
        shown.set("OptionalOldSelf", rule.get("optionalOldSelf"));
        return shown;
    }
}
