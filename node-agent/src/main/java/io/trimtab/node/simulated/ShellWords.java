package io.trimtab.node.simulated;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Expands one word of a script: parameters, command substitutions, arithmetic, fields, file names. For one use. */
final class ShellWords {
    /** Stands before a character that quotes keep from meaning a pattern. */
    private static final char QUOTED = '\uE000';

    private final Shell shell;
    private final String word;
    private final List<StringBuilder> fields = new ArrayList<>();
    private boolean split;
    private boolean hasQuotes;

    ShellWords(Shell shell, String word) {
        this.shell = shell;
        this.word = word;
    }

    /** What the word becomes as part of a command: any number of words. */
    List<String> fields() {
        split = true;
        expand(word, false);
        List<String> result = new ArrayList<>();
        for (StringBuilder field : fields) {
            String raw = field.toString();
            if (raw.isEmpty() && !hasQuotes) {
                continue;
            }
            List<String> found = files(raw);
            if (found.isEmpty()) {
                result.add(bare(raw));
            } else {
                result.addAll(found);
            }
        }
        return result;
    }

    /** What it becomes where only one word may stand. */
    String text() {
        return bare(pattern());
    }

    /** The same, with what was quoted marked, so that it matches itself only. */
    String pattern() {
        expand(word, false);
        StringBuilder all = new StringBuilder();
        fields.forEach(all::append);
        return all.toString();
    }

    /** Whether the next word of a {@code [[ ]]} is a pattern. */
    static boolean isPattern(List<String> before) {
        String last = before.isEmpty() ? "" : before.get(before.size() - 1);
        return last.equals("==") || last.equals("=") || last.equals("!=");
    }

    /** A pattern as {@code case} and file names use it. */
    static Pattern glob(String pattern) {
        StringBuilder regex = new StringBuilder();
        for (int i = 0; i < pattern.length(); i++) {
            char c = pattern.charAt(i);
            if (c == QUOTED && i + 1 < pattern.length()) {
                regex.append(Pattern.quote(String.valueOf(pattern.charAt(++i))));
            } else if (c == '*') {
                regex.append(".*");
            } else if (c == '?') {
                regex.append('.');
            } else if (c == '[' && pattern.indexOf(']', i + 1) > 0) {
                int end = pattern.indexOf(']', i + 1);
                String set = pattern.substring(i + 1, end).replace("\\", "\\\\");
                regex.append('[')
                        .append(set.startsWith("!") ? "^" + set.substring(1) : set)
                        .append(']');
                i = end;
            } else {
                regex.append(Pattern.quote(String.valueOf(c)));
            }
        }
        return Pattern.compile(regex.toString(), Pattern.DOTALL);
    }

    static String bare(String raw) {
        if (raw.indexOf(QUOTED) < 0) {
            return raw;
        }
        StringBuilder result = new StringBuilder();
        for (int i = 0; i < raw.length(); i++) {
            if (raw.charAt(i) == QUOTED && i + 1 < raw.length()) {
                i++;
            }
            result.append(raw.charAt(i));
        }
        return result.toString();
    }

    private List<String> files(String raw) {
        boolean pattern = false;
        for (int i = 0; i < raw.length(); i++) {
            if (raw.charAt(i) == QUOTED) {
                i++;
            } else if ("*?[".indexOf(raw.charAt(i)) >= 0) {
                pattern = true;
            }
        }
        if (!pattern) {
            return List.of();
        }
        List<String> found = new ArrayList<>(List.of(raw.startsWith("/") ? "/" : ""));
        for (String part : raw.split("/")) {
            if (part.isEmpty()) {
                continue;
            }
            List<String> next = new ArrayList<>();
            Pattern names = glob(part);
            for (String base : found) {
                for (String name : shell.files().list(shell.path(base.isEmpty() ? "." : base))) {
                    if (names.matcher(name).matches() && (!name.startsWith(".") || part.startsWith("."))) {
                        next.add(base.isEmpty() || base.endsWith("/") ? base + name : base + "/" + name);
                    }
                }
            }
            found = next;
        }
        return found;
    }

    // ---- pieces

    private StringBuilder field() {
        if (fields.isEmpty()) {
            fields.add(new StringBuilder());
        }
        return fields.get(fields.size() - 1);
    }

    private void add(String text, boolean quoted) {
        if (quoted) {
            StringBuilder field = field();
            for (int i = 0; i < text.length(); i++) {
                if ("*?[]\\".indexOf(text.charAt(i)) >= 0) {
                    field.append(QUOTED);
                }
                field.append(text.charAt(i));
            }
            return;
        }
        if (!split) {
            field().append(text);
            return;
        }
        String separators = Objects.requireNonNullElse(shell.parameter("IFS"), " \t\n");
        boolean between = false;
        for (int i = 0; i < text.length(); i++) {
            if (separators.indexOf(text.charAt(i)) >= 0) {
                between = true;
                continue;
            }
            if (between && !fields.isEmpty()) {
                fields.add(new StringBuilder());
            }
            between = false;
            field().append(text.charAt(i));
        }
        if (between && !fields.isEmpty() && field().length() > 0) {
            fields.add(new StringBuilder());
        }
    }

    private void expand(String text, boolean quoted) {
        int at = 0;
        while (at < text.length()) {
            int end = quoted && text.charAt(at) == '\'' ? at + 1 : ShellParser.skipPiece(text, at);
            String piece = text.substring(at, end);
            char c = piece.charAt(0);
            if (c == '\\') {
                boolean kept = quoted && piece.length() > 1 && "$`\"\\\n".indexOf(piece.charAt(1)) < 0;
                hasQuotes = true;
                add(kept ? piece : piece.substring(1), true);
            } else if (c == '\'' && !quoted) {
                hasQuotes = true;
                field();
                add(piece.substring(1, piece.length() - 1), true);
            } else if (c == '"' && !quoted) {
                hasQuotes = true;
                if (piece.equals("\"$@\"")) {
                    List<String> all = shell.positional();
                    for (int i = 1; i < all.size(); i++) {
                        if (i > 1) {
                            fields.add(new StringBuilder());
                        }
                        add(all.get(i), true);
                    }
                    hasQuotes = all.size() > 1;
                } else {
                    field();
                    expand(piece.substring(1, piece.length() - 1), true);
                }
            } else if (c == '`') {
                add(shell.substitute(piece.substring(1, piece.length() - 1).replace("\\`", "`")), quoted);
            } else if (c == '$') {
                end = dollar(text, at, end, quoted);
            } else {
                add(piece, quoted);
                if (!quoted && !split) {
                    // literal text: patterns in it stay patterns
                    hasQuotes |= false;
                }
            }
            at = end;
        }
    }

    /** Expands what a dollar begins; returns where it ends. */
    private int dollar(String text, int at, int end, boolean quoted) {
        if (text.startsWith("$((", at) && text.startsWith("))", end - 2)) {
            add(String.valueOf(arithmetic(text.substring(at + 3, end - 2))), quoted);
            return end;
        }
        if (text.startsWith("$(", at)) {
            add(shell.substitute(text.substring(at + 2, end - 1)), quoted);
            return end;
        }
        if (text.startsWith("${", at)) {
            braces(text.substring(at + 2, end - 1), quoted);
            return end;
        }
        int i = at + 1;
        if (i < text.length() && "?$#@*!0123456789".indexOf(text.charAt(i)) >= 0) {
            add(Objects.requireNonNullElse(shell.parameter(text.substring(i, i + 1)), ""), quoted);
            return i + 1;
        }
        while (i < text.length() && (Character.isLetterOrDigit(text.charAt(i)) || text.charAt(i) == '_')) {
            i++;
        }
        if (i == at + 1) {
            add("$", quoted);
            return i;
        }
        add(Objects.requireNonNullElse(shell.parameter(text.substring(at + 1, i)), ""), quoted);
        return i;
    }

    private void braces(String inner, boolean quoted) {
        if (inner.startsWith("#") && inner.length() > 1) {
            String value = Objects.requireNonNullElse(shell.parameter(inner.substring(1)), "");
            add(String.valueOf(value.length()), quoted);
            return;
        }
        int i = 0;
        while (i < inner.length() && (Character.isLetterOrDigit(inner.charAt(i)) || inner.charAt(i) == '_')) {
            i++;
        }
        if (i == 0 && !inner.isEmpty()) {
            i = 1; // a special parameter
        }
        String name = inner.substring(0, i);
        String value = shell.parameter(name);
        String rest = inner.substring(i);
        if (rest.isEmpty()) {
            add(Objects.requireNonNullElse(value, ""), quoted);
            return;
        }
        boolean orEmpty = rest.startsWith(":");
        String operator = rest.substring(orEmpty ? 1 : 0);
        boolean missing = value == null || orEmpty && value.isEmpty();
        String argument = operator.isEmpty() ? "" : operator.substring(1);
        switch (operator.isEmpty() ? ' ' : operator.charAt(0)) {
            case '-' -> add(missing ? nested(argument) : Objects.requireNonNull(value), quoted);
            case '=' -> {
                if (missing) {
                    shell.assign(name, nested(argument));
                }
                add(Objects.requireNonNullElse(shell.parameter(name), ""), quoted);
            }
            case '+' -> add(missing ? "" : nested(argument), quoted);
            case '?' -> {
                if (missing) {
                    shell.failExpansion(name + ": " + (argument.isEmpty() ? "parameter not set" : nested(argument)));
                } else {
                    add(Objects.requireNonNull(value), quoted);
                }
            }
            case '#', '%' -> add(trimmed(Objects.requireNonNullElse(value, ""), operator), quoted);
            default -> {
                String present = Objects.requireNonNullElse(value, "");
                if (orEmpty && !operator.isEmpty()) {
                    add(substring(present, operator), quoted);
                } else if (operator.startsWith("/")) {
                    add(replaced(present, operator), quoted);
                } else {
                    add(present, quoted);
                }
            }
        }
    }

    private String nested(String text) {
        return new ShellWords(shell, text).text();
    }

    private String trimmed(String value, String operator) {
        char side = operator.charAt(0);
        boolean longest = operator.length() > 1 && operator.charAt(1) == side;
        Pattern pattern = glob(new ShellWords(shell, operator.substring(longest ? 2 : 1)).pattern());
        for (int n = 0; n <= value.length(); n++) {
            int length = longest ? value.length() - n : n;
            boolean front = side == '#';
            String part = front ? value.substring(0, length) : value.substring(value.length() - length);
            if (pattern.matcher(part).matches()) {
                return front ? value.substring(length) : value.substring(0, value.length() - length);
            }
        }
        return value;
    }

    private String substring(String value, String range) {
        String[] parts = range.split(":", 2);
        int from = (int) Math.min(Math.max(0, arithmetic(parts[0])), value.length());
        int to = parts.length > 1 ? (int) Math.min(value.length(), from + arithmetic(parts[1])) : value.length();
        return value.substring(from, Math.max(from, to));
    }

    private String replaced(String value, String operator) {
        boolean all = operator.startsWith("//");
        String[] parts = operator.substring(all ? 2 : 1).split("/", 2);
        String from = nested(parts[0]);
        String to = parts.length > 1 ? nested(parts[1]) : "";
        if (from.isEmpty()) {
            return value;
        }
        int at = value.indexOf(from);
        return all
                ? value.replace(from, to)
                : at < 0 ? value : value.substring(0, at) + to + value.substring(at + from.length());
    }

    // ---- arithmetic

    private long arithmetic(String text) {
        StringBuilder plain = new StringBuilder();
        String expanded = new ShellWords(shell, "\"" + text.replace("\"", "") + "\"").text();
        plain.append(expanded);
        return new Arithmetic(plain.toString()).value();
    }

    /** Whole numbers, the operators of C, and variables. */
    private final class Arithmetic {
        private static final String[][] LEVELS = {
            {"||"},
            {"&&"},
            {"|"},
            {"^"},
            {"&"},
            {"==", "!="},
            {"<=", ">=", "<", ">"},
            {"<<", ">>"},
            {"+", "-"},
            {"*", "/", "%"}
        };

        private final String text;
        private int at;

        Arithmetic(String text) {
            this.text = text;
        }

        long value() {
            skip();
            if (at >= text.length()) {
                return 0;
            }
            return choice();
        }

        private long choice() {
            long condition = level(0);
            skip();
            if (at < text.length() && text.charAt(at) == '?') {
                at++;
                long yes = choice();
                skip();
                at++; // the colon
                long no = choice();
                return condition != 0 ? yes : no;
            }
            return condition;
        }

        private long level(int level) {
            if (level == LEVELS.length) {
                return unary();
            }
            long left = level(level + 1);
            while (true) {
                skip();
                String operator = operator(level);
                if (operator == null) {
                    return left;
                }
                at += operator.length();
                left = apply(operator, left, level(level + 1));
            }
        }

        private @Nullable String operator(int level) {
            for (String candidate : LEVELS[level]) {
                if (text.startsWith(candidate, at)) {
                    boolean longer = candidate.length() == 1
                            && at + 1 < text.length()
                            && ("|&".contains(candidate) && text.charAt(at + 1) == candidate.charAt(0)
                                    || "<>".contains(candidate) && text.charAt(at + 1) == candidate.charAt(0));
                    if (!longer) {
                        return candidate;
                    }
                }
            }
            return null;
        }

        private long apply(String operator, long a, long b) {
            return switch (operator) {
                case "||" -> a != 0 || b != 0 ? 1 : 0;
                case "&&" -> a != 0 && b != 0 ? 1 : 0;
                case "|" -> a | b;
                case "^" -> a ^ b;
                case "&" -> a & b;
                case "==" -> a == b ? 1 : 0;
                case "!=" -> a != b ? 1 : 0;
                case "<=" -> a <= b ? 1 : 0;
                case ">=" -> a >= b ? 1 : 0;
                case "<" -> a < b ? 1 : 0;
                case ">" -> a > b ? 1 : 0;
                case "<<" -> a << b;
                case ">>" -> a >> b;
                case "+" -> a + b;
                case "-" -> a - b;
                case "*" -> a * b;
                case "/" -> b == 0 ? 0 : a / b;
                default -> b == 0 ? 0 : a % b;
            };
        }

        private long unary() {
            skip();
            if (at >= text.length()) {
                return 0;
            }
            char c = text.charAt(at);
            if (c == '-' || c == '+' || c == '!' || c == '~') {
                at++;
                long value = unary();
                return c == '-' ? -value : c == '!' ? (value == 0 ? 1 : 0) : c == '~' ? ~value : value;
            }
            if (c == '(') {
                at++;
                long value = choice();
                skip();
                at++;
                return value;
            }
            int start = at;
            while (at < text.length() && (Character.isLetterOrDigit(text.charAt(at)) || text.charAt(at) == '_')) {
                at++;
            }
            String token = text.substring(start, at);
            if (token.isEmpty()) {
                at++;
                return 0;
            }
            if (Character.isDigit(token.charAt(0))) {
                return number(token);
            }
            return variable(token);
        }

        private long variable(String name) {
            String value = shell.parameter(name);
            long before = value == null ? 0 : number(value.strip());
            skip();
            if (text.startsWith("++", at) || text.startsWith("--", at)) {
                shell.assign(name, String.valueOf(before + (text.charAt(at) == '+' ? 1 : -1)));
                at += 2;
            } else if (text.startsWith("+=", at) || text.startsWith("-=", at)) {
                boolean plus = text.charAt(at) == '+';
                at += 2;
                long after = before + (plus ? 1 : -1) * choice();
                shell.assign(name, String.valueOf(after));
                return after;
            } else if (text.startsWith("=", at) && !text.startsWith("==", at)) {
                at++;
                long after = choice();
                shell.assign(name, String.valueOf(after));
                return after;
            }
            return before;
        }

        private long number(String token) {
            try {
                return token.startsWith("0x")
                        ? Long.parseLong(token.substring(2), 16)
                        : token.startsWith("0") && token.length() > 1
                                ? Long.parseLong(token, 8)
                                : Long.parseLong(token);
            } catch (NumberFormatException e) {
                return 0;
            }
        }

        private void skip() {
            while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
                at++;
            }
        }
    }
}
