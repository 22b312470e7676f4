package io.trimtab.apiserver.cel;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.admission.AdmissionPlugin.Attributes;
import io.trimtab.apiserver.auth.Authorizer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The match conditions of a webhook or a policy, compiled: all must be true, or the write is none of its business. Immutable; safe
 * for use by any thread. Compiled once for each stored configuration, evaluated for each write.
 */
public final class MatchConditions {
    /** One of them, as it is stored. */
    public record Condition(String name, String expression) {}

    /** How a write stands to the conditions. */
    public enum Verdict {
        MATCHES,
        DOES_NOT_MATCH,
        /** None is false, and some could not be told: the failure policy decides. */
        ERROR
    }

    /**
     * What came of it.
     *
     * @param condition the name of the one that is false; empty otherwise
     * @param message what went wrong, in Kubernetes' words; empty unless the verdict is ERROR
     */
    public record Result(Verdict verdict, String condition, String message) {
        public boolean matches() {
            return verdict == Verdict.MATCHES;
        }

        public boolean isError() {
            return verdict == Verdict.ERROR;
        }
    }

    private static final Result MATCH = new Result(Verdict.MATCHES, "", "");

    private static final MatchConditions NONE = new MatchConditions(List.of());

    private record Compiled(Condition condition, @Nullable CelProgram program, String error) {}

    private final List<Compiled> conditions;

    private MatchConditions(List<Compiled> conditions) {
        this.conditions = List.copyOf(conditions);
    }

    /** Of a webhook: they may name object, oldObject, request, authorizer and authorizer.requestResource. */
    public static MatchConditions compile(List<Condition> conditions) {
        // Nearly all webhooks have none: then nothing of the language is made ready.
        return conditions.isEmpty() ? NONE : compile(conditions, AdmissionExpressions.environment(false, true));
    }

    /** The same from a list as it is stored: objects with name and expression. */
    public static MatchConditions of(JsonNode stored) {
        return compile(read(stored));
    }

    /** In an environment of the caller's. */
    public static MatchConditions compile(List<Condition> conditions, CelEnvironment environment) {
        List<Compiled> compiled = new ArrayList<>();
        for (Condition condition : conditions) {
            CelEnvironment.Compilation result = environment.compile(condition.expression());
            CelProgram program = result.program();
            String error =
                    program == null ? "compilation failed: " + result.issues() : wrongType(program, CelType.BOOL);
            compiled.add(new Compiled(condition, error.isEmpty() ? program : null, error));
        }
        return new MatchConditions(compiled);
    }

    public static List<Condition> read(JsonNode stored) {
        List<Condition> conditions = new ArrayList<>();
        stored.forEach(c -> conditions.add(
                new Condition(c.path("name").asText(""), c.path("expression").asText(""))));
        return conditions;
    }

    /** Says that the value has another type than it must have; empty if it has not. */
    public static String wrongType(CelProgram program, CelType... allowed) {
        for (CelType type : allowed) {
            if (program.type().equals(type)) {
                return "";
            }
        }
        String got = " but got " + program.type().declared();
        return allowed.length == 1
                ? "must evaluate to " + allowed[0].declared() + got
                : "must evaluate to one of "
                        + java.util.Arrays.stream(allowed)
                                .map(CelType::declared)
                                .toList()
                                .toString()
                                .replace(",", "")
                        + got;
    }

    public boolean isEmpty() {
        return conditions.isEmpty();
    }

    /** Whether this write, as it was sent, is meant. */
    public Result evaluate(Attributes attributes, Authorizer authorizer) {
        return conditions.isEmpty() ? MATCH : evaluate(AdmissionInput.of(attributes, authorizer));
    }

    /** Whether a write is meant, as it is shown here: perhaps in another version. */
    public Result evaluate(AdmissionInput input) {
        return evaluate(input.variables(name -> null));
    }

    Result evaluate(Function<String, @Nullable Object> variables) {
        long budget = AdmissionExpressions.MATCH_BUDGET;
        List<String> errors = new ArrayList<>();
        String falseOne = null;
        for (Compiled each : conditions) {
            CelProgram program = each.program();
            if (program == null) {
                errors.add("compilation error: " + each.error());
                continue;
            }
            CelProgram.Outcome outcome = program.evaluate(variables);
            budget -= outcome.cost();
            if (budget < 0) {
                return new Result(Verdict.ERROR, "", AdmissionExpressions.OUT_OF_BUDGET);
            }
            if (outcome.error() != null) {
                errors.add("expression '" + each.condition().expression() + "' resulted in error: " + outcome.error());
            } else if (!outcome.isTrue() && falseOne == null) {
                falseOne = each.condition().name();
            }
        }
        if (falseOne != null) {
            return new Result(Verdict.DOES_NOT_MATCH, falseOne, "");
        }
        if (errors.isEmpty()) {
            return MATCH;
        }
        List<String> distinct = errors.stream().distinct().toList();
        String message = distinct.size() == 1 ? distinct.get(0) : "[" + String.join(", ", distinct) + "]";
        return new Result(Verdict.ERROR, "", message);
    }
}
