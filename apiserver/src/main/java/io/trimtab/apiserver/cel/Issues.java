package io.trimtab.apiserver.cel;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/** What is wrong with an expression, and where. Belongs to one compilation. */
final class Issues {
    private record Issue(int position, String message) {}

    private final int[] source;
    private final List<Issue> issues = new ArrayList<>();

    Issues(int[] source) {
        this.source = source;
    }

    void add(int position, String message) {
        issues.add(new Issue(position, message));
    }

    boolean isEmpty() {
        return issues.isEmpty();
    }

    /** In the order of their places, each with its line and a caret under the place. */
    @Override
    public String toString() {
        return issues.stream()
                .sorted(Comparator.comparingInt(Issue::position))
                .limit(100)
                .map(this::show)
                .collect(Collectors.joining("\n"));
    }

    private String show(Issue issue) {
        if (issue.position() < 0) {
            return "ERROR: <input>:-1:0: " + issue.message();
        }
        if (source.length == 0) {
            return "ERROR: <input>:1:0: " + issue.message(); // no line to show
        }
        int line = 1;
        int start = 0;
        int at = Math.min(issue.position(), source.length);
        for (int i = 0; i < at; i++) {
            if (source[i] == '\n') {
                line++;
                start = i + 1;
            }
        }
        int end = start;
        while (end < source.length && source[end] != '\n') {
            end++;
        }
        StringBuilder out = new StringBuilder("ERROR: <input>:")
                .append(line)
                .append(':')
                .append(at - start + 1)
                .append(": ")
                .append(issue.message());
        String text = new String(source, start, end - start).replace("\t", " ");
        out.append("\n | ").append(text).append("\n | ");
        for (int i = start; i < at; i++) {
            out.append(isWide(source[i]) ? '．' : '.');
        }
        return out.append(at < end && isWide(source[at]) ? '＾' : '^').toString();
    }

    private static boolean isWide(int codePoint) {
        return codePoint > 0x7f;
    }
}
