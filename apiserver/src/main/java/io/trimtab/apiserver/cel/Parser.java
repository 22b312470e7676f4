package io.trimtab.apiserver.cel;

import io.trimtab.apiserver.cel.Lexer.Kind;
import io.trimtab.apiserver.cel.Lexer.Token;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads an expression by recursive descent and expands macros as it goes. Belongs to one compilation.
 *
 * <p>The first mistake of syntax ends the reading; its message lists what could have stood there, as a generated parser does.
 */
final class Parser {
    /** Deeper expressions are refused, as by cel-go. */
    private static final int MAX_DEPTH = 250;

    private static final BigInteger MIN = BigInteger.valueOf(Long.MIN_VALUE);
    private static final BigInteger MAX = BigInteger.valueOf(Long.MAX_VALUE);
    private static final String OPERAND =
            "'.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
    private static final String START = "{'[', '{', '(', " + OPERAND;
    private static final Set<String> RESERVED = Set.of(
            "as",
            "break",
            "const",
            "continue",
            "else",
            "false",
            "for",
            "function",
            "if",
            "import",
            "in",
            "let",
            "loop",
            "package",
            "namespace",
            "null",
            "return",
            "true",
            "var",
            "void",
            "while");
    private static final Set<String> OPENING = Set.of("(", "[", "{", "!");
    private static final Set<String> RELATIONS = Set.of("<", "<=", ">=", ">", "==", "!=", "in");

    /** Ends the reading; the issue is noted already. */
    private static final class Stop extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Stop() {
            super(null, null, false, false);
        }
    }

    private final Issues issues;
    private final Macros macros;
    private final List<Token> tokens;
    private int at;
    private int depth;

    private Parser(List<Token> tokens, Issues issues, boolean binds) {
        this.tokens = tokens;
        this.issues = issues;
        this.macros = new Macros(issues, binds);
    }

    /**
     * The tree; null if there are issues.
     *
     * @param binds whether {@code cel.bind} is known
     */
    static @Nullable Expr parse(int[] source, Issues issues, boolean binds) {
        Parser parser = new Parser(new Lexer(source, issues).tokens(), issues, binds);
        try {
            Expr whole = parser.expression(START);
            if (parser.peek().kind() != Kind.END) {
                throw parser.unclosed("<EOF>");
            }
            return issues.isEmpty() ? whole : null;
        } catch (Stop noted) {
            return null;
        }
    }

    private Token peek() {
        return tokens.get(at);
    }

    private Token next() {
        return tokens.get(at++);
    }

    private boolean accept(String symbol) {
        if (peek().is(symbol)) {
            at++;
            return true;
        }
        return false;
    }

    private Stop mismatch(String expected) {
        return stop("mismatched input '" + peek().shown() + "' expecting " + expected);
    }

    private Stop stop(String what) {
        issues.add(peek().position(), "Syntax error: " + what);
        return new Stop();
    }

    /** A closing bracket that is not there: one token too many, one too few, or something else altogether. */
    private Stop unclosed(String bracket) {
        Token token = peek();
        String quoted = bracket.equals("<EOF>") ? bracket : "'" + bracket + "'";
        boolean closesNext = token.kind() != Kind.END
                && (bracket.equals("<EOF>")
                        ? tokens.get(at + 1).kind() == Kind.END
                        : tokens.get(at + 1).is(bracket));
        if (closesNext) {
            return stop("extraneous input '" + token.shown() + "' expecting " + quoted);
        }
        boolean follows = token.kind() == Kind.END || token.kind() == Kind.SYMBOL && !OPENING.contains(token.text());
        return follows && !bracket.equals("<EOF>")
                ? stop("missing " + quoted + " at '" + token.shown() + "'")
                : mismatch(quoted);
    }

    private Expr expression(String expected) {
        if (++depth > MAX_DEPTH) {
            issues.add(-1, "expression recursion limit exceeded: " + MAX_DEPTH);
            throw new Stop();
        }
        Expr condition = or(expected);
        if (peek().is("?")) {
            int position = next().position();
            Expr yes = or(START);
            if (!accept(":")) {
                throw mismatch("':'");
            }
            Expr no = expression(START);
            condition = call(position, Operators.CONDITIONAL, condition, yes, no);
        }
        depth--;
        return condition;
    }

    private static Expr call(int position, String function, Expr... args) {
        return new Expr.Call(position, function, null, List.of(args));
    }

    private Expr or(String expected) {
        Expr left = and(expected);
        while (peek().is("||")) {
            int position = next().position();
            left = call(position, Operators.OR, left, and(START));
        }
        return left;
    }

    private Expr and(String expected) {
        Expr left = relation(expected);
        while (peek().is("&&")) {
            int position = next().position();
            left = call(position, Operators.AND, left, relation(START));
        }
        return left;
    }

    private Expr relation(String expected) {
        Expr left = sum(expected);
        while (peek().kind() == Kind.SYMBOL && RELATIONS.contains(peek().text())) {
            Token operator = next();
            String name = operator.text().equals("in") ? Operators.IN : "_" + operator.text() + "_";
            left = call(operator.position(), name, left, sum(START));
        }
        return left;
    }

    private Expr sum(String expected) {
        Expr left = product(expected);
        while (peek().is("+") || peek().is("-")) {
            Token operator = next();
            left = call(operator.position(), "_" + operator.text() + "_", left, product(START));
        }
        return left;
    }

    private Expr product(String expected) {
        Expr left = unary(expected);
        while (peek().is("*") || peek().is("/") || peek().is("%")) {
            Token operator = next();
            left = call(operator.position(), "_" + operator.text() + "_", left, unary(START));
        }
        return left;
    }

    private Expr unary(String expected) {
        Token first = peek();
        if (!first.is("!") && !first.is("-")) {
            return member(expected);
        }
        String symbol = first.text();
        int count = 0;
        while (peek().is(symbol)) {
            Token sign = next();
            count++;
            // A single minus before a number is the number's own.
            if (symbol.equals("-") && peek().kind() == Kind.CONST && isNumber(peek().value())) {
                Expr number = literal(next(), true, sign.position());
                Expr whole = members(number);
                return count % 2 == 1 ? whole : call(first.position(), Operators.NEGATE, whole);
            }
        }
        if (peek().kind() == Kind.END) {
            throw stop("extraneous input '<EOF>' expecting " + START);
        }
        Expr operand = member(START);
        return count % 2 == 0
                ? operand
                : call(first.position(), symbol.equals("!") ? Operators.NOT : Operators.NEGATE, operand);
    }

    private static boolean isNumber(Object value) {
        return value instanceof BigInteger || value instanceof Double;
    }

    private Expr member(String expected) {
        return members(primary(expected));
    }

    private Expr members(Expr start) {
        Expr result = start;
        while (true) {
            Token token = peek();
            if (token.is(".")) {
                next();
                boolean optional = accept("?");
                Token name = peek();
                if (name.kind() != Kind.IDENT && name.kind() != Kind.QUOTED_IDENT) {
                    throw stop("no viable alternative at input '." + name.shown() + "'");
                }
                next();
                if (!optional && name.kind() == Kind.IDENT && peek().is("(")) {
                    int position = next().position();
                    List<Expr> args = arguments();
                    Expr expanded = macros.expandMember(position, name.text(), result, args);
                    result = expanded != null ? expanded : new Expr.Call(position, name.text(), result, args);
                } else if (optional) {
                    result = call(
                            token.position(),
                            Operators.OPTIONAL_SELECT,
                            result,
                            new Expr.Const(name.position(), name.text()));
                } else {
                    result = new Expr.Select(token.position(), result, name.text(), false);
                }
            } else if (token.is("[")) {
                next();
                boolean optional = accept("?");
                Expr index = expression(optional ? START : START.replace("'!', ", "'!', '?', "));
                if (!accept("]")) {
                    throw unclosed("]");
                }
                result = call(token.position(), optional ? Operators.OPTIONAL_INDEX : Operators.INDEX, result, index);
            } else {
                return result;
            }
        }
    }

    private List<Expr> arguments() {
        List<Expr> args = new ArrayList<>();
        if (accept(")")) {
            return args;
        }
        String expected = "{'[', '{', '(', ')', " + OPERAND;
        do {
            args.add(expression(expected));
            expected = START;
        } while (accept(","));
        if (!accept(")")) {
            throw unclosed(")");
        }
        return args;
    }

    private Expr primary(String expected) {
        Token token = peek();
        switch (token.kind()) {
            case CONST:
                next();
                return literal(token, false, token.position());
            case IDENT:
                return name("", false);
            case SYMBOL:
                switch (token.text()) {
                    case "(":
                        next();
                        Expr inner = expression(START);
                        if (!accept(")")) {
                            throw unclosed(")");
                        }
                        return inner;
                    case "[":
                        return list();
                    case "{":
                        return map();
                    case ".":
                        next();
                        if (peek().kind() != Kind.IDENT) {
                            throw mismatch("IDENTIFIER");
                        }
                        return name(".", true);
                    default:
                        break;
                }
                break;
            case QUOTED_IDENT:
            case END:
                break;
        }
        throw mismatch(expected);
    }

    private Expr name(String prefix, boolean absolute) {
        Token name = next();
        // A message: names with dots between, and a brace.
        int ahead = at;
        StringBuilder whole = new StringBuilder(name.text());
        while (tokens.get(ahead).is(".") && tokens.get(ahead + 1).kind() == Kind.IDENT) {
            whole.append('.').append(tokens.get(ahead + 1).text());
            ahead += 2;
        }
        if (tokens.get(ahead).is("{") && Character.isLetter(whole.charAt(0))) {
            at = ahead;
            return struct(whole.toString());
        }
        if (RESERVED.contains(name.text())) {
            issues.add(name.position(), "reserved identifier: " + prefix + name.text());
        }
        if (peek().is("(")) {
            int position = next().position();
            List<Expr> args = arguments();
            Expr expanded = absolute ? null : macros.expandGlobal(position, name.text(), args);
            return expanded != null ? expanded : new Expr.Call(position, name.text(), null, args);
        }
        return new Expr.Ident(name.position(), name.text());
    }

    private Expr list() {
        int position = next().position();
        List<Expr> elements = new ArrayList<>();
        List<Boolean> optional = new ArrayList<>();
        while (!accept("]")) {
            optional.add(accept("?"));
            elements.add(expression(
                    elements.isEmpty()
                            ? "{'[', ']', '{', '(', '.', ',', '-', '!', '?', 'true', 'false', 'null', NUM_FLOAT, NUM_INT,"
                                    + " NUM_UINT, STRING, BYTES, IDENTIFIER}"
                            : START));
            if (!accept(",") && !peek().is("]")) {
                throw mismatch("{']', ','}");
            }
        }
        boolean[] flags = new boolean[optional.size()];
        for (int i = 0; i < flags.length; i++) {
            flags[i] = optional.get(i);
        }
        return new Expr.ListExpr(position, elements, flags);
    }

    private Expr map() {
        int position = next().position();
        List<Expr.Entry> entries = new ArrayList<>();
        while (!accept("}")) {
            boolean optional = accept("?");
            Expr key = expression(START);
            int colon = peek().position();
            if (!accept(":")) {
                throw unclosed(":");
            }
            entries.add(new Expr.Entry(colon, key, expression(START), optional));
            closeEntry();
        }
        return new Expr.MapExpr(position, entries);
    }

    private Expr struct(String name) {
        int position = next().position();
        List<Expr.Entry> fields = new ArrayList<>();
        while (!accept("}")) {
            boolean optional = accept("?");
            Token field = peek();
            if (field.kind() != Kind.IDENT && field.kind() != Kind.QUOTED_IDENT) {
                throw mismatch(
                        fields.isEmpty()
                                ? "{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}"
                                : "{'?', IDENTIFIER, ESC_IDENTIFIER}");
            }
            next();
            int colon = peek().position();
            if (!accept(":")) {
                throw mismatch("':'");
            }
            Expr key = new Expr.Const(field.position(), field.text());
            fields.add(new Expr.Entry(colon, key, expression(START), optional));
            closeEntry();
        }
        return new Expr.StructExpr(position, name, fields);
    }

    private void closeEntry() {
        if (!accept(",") && !peek().is("}")) {
            throw mismatch("{'}', ','}");
        }
    }

    private Expr literal(Token token, boolean negative, int position) {
        Object value = token.value();
        if (value instanceof BigInteger big) {
            BigInteger signed = negative ? big.negate() : big;
            if (signed.compareTo(MIN) < 0 || signed.compareTo(MAX) > 0) {
                issues.add(position, "invalid int literal");
                return new Expr.Const(position, 0L);
            }
            return new Expr.Const(position, signed.longValue());
        }
        if (value instanceof Lexer.Unsigned unsigned) {
            if (unsigned.value().bitLength() > 64) {
                issues.add(position, "invalid uint literal");
            }
            return new Expr.Const(position, new CelUnsigned(unsigned.value().longValue()));
        }
        if (value instanceof Double real) {
            if (real.isInfinite()) {
                issues.add(position, "invalid double literal");
            }
            return new Expr.Const(position, negative ? -real : real);
        }
        return new Expr.Const(position, value);
    }
}
