package io.trimtab.apiserver.cel;

import io.trimtab.apiserver.cel.CelType.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Finds out the types of an expression's parts and which functions are meant, with cel-go's rules and in its words. Belongs to one
 * compilation.
 */
final class Checker {
    private record Local(String name, CelType type) {}

    private final CelEnvironment env;
    private final Issues issues;
    private final Substitutions known = new Substitutions();
    private final Deque<Local> locals = new ArrayDeque<>();
    private final List<Expr> seen = new ArrayList<>();
    private int fresh;

    Checker(CelEnvironment env, Issues issues) {
        this.env = env;
        this.issues = issues;
    }

    /** Annotates the tree. */
    void run(Expr whole) {
        check(whole);
        for (Expr part : seen) {
            part.type = known.apply(part.type, true);
        }
        if (issues.isEmpty()) {
            new LiteralRules(issues).check(whole, seen);
        }
    }

    private void check(Expr e) {
        seen.add(e);
        if (e instanceof Expr.Const c) {
            c.type = Values.typeOf(c.value);
        } else if (e instanceof Expr.Ident ident) {
            ident.type = identifier(ident);
        } else if (e instanceof Expr.Select select) {
            select(select);
        } else if (e instanceof Expr.Call call) {
            call(call);
        } else if (e instanceof Expr.ListExpr list) {
            list(list);
        } else if (e instanceof Expr.MapExpr map) {
            map(map);
        } else if (e instanceof Expr.StructExpr struct) {
            struct(struct);
        } else if (e instanceof Expr.Comprehension comprehension) {
            comprehension(comprehension);
        }
    }

    private CelType identifier(Expr.Ident ident) {
        CelType found = lookUp(ident);
        if (found == null) {
            undeclared(ident.position, ident.name);
            return CelType.ERROR;
        }
        return found;
    }

    private @Nullable CelType lookUp(Expr.Ident ident) {
        for (Local local : locals) {
            if (local.name().equals(ident.name)) {
                return local.type();
            }
        }
        CelType variable = env.variable(ident.name);
        if (variable != null) {
            return variable;
        }
        CelType named = env.namedType(ident.name);
        if (named != null) {
            ident.typeValue = named;
            return CelType.typeOf(named);
        }
        return null;
    }

    private void undeclared(int position, String name) {
        issues.add(position, "undeclared reference to '" + name + "' (in container '')");
    }

    private static @Nullable String qualifiedName(Expr e) {
        if (e instanceof Expr.Ident ident) {
            return ident.name;
        }
        if (e instanceof Expr.Select select && !select.test) {
            String prefix = qualifiedName(select.operand);
            return prefix == null ? null : prefix + "." + select.field;
        }
        return null;
    }

    private void select(Expr.Select select) {
        String name = qualifiedName(select);
        if (name != null) {
            Expr.Ident whole = new Expr.Ident(select.position, name);
            CelType type = lookUp(whole);
            if (type != null) {
                whole.type = type;
                select.resolved = whole;
                select.type = type;
                return;
            }
        }
        CelType type = field(select.position, select.operand, select.field, false);
        select.type = select.test ? CelType.BOOL : known.apply(type, false);
    }

    private CelType field(int position, Expr operand, String field, boolean optional) {
        check(operand);
        CelType whole = known.apply(operand.type, false);
        boolean isOptional = whole.isOptional();
        CelType target = isOptional ? whole.parameter(0) : whole;
        CelType result = CelType.ERROR;
        switch (target.kind()) {
            case MAP:
                result = target.parameter(1);
                break;
            case STRUCT:
                CelType declared = fieldOf(position, target.name(), field);
                result = declared == null ? CelType.ERROR : declared;
                break;
            case PARAMETER:
                known.assign(CelType.DYN, target);
                result = CelType.DYN;
                break;
            default:
                if (!target.isDynOrError()) {
                    issues.add(position, "type '" + target + "' does not support field selection");
                }
                result = CelType.DYN;
                break;
        }
        return isOptional || optional ? CelType.optional(result) : result;
    }

    private @Nullable CelType fieldOf(int position, String type, String field) {
        if (!env.provider().has(type) && env.namedType(type) == null) {
            issues.add(position, "unexpected failed resolution of '" + type + "'");
            return null;
        }
        CelType found = env.provider().field(type, field);
        if (found == null) {
            issues.add(position, "undefined field '" + field + "'");
        }
        return found;
    }

    private void call(Expr.Call call) {
        if (call.function.equals(Operators.OPTIONAL_SELECT)) {
            String field = (String) ((Expr.Const) call.args.get(1)).value;
            CelType type = field(call.position, call.args.get(0), field, true);
            call.type = known.apply(type, false);
            return;
        }
        call.args.forEach(this::check);
        Expr target = call.target;
        if (target != null) {
            String prefix = qualifiedName(target);
            if (prefix != null && !env.functions(prefix + "." + call.function).isEmpty()) {
                call.function = (prefix + "." + call.function).intern();
                call.target = null;
                target = null;
            } else {
                check(target);
            }
        }
        List<Overload> candidates = env.functions(call.function);
        if (candidates.isEmpty()) {
            undeclared(call.position, call.function);
            call.type = CelType.ERROR;
            return;
        }
        resolve(call, target, candidates);
    }

    private void resolve(Expr.Call call, @Nullable Expr target, List<Overload> candidates) {
        List<CelType> types = new ArrayList<>();
        if (target != null) {
            types.add(target.type);
        }
        call.args.forEach(arg -> types.add(arg.type));
        if (call.function.equals(Operators.AND) || call.function.equals(Operators.OR)) {
            call.overloads = candidates;
            call.type = CelType.BOOL;
            for (int i = 0; i < types.size(); i++) {
                if (!known.assign(types.get(i), CelType.BOOL)) {
                    issues.add(
                            call.args.get(i).position,
                            "expected type 'bool' but found '" + known.apply(types.get(i), false) + "'");
                    call.type = CelType.ERROR;
                }
            }
            return;
        }
        List<Overload> fitting = new ArrayList<>(1);
        CelType result = null;
        for (Overload overload : candidates) {
            if (overload.member() != (target != null)) {
                continue;
            }
            Map<String, CelType> parameters = new HashMap<>();
            overload.args().forEach(arg -> freshParameters(arg, parameters));
            freshParameters(overload.result(), parameters);
            List<CelType> declared = overload.args();
            CelType returned = overload.result();
            if (!parameters.isEmpty()) {
                declared = declared.stream()
                        .map(arg -> Substitutions.instantiate(arg, parameters))
                        .toList();
                returned = Substitutions.instantiate(returned, parameters);
            }
            if (known.assignAll(types, declared)) {
                fitting.add(overload);
                CelType type = known.apply(returned, false);
                if (result == null) {
                    result = type;
                } else if (!result.isDyn() && !type.equals(result)) {
                    result = CelType.DYN;
                }
            }
        }
        if (result == null) {
            StringBuilder shown = new StringBuilder();
            int from = 0;
            if (target != null) {
                shown.append(known.apply(types.get(0), true)).append('.');
                from = 1;
            }
            shown.append('(');
            for (int i = from; i < types.size(); i++) {
                shown.append(i > from ? ", " : "").append(known.apply(types.get(i), true));
            }
            shown.append(')');
            issues.add(
                    call.position, "found no matching overload for '" + call.function + "' applied to '" + shown + "'");
            call.type = CelType.ERROR;
            return;
        }
        call.overloads = List.copyOf(fitting);
        call.type = result;
    }

    private void freshParameters(CelType type, Map<String, CelType> parameters) {
        if (type.kind() == Kind.PARAMETER) {
            parameters.computeIfAbsent(type.name(), n -> freshParameter());
        }
        type.parameters().forEach(p -> freshParameters(p, parameters));
    }

    private CelType freshParameter() {
        return CelType.parameter("_var" + fresh++);
    }

    private void list(Expr.ListExpr list) {
        CelType element = null;
        for (int i = 0; i < list.elements.size(); i++) {
            Expr e = list.elements.get(i);
            check(e);
            element = join(element, list.optional[i] ? unwrap(e) : e.type);
        }
        list.type = CelType.list(element == null ? freshParameter() : element);
    }

    private CelType unwrap(Expr e) {
        if (e.type.isOptional()) {
            return e.type.parameter(0);
        }
        if (!e.type.isDyn()) {
            mismatch(e, CelType.optional(e.type), e.type);
        }
        return e.type;
    }

    private void mismatch(Expr at, CelType expected, CelType found) {
        issues.add(at.position, "expected type '" + expected + "' but found '" + found + "'");
    }

    private CelType join(@Nullable CelType before, CelType now) {
        if (before == null) {
            return now;
        }
        // Whether different types may stand side by side is decided once all types are known, see LiteralRules.
        return known.assign(before, now) ? Substitutions.mostGeneral(before, now) : CelType.DYN;
    }

    private void map(Expr.MapExpr map) {
        CelType key = null;
        CelType value = null;
        for (Expr.Entry entry : map.entries) {
            check(entry.key());
            key = join(key, entry.key().type);
            check(entry.value());
            value = join(value, entry.optional() ? unwrap(entry.value()) : entry.value().type);
        }
        map.type = CelType.map(key == null ? freshParameter() : key, value == null ? freshParameter() : value);
    }

    private void struct(Expr.StructExpr struct) {
        CelType named = env.provider().isNamed(struct.name) ? CelType.struct(struct.name) : env.namedType(struct.name);
        if (named == null) {
            undeclared(struct.position, struct.name);
            struct.type = CelType.ERROR;
            return;
        }
        if (named.kind() != Kind.STRUCT) {
            issues.add(struct.position, "'" + struct.name + "' is not a message type");
            struct.type = CelType.ERROR;
        } else {
            struct.type = named;
        }
        for (Expr.Entry field : struct.fields) {
            check(field.value());
            String name = (String) ((Expr.Const) field.key()).value;
            CelType declared = named.kind() == Kind.STRUCT ? fieldOf(field.position(), named.name(), name) : null;
            CelType given = field.optional() ? unwrap(field.value()) : field.value().type;
            if (declared != null && !known.assign(declared, given)) {
                issues.add(
                        field.position(),
                        "expected type of field '" + name + "' is '" + declared + "' but provided type is '"
                                + known.apply(given, false) + "'");
            }
        }
    }

    private void comprehension(Expr.Comprehension loop) {
        check(loop.range);
        check(loop.init);
        CelType range = known.apply(loop.range.type, false);
        CelType accumulator = loop.init.type;
        locals.push(new Local(loop.accumulator, accumulator));
        CelType first;
        CelType second;
        switch (range.kind()) {
            case LIST -> {
                second = range.parameter(0);
                first = loop.variable2 == null ? second : CelType.INT;
            }
            case MAP -> {
                first = range.parameter(0);
                second = range.parameter(1);
            }
            case DYN, ERROR, PARAMETER -> {
                known.assign(CelType.DYN, range);
                first = CelType.DYN;
                second = CelType.DYN;
            }
            default -> {
                issues.add(
                        loop.range.position,
                        "expression of type '" + range
                                + "' cannot be range of a comprehension (must be list, map, or dynamic)");
                first = CelType.ERROR;
                second = CelType.ERROR;
            }
        }
        locals.push(new Local(loop.variable, first));
        if (loop.variable2 != null) {
            locals.push(new Local(loop.variable2, second));
        }
        check(loop.condition);
        assertType(loop.condition, CelType.BOOL);
        check(loop.step);
        assertType(loop.step, accumulator);
        locals.pop();
        if (loop.variable2 != null) {
            locals.pop();
        }
        check(loop.result);
        locals.pop();
        loop.type = known.apply(loop.result.type, false);
    }

    private void assertType(Expr e, CelType type) {
        if (!known.assign(type, e.type)) {
            mismatch(e, type, e.type);
        }
    }
}
