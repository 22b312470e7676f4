package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The unified diff of two trees that refusals of immutable specs carry: three lines of context, one blank of indentation, fields
 * under their Go names. Stateless.
 */
public final class TreeDiff {
    private static final int CONTEXT = 3;

    private TreeDiff() {}

    public static String of(JsonNode before, JsonNode after) {
        return unified(lines(before), lines(after));
    }

    private static List<String> lines(JsonNode tree) {
        StringBuilder text = new StringBuilder();
        print(text, tree, 0, true);
        return List.of(text.toString().split("\n"));
    }

    private static void print(StringBuilder text, JsonNode value, int depth, boolean struct) {
        if (value.isObject() && value.size() > 0) {
            text.append("{\n");
            for (Iterator<Map.Entry<String, JsonNode>> fields = value.fields(); fields.hasNext(); ) {
                Map.Entry<String, JsonNode> field = fields.next();
                String name = field.getKey();
                // Maps keep their keys; only fields of structs are renamed.
                String shown = struct ? name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1) : name;
                text.append(" ".repeat(depth + 1))
                        .append(FieldErrors.quote(shown))
                        .append(": ");
                print(text, field.getValue(), depth + 1, !isMap(name));
                text.append(fields.hasNext() ? ",\n" : "\n");
            }
            text.append(" ".repeat(depth)).append('}');
        } else if (value.isArray() && value.size() > 0) {
            text.append("[\n");
            for (int i = 0; i < value.size(); i++) {
                text.append(" ".repeat(depth + 1));
                print(text, value.get(i), depth + 1, struct);
                text.append(i + 1 < value.size() ? ",\n" : "\n");
            }
            text.append(" ".repeat(depth)).append(']');
        } else {
            text.append(FieldErrors.show(value));
        }
    }

    private static boolean isMap(String field) {
        return switch (field) {
            case "limits", "requests", "nodeSelector", "matchLabels", "overhead", "labels", "annotations" -> true;
            default -> false;
        };
    }

    private static String unified(List<String> a, List<String> b) {
        List<int[]> script = script(a, b);
        StringBuilder text = new StringBuilder();
        int i = 0;
        while (i < script.size()) {
            if (script.get(i)[0] == 0) {
                i++;
                continue;
            }
            int start = Math.max(0, i - CONTEXT);
            int end = i;
            int quiet = 0;
            for (int j = i; j < script.size() && quiet <= 2 * CONTEXT; j++) {
                if (script.get(j)[0] != 0) {
                    end = j;
                    quiet = 0;
                } else {
                    quiet++;
                }
            }
            end = Math.min(script.size(), end + 1 + CONTEXT);
            hunk(text, script.subList(start, end), a, b);
            i = end;
        }
        return text.toString();
    }

    private static void hunk(StringBuilder text, List<int[]> steps, List<String> a, List<String> b) {
        int fromCount = 0;
        int toCount = 0;
        for (int[] step : steps) {
            fromCount += step[0] <= 0 ? 1 : 0;
            toCount += step[0] >= 0 ? 1 : 0;
        }
        text.append("@@ -").append(range(steps.get(0)[1], fromCount)).append(" +");
        text.append(range(steps.get(0)[2], toCount)).append(" @@\n");
        for (int[] step : steps) {
            String line = step[0] > 0 ? b.get(step[2]) : a.get(step[1]);
            text.append(step[0] == 0 ? ' ' : step[0] < 0 ? '-' : '+')
                    .append(line)
                    .append('\n');
        }
    }

    private static String range(int start, int count) {
        return count == 1 ? Integer.toString(start + 1) : (count == 0 ? start : start + 1) + "," + count;
    }

    /** Steps: 0 keep, -1 remove, 1 add; with the index in each text. */
    private static List<int[]> script(List<String> a, List<String> b) {
        int[][] common = new int[a.size() + 1][b.size() + 1];
        for (int i = a.size() - 1; i >= 0; i--) {
            for (int j = b.size() - 1; j >= 0; j--) {
                common[i][j] = a.get(i).equals(b.get(j))
                        ? common[i + 1][j + 1] + 1
                        : Math.max(common[i + 1][j], common[i][j + 1]);
            }
        }
        List<int[]> steps = new ArrayList<>();
        int i = 0;
        int j = 0;
        while (i < a.size() || j < b.size()) {
            if (i < a.size() && j < b.size() && a.get(i).equals(b.get(j))) {
                steps.add(new int[] {0, i++, j++});
            } else if (j == b.size() || i < a.size() && common[i + 1][j] >= common[i][j + 1]) {
                steps.add(new int[] {-1, i++, j});
            } else {
                steps.add(new int[] {1, i, j++});
            }
        }
        return steps;
    }
}
