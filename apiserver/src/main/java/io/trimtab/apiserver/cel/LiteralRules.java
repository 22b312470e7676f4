package io.trimtab.apiserver.cel;

import com.google.re2j.PatternSyntaxException;
import java.util.List;

/** Refuses literals that could never be evaluated. Belongs to one compilation. */
final class LiteralRules {
    private final Issues issues;

    LiteralRules(Issues issues) {
        this.issues = issues;
    }

    void check(Expr whole, List<Expr> all) {
        checkAlike(whole, false);
        for (Expr e : all) {
            if (!(e instanceof Expr.Call call) || call.args.size() != 1) {
                continue;
            }
            if (!(call.args.get(0) instanceof Expr.Const literal) || !(literal.value instanceof String text)) {
                continue;
            }
            boolean valid =
                    switch (call.function) {
                        case "duration" -> Times.parseDuration(text) != null;
                        case "timestamp" -> Times.parseTimestamp(text) != null;
                        case "matches" -> isPattern(text);
                        default -> true;
                    };
            if (!valid) {
                issues.add(literal.position, "invalid " + call.function + " argument");
            }
        }
    }

    /** The elements of a list are of one type, and so are keys and values of a map, except in what is only formatted. */
    private void checkAlike(Expr e, boolean exempt) {
        if (e instanceof Expr.Select select && select.resolved == null) {
            checkAlike(select.operand, exempt);
        } else if (e instanceof Expr.Call call) {
            boolean formats = exempt || call.function.equals("format");
            if (call.target != null) {
                checkAlike(call.target, formats);
            }
            call.args.forEach(arg -> checkAlike(arg, formats));
        } else if (e instanceof Expr.ListExpr list) {
            CelType first = null;
            for (int i = 0; i < list.elements.size(); i++) {
                Expr element = list.elements.get(i);
                CelType type = list.optional[i] ? element.type.parameter(0) : element.type;
                first = first == null ? type : first;
                if (!exempt && !first.equals(type)) {
                    mismatch(element, first, type);
                    break;
                }
            }
            list.elements.forEach(element -> checkAlike(element, exempt));
        } else if (e instanceof Expr.MapExpr map) {
            CelType key = null;
            CelType value = null;
            for (Expr.Entry entry : map.entries) {
                CelType type = entry.optional() ? entry.value().type.parameter(0) : entry.value().type;
                key = key == null ? entry.key().type : key;
                value = value == null ? type : value;
                if (!exempt && !key.equals(entry.key().type)) {
                    mismatch(entry.key(), key, entry.key().type);
                }
                if (!exempt && !value.equals(type)) {
                    mismatch(entry.value(), value, type);
                }
                checkAlike(entry.key(), exempt);
                checkAlike(entry.value(), exempt);
            }
        } else if (e instanceof Expr.StructExpr struct) {
            struct.fields.forEach(field -> checkAlike(field.value(), exempt));
        } else if (e instanceof Expr.Comprehension loop) {
            for (Expr part : List.of(loop.range, loop.init, loop.condition, loop.step, loop.result)) {
                checkAlike(part, exempt);
            }
        }
    }

    private void mismatch(Expr at, CelType expected, CelType found) {
        issues.add(at.position, "expected type '" + expected + "' but found '" + found + "'");
    }

    private static boolean isPattern(String text) {
        try {
            Patterns.of(text);
            return true;
        } catch (PatternSyntaxException e) {
            return false;
        }
    }
}
