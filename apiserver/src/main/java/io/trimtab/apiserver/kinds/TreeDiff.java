package io.trimtab.apiserver.kinds;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * The unified diff of two trees that refusals of immutable specs carry: JSON with one blank of indentation, three lines of context.
 * Lines are matched as Kubernetes' library does, by the longest common run and then what is before and after it, so that the hunks
 * are the same. Stateless.
 */
public final class TreeDiff {
    private static final int CONTEXT = 3;

    private final List<String> a;
    private final List<String> b;

    /** Where each line stands in b. */
    private final Map<String, List<Integer>> places = new HashMap<>();

    private TreeDiff(List<String> a, List<String> b) {
        this.a = a;
        this.b = b;
        for (int j = 0; j < b.size(); j++) {
            places.computeIfAbsent(b.get(j), key -> new ArrayList<>()).add(j);
        }
        if (b.size() >= 200) {
            // Lines that are everywhere say nothing about where a run begins.
            int most = b.size() / 100 + 1;
            places.values().removeIf(where -> where.size() > most);
        }
    }

    private record Run(int a, int b, int size) {}

    /** A step: a range of a that became a range of b; equal if they are. */
    private record Step(boolean equal, int a1, int a2, int b1, int b2) {}

    /** The text. */
    public static String of(JsonNode before, JsonNode after) {
        return new TreeDiff(lines(before), lines(after)).unified();
    }

    /** The text for two values of a type of the API, as they are inside of Kubernetes; see {@link InternalForm}. */
    public static String of(JsonNode before, JsonNode after, String type) {
        return of(InternalForm.tree(before, type), InternalForm.tree(after, type));
    }

    private static List<String> lines(JsonNode tree) {
        StringBuilder text = new StringBuilder();
        print(text, tree, 0);
        return List.of(text.toString().split("\n"));
    }

    private static void print(StringBuilder text, JsonNode value, int depth) {
        if (value.isObject() && !value.isEmpty()) {
            text.append("{\n");
            for (Iterator<Map.Entry<String, JsonNode>> fields = value.fields(); fields.hasNext(); ) {
                Map.Entry<String, JsonNode> field = fields.next();
                text.append(" ".repeat(depth + 1))
                        .append(FieldErrors.quote(field.getKey()))
                        .append(": ");
                print(text, field.getValue(), depth + 1);
                text.append(fields.hasNext() ? ",\n" : "\n");
            }
            text.append(" ".repeat(depth)).append('}');
        } else if (value.isArray() && !value.isEmpty()) {
            text.append("[\n");
            for (int i = 0; i < value.size(); i++) {
                text.append(" ".repeat(depth + 1));
                print(text, value.get(i), depth + 1);
                text.append(i + 1 < value.size() ? ",\n" : "\n");
            }
            text.append(" ".repeat(depth)).append(']');
        } else {
            text.append(FieldErrors.show(value));
        }
    }

    private Run longest(int alo, int ahi, int blo, int bhi) {
        int besti = alo;
        int bestj = blo;
        int size = 0;
        Map<Integer, Integer> lengths = Map.of();
        for (int i = alo; i < ahi; i++) {
            Map<Integer, Integer> next = new HashMap<>();
            for (int j : places.getOrDefault(a.get(i), List.of())) {
                if (j >= bhi) {
                    break;
                }
                if (j >= blo) {
                    int length = lengths.getOrDefault(j - 1, 0) + 1;
                    next.put(j, length);
                    if (length > size) {
                        besti = i - length + 1;
                        bestj = j - length + 1;
                        size = length;
                    }
                }
            }
            lengths = next;
        }
        while (besti > alo && bestj > blo && a.get(besti - 1).equals(b.get(bestj - 1))) {
            besti--;
            bestj--;
            size++;
        }
        while (besti + size < ahi && bestj + size < bhi && a.get(besti + size).equals(b.get(bestj + size))) {
            size++;
        }
        return new Run(besti, bestj, size);
    }

    private void match(int alo, int ahi, int blo, int bhi, List<Run> runs) {
        Run run = longest(alo, ahi, blo, bhi);
        if (run.size() > 0) {
            if (alo < run.a() && blo < run.b()) {
                match(alo, run.a(), blo, run.b(), runs);
            }
            runs.add(run);
            if (run.a() + run.size() < ahi && run.b() + run.size() < bhi) {
                match(run.a() + run.size(), ahi, run.b() + run.size(), bhi, runs);
            }
        }
    }

    private List<Step> steps() {
        List<Run> runs = new ArrayList<>();
        match(0, a.size(), 0, b.size(), runs);
        runs.add(new Run(a.size(), b.size(), 0));
        List<Step> steps = new ArrayList<>();
        int i = 0;
        int j = 0;
        for (Run run : runs) {
            if (i < run.a() || j < run.b()) {
                steps.add(new Step(false, i, run.a(), j, run.b()));
            }
            i = run.a() + run.size();
            j = run.b() + run.size();
            int last = steps.size() - 1;
            if (run.size() > 0 && last >= 0 && steps.get(last).equal()) {
                Step before = steps.get(last);
                steps.set(last, new Step(true, before.a1(), i, before.b1(), j));
            } else if (run.size() > 0) {
                steps.add(new Step(true, run.a(), i, run.b(), j));
            }
        }
        return steps;
    }

    private String unified() {
        List<Step> steps = steps();
        StringBuilder text = new StringBuilder();
        List<Step> group = new ArrayList<>();
        for (int i = 0; i < steps.size(); i++) {
            Step step = steps.get(i);
            boolean first = i == 0;
            boolean last = i == steps.size() - 1;
            int size = step.a2() - step.a1();
            if (!step.equal()) {
                group.add(step);
            } else if (first) {
                int skip = Math.max(0, size - CONTEXT);
                group.add(new Step(true, step.a1() + skip, step.a2(), step.b1() + skip, step.b2()));
            } else if (last || size > 2 * CONTEXT) {
                int kept = Math.min(size, CONTEXT);
                group.add(new Step(true, step.a1(), step.a1() + kept, step.b1(), step.b1() + kept));
                if (!last) {
                    hunk(text, group);
                    group.clear();
                    group.add(new Step(true, step.a2() - CONTEXT, step.a2(), step.b2() - CONTEXT, step.b2()));
                }
            } else {
                group.add(step);
            }
        }
        if (group.stream().anyMatch(step -> !step.equal())) {
            hunk(text, group);
        }
        return text.toString();
    }

    private void hunk(StringBuilder text, List<Step> group) {
        Step first = group.get(0);
        Step last = group.get(group.size() - 1);
        text.append("@@ -").append(range(first.a1(), last.a2()));
        text.append(" +").append(range(first.b1(), last.b2())).append(" @@\n");
        for (Step step : group) {
            for (int i = step.a1(); i < step.a2(); i++) {
                text.append(step.equal() ? ' ' : '-').append(a.get(i)).append('\n');
            }
            for (int j = step.b1(); !step.equal() && j < step.b2(); j++) {
                text.append('+').append(b.get(j)).append('\n');
            }
        }
    }

    private static String range(int start, int stop) {
        int length = stop - start;
        return length == 1 ? Integer.toString(start + 1) : (length == 0 ? start : start + 1) + "," + length;
    }
}
