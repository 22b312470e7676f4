package io.trimtab.node.simulated;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads the shell language as far as pods' commands use it: lists, pipes, conditions, loops, cases, functions, redirections and
 * here documents. What it cannot read throws {@link SyntaxException}. For one text; not thread-safe.
 */
final class ShellParser {
    private static final Set<String> ENDS = Set.of("then", "else", "elif", "fi", "do", "done", "esac", "}", ")");

    private final String text;
    private int at;
    private final List<Pending> hereDocuments = new ArrayList<>();

    /** A here document whose text stands after the present line. */
    private record Pending(List<ShellTree.Redirect> into, int index, String end, boolean tabs, boolean quoted) {}

    /** The text is not a script. */
    static final class SyntaxException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        SyntaxException(String message) {
            super(message);
        }
    }

    private ShellParser(String text) {
        this.text = text;
    }

    static ShellTree parse(String text) {
        ShellParser parser = new ShellParser(text);
        ShellTree tree = parser.list();
        if (parser.at < text.length()) {
            throw new SyntaxException("unexpected \"" + parser.peekWord() + "\"");
        }
        return tree;
    }

    // ---- lists

    private ShellTree list() {
        List<ShellTree> parts = new ArrayList<>();
        while (true) {
            skipLines();
            if (at >= text.length() || ENDS.contains(peekWord()) || text.startsWith(";;", at)) {
                break;
            }
            ShellTree part = andOr();
            skipBlanks();
            if (at < text.length() && text.charAt(at) == '&' && !text.startsWith("&&", at)) {
                at++;
                part = new ShellTree.Background(part);
            } else if (at < text.length() && text.charAt(at) == ';' && !text.startsWith(";;", at)) {
                at++;
            } else if (at < text.length()
                    && text.charAt(at) != '\n'
                    && !text.startsWith(";;", at)
                    && !ENDS.contains(peekWord())) {
                throw new SyntaxException("unexpected \"" + peekWord() + "\"");
            }
            parts.add(part);
        }
        return parts.size() == 1 ? parts.get(0) : new ShellTree.Sequence(List.copyOf(parts));
    }

    private ShellTree andOr() {
        ShellTree left = pipeline();
        while (true) {
            skipBlanks();
            boolean and = text.startsWith("&&", at);
            if (!and && !text.startsWith("||", at)) {
                return left;
            }
            at += 2;
            skipLines();
            left = new ShellTree.AndOr(left, and, pipeline());
        }
    }

    private ShellTree pipeline() {
        skipBlanks();
        if (peekWord().equals("!")) {
            at++;
            return new ShellTree.Not(pipeline());
        }
        List<ShellTree> parts = new ArrayList<>();
        parts.add(command());
        while (true) {
            skipBlanks();
            if (at >= text.length() || text.charAt(at) != '|' || text.startsWith("||", at)) {
                break;
            }
            at++;
            skipLines();
            parts.add(command());
        }
        return parts.size() == 1 ? parts.get(0) : new ShellTree.Pipeline(List.copyOf(parts));
    }

    private ShellTree command() {
        skipBlanks();
        ShellTree compound = compound();
        if (compound == null) {
            return simple();
        }
        List<ShellTree.Redirect> redirects = new ArrayList<>();
        while (redirect(redirects)) {
            skipBlanks();
        }
        return redirects.isEmpty() ? compound : new ShellTree.Redirected(compound, redirects);
    }

    // ---- compound commands

    private @Nullable ShellTree compound() {
        if (at < text.length() && text.charAt(at) == '(') {
            at++;
            ShellTree body = list();
            expect(")");
            return new ShellTree.Subshell(body);
        }
        switch (peekWord()) {
            case "{" -> {
                at++;
                ShellTree body = list();
                expect("}");
                return body;
            }
            case "if" -> {
                at += 2;
                return conditional();
            }
            case "while" -> {
                at += 5;
                return loop(false);
            }
            case "until" -> {
                at += 5;
                return loop(true);
            }
            case "for" -> {
                at += 3;
                return forLoop();
            }
            case "case" -> {
                at += 4;
                return cases();
            }
            default -> {
                return function();
            }
        }
    }

    private ShellTree conditional() {
        ShellTree condition = list();
        expect("then");
        ShellTree then = list();
        String next = peekWord();
        ShellTree otherwise = null;
        if (next.equals("elif")) {
            at += 4;
            return new ShellTree.If(condition, then, conditional());
        }
        if (next.equals("else")) {
            at += 4;
            otherwise = list();
        }
        expect("fi");
        return new ShellTree.If(condition, then, otherwise);
    }

    private ShellTree loop(boolean until) {
        ShellTree condition = list();
        expect("do");
        ShellTree body = list();
        expect("done");
        return new ShellTree.Loop(condition, until, body);
    }

    private ShellTree forLoop() {
        skipBlanks();
        String name = word();
        skipLines();
        List<String> words = new ArrayList<>();
        if (peekWord().equals("in")) {
            at += 2;
            skipBlanks();
            while (at < text.length() && text.charAt(at) != ';' && text.charAt(at) != '\n') {
                words.add(word());
                skipBlanks();
            }
        } else {
            words.add("\"$@\"");
        }
        skipBlanks();
        if (at < text.length() && text.charAt(at) == ';') {
            at++;
        }
        skipLines();
        expect("do");
        ShellTree body = list();
        expect("done");
        return new ShellTree.For(name, List.copyOf(words), body);
    }

    private ShellTree cases() {
        skipBlanks();
        String word = word();
        skipLines();
        expect("in");
        List<ShellTree.Arm> arms = new ArrayList<>();
        while (true) {
            skipLines();
            if (peekWord().equals("esac")) {
                at += 4;
                return new ShellTree.Case(word, List.copyOf(arms));
            }
            if (at < text.length() && text.charAt(at) == '(') {
                at++;
            }
            List<String> patterns = new ArrayList<>();
            while (true) {
                skipBlanks();
                patterns.add(word());
                skipBlanks();
                if (at < text.length() && text.charAt(at) == '|') {
                    at++;
                    continue;
                }
                expect(")");
                break;
            }
            ShellTree body = list();
            arms.add(new ShellTree.Arm(List.copyOf(patterns), body));
            if (text.startsWith(";;", at)) {
                at += 2;
            }
        }
    }

    private @Nullable ShellTree function() {
        int start = at;
        int i = at;
        while (i < text.length() && (Character.isLetterOrDigit(text.charAt(i)) || text.charAt(i) == '_')) {
            i++;
        }
        String name = text.substring(start, i);
        while (i < text.length() && text.charAt(i) == ' ') {
            i++;
        }
        if (name.isEmpty() || !text.startsWith("()", i)) {
            return null;
        }
        at = i + 2;
        skipLines();
        return new ShellTree.Function(name, command());
    }

    private void expect(String word) {
        skipLines();
        if (!text.startsWith(word, at)) {
            throw new SyntaxException("expected \"" + word + "\", found \"" + peekWord() + "\"");
        }
        at += word.length();
    }

    // ---- simple commands

    private ShellTree simple() {
        List<String> words = new ArrayList<>();
        List<ShellTree.Redirect> redirects = new ArrayList<>();
        while (true) {
            skipBlanks();
            if (redirect(redirects)) {
                continue;
            }
            if (at >= text.length()) {
                break;
            }
            char c = text.charAt(at);
            boolean inTest = !words.isEmpty() && words.get(0).equals("[[") && !words.contains("]]");
            if (inTest && (text.startsWith("&&", at) || text.startsWith("||", at))) {
                words.add(text.substring(at, at + 2));
                at += 2;
                continue;
            }
            if (inTest && (c == '(' || c == ')' || c == '<' || c == '>')) {
                words.add(String.valueOf(c));
                at++;
                continue;
            }
            if (c == ';' || c == '\n' || c == '&' || c == '|' || c == ')' || c == '(') {
                break;
            }
            words.add(word());
        }
        if (words.isEmpty() && redirects.isEmpty()) {
            throw new SyntaxException("a command is missing before \"" + peekWord() + "\"");
        }
        return new ShellTree.Simple(List.copyOf(words), redirects);
    }

    private boolean redirect(List<ShellTree.Redirect> redirects) {
        int start = at;
        int descriptor = -2;
        if (at + 1 < text.length() && Character.isDigit(text.charAt(at)) && "<>".indexOf(text.charAt(at + 1)) >= 0) {
            descriptor = text.charAt(at) - '0';
            at++;
        } else if (text.startsWith("&>", at)) {
            descriptor = -1;
            at++;
        }
        String operator = null;
        for (String candidate : new String[] {"<<<", "<<-", "<<", ">>", ">&", ">|", "<", ">"}) {
            if (text.startsWith(candidate, at)) {
                operator = candidate;
                break;
            }
        }
        if (operator == null || text.startsWith("<(", at) || text.startsWith(">(", at)) {
            at = start;
            return false;
        }
        at += operator.length();
        skipBlanks();
        int target = descriptor != -2 ? descriptor : operator.startsWith("<") ? 0 : 1;
        String word = word();
        if (operator.equals("<<") || operator.equals("<<-")) {
            boolean quoted = word.contains("'") || word.contains("\"") || word.contains("\\");
            redirects.add(new ShellTree.Redirect(target, "<<", ""));
            hereDocuments.add(new Pending(
                    redirects, redirects.size() - 1, word.replaceAll("[\"'\\\\]", ""), operator.equals("<<-"), quoted));
            return true;
        }
        redirects.add(new ShellTree.Redirect(target, operator.equals(">|") ? ">" : operator, word));
        return true;
    }

    private void readHereDocuments() {
        for (Pending pending : hereDocuments) {
            StringBuilder body = new StringBuilder();
            while (at < text.length()) {
                int end = text.indexOf('\n', at);
                String line = text.substring(at, end < 0 ? text.length() : end);
                at = end < 0 ? text.length() : end + 1;
                String bare = pending.tabs ? line.replaceAll("^\t+", "") : line;
                if (bare.equals(pending.end)) {
                    break;
                }
                body.append(bare).append('\n');
            }
            String content = pending.quoted ? "'" + body.toString().replace("'", "'\\''") + "'" : "\"" + body + "\"";
            pending.into.set(
                    pending.index,
                    new ShellTree.Redirect(pending.into.get(pending.index).descriptor(), "<<", content));
        }
        hereDocuments.clear();
    }

    // ---- words

    /** The next word if it is a plain one, without taking it: for key words. */
    private String peekWord() {
        if (at < text.length() && ")(".indexOf(text.charAt(at)) >= 0) {
            return String.valueOf(text.charAt(at));
        }
        int i = at;
        while (i < text.length() && " \t\n;&|<>()".indexOf(text.charAt(i)) < 0) {
            i++;
        }
        return text.substring(at, i);
    }

    private String word() {
        int start = at;
        while (at < text.length() && " \t\n;&|<>()".indexOf(text.charAt(at)) < 0) {
            at = skipPiece(text, at);
        }
        if (at == start) {
            throw new SyntaxException("a word is missing before \"" + peekWord() + "\"");
        }
        return text.substring(start, at);
    }

    /** Where the piece of a word that begins at a place ends: a quoted text, an expansion, or one character. */
    static int skipPiece(String text, int at) {
        char c = text.charAt(at);
        switch (c) {
            case '\\' -> {
                return Math.min(at + 2, text.length());
            }
            case '\'' -> {
                int end = text.indexOf('\'', at + 1);
                if (end < 0) {
                    throw new SyntaxException("unterminated quoted string");
                }
                return end + 1;
            }
            case '"' -> {
                int i = at + 1;
                while (i < text.length() && text.charAt(i) != '"') {
                    i = text.charAt(i) == '\'' ? i + 1 : skipPiece(text, i);
                }
                if (i >= text.length()) {
                    throw new SyntaxException("unterminated quoted string");
                }
                return i + 1;
            }
            case '`' -> {
                int i = at + 1;
                while (i < text.length() && text.charAt(i) != '`') {
                    i += text.charAt(i) == '\\' ? 2 : 1;
                }
                return Math.min(i + 1, text.length());
            }
            case '$' -> {
                if (text.startsWith("$(", at)) {
                    return skipNested(text, at + 2, ')', '(');
                }
                if (text.startsWith("${", at)) {
                    return skipNested(text, at + 2, '}', '{');
                }
                return at + 1;
            }
            default -> {
                return at + 1;
            }
        }
    }

    private static int skipNested(String text, int from, char close, char open) {
        int depth = 1;
        int i = from;
        while (i < text.length()) {
            char c = text.charAt(i);
            if (c == close) {
                depth--;
                i++;
                if (depth == 0) {
                    return i;
                }
            } else if (c == open) {
                depth++;
                i++;
            } else {
                i = skipPiece(text, i);
            }
        }
        throw new SyntaxException("\"" + close + "\" is missing");
    }

    private void skipBlanks() {
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == ' ' || c == '\t' || c == '\r') {
                at++;
            } else if (text.startsWith("\\\n", at)) {
                at += 2;
            } else if (c == '#') {
                while (at < text.length() && text.charAt(at) != '\n') {
                    at++;
                }
            } else {
                return;
            }
        }
    }

    private void skipLines() {
        while (true) {
            skipBlanks();
            if (at < text.length() && text.charAt(at) == '\n') {
                at++;
                readHereDocuments();
            } else {
                return;
            }
        }
    }
}
