package io.trimtab.apiserver.cel;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Paths that rules point to fields by: {@code .spec.names['a b']}. Stateless. */
public final class FieldPaths {
    private FieldPaths() {}

    /** The path as errors show it; null if it leads to no field that the schema declares. */
    public static @Nullable String normalize(String path, JsonNode schema) {
        Object found = walk(path, schema);
        return found instanceof String normal ? normal : null;
    }

    /** What is wrong with the path; null if nothing is. */
    public static @Nullable String problem(String path, JsonNode schema) {
        return walk(path, schema) instanceof Problem problem ? problem.text() : null;
    }

    private record Problem(String text) {}

    private static Object walk(String path, JsonNode schema) {
        List<String> tokens = tokens(path);
        StringBuilder normal = new StringBuilder();
        JsonNode at = schema;
        for (int i = 0; i < tokens.size(); i++) {
            String name;
            if (tokens.get(i).equals("[")) {
                if (i + 1 >= tokens.size()) {
                    return new Problem("unexpected end of JSON path");
                }
                String quoted = tokens.get(++i);
                if (quoted.length() < 2 || !quoted.startsWith("'") || !quoted.endsWith("'")) {
                    return new Problem("expected single quoted string but got " + quoted);
                }
                Object unescaped = unescape(quoted.substring(1, quoted.length() - 1));
                if (unescaped instanceof Problem) {
                    return unescaped;
                }
                name = (String) unescaped;
                if (i + 1 >= tokens.size()) {
                    return new Problem("unexpected end of JSON path");
                }
                if (!tokens.get(++i).equals("]")) {
                    return new Problem("expected ] but got " + tokens.get(i));
                }
            } else if (tokens.get(i).equals(".")) {
                if (i + 1 >= tokens.size()) {
                    return new Problem("unexpected end of JSON path");
                }
                name = tokens.get(++i);
            } else {
                return new Problem("expected [ or . but got: " + tokens.get(i));
            }
            if (at.path("properties").isObject()) {
                JsonNode next = at.get("properties").get(name);
                if (next == null) {
                    return new Problem("does not refer to a valid field");
                }
                normal.append(normal.length() > 0 ? "." : "").append(name);
                at = next;
            } else if (at.get("additionalProperties") instanceof ObjectNode values) {
                normal.append('[').append(name).append(']');
                at = values;
            } else {
                return new Problem("does not refer to a valid field");
            }
        }
        return normal.toString();
    }

    private static List<String> tokens(String path) {
        List<String> tokens = new ArrayList<>();
        int at = 0;
        while (at < path.length()) {
            char c = path.charAt(at);
            int end = at + 1;
            if (c == '\'') {
                while (end < path.length() && (path.charAt(end) != '\'' || path.charAt(end - 1) == '\\')) {
                    end++;
                }
                end = Math.min(path.length(), end + 1);
            } else if (".[]".indexOf(c) < 0) {
                while (end < path.length() && ".[]".indexOf(path.charAt(end)) < 0) {
                    end++;
                }
            }
            tokens.add(path.substring(at, end));
            at = end;
        }
        return tokens;
    }

    private static Object unescape(String text) {
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '\\' || i + 1 >= text.length()) {
                out.append(c);
                continue;
            }
            int plain = "abfnrtv'\\".indexOf(text.charAt(++i));
            if (plain < 0) {
                return new Problem("invalid string literal: invalid escape char \\" + text.charAt(i));
            }
            out.append("\007\b\f\n\r\t\013'\\".charAt(plain));
        }
        return out.toString();
    }
}
