package io.trimtab.apiserver.cel;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Rewrites calls that are not functions: {@code has}, and the loops over lists and maps. Belongs to one compilation. */
final class Macros {
    /** No expression can name it. */
    static final String ACCUMULATOR = "@result";

    private static final String UNUSED = "#unused";
    private final Issues issues;
    private final boolean binds;

    /** @param binds whether {@code cel.bind} is one of them */
    Macros(Issues issues, boolean binds) {
        this.issues = issues;
        this.binds = binds;
    }

    @Nullable
    Expr expandGlobal(int position, String name, List<Expr> args) {
        if (!name.equals("has") || args.size() != 1) {
            return null;
        }
        if (args.get(0) instanceof Expr.Select select && !select.test) {
            return new Expr.Select(position, select.operand, select.field, true);
        }
        return mistake(args.get(0), "invalid argument to has() macro");
    }

    @Nullable
    Expr expandMember(int position, String name, Expr target, List<Expr> args) {
        int count = args.size();
        return switch (name) {
            case "all", "exists", "exists_one", "existsOne" ->
                count == 2 || count == 3 ? quantifier(position, name, target, args) : null;
            case "map" -> count == 2 || count == 3 ? map(position, target, args) : null;
            case "filter" -> count == 2 ? filter(position, target, args) : null;
            case "transformList", "transformMap", "transformMapEntry" ->
                count == 3 || count == 4 ? transform(position, name, target, args) : null;
            case "optMap" -> count == 2 ? optional(position, target, args, true) : null;
            case "optFlatMap" -> count == 2 ? optional(position, target, args, false) : null;
            case "bind" ->
                binds && count == 3 && target instanceof Expr.Ident cel && cel.name.equals("cel")
                        ? bind(position, args)
                        : null;
            default -> null;
        };
    }

    private Expr bind(int position, List<Expr> args) {
        if (!(args.get(0) instanceof Expr.Ident variable)) {
            return mistake(args.get(0), "cel.bind() variable names must be simple identifiers");
        }
        return new Expr.Comprehension(
                position,
                emptyList(position),
                UNUSED,
                null,
                variable.name,
                args.get(1),
                constant(position, false),
                new Expr.Ident(position, variable.name),
                args.get(2));
    }

    private Expr mistake(Expr at, String message) {
        issues.add(at.position, message);
        return new Expr.Const(at.position, false);
    }

    private @Nullable String variable(Expr arg, String message) {
        if (arg instanceof Expr.Ident ident) {
            if (ident.name.equals("__result__")) {
                mistake(arg, "iteration variable overwrites accumulator variable");
                return null;
            }
            return ident.name;
        }
        mistake(arg, message);
        return null;
    }

    private Expr quantifier(int position, String name, Expr target, List<Expr> args) {
        boolean two = args.size() == 3;
        String first = variable(args.get(0), "argument must be a simple name");
        String second = two ? variable(args.get(1), "argument must be a simple name") : null;
        if (first == null || two && second == null) {
            return new Expr.Const(position, false);
        }
        if (first.equals(second)) {
            return mistake(args.get(1), "duplicate variable name: " + first);
        }
        Expr predicate = args.get(args.size() - 1);
        Expr result = accumulator(position);
        Expr init;
        Expr condition;
        Expr step;
        switch (name) {
            case "all" -> {
                init = constant(position, true);
                condition = call(position, Operators.NOT_STRICTLY_FALSE, accumulator(position));
                step = call(position, Operators.AND, accumulator(position), predicate);
            }
            case "exists" -> {
                init = constant(position, false);
                condition = call(
                        position, Operators.NOT_STRICTLY_FALSE, call(position, Operators.NOT, accumulator(position)));
                step = call(position, Operators.OR, accumulator(position), predicate);
            }
            default -> {
                init = constant(position, 0L);
                condition = constant(position, true);
                step = call(
                        position,
                        Operators.CONDITIONAL,
                        predicate,
                        call(position, Operators.ADD, accumulator(position), constant(position, 1L)),
                        accumulator(position));
                result = call(position, Operators.EQUALS, accumulator(position), constant(position, 1L));
            }
        }
        return new Expr.Comprehension(position, target, first, second, ACCUMULATOR, init, condition, step, result);
    }

    private Expr map(int position, Expr target, List<Expr> args) {
        String variable = variable(args.get(0), "argument is not an identifier");
        if (variable == null) {
            return new Expr.Const(position, false);
        }
        Expr element = args.get(args.size() - 1);
        Expr step = call(position, Operators.ADD, accumulator(position), listOf(position, element));
        if (args.size() == 3) {
            step = call(position, Operators.CONDITIONAL, args.get(1), step, accumulator(position));
        }
        return loop(position, target, variable, null, emptyList(position), step);
    }

    private Expr filter(int position, Expr target, List<Expr> args) {
        String variable = variable(args.get(0), "argument is not an identifier");
        if (variable == null) {
            return new Expr.Const(position, false);
        }
        Expr add = call(
                position,
                Operators.ADD,
                accumulator(position),
                listOf(position, new Expr.Ident(args.get(0).position, variable)));
        Expr step = call(position, Operators.CONDITIONAL, args.get(1), add, accumulator(position));
        return loop(position, target, variable, null, emptyList(position), step);
    }

    private Expr transform(int position, String name, Expr target, List<Expr> args) {
        String first = variable(args.get(0), "argument must be a simple name");
        String second = variable(args.get(1), "argument must be a simple name");
        if (first == null || second == null) {
            return new Expr.Const(position, false);
        }
        if (first.equals(second)) {
            return mistake(args.get(1), "duplicate variable name: " + first);
        }
        Expr value = args.get(args.size() - 1);
        boolean list = name.equals("transformList");
        Expr step = list
                ? call(position, Operators.ADD, accumulator(position), listOf(position, value))
                : name.equals("transformMap")
                        ? call(
                                position,
                                Operators.MAP_INSERT,
                                accumulator(position),
                                new Expr.Ident(args.get(0).position, first),
                                value)
                        : call(position, Operators.MAP_INSERT, accumulator(position), value);
        if (args.size() == 4) {
            step = call(position, Operators.CONDITIONAL, args.get(2), step, accumulator(position));
        }
        Expr init = list ? emptyList(position) : new Expr.MapExpr(position, List.of());
        return loop(position, target, first, second, init, step);
    }

    private Expr optional(int position, Expr target, List<Expr> args, boolean wrap) {
        if (!(args.get(0) instanceof Expr.Ident variable)) {
            return mistake(
                    args.get(0), (wrap ? "optMap()" : "optFlatMap()") + " variable name must be a simple identifier");
        }
        Expr bound = new Expr.Comprehension(
                position,
                emptyList(position),
                UNUSED,
                null,
                variable.name,
                new Expr.Call(position, "value", target, List.of()),
                constant(position, false),
                new Expr.Ident(position, variable.name),
                args.get(1));
        return call(
                position,
                Operators.CONDITIONAL,
                new Expr.Call(position, "hasValue", target, List.of()),
                wrap ? call(position, "optional.of", bound) : bound,
                new Expr.Call(position, "optional.none", null, List.of()));
    }

    private static Expr loop(int position, Expr range, String variable, @Nullable String second, Expr init, Expr step) {
        return new Expr.Comprehension(
                position,
                range,
                variable,
                second,
                ACCUMULATOR,
                init,
                constant(position, true),
                step,
                accumulator(position));
    }

    private static Expr accumulator(int position) {
        return new Expr.Ident(position, ACCUMULATOR);
    }

    private static Expr constant(int position, Object value) {
        return new Expr.Const(position, value);
    }

    private static Expr emptyList(int position) {
        return new Expr.ListExpr(position, List.of(), new boolean[0]);
    }

    private static Expr listOf(int position, Expr element) {
        return new Expr.ListExpr(position, List.of(element), new boolean[1]);
    }

    private static Expr call(int position, String function, Expr... args) {
        return new Expr.Call(position, function, null, List.of(args));
    }
}
