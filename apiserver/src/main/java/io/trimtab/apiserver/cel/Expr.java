package io.trimtab.apiserver.cel;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A node of an expression's tree. Made by the parser, annotated by the checker ({@link #type}, resolved names, overloads), and
 * from then on not changed.
 */
abstract sealed class Expr {
    /** Where it stands: offset in code points of the token that stands for it. */
    final int position;
    /** Set by the checker. */
    CelType type = CelType.DYN;

    Expr(int position) {
        this.position = position;
    }

    /** A literal; never a list or map. */
    static final class Const extends Expr {
        final Object value;

        Const(int position, Object value) {
            super(position);
            this.value = value;
        }
    }

    static final class Ident extends Expr {
        final String name;
        /** Set by the checker where the name is that of a type. */
        @Nullable
        CelType typeValue;

        Ident(int position, String name) {
            super(position);
            this.name = name.intern();
        }
    }

    static final class Select extends Expr {
        final Expr operand;
        final String field;
        /** Whether this asks only if the field is there: {@code has(a.b)}. */
        final boolean test;
        /** Set by the checker if the chain is the name of one variable or type. */
        @Nullable
        Ident resolved;

        Select(int position, Expr operand, String field, boolean test) {
            super(position);
            this.operand = operand;
            this.field = field;
            this.test = test;
        }
    }

    static final class Call extends Expr {
        /** Resolved by the checker: a namespaced function loses its target. */
        String function;

        @Nullable
        Expr target;

        final List<Expr> args;
        /** Set by the checker: what may be meant. */
        List<Overload> overloads = List.of();

        Call(int position, String function, @Nullable Expr target, List<Expr> args) {
            super(position);
            this.function = function.intern();
            this.target = target;
            this.args = List.copyOf(args);
        }
    }

    static final class ListExpr extends Expr {
        final List<Expr> elements;
        /** Elements that are left out if they are empty optionals, by index. */
        final boolean[] optional;

        ListExpr(int position, List<Expr> elements, boolean[] optional) {
            super(position);
            this.elements = List.copyOf(elements);
            this.optional = optional;
        }
    }

    /** An entry of a map or a field of a struct. */
    record Entry(int position, Expr key, Expr value, boolean optional) {}

    static final class MapExpr extends Expr {
        final List<Entry> entries;

        MapExpr(int position, List<Entry> entries) {
            super(position);
            this.entries = List.copyOf(entries);
        }
    }

    static final class StructExpr extends Expr {
        final String name;
        /** Keys are constants with the field's name. */
        final List<Entry> fields;

        StructExpr(int position, String name, List<Entry> fields) {
            super(position);
            this.name = name;
            this.fields = List.copyOf(fields);
        }
    }

    /** What all macros with a loop become; also the binding of a variable, as a loop over nothing. */
    static final class Comprehension extends Expr {
        final Expr range;
        final String variable;
        final @Nullable String variable2;
        final String accumulator;
        final Expr init;
        final Expr condition;
        final Expr step;
        final Expr result;

        Comprehension(
                int position,
                Expr range,
                String variable,
                @Nullable String variable2,
                String accumulator,
                Expr init,
                Expr condition,
                Expr step,
                Expr result) {
            super(position);
            this.range = range;
            this.variable = variable.intern();
            this.variable2 = variable2 == null ? null : variable2.intern();
            this.accumulator = accumulator.intern();
            this.init = init;
            this.condition = condition;
            this.step = step;
            this.result = result;
        }

        boolean isBind() {
            return range instanceof ListExpr list && list.elements.isEmpty() && !accumulator.equals(Macros.ACCUMULATOR);
        }
    }
}
