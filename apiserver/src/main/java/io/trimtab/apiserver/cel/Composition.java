package io.trimtab.apiserver.cel;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Expressions that may use variables, which are expressions themselves: compiled in order, each sees those before it, and is
 * evaluated when it is first used. Immutable; safe for use by any thread.
 */
public final class Composition {
    private static final String TYPE = "kubernetes.variables";

    /**
     * An expression of a policy.
     *
     * @param program null if it does not compile
     * @param error why it does not; empty if it does
     */
    public record Expression(String text, @Nullable CelProgram program, String error) {}

    /**
     * What came of an expression.
     *
     * @param value null if there is an error
     * @param error as Kubernetes says it; null if there is a value
     */
    public record Result(@Nullable Object value, @Nullable String error) {
        public boolean isTrue() {
            return Boolean.TRUE.equals(value);
        }
    }

    private final CelEnvironment withAuthorizer;
    private final CelEnvironment withoutAuthorizer;
    private final Map<String, Expression> variables;

    private Composition(
            CelEnvironment withAuthorizer, CelEnvironment withoutAuthorizer, Map<String, Expression> variables) {
        this.withAuthorizer = withAuthorizer;
        this.withoutAuthorizer = withoutAuthorizer;
        this.variables = variables;
    }

    /**
     * Compiles variables.
     *
     * @param stored a list of names and expressions
     * @param params whether params may be named
     */
    public static Composition of(JsonNode stored, boolean params) {
        return of(
                stored,
                AdmissionExpressions.environment(params, true),
                AdmissionExpressions.environment(params, false));
    }

    /** The same, where expressions see other types, or more functions; the two may differ in these as well. */
    public static Composition of(JsonNode stored, CelEnvironment withAuthorizer, CelEnvironment withoutAuthorizer) {
        Map<String, Expression> variables = new LinkedHashMap<>();
        Map<String, CelType> types = new LinkedHashMap<>();
        CelEnvironment with = withAuthorizer;
        CelEnvironment without = withoutAuthorizer;
        if (!stored.isEmpty()) {
            TypeProvider none = AdmissionExpressions.both(provider(Map.of()), withAuthorizer.provider());
            with = withAuthorizer.with(none).with("variables", CelType.struct(TYPE));
        }
        for (JsonNode variable : stored) {
            String name = variable.path("name").asText("");
            Expression compiled = compile(with, variable.path("expression").asText(""));
            variables.put(name, compiled);
            CelProgram program = compiled.program();
            types.put(name, program == null ? CelType.DYN : seen(program.type()));
            TypeProvider provider = AdmissionExpressions.both(provider(Map.copyOf(types)), withAuthorizer.provider());
            with = withAuthorizer.with(provider).with("variables", CelType.struct(TYPE));
            TypeProvider others = AdmissionExpressions.both(provider(Map.copyOf(types)), withoutAuthorizer.provider());
            without = withoutAuthorizer.with(others).with("variables", CelType.struct(TYPE));
        }
        return new Composition(with, without, variables);
    }

    /** Types with fields of their own, or none, are seen as anything. */
    private static CelType seen(CelType type) {
        return switch (type.kind()) {
            case BOOL, BYTES, DOUBLE, DURATION, INT, NULL, STRING, TIMESTAMP, UINT -> type;
            case LIST -> CelType.list(seen(type.parameter(0)));
            case MAP -> CelType.map(seen(type.parameter(0)), seen(type.parameter(1)));
            default -> CelType.DYN;
        };
    }

    private static TypeProvider provider(Map<String, CelType> fields) {
        return new TypeProvider() {
            @Override
            public boolean has(String type) {
                return type.equals(TYPE);
            }

            @Override
            public @Nullable CelType field(String type, String field) {
                return type.equals(TYPE) ? fields.get(field) : null;
            }
        };
    }

    private static Expression compile(CelEnvironment env, String text, CelType... allowed) {
        CelEnvironment.Compilation compiled = env.compile(text);
        CelProgram program = compiled.program();
        if (program == null) {
            return new Expression(text, null, "compilation failed: " + compiled.issues());
        }
        String wrong = allowed.length == 0 ? "" : MatchConditions.wrongType(program, allowed);
        return new Expression(text, wrong.isEmpty() ? program : null, wrong);
    }

    /** The variables, by name. */
    public Map<String, Expression> variables() {
        return variables;
    }

    /** An expression that may name the authorizer; of any type if none is given. */
    public Expression compile(String text, CelType... allowed) {
        return compile(withAuthorizer, text, allowed);
    }

    /** An expression that may not name the authorizer. */
    public Expression compileMessage(String text, CelType... allowed) {
        return compile(withoutAuthorizer, text, allowed);
    }

    /** Begins to evaluate expressions over one write, within a budget for all of them. */
    public Session session(AdmissionInput input, long budget) {
        return new Session(input, budget);
    }

    /** Ends all evaluations of a session: the budget is spent. */
    public static final class SpentException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        SpentException() {
            super(AdmissionExpressions.OUT_OF_BUDGET, null, false, false);
        }
    }

    /** Evaluations over one write. Belongs to one thread. */
    public final class Session {
        private final Function<String, @Nullable Object> values;
        private final Map<String, Object> known = new LinkedHashMap<>();
        private long budget;
        private long spentOnVariables;

        private Session(AdmissionInput input, long budget) {
            this.budget = budget;
            this.values = input.variables(name -> name.equals("variables") ? new Variables() : null);
        }

        /** What is left of the budget. */
        public long budget() {
            return budget;
        }

        /** @throws SpentException if the budget does not suffice: nothing more can be evaluated */
        public Result evaluate(Expression expression) {
            CelProgram program = expression.program();
            if (program == null) {
                return new Result(null, "compilation error: " + expression.error());
            }
            CelProgram.Outcome outcome = program.evaluate(values);
            long cost = outcome.cost() + spentOnVariables;
            spentOnVariables = 0;
            if (cost > budget) {
                throw new SpentException();
            }
            budget -= cost;
            return outcome.error() == null
                    ? new Result(outcome.value(), null)
                    : new Result(null, "expression '" + expression.text() + "' resulted in error: " + outcome.error());
        }

        private final class Variables extends CelMap {
            @Override
            public int size() {
                return variables.size();
            }

            @Override
            public Iterable<Object> keys() {
                return new ArrayList<>(variables.keySet());
            }

            @Override
            public String typeName() {
                return TYPE;
            }

            @Override
            public @Nullable Object find(Object key) {
                Expression variable = key instanceof String name ? variables.get(name) : null;
                if (variable == null) {
                    return null;
                }
                Object value = known.get((String) key);
                if (value == null) {
                    value = compute((String) key, variable);
                    known.put((String) key, value);
                }
                if (value instanceof CelException failed) {
                    throw failed;
                }
                return value;
            }

            private Object compute(String name, Expression variable) {
                CelProgram program = variable.program();
                if (program == null) {
                    return new CelException(
                            "composited variable \"" + name + "\" fails to compile: " + variable.error());
                }
                CelProgram.Outcome outcome = program.evaluate(values);
                spentOnVariables += outcome.cost();
                Object value = outcome.value();
                return value == null
                        ? new CelException("composited variable \"" + name + "\" fails to evaluate: " + outcome.error())
                        : value;
            }
        }
    }

    /** The names of all variables, in order. */
    public List<String> names() {
        return List.copyOf(variables.keySet());
    }
}
