package io.trimtab.apiserver.cel;

import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A checked expression, ready to be evaluated as often as wanted. Immutable; safe for use by any thread. */
public final class CelProgram {
    /** What one evaluation may cost, as Kubernetes limits it. */
    public static final long PER_CALL_LIMIT = 1_000_000;

    private final Expr tree;
    private final TypeProvider provider;

    CelProgram(Expr tree, TypeProvider provider) {
        this.tree = tree;
        this.provider = provider;
    }

    /** The type of its value. */
    public CelType type() {
        return tree.type;
    }

    /** Whether it names a variable. */
    public boolean uses(String variable) {
        return Names.uses(tree, variable);
    }

    /** Whether it looks at a field of a variable: {@code variable.field}, also as {@code has()} or {@code variable.?field}. */
    public boolean selects(String variable, String field) {
        return Names.selects(tree, variable, field);
    }

    /** The least and the most it can cost. */
    public CostEstimator.Range estimate(CostEstimator.Sizes sizes) {
        return new CostEstimator(sizes).estimate(tree);
    }

    /**
     * What came of an evaluation.
     *
     * @param value null if there is an error
     * @param error in the words of cel-go; null if there is a value
     * @param cost what it has cost, also if it failed
     */
    public record Outcome(@Nullable Object value, @Nullable String error, long cost) {
        public boolean isTrue() {
            return Boolean.TRUE.equals(value);
        }

        /** The error of an evaluation that was ended because it cost too much. */
        public boolean isTooExpensive() {
            return error != null && error.startsWith("operation cancelled: actual cost limit exceeded");
        }
    }

    /**
     * Evaluates.
     *
     * @param variables values by name, see {@link Values#of}; null for a name without a value
     */
    public Outcome evaluate(Function<String, @Nullable Object> variables) {
        Evaluation evaluation = new Evaluation(variables, provider, PER_CALL_LIMIT);
        try {
            Object value = evaluation.value(tree);
            return new Outcome(value, null, evaluation.cost());
        } catch (CelException e) {
            return new Outcome(null, String.valueOf(e.getMessage()), evaluation.cost());
        } catch (CostExceededException e) {
            return new Outcome(null, String.valueOf(e.getMessage()), evaluation.cost());
        } catch (StackOverflowError e) {
            return new Outcome(null, "internal error: expression is nested too deeply", evaluation.cost());
        }
    }
}
