package io.trimtab.apiserver.schema;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/** Says what is wrong with malformed JSON the way Go's scanner does. Slow path: runs only over text that failed to parse. */
public final class GoJsonSyntax {
    private static final String END = "unexpected end of JSON input";
    /** Deeper than this our parser does not go; Go's goes ten times as deep, which nobody needs. */
    private static final int MAX_DEPTH = 1000;

    private final byte[] text;
    private int pos;
    /** The first bracket beyond the limit. */
    private char tooDeep = '{';

    private boolean isTooDeep;

    private GoJsonSyntax(byte[] text) {
        this.text = text;
    }

    /** What Go says of a text that is not JSON. */
    public static String explain(byte[] text) {
        GoJsonSyntax scan = new GoJsonSyntax(text);
        String error = scan.document();
        return error == null ? "invalid character '" + scan.tooDeep + "' exceeded max depth" : error;
    }

    private @Nullable String document() {
        // One bit for each open bracket: set for an object.
        BitSet open = new BitSet();
        int depth = 0;
        boolean wantsValue = true;
        boolean mayClose = false;
        while (true) {
            skipSpace();
            if (pos >= text.length) {
                return depth == 0 && !wantsValue ? null : END;
            }
            byte c = text[pos];
            if (wantsValue) {
                if (c == ']' && mayClose) {
                    pos++;
                    depth--;
                    wantsValue = false;
                    mayClose = false;
                    continue;
                }
                mayClose = false;
                if ((c == '[' || c == '{') && depth >= MAX_DEPTH && !isTooDeep) {
                    isTooDeep = true;
                    tooDeep = (char) c;
                }
                if (c == '[') {
                    pos++;
                    open.clear(depth++);
                    mayClose = true;
                    continue;
                }
                if (c == '{') {
                    pos++;
                    open.set(depth++);
                    skipSpace();
                    if (pos < text.length && text[pos] == '}') {
                        pos++;
                        depth--;
                        wantsValue = false;
                        continue;
                    }
                    String error = key();
                    if (error != null) {
                        return error;
                    }
                    continue;
                }
                String error = scalar(c);
                if (error != null) {
                    return error;
                }
                wantsValue = false;
                continue;
            }
            if (depth == 0) {
                return invalid(c, "after top-level value");
            }
            boolean object = open.get(depth - 1);
            if (c == ',') {
                pos++;
                if (object) {
                    skipSpace();
                    String error = key();
                    if (error != null) {
                        return error;
                    }
                }
                wantsValue = true;
            } else if (c == (object ? '}' : ']')) {
                pos++;
                depth--;
            } else {
                return invalid(c, object ? "after object key:value pair" : "after array element");
            }
        }
    }

    private @Nullable String key() {
        if (pos >= text.length) {
            return END;
        }
        if (text[pos] != '"') {
            return invalid(text[pos], "looking for beginning of object key string");
        }
        String error = string();
        if (error != null) {
            return error;
        }
        skipSpace();
        if (pos >= text.length) {
            return END;
        }
        if (text[pos] != ':') {
            return invalid(text[pos], "after object key");
        }
        pos++;
        return null;
    }

    private @Nullable String scalar(byte c) {
        if (c == '"') {
            return string();
        }
        if (c == '-' || c >= '0' && c <= '9') {
            return number();
        }
        return switch (c) {
            case 't' -> literal("true");
            case 'f' -> literal("false");
            case 'n' -> literal("null");
            default -> invalid(c, "looking for beginning of value");
        };
    }

    private @Nullable String literal(String word) {
        for (int i = 1; i < word.length(); i++) {
            if (pos + i >= text.length) {
                return END;
            }
            if (text[pos + i] != word.charAt(i)) {
                return invalid(text[pos + i], "in literal " + word + " (expecting '" + word.charAt(i) + "')");
            }
        }
        pos += word.length();
        return null;
    }

    private @Nullable String string() {
        pos++;
        while (pos < text.length) {
            byte c = text[pos++];
            if (c == '"') {
                return null;
            }
            if (c >= 0 && c < 0x20) {
                return invalid(c, "in string literal");
            }
            if (c != '\\') {
                continue;
            }
            if (pos >= text.length) {
                return END;
            }
            byte escape = text[pos++];
            if (escape == 'u') {
                for (int i = 0; i < 4; i++) {
                    if (pos >= text.length) {
                        return END;
                    }
                    if (Character.digit(text[pos], 16) < 0) {
                        return invalid(text[pos], "in \\u hexadecimal character escape");
                    }
                    pos++;
                }
            } else if ("bfnrt\\/\"".indexOf(escape) < 0) {
                return invalid(escape, "in string escape code");
            }
        }
        return END;
    }

    private @Nullable String number() {
        if (text[pos] == '-') {
            pos++;
            if (pos >= text.length) {
                return END;
            }
            if (!digit()) {
                return invalid(text[pos], "in numeric literal");
            }
        }
        if (text[pos] == '0') {
            pos++;
        } else {
            digits();
        }
        if (pos < text.length && text[pos] == '.') {
            pos++;
            if (pos >= text.length) {
                return END;
            }
            if (!digit()) {
                return invalid(text[pos], "after decimal point in numeric literal");
            }
            digits();
        }
        if (pos < text.length && (text[pos] == 'e' || text[pos] == 'E')) {
            pos++;
            if (pos < text.length && (text[pos] == '+' || text[pos] == '-')) {
                pos++;
            }
            if (pos >= text.length) {
                return END;
            }
            if (!digit()) {
                return invalid(text[pos], "in exponent of numeric literal");
            }
            digits();
        }
        return null;
    }

    private boolean digit() {
        return pos < text.length && text[pos] >= '0' && text[pos] <= '9';
    }

    private void digits() {
        while (digit()) {
            pos++;
        }
    }

    private void skipSpace() {
        while (pos < text.length && (text[pos] == ' ' || text[pos] == '\t' || text[pos] == '\r' || text[pos] == '\n')) {
            pos++;
        }
    }

    private static String invalid(byte c, String where) {
        return "invalid character " + show(c) + " " + where;
    }

    private static String show(byte c) {
        return switch (c) {
            case '\'' -> "'\\''";
            case '"' -> "'\"'";
            case '\n' -> "'\\n'";
            case '\t' -> "'\\t'";
            case '\r' -> "'\\r'";
            case '\\' -> "'\\\\'";
            case '\b' -> "'\\b'";
            case '\f' -> "'\\f'";
            default ->
                c >= 0 && c < 0x20 || c == 0x7f
                        ? String.format(java.util.Locale.ROOT, "'\\x%02x'", c)
                        : "'" + (char) (c & 0xff) + "'";
        };
    }
}
