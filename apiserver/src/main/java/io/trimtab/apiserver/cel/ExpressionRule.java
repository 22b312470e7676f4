package io.trimtab.apiserver.cel;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One rule of {@code x-kubernetes-validations}, compiled. Immutable.
 *
 * @param source as it is stored
 * @param program null if there is none, because the rule is empty or wrong
 * @param error why it does not compile; null if it does
 * @param messageProgram makes the message; null if there is none
 * @param messageError why that does not compile
 * @param usesOldSelf whether this rule is about the change, not about the value
 * @param maxCost of one evaluation, at worst
 * @param maxCardinality how often the value can stand in one request, at worst
 * @param messageMaxCost of the message, at worst
 * @param fieldPath where errors are shown, below the value; empty for the value itself
 */
public record ExpressionRule(
        JsonNode source,
        @Nullable CelProgram program,
        @Nullable String error,
        @Nullable CelProgram messageProgram,
        @Nullable String messageError,
        boolean usesOldSelf,
        long maxCost,
        long maxCardinality,
        long messageMaxCost,
        String fieldPath) {

    /** Compiles the rules of one node of a schema, without those below it. */
    public static List<ExpressionRule> compile(JsonNode schema, DeclType type) {
        CelEnvironment base = CelEnvironment.base().with(type.provider()).with("self", type.celType());
        CelEnvironment plain = base.with("oldSelf", type.celType());
        CelEnvironment optional = base.with("oldSelf", CelType.optional(type.celType()));
        CostEstimator.Sizes sizes = CostEstimator.Sizes.of(type);
        long cardinality = SchemaTypes.MAX_REQUEST_BYTES / (type.minSerializedSize() + 1);
        List<ExpressionRule> rules = new ArrayList<>();
        for (JsonNode rule : schema.path("x-kubernetes-validations")) {
            CelEnvironment env = rule.path("optionalOldSelf").asBoolean() ? optional : plain;
            rules.add(compile(schema, rule, env, sizes, cardinality));
        }
        return rules;
    }

    private static ExpressionRule compile(
            JsonNode schema, JsonNode rule, CelEnvironment env, CostEstimator.Sizes sizes, long cardinality) {
        String text = rule.path("rule").asText("");
        if (text.isBlank()) {
            return failed(rule, null);
        }
        CelEnvironment.Compilation compiled = env.compile(text);
        CelProgram program = compiled.program();
        if (program == null) {
            return failed(rule, "compilation failed: " + compiled.issues());
        }
        if (!program.type().equals(CelType.BOOL)) {
            return failed(rule, "cel expression must evaluate to a bool");
        }
        long cost = program.estimate(sizes).max();
        String messageText = rule.path("messageExpression").asText("");
        CelProgram message = null;
        String messageError = null;
        long messageCost = 0;
        if (!messageText.isEmpty()) {
            CelEnvironment.Compilation made = env.compile(messageText);
            message = made.program();
            if (message == null) {
                messageError = "messageExpression compilation failed: " + made.issues();
            } else if (!message.type().equals(CelType.STRING)) {
                message = null;
                messageError = "messageExpression must evaluate to a string";
            } else {
                messageCost = message.estimate(sizes).max();
            }
        }
        String path = rule.path("fieldPath").asText("");
        String normal = path.isEmpty() ? null : FieldPaths.normalize(path, schema);
        return new ExpressionRule(
                rule,
                program,
                null,
                message,
                messageError,
                program.uses("oldSelf"),
                cost,
                cardinality,
                messageCost,
                normal == null ? "" : normal);
    }

    private static ExpressionRule failed(JsonNode rule, @Nullable String error) {
        return new ExpressionRule(rule, null, error, null, null, false, 0, 0, 0, "");
    }

    /** What is said when the rule is broken and has no message of its own making. */
    public String message() {
        String message = source.path("message").asText("");
        return message.isEmpty() ? "failed rule: " + shown() : message.strip();
    }

    /** How the rule is called in messages. */
    public String shown() {
        String message = source.path("message").asText("");
        return (message.isEmpty() ? source.path("rule").asText("") : message).strip();
    }

    public boolean hasOptionalOldSelf() {
        return source.path("optionalOldSelf").asBoolean();
    }
}
