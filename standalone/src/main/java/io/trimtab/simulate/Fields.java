package io.trimtab.simulate;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Compares objects as trees, field by field. Pure functions. */
public final class Fields {
    private static final int MAX_SHOWN = 8;
    private static final int MAX_VALUE = 60;
    /** What the server itself keeps. */
    private static final Set<String> BOOKKEEPING = Set.of("managedFields", "resourceVersion", "generation");

    /** A field and its two values; null where it is absent. */
    public record Difference(
            String path,
            @Nullable JsonNode before,
            @Nullable JsonNode after) {
        @Override
        public String toString() {
            return path + " " + shown(before) + " -> " + shown(after);
        }
    }

    private Fields() {}

    /** What differs, leaf by leaf, without what the server keeps. Lists are compared as wholes unless they are equally long. */
    public static List<Difference> differences(@Nullable JsonNode before, @Nullable JsonNode after) {
        List<Difference> found = new ArrayList<>();
        collect("", before, after, found);
        return found;
    }

    private static void collect(
            String path, @Nullable JsonNode before, @Nullable JsonNode after, List<Difference> found) {
        if (before == null ? after == null : before.equals(after)) {
            return;
        }
        if (before != null && after != null && before.isObject() && after.isObject()) {
            Set<String> names = new TreeSet<>();
            before.fieldNames().forEachRemaining(names::add);
            after.fieldNames().forEachRemaining(names::add);
            for (String name : names) {
                if (!(path.equals("metadata") && BOOKKEEPING.contains(name))) {
                    collect(path.isEmpty() ? name : path + "." + name, before.get(name), after.get(name), found);
                }
            }
        } else if (before != null && after != null && before.isArray() && after.size() == before.size()) {
            for (int i = 0; i < before.size(); i++) {
                collect(path + "[" + i + "]", before.get(i), after.get(i), found);
            }
        } else if (before == null && after != null && after.isObject() && !after.isEmpty()) {
            after.fields()
                    .forEachRemaining(field -> collect(
                            path.isEmpty() ? field.getKey() : path + "." + field.getKey(),
                            null,
                            field.getValue(),
                            found));
        } else if (after == null && before != null && before.isObject() && !before.isEmpty()) {
            before.fields()
                    .forEachRemaining(field -> collect(
                            path.isEmpty() ? field.getKey() : path + "." + field.getKey(),
                            field.getValue(),
                            null,
                            found));
        } else {
            found.add(new Difference(path, before, after));
        }
    }

    /** The value at a path as {@link #differences} writes it, or null. */
    public static @Nullable JsonNode at(@Nullable JsonNode tree, String path) {
        JsonNode node = tree;
        StringBuilder name = new StringBuilder();
        for (int i = 0; i <= path.length() && node != null; i++) {
            char c = i == path.length() ? '.' : path.charAt(i);
            if (c == '.' || c == '[') {
                // Names with dots (annotations) are found by the longest name that exists.
                if (name.length() > 0) {
                    JsonNode next = node.get(name.toString());
                    if (next == null && c == '.' && i < path.length()) {
                        name.append(c);
                        continue;
                    }
                    node = next;
                    name.setLength(0);
                }
                if (c == '[' && node != null) {
                    int end = path.indexOf(']', i);
                    node = node.get(Integer.parseInt(path.substring(i + 1, end)));
                    i = end;
                }
            } else {
                name.append(c);
            }
        }
        return node;
    }

    /** The first differences in a line: for messages. */
    public static String changes(@Nullable JsonNode before, @Nullable JsonNode after) {
        if (before == null || after == null) {
            return "";
        }
        return shown(differences(before, after));
    }

    /** The first of these in a line. */
    static String shown(List<Difference> found) {
        StringBuilder text = new StringBuilder();
        found.stream()
                .limit(MAX_SHOWN)
                .forEach(d -> text.append(text.length() == 0 ? "" : ", ").append(d));
        if (found.size() > MAX_SHOWN) {
            text.append(" and ").append(found.size() - MAX_SHOWN).append(" more");
        }
        return text.toString();
    }

    public static String shown(@Nullable JsonNode value) {
        if (value == null || value.isMissingNode()) {
            return "(none)";
        }
        String text = value.toString();
        return text.length() > MAX_VALUE ? text.substring(0, MAX_VALUE - 3) + "..." : text;
    }
}
