package io.trimtab.apiserver.cel;

import com.google.re2j.Matcher;
import com.google.re2j.PatternSyntaxException;
import java.util.ArrayList;
import java.util.List;

/** The functions that strings have besides the standard ones, regular expressions among them. Positions count code points. Stateless. */
final class StringLibrary {
    private static final CelType STRING = CelType.STRING;
    private static final CelType INT = CelType.INT;
    private static final CelType STRINGS = CelType.list(CelType.STRING);

    private StringLibrary() {}

    static void declare(Libraries to) {
        to.add(
                "charAt",
                Overload.member("string_char_at_int", STRING, a -> charAt((String) a[0], (Long) a[1]), STRING, INT));
        to.add(
                "indexOf",
                Overload.member(
                        "string_index_of_string", INT, a -> indexOf((String) a[0], (String) a[1], 0), STRING, STRING),
                Overload.member(
                        "string_index_of_string_int",
                        INT,
                        a -> indexOf((String) a[0], (String) a[1], (Long) a[2]),
                        STRING,
                        STRING,
                        INT));
        to.add(
                "lastIndexOf",
                Overload.member(
                        "string_last_index_of_string",
                        INT,
                        a -> lastIndexOf((String) a[0], (String) a[1]),
                        STRING,
                        STRING),
                Overload.member(
                        "string_last_index_of_string_int",
                        INT,
                        a -> lastIndexOf((String) a[0], (String) a[1], (Long) a[2]),
                        STRING,
                        STRING,
                        INT));
        to.add(
                "lowerAscii",
                Overload.member("string_lower_ascii", STRING, a -> ascii((String) a[0], 'A', 'Z', 32), STRING));
        to.add(
                "upperAscii",
                Overload.member("string_upper_ascii", STRING, a -> ascii((String) a[0], 'a', 'z', -32), STRING));
        to.add(
                "replace",
                Overload.member(
                        "string_replace_string_string",
                        STRING,
                        a -> replace((String) a[0], (String) a[1], (String) a[2], -1),
                        STRING,
                        STRING,
                        STRING),
                Overload.member(
                        "string_replace_string_string_int",
                        STRING,
                        a -> replace((String) a[0], (String) a[1], (String) a[2], (Long) a[3]),
                        STRING,
                        STRING,
                        STRING,
                        INT));
        to.add(
                "split",
                Overload.member(
                        "string_split_string", STRINGS, a -> split((String) a[0], (String) a[1], -1), STRING, STRING),
                Overload.member(
                        "string_split_string_int",
                        STRINGS,
                        a -> split((String) a[0], (String) a[1], (Long) a[2]),
                        STRING,
                        STRING,
                        INT));
        to.add(
                "substring",
                Overload.member(
                        "string_substring_int", STRING, a -> substring((String) a[0], (Long) a[1]), STRING, INT),
                Overload.member(
                        "string_substring_int_int",
                        STRING,
                        a -> substring((String) a[0], (Long) a[1], (Long) a[2]),
                        STRING,
                        INT,
                        INT));
        to.add("trim", Overload.member("string_trim", STRING, a -> trim((String) a[0]), STRING));
        to.add("strings.quote", Overload.global("strings_quote", STRING, a -> quote((String) a[0]), STRING));
        to.add(
                "format",
                Overload.member(
                        "string_format",
                        STRING,
                        a -> Formatting.format((String) a[0], (CelList) a[1]),
                        STRING,
                        CelType.list(CelType.DYN)));
        to.add(
                "join",
                Overload.member("list_join", STRING, a -> join((CelList) a[0], ""), STRINGS),
                Overload.member("list_join_string", STRING, a -> join((CelList) a[0], (String) a[1]), STRINGS, STRING));
        to.add(
                "find",
                Overload.member("string_find_string", STRING, a -> find((String) a[0], (String) a[1]), STRING, STRING));
        to.add(
                "findAll",
                Overload.member(
                        "string_find_all_string",
                        STRINGS,
                        a -> findAll((String) a[0], (String) a[1], -1),
                        STRING,
                        STRING),
                Overload.member(
                        "string_find_all_string_int",
                        STRINGS,
                        a -> findAll((String) a[0], (String) a[1], (Long) a[2]),
                        STRING,
                        STRING,
                        INT));
    }

    private static CelException outOfRange(long index) {
        return new CelException("index out of range: " + index);
    }

    private static int[] points(String text) {
        return text.codePoints().toArray();
    }

    private static String charAt(String text, long at) {
        int[] points = points(text);
        if (at < 0 || at > points.length) {
            throw outOfRange(at);
        }
        return at == points.length ? "" : new String(points, (int) at, 1);
    }

    private static Long indexOf(String text, String part, long from) {
        if (part.isEmpty()) {
            return from;
        }
        int[] points = points(text);
        if (from < 0) {
            throw outOfRange(from);
        }
        if (from >= points.length) {
            return -1L;
        }
        int[] wanted = points(part);
        for (int i = (int) from; i + wanted.length <= points.length; i++) {
            if (java.util.Arrays.equals(points, i, i + wanted.length, wanted, 0, wanted.length)) {
                return (long) i;
            }
        }
        return -1L;
    }

    private static Long lastIndexOf(String text, String part) {
        int length = points(text).length;
        if (part.isEmpty()) {
            return (long) length;
        }
        return length < points(part).length ? -1L : lastIndexOf(text, part, length - 1L);
    }

    private static Long lastIndexOf(String text, String part, long from) {
        if (part.isEmpty()) {
            return from;
        }
        int[] points = points(text);
        if (from < 0) {
            throw outOfRange(from);
        }
        if (from >= points.length) {
            return -1L;
        }
        int[] wanted = points(part);
        for (int i = (int) Math.min(from, points.length - wanted.length); i >= 0; i--) {
            if (java.util.Arrays.equals(points, i, i + wanted.length, wanted, 0, wanted.length)) {
                return (long) i;
            }
        }
        return -1L;
    }

    private static String ascii(String text, char low, char high, int shift) {
        StringBuilder out = new StringBuilder(text.length());
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            out.append(c >= low && c <= high ? (char) (c + shift) : c);
        }
        return out.toString();
    }

    private static String replace(String text, String from, String to, long limit) {
        if (limit == 0 || from.equals(to)) {
            return text;
        }
        StringBuilder out = new StringBuilder();
        int at = 0;
        long left = limit < 0 ? Long.MAX_VALUE : limit;
        if (from.isEmpty()) {
            while (left-- > 0) {
                out.append(to);
                if (at >= text.length()) {
                    return out.toString();
                }
                int point = text.codePointAt(at);
                out.appendCodePoint(point);
                at += Character.charCount(point);
            }
            return out.append(text, at, text.length()).toString();
        }
        while (left-- > 0) {
            int next = text.indexOf(from, at);
            if (next < 0) {
                break;
            }
            out.append(text, at, next).append(to);
            at = next + from.length();
        }
        return out.append(text, at, text.length()).toString();
    }

    private static CelList split(String text, String separator, long limit) {
        List<String> parts = new ArrayList<>();
        if (limit == 0) {
            return CelList.of(parts);
        }
        long most = limit < 0 ? Long.MAX_VALUE : limit;
        int at = 0;
        if (separator.isEmpty()) {
            while (at < text.length() && parts.size() + 1 < most) {
                int next = at + Character.charCount(text.codePointAt(at));
                parts.add(text.substring(at, next));
                at = next;
            }
            if (at < text.length()) {
                parts.add(text.substring(at));
            }
            return CelList.of(parts);
        }
        while (parts.size() + 1 < most) {
            int next = text.indexOf(separator, at);
            if (next < 0) {
                break;
            }
            parts.add(text.substring(at, next));
            at = next + separator.length();
        }
        parts.add(text.substring(at));
        return CelList.of(parts);
    }

    private static String substring(String text, long from) {
        int[] points = points(text);
        if (from < 0 || from > points.length) {
            throw outOfRange(from);
        }
        return new String(points, (int) from, points.length - (int) from);
    }

    private static String substring(String text, long from, long to) {
        int[] points = points(text);
        if (from > to) {
            throw new CelException("invalid substring range. start: " + from + ", end: " + to);
        }
        if (from < 0 || from > points.length) {
            throw outOfRange(from);
        }
        if (to < 0 || to > points.length) {
            throw outOfRange(to);
        }
        return new String(points, (int) from, (int) (to - from));
    }

    /** Go's idea of space. */
    private static boolean isSpace(int c) {
        return c >= 9 && c <= 13 || c == ' ' || c == 0x85 || c == 0xa0 || Character.isSpaceChar(c) && c != 0x200b;
    }

    private static String trim(String text) {
        int[] points = points(text);
        int from = 0;
        int to = points.length;
        while (from < to && isSpace(points[from])) {
            from++;
        }
        while (to > from && isSpace(points[to - 1])) {
            to--;
        }
        return new String(points, from, to - from);
    }

    private static String quote(String text) {
        StringBuilder out = new StringBuilder("\"");
        text.codePoints().forEach(c -> {
            int plain = "\007\b\f\n\r\t\013\\\"".indexOf(c);
            if (plain >= 0) {
                out.append('\\').append("abfnrtv\\\"".charAt(plain));
            } else {
                out.appendCodePoint(c);
            }
        });
        return out.append('"').toString();
    }

    private static String join(CelList list, String separator) {
        StringBuilder out = new StringBuilder();
        boolean first = true;
        for (Object item : list) {
            if (!(item instanceof String text)) {
                throw new CelException("join: invalid input: " + Values.text(item));
            }
            out.append(first ? "" : separator).append(text);
            first = false;
        }
        return out.toString();
    }

    private static Matcher matcher(String text, String pattern) {
        try {
            return Patterns.of(pattern).matcher(text);
        } catch (PatternSyntaxException e) {
            throw new CelException(
                    "Illegal regex: error parsing regexp: " + e.getDescription() + ": `" + e.getPattern() + "`");
        }
    }

    private static String find(String text, String pattern) {
        Matcher matcher = matcher(text, pattern);
        return matcher.find() ? matcher.group() : "";
    }

    private static CelList findAll(String text, String pattern, long limit) {
        Matcher matcher = matcher(text, pattern);
        List<String> found = new ArrayList<>();
        while ((limit < 0 || found.size() < limit) && matcher.find()) {
            found.add(matcher.group());
        }
        return CelList.of(found);
    }
}
