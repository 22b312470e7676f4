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
}
