package io.trimtab.apiserver.cel;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Cuts an expression into tokens. Belongs to one compilation. */
final class Lexer {
    enum Kind {
        IDENT,
        QUOTED_IDENT,
        CONST,
        SYMBOL,
        END
    }

    /** @param value the literal's, or null for what is out of range, with the message in {@code text} */
    record Token(Kind kind, String text, Object value, int position) {
        boolean is(String symbol) {
            return kind == Kind.SYMBOL && text.equals(symbol);
        }

        String shown() {
            return kind == Kind.END ? "<EOF>" : text;
        }
    }

    private static final Object NONE = new Object();
    private static final Set<String> TWO = Set.of("&&", "||", "==", "!=", "<=", ">=");
    private final int[] source;
    private final Issues issues;
    private int at;

    Lexer(int[] source, Issues issues) {
        this.source = source;
        this.issues = issues;
    }

    List<Token> tokens() {
        List<Token> tokens = new ArrayList<>();
        while (true) {
            skipBlank();
            if (at >= source.length) {
                tokens.add(new Token(Kind.END, "", NONE, source.length));
                return tokens;
            }
            int start = at;
            int c = source[at];
            if (isDigit(c) || c == '.' && isDigit(peek(1))) {
                tokens.add(number());
            } else if (isString()) {
                Token token = string();
                if (token == null) {
                    issues.add(
                            start,
                            "Syntax error: token recognition error at: '"
                                    + new String(source, start, source.length - start) + "'");
                    at = source.length;
                } else {
                    tokens.add(token);
                }
            } else if (isLetter(c)) {
                while (isLetter(peek(0)) || isDigit(peek(0))) {
                    at++;
                }
                tokens.add(word(new String(source, start, at - start), start));
            } else if (c == '`') {
                int end = at + 1;
                while (end < source.length && isQuotable(source[end])) {
                    end++;
                }
                if (end < source.length && source[end] == '`' && end > at + 1) {
                    tokens.add(new Token(Kind.QUOTED_IDENT, new String(source, at + 1, end - at - 1), NONE, at));
                    at = end + 1;
                } else {
                    issues.add(at, "Syntax error: token recognition error at: '" + new String(source, at, 1) + "'");
                    at++;
                }
            } else {
                String two = at + 1 < source.length ? new String(source, at, 2) : "";
                if (TWO.contains(two)) {
                    tokens.add(new Token(Kind.SYMBOL, two, NONE, at));
                    at += 2;
                } else if ("()[]{}.,?:<>!+-*/%".indexOf(c) >= 0) {
                    tokens.add(new Token(Kind.SYMBOL, new String(source, at, 1), NONE, at));
                    at++;
                } else {
                    String shown = c == '=' || c == '&' || c == '|'
                            ? two.isEmpty() ? new String(source, at, 1) : two
                            : new String(source, at, 1);
                    issues.add(at, "Syntax error: token recognition error at: '" + shown + "'");
                    at++;
                }
            }
        }
    }

    private static boolean isQuotable(int c) {
        return isLetter(c) || isDigit(c) || c == '.' || c == '-' || c == '/' || c == ' ';
    }

    private static Token word(String word, int start) {
        return switch (word) {
            case "true" -> new Token(Kind.CONST, word, Boolean.TRUE, start);
            case "false" -> new Token(Kind.CONST, word, Boolean.FALSE, start);
            case "null" -> new Token(Kind.CONST, word, CelNull.NULL, start);
            case "in" -> new Token(Kind.SYMBOL, word, NONE, start);
            default -> new Token(Kind.IDENT, word, NONE, start);
        };
    }

    private void skipBlank() {
        while (at < source.length) {
            int c = source[at];
            if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
                at++;
            } else if (c == '/' && peek(1) == '/') {
                while (at < source.length && source[at] != '\n') {
                    at++;
                }
            } else {
                return;
            }
        }
    }

    private int peek(int ahead) {
        return at + ahead < source.length ? source[at + ahead] : -1;
    }

    private static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }

    private static boolean isHex(int c) {
        return isDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F';
    }

    private static boolean isLetter(int c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_';
    }

    private Token number() {
        int start = at;
        if (peek(0) == '0' && (peek(1) == 'x' || peek(1) == 'X') && isHex(peek(2))) {
            at += 2;
            int digits = at;
            while (isHex(peek(0))) {
                at++;
            }
            return integer(start, new BigInteger(new String(source, digits, at - digits), 16));
        }
        boolean real = false;
        while (isDigit(peek(0))) {
            at++;
        }
        if (peek(0) == '.' && isDigit(peek(1))) {
            real = true;
            at++;
            while (isDigit(peek(0))) {
                at++;
            }
        }
        if (peek(0) == 'e' || peek(0) == 'E') {
            int sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
            if (isDigit(peek(1 + sign))) {
                real = true;
                at += 1 + sign;
                while (isDigit(peek(0))) {
                    at++;
                }
            }
        }
        String text = new String(source, start, at - start);
        return real ? new Token(Kind.CONST, text, Double.valueOf(text), start) : integer(start, new BigInteger(text));
    }

    private Token integer(int start, BigInteger value) {
        boolean unsigned = peek(0) == 'u' || peek(0) == 'U';
        if (unsigned) {
            at++;
        }
        String text = new String(source, start, at - start);
        // Signed ones stay big: a minus may yet make the smallest of all longs of them.
        return new Token(Kind.CONST, text, unsigned ? new Unsigned(value) : value, start);
    }

    /** An unsigned literal, possibly out of range. */
    record Unsigned(BigInteger value) {}

    private boolean isString() {
        int i = 0;
        boolean raw = false;
        boolean bytes = false;
        while (true) {
            int c = peek(i);
            if (c == '"' || c == '\'') {
                return true;
            }
            if ((c == 'r' || c == 'R') && !raw) {
                raw = true;
            } else if ((c == 'b' || c == 'B') && !bytes && !raw) {
                bytes = true;
            } else {
                return false;
            }
            i++;
        }
    }

    private @Nullable Token string() {
        int start = at;
        boolean raw = false;
        boolean bytes = false;
        while (source[at] != '"' && source[at] != '\'') {
            raw |= source[at] == 'r' || source[at] == 'R';
            bytes |= source[at] == 'b' || source[at] == 'B';
            at++;
        }
        int quote = source[at];
        boolean triple = peek(1) == quote && peek(2) == quote;
        at += triple ? 3 : 1;
        StringBuilder text = new StringBuilder();
        java.io.ByteArrayOutputStream octets = new java.io.ByteArrayOutputStream();
        String mistake = "";
        while (true) {
            if (at >= source.length) {
                return null;
            }
            int c = source[at];
            if (c == quote && (!triple || peek(1) == quote && peek(2) == quote)) {
                at += triple ? 3 : 1;
                break;
            }
            if (c == '\n' && !triple) {
                return null;
            }
            if (c != '\\' || raw) {
                append(text, octets, c, false, bytes);
                at++;
                continue;
            }
            at++;
            int e = peek(0);
            int plain = "abfnrtv\\'\"`?".indexOf(e);
            if (e >= 0 && plain >= 0) {
                append(text, octets, "\007\b\f\n\r\t\013\\'\"`?".charAt(plain), false, bytes);
                at++;
                continue;
            }
            int digits = e == 'x' || e == 'X' ? 2 : e == 'u' ? 4 : e == 'U' ? 8 : 0;
            int radix = 16;
            if (digits > 0) {
                at++;
            } else if (e >= '0' && e <= '3') {
                digits = 3;
                radix = 8;
            } else {
                return null;
            }
            int value = 0;
            for (int i = 0; i < digits; i++) {
                int digit = at < source.length ? Character.digit(source[at], radix) : -1;
                if (digit < 0) {
                    return null;
                }
                value = value * radix + digit;
                at++;
            }
            boolean octet = digits < 4;
            if (!octet && bytes) {
                mistake = "unable to unescape string";
            } else if (value > 0x10ffff || value < 0 || value >= 0xd800 && value <= 0xdfff) {
                mistake = "invalid unicode code point";
            } else {
                append(text, octets, value, octet, bytes);
            }
        }
        if (!mistake.isEmpty()) {
            issues.add(start, mistake);
        }
        Object value = bytes ? new CelBytes(octets.toByteArray()) : text.toString();
        return new Token(Kind.CONST, new String(source, start, at - start), value, start);
    }

    private static void append(
            StringBuilder text, java.io.ByteArrayOutputStream octets, int c, boolean octet, boolean bytes) {
        if (!bytes) {
            text.appendCodePoint(c);
        } else if (octet) {
            octets.write(c);
        } else {
            octets.writeBytes(new String(new int[] {c}, 0, 1).getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
    }
}
