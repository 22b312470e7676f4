package io.trimtab.apiserver.cel;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;

/** {@code 'text with %s'.format(values)}. Stateless. */
final class Formatting {
    private static final int DEFAULT_PRECISION = 6;
    /** A longer number would only serve to fill memory. */
    private static final int MAX_PRECISION_DIGITS = 3;

    private Formatting() {}

    static String format(String pattern, CelList values) {
        StringBuilder out = new StringBuilder();
        int next = 0;
        for (int i = 0; i < pattern.length(); i++) {
            char c = pattern.charAt(i);
            if (c != '%') {
                out.append(c);
                continue;
            }
            i++;
            if (i >= pattern.length()) {
                throw new CelException("unexpected end of string");
            }
            if (pattern.charAt(i) == '%') {
                out.append('%');
                continue;
            }
            if (next >= values.size()) {
                throw new CelException("index " + next + " out of range");
            }
            int precision = -1;
            if (pattern.charAt(i) == '.') {
                int from = ++i;
                while (i < pattern.length() && Character.isDigit(pattern.charAt(i))) {
                    i++;
                }
                if (i >= pattern.length()) {
                    throw new CelException("could not find end of precision specifier");
                }
                if (i - from > MAX_PRECISION_DIGITS) {
                    throw new CelException("precision specifier exceeds maximum of 999");
                }
                precision = i == from ? 0 : Integer.parseInt(pattern.substring(from, i));
            }
            out.append(clause(pattern.charAt(i), precision, values.get(next++)));
        }
        return out.toString();
    }

    private static String clause(char clause, int precision, Object value) {
        switch (clause) {
            case 's':
                return text(value);
            case 'd':
                if (value instanceof Long || value instanceof CelUnsigned) {
                    return value.toString();
                }
                throw wrong("decimal clause can only be used on integers", value);
            case 'f':
                if (value instanceof Double d) {
                    return fixed(d, precision < 0 ? DEFAULT_PRECISION : precision);
                }
                if (isSpecial(value)) {
                    return special((String) value);
                }
                throw wrong("fixed-point clause can only be used on doubles", value);
            case 'e':
                if (value instanceof Double d) {
                    return scientific(d, precision < 0 ? DEFAULT_PRECISION : precision);
                }
                if (isSpecial(value)) {
                    return special((String) value);
                }
                throw wrong("scientific clause can only be used on doubles", value);
            case 'b':
                if (value instanceof Boolean b) {
                    return b ? "1" : "0";
                }
                return inRadix(value, 2, "only integers and bools can be formatted as binary");
            case 'x':
            case 'X': {
                String hex = hex(value);
                return clause == 'X' ? hex.toUpperCase(java.util.Locale.ROOT) : hex;
            }
            case 'o':
                return inRadix(value, 8, "octal clause can only be used on integers");
            default:
                throw new CelException(
                        "could not parse formatting clause: unrecognized formatting clause \"" + clause + "\"");
        }
    }

    private static boolean isSpecial(Object value) {
        return value instanceof String s && (s.equals("NaN") || s.equals("Infinity") || s.equals("-Infinity"));
    }

    private static String special(String text) {
        return text.equals("Infinity") ? "∞" : text.equals("-Infinity") ? "-∞" : text;
    }

    private static CelException wrong(String what, Object value) {
        return new CelException("error during formatting: " + what + ", was given " + Evaluation.typeName(value));
    }

    private static String hex(Object value) {
        if (value instanceof String || value instanceof CelBytes) {
            byte[] octets =
                    value instanceof CelBytes b ? b.octets() : ((String) value).getBytes(StandardCharsets.UTF_8);
            StringBuilder out = new StringBuilder();
            for (byte b : octets) {
                out.append(Character.forDigit(b >> 4 & 15, 16)).append(Character.forDigit(b & 15, 16));
            }
            return out.toString();
        }
        return inRadix(value, 16, "only integers, byte buffers, and strings can be formatted as hex");
    }

    private static String inRadix(Object value, int radix, String what) {
        if (value instanceof Long l) {
            return Long.toString(l, radix);
        }
        if (value instanceof CelUnsigned u) {
            return Long.toUnsignedString(u.bits(), radix);
        }
        throw wrong(what, value);
    }

    private static String fixed(double d, int precision) {
        if (Double.isNaN(d)) {
            return "NaN";
        }
        if (Double.isInfinite(d)) {
            return d > 0 ? "∞" : "-∞";
        }
        return new BigDecimal(d).setScale(precision, RoundingMode.HALF_EVEN).toPlainString();
    }

    private static String scientific(double d, int precision) {
        if (Double.isNaN(d) || Double.isInfinite(d)) {
            return fixed(d, precision);
        }
        String text = String.format(java.util.Locale.ROOT, "%." + precision + "e", d);
        int e = text.indexOf('e');
        String exponent = text.substring(e + 2);
        // The printer that cel-go uses writes powers the long way.
        return text.substring(0, e) + " × 10" + superscript(text.charAt(e + 1), exponent);
    }

    private static String superscript(char sign, String digits) {
        StringBuilder out = new StringBuilder();
        if (sign == '-') {
            out.append('⁻');
        }
        for (char c : digits.toCharArray()) {
            out.append("⁰¹²³⁴⁵⁶⁷⁸⁹".charAt(c - '0'));
        }
        return out.toString();
    }

    private static String text(Object value) {
        if (value instanceof CelList list) {
            StringBuilder out = new StringBuilder("[");
            for (Object item : list) {
                out.append(out.length() > 1 ? ", " : "").append(nested(item));
            }
            return out.append(']').toString();
        }
        if (value instanceof CelMap map) {
            Map<String, String> sorted = new TreeMap<>();
            for (Object key : map.keys()) {
                if (!(key instanceof String
                        || key instanceof Boolean
                        || key instanceof Long
                        || key instanceof CelUnsigned)) {
                    throw new CelException("error during formatting: no formatting function for map key of type "
                            + Evaluation.typeName(key));
                }
                Object of = map.find(key);
                sorted.put(nested(key), of == null ? "null" : nested(of));
            }
            StringBuilder out = new StringBuilder("{");
            sorted.forEach((key, of) -> out.append(out.length() > 1 ? ", " : "")
                    .append(key)
                    .append(':')
                    .append(of));
            return out.append('}').toString();
        }
        if (value instanceof CelNull) {
            return "null";
        }
        if (value instanceof String
                || value instanceof Boolean
                || value instanceof Long
                || value instanceof CelUnsigned) {
            return value.toString();
        }
        if (value instanceof Double || value instanceof Duration) {
            return Values.text(value);
        }
        if (value instanceof Instant time) {
            return Times.print(time);
        }
        if (value instanceof CelType type) {
            return type.name();
        }
        if (value instanceof CelBytes bytes) {
            return bytes.toString();
        }
        throw wrong(
                "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and"
                        + " timestamps",
                value);
    }

    private static String nested(Object value) {
        if (value instanceof String s) {
            return goQuote(s);
        }
        if (value instanceof CelBytes bytes) {
            return "b" + goQuote(bytes.toString());
        }
        if (value instanceof Double d) {
            String text = Double.isFinite(d) ? fixed(d, DEFAULT_PRECISION) : Numbers.print(d);
            return Double.isFinite(d) ? text : goQuote(text);
        }
        if (value instanceof Instant time) {
            return "timestamp(" + goQuote(Times.print(time)) + ")";
        }
        if (value instanceof Duration duration) {
            return "duration(" + goQuote(Times.print(duration)) + ")";
        }
        if (value instanceof CelType type) {
            return "type(" + type.name() + ")";
        }
        return text(value);
    }

    private static String goQuote(String text) {
        return io.trimtab.apiserver.errors.FieldErrors.quote(text);
    }
}
