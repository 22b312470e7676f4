package io.trimtab.apiserver.cel;

/** Which variables an expression names. Stateless. */
final class Names {
    private Names() {}

    static boolean uses(Expr e, String name) {
        if (e instanceof Expr.Ident ident) {
            return ident.name.equals(name);
        }
        if (e instanceof Expr.Select select) {
            return select.resolved != null ? uses(select.resolved, name) : uses(select.operand, name);
        }
        if (e instanceof Expr.Call call) {
            return call.target != null && uses(call.target, name)
                    || call.args.stream().anyMatch(arg -> uses(arg, name));
        }
        if (e instanceof Expr.ListExpr list) {
            return list.elements.stream().anyMatch(element -> uses(element, name));
        }
        if (e instanceof Expr.MapExpr map) {
            return map.entries.stream().anyMatch(entry -> uses(entry.key(), name) || uses(entry.value(), name));
        }
        if (e instanceof Expr.StructExpr struct) {
            return struct.fields.stream().anyMatch(field -> uses(field.value(), name));
        }
        if (e instanceof Expr.Comprehension loop) {
            if (uses(loop.range, name) || uses(loop.init, name)) {
                return true;
            }
            boolean hidden = name.equals(loop.variable) || name.equals(loop.variable2);
            return !hidden && (uses(loop.condition, name) || uses(loop.step, name)) || uses(loop.result, name);
        }
        return false;
    }

    /** Whether an expression looks at a field of a variable. */
    static boolean selects(Expr e, String operand, String field) {
        if (e instanceof Expr.Select select) {
            return select.field.equals(field) && isIdent(select.operand, operand)
                    || selects(select.operand, operand, field);
        }
        if (e instanceof Expr.Call call) {
            if (call.target == null
                    && call.function.equals(Operators.OPTIONAL_SELECT)
                    && call.args.size() == 2
                    && isIdent(call.args.get(0), operand)
                    && call.args.get(1) instanceof Expr.Const name
                    && field.equals(name.value)) {
                return true;
            }
            return call.target != null && selects(call.target, operand, field)
                    || call.args.stream().anyMatch(arg -> selects(arg, operand, field));
        }
        if (e instanceof Expr.ListExpr list) {
            return list.elements.stream().anyMatch(element -> selects(element, operand, field));
        }
        if (e instanceof Expr.MapExpr map) {
            return map.entries.stream()
                    .anyMatch(entry -> selects(entry.key(), operand, field) || selects(entry.value(), operand, field));
        }
        if (e instanceof Expr.StructExpr struct) {
            return struct.fields.stream().anyMatch(f -> selects(f.value(), operand, field));
        }
        if (e instanceof Expr.Comprehension loop) {
            return selects(loop.range, operand, field)
                    || selects(loop.init, operand, field)
                    || selects(loop.condition, operand, field)
                    || selects(loop.step, operand, field)
                    || selects(loop.result, operand, field);
        }
        return false;
    }

    private static boolean isIdent(Expr e, String name) {
        return e instanceof Expr.Ident ident && ident.name.equals(name);
    }
}
