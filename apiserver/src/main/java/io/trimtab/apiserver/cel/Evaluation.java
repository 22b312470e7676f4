package io.trimtab.apiserver.cel;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One evaluation of a checked tree; counts what it costs as it goes, the way cel-go counts. Belongs to one thread.
 */
final class Evaluation {
    /** A variable of a loop around what is evaluated. */
    private static final class Local {
        final String name;
        final @Nullable Local outer;

        @Nullable
        Object value;

        Local(String name, @Nullable Object value, @Nullable Local outer) {
            this.name = name;
            this.value = value;
            this.outer = outer;
        }
    }

    private final Function<String, @Nullable Object> variables;
    private final TypeProvider provider;
    private final long limit;
    private @Nullable Local locals;
    private long cost;

    Evaluation(Function<String, @Nullable Object> variables, TypeProvider provider, long limit) {
        this.variables = variables;
        this.provider = provider;
        this.limit = limit;
    }

    long cost() {
        return cost;
    }

    private void charge(long units) {
        cost += units;
        if (cost > limit) {
            throw new CostExceededException();
        }
    }

    Object value(Expr e) {
        if (e instanceof Expr.Const c) {
            return c.value;
        } else if (e instanceof Expr.Ident ident) {
            return identifier(ident);
        } else if (e instanceof Expr.Select select) {
            return select(select);
        } else if (e instanceof Expr.Call call) {
            return call(call);
        } else if (e instanceof Expr.Comprehension loop) {
            return comprehension(loop);
        } else if (e instanceof Expr.ListExpr list) {
            return list(list);
        } else if (e instanceof Expr.MapExpr map) {
            return map(map);
        }
        return struct((Expr.StructExpr) e);
    }

    private Object identifier(Expr.Ident ident) {
        charge(1);
        if (ident.typeValue != null) {
            return ident.typeValue;
        }
        for (Local local = locals; local != null; local = local.outer) {
            if (local.name.equals(ident.name) && local.value != null) {
                return local.value;
            }
        }
        Object value = variables.apply(ident.name);
        if (value == null) {
            throw new CelException("no such attribute(s): " + ident.name);
        }
        return value;
    }

    private Object select(Expr.Select select) {
        if (select.resolved != null) {
            return identifier(select.resolved);
        }
        Object operand = value(select.operand);
        if (select.test) {
            if (operand instanceof CelOptional optional) {
                return optional.value() instanceof CelMap map && map.find(select.field) != null;
            }
            if (operand instanceof CelMap map) {
                return map.find(select.field) != null;
            }
            throw CelException.noKey(select.field);
        }
        charge(1);
        if (operand instanceof CelOptional optional) {
            return optionalField(optional, select.field);
        }
        return field(operand, select.field);
    }

    private static Object field(Object operand, Object key) {
        if (operand instanceof CelMap map) {
            Object found = map.find(key);
            if (found == null) {
                throw CelException.noKey(key);
            }
            return found;
        }
        if (operand instanceof CelList list) {
            long at = index(key);
            if (at < 0 || at >= list.size()) {
                throw new CelException("index out of bounds: " + at);
            }
            return list.get((int) at);
        }
        throw CelException.noKey(key);
    }

    private static long index(Object key) {
        if (key instanceof Long l) {
            return l;
        }
        if (key instanceof CelUnsigned u && u.bits() >= 0) {
            return u.bits();
        }
        if (key instanceof Double d) {
            if (d == Math.rint(d)) {
                return d.longValue();
            }
            throw new CelException("unsupported index value " + Values.text(d) + " in list");
        }
        throw new CelException("unsupported index type '" + typeName(key) + "' in list");
    }

    private static Object optionalField(CelOptional optional, Object key) {
        return optional.value() == null ? CelOptional.NONE : findOptional(optional.value(), key);
    }

    private static CelOptional findOptional(Object operand, Object key) {
        if (operand instanceof CelMap map) {
            Object found = map.find(key);
            return found == null ? CelOptional.NONE : CelOptional.of(found);
        }
        if (operand instanceof CelList list) {
            long at = index(key);
            return at < 0 || at >= list.size() ? CelOptional.NONE : CelOptional.of(list.get((int) at));
        }
        return CelOptional.NONE;
    }

    static String typeName(Object value) {
        return Values.typeOf(value).name();
    }

    private Object call(Expr.Call call) {
        switch (call.function) {
            case Operators.AND:
                return logical(call, false);
            case Operators.OR:
                return logical(call, true);
            case Operators.CONDITIONAL: {
                Object condition = value(call.args.get(0));
                if (condition instanceof Boolean b) {
                    return value(call.args.get(b ? 1 : 2));
                }
                throw CelException.noOverload();
            }
            case Operators.NOT_STRICTLY_FALSE: {
                Object value;
                try {
                    value = value(call.args.get(0));
                } catch (CelException absorbed) {
                    value = true;
                }
                charge(1);
                return !Boolean.FALSE.equals(value);
            }
            case Operators.OPTIONAL_SELECT: {
                Object operand = value(call.args.get(0));
                charge(1);
                Object key = ((Expr.Const) call.args.get(1)).value;
                return operand instanceof CelOptional optional
                        ? optionalField(optional, key)
                        : findOptional(operand, key);
            }
            case Operators.INDEX:
            case Operators.OPTIONAL_INDEX: {
                Object operand = value(call.args.get(0));
                Object key = value(call.args.get(1));
                charge(1);
                if (operand instanceof CelOptional optional) {
                    return optionalField(optional, key);
                }
                return call.function.equals(Operators.INDEX) ? field(operand, key) : findOptional(operand, key);
            }
            default:
                return function(call);
        }
    }

    /** Both sides of {@code &&} and {@code ||} may fail, if the other side settles it. */
    private Object logical(Expr.Call call, boolean settles) {
        CelException failed = null;
        for (Expr arg : call.args) {
            try {
                Object value = value(arg);
                if (!(value instanceof Boolean b)) {
                    failed = failed == null ? CelException.noOverload() : failed;
                } else if (b == settles) {
                    return settles;
                }
            } catch (CelException e) {
                failed = failed == null ? e : failed;
            }
        }
        if (failed != null) {
            throw failed;
        }
        return !settles;
    }

    private Object function(Expr.Call call) {
        int offset = call.target == null ? 0 : 1;
        Object[] args = new Object[call.args.size() + offset];
        if (call.target != null) {
            args[0] = value(call.target);
        }
        for (int i = 0; i < call.args.size(); i++) {
            args[i + offset] = value(call.args.get(i));
        }
        if (args.length == 2
                && call.function.equals(Operators.ADD)
                && args[0] instanceof CelList.Builder builder
                && args[1] instanceof CelList more) {
            charge(1);
            more.forEach(builder.values::add);
            return builder;
        }
        Object simple = Arithmetic.apply(call.function, args);
        if (simple != null) {
            String overload = call.overloads.size() == 1 ? call.overloads.get(0).id() : "";
            charge(CallCosts.of(call.function, overload, args, simple));
            return simple;
        }
        for (Overload overload : call.overloads) {
            if (overload.accepts(args)) {
                Object result = overload.body().call(args);
                charge(CallCosts.of(call.function, overload.id(), args, result));
                return result;
            }
        }
        charge(1);
        if (call.overloads.size() == 1) {
            throw CelException.noOverload();
        }
        StringBuilder types = new StringBuilder();
        for (Object arg : args) {
            types.append(types.length() > 0 ? ", " : "").append(typeName(arg));
        }
        throw new CelException("no such overload: " + call.function + "(" + types + ")");
    }

    private Object list(Expr.ListExpr list) {
        List<Object> values = new ArrayList<>(list.elements.size());
        for (int i = 0; i < list.elements.size(); i++) {
            Object value = value(list.elements.get(i));
            if (list.optional[i]) {
                if (!(value instanceof CelOptional optional)) {
                    throw new CelException(
                            "cannot initialize optional list element from non-optional value " + Values.text(value));
                }
                if (optional.value() != null) {
                    values.add(optional.value());
                }
            } else {
                values.add(value);
            }
        }
        charge(10);
        return new CelList.Plain(values);
    }

    private Object map(Expr.MapExpr map) {
        CelMap.Plain made = new CelMap.Plain();
        for (Expr.Entry entry : map.entries) {
            Object key = value(entry.key());
            Object value = value(entry.value());
            if (entry.optional()) {
                if (!(value instanceof CelOptional optional)) {
                    throw new CelException("cannot initialize optional entry '" + Values.text(key)
                            + "' from non-optional value " + Values.text(value));
                }
                if (optional.value() == null) {
                    continue;
                }
                value = optional.value();
            }
            made.values.put(key, value);
        }
        charge(30);
        return made;
    }

    private Object struct(Expr.StructExpr struct) {
        Map<String, Object> fields = new LinkedHashMap<>();
        for (Expr.Entry field : struct.fields) {
            Object value = value(field.value());
            String name = (String) ((Expr.Const) field.key()).value;
            if (field.optional()) {
                if (!(value instanceof CelOptional optional)) {
                    throw new CelException("cannot initialize optional entry '" + name + "' from non-optional value "
                            + Values.text(value));
                }
                if (optional.value() == null) {
                    continue;
                }
                value = optional.value();
            }
            fields.put(name, value);
        }
        charge(40);
        return provider.create(struct.name, fields);
    }

    private Object comprehension(Expr.Comprehension loop) {
        Local outer = locals;
        try {
            if (loop.isBind()) {
                charge(10);
                Object bound = value(loop.init);
                locals = new Local(loop.accumulator, bound, outer);
                return value(loop.result);
            }
            Object range = value(loop.range);
            boolean collects = loop.accumulator.equals(Macros.ACCUMULATOR);
            Object start = value(loop.init);
            if (collects && loop.init instanceof Expr.ListExpr) {
                start = new CelList.Builder();
            }
            Local accumulator = new Local(loop.accumulator, start, outer);
            Local first = new Local(loop.variable, null, accumulator);
            Local second = loop.variable2 == null ? null : new Local(loop.variable2, null, first);
            Local inner = second == null ? first : second;
            // A step that fails leaves its failure as the accumulated value: a later one may settle all the same.
            CelException failed = null;
            if (range instanceof CelList list) {
                for (int i = 0; i < list.size(); i++) {
                    if (second == null) {
                        first.value = list.get(i);
                    } else {
                        first.value = (long) i;
                        second.value = list.get(i);
                    }
                    locals = inner;
                    if (!goesOn(loop, failed)) {
                        break;
                    }
                    failed = step(loop, accumulator, failed);
                }
            } else if (range instanceof CelMap map) {
                for (Object key : map.keys()) {
                    first.value = key;
                    if (second != null) {
                        second.value = java.util.Objects.requireNonNull(map.find(key));
                    }
                    locals = inner;
                    if (!goesOn(loop, failed)) {
                        break;
                    }
                    failed = step(loop, accumulator, failed);
                }
            } else {
                throw new CelException("got '" + typeName(range) + "', expected iterable type");
            }
            if (failed != null) {
                throw failed;
            }
            locals = accumulator;
            return value(loop.result);
        } finally {
            locals = outer;
        }
    }

    private boolean goesOn(Expr.Comprehension loop, @Nullable CelException failed) {
        if (failed != null) {
            charge(1);
            return true;
        }
        return Boolean.TRUE.equals(value(loop.condition));
    }

    private @Nullable CelException step(Expr.Comprehension loop, Local accumulator, @Nullable CelException failed) {
        if (failed == null) {
            try {
                accumulator.value = value(loop.step);
                return null;
            } catch (CelException e) {
                return e;
            }
        }
        // Only a quantifier can still be settled: its predicate alone decides.
        if (loop.step instanceof Expr.Call call
                && (call.function.equals(Operators.AND) || call.function.equals(Operators.OR))) {
            boolean settles = call.function.equals(Operators.OR);
            try {
                if (Boolean.valueOf(settles).equals(value(call.args.get(1)))) {
                    accumulator.value = settles;
                    return null;
                }
            } catch (CelException again) {
                return failed;
            }
        }
        return failed;
    }
}
