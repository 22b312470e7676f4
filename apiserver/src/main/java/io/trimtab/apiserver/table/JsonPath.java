package io.trimtab.apiserver.table;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * The dialect of JSONPath that columns of custom resources are written in: {@code .spec.replicas}, {@code .a.b\.c}, {@code
 * ['x']}, {@code [0]}, {@code [-1]}, {@code [1:3]}, {@code [0,2]}, {@code [*]}, {@code .*}, {@code ..name}, {@code
 * [?(@.type=="Ready")]}. Compiled once; immutable.
 */
public final class JsonPath implements Function<JsonNode, JsonNode> {
    /** From a node to the nodes one step further. */
    private interface Step {
        void walk(JsonNode node, List<JsonNode> found);
    }

    private final List<Step> steps;

    private JsonPath(List<Step> steps) {
        this.steps = List.copyOf(steps);
    }

    /**
     * Reads a path; braces around it and a dollar sign at its beginning are allowed.
     *
     * @throws IllegalArgumentException if it is malformed; the message says where
     */
    public static JsonPath parse(String text) {
        String path = text.strip();
        if (path.startsWith("{") && path.endsWith("}")) {
            path = path.substring(1, path.length() - 1).strip();
        }
        return new JsonPath(new Parser(path).steps());
    }

    /** All that the path leads to, in document order. */
    public List<JsonNode> all(JsonNode root) {
        List<JsonNode> now = List.of(root);
        for (Step step : steps) {
            List<JsonNode> next = new ArrayList<>();
            for (JsonNode node : now) {
                step.walk(node, next);
            }
            now = next;
        }
        return now;
    }

    /** The first node that the path leads to; missing if there is none. */
    @Override
    public JsonNode apply(JsonNode root) {
        List<JsonNode> found = all(root);
        return found.isEmpty() ? MissingNode.getInstance() : found.get(0);
    }

    private static final class Parser {
        private final String text;
        private int at;

        Parser(String text) {
            this.text = text;
        }

        List<Step> steps() {
            List<Step> steps = new ArrayList<>();
            if (peek() == '$' || peek() == '@') {
                at++;
            }
            while (at < text.length()) {
                if (text.startsWith("..", at)) {
                    at += 2;
                    steps.add(Parser::descend);
                    if (peek() != '[') {
                        steps.add(field());
                    }
                } else if (peek() == '.') {
                    at++;
                    if (at < text.length() && peek() != '[') {
                        steps.add(field());
                    }
                } else if (peek() == '[') {
                    at++;
                    steps.add(bracket());
                } else if (steps.isEmpty()) {
                    steps.add(field());
                } else {
                    throw malformed("expected . or [");
                }
            }
            return steps;
        }

        private char peek() {
            return at < text.length() ? text.charAt(at) : '\0';
        }

        private IllegalArgumentException malformed(String what) {
            return new IllegalArgumentException("JSONPath " + text + ": " + what + " at position " + at);
        }

        private static void descend(JsonNode node, List<JsonNode> found) {
            found.add(node);
            node.elements().forEachRemaining(child -> descend(child, found));
        }

        private Step field() {
            StringBuilder name = new StringBuilder();
            while (at < text.length() && ".[]()=!<>, ".indexOf(peek()) < 0) {
                char c = text.charAt(at++);
                if (c == '\\' && at < text.length()) {
                    c = text.charAt(at++);
                }
                name.append(c);
            }
            if (name.length() == 0) {
                throw malformed("expected a name");
            }
            return name.toString().equals("*") ? Parser::children : member(name.toString());
        }

        private static void children(JsonNode node, List<JsonNode> found) {
            node.elements().forEachRemaining(found::add);
        }

        private static Step member(String name) {
            return (node, found) -> {
                JsonNode value = node.get(name);
                if (value != null && !value.isNull()) {
                    found.add(value);
                }
            };
        }

        private Step bracket() {
            if (text.startsWith("?(", at)) {
                at += 2;
                Predicate<JsonNode> filter = filter();
                expect(')');
                expect(']');
                return (node, found) -> node.elements().forEachRemaining(e -> {
                    if (filter.test(e)) {
                        found.add(e);
                    }
                });
            }
            List<Step> union = new ArrayList<>();
            do {
                if (peek() == ',') {
                    at++;
                }
                skipSpace();
                if (peek() == '\'' || peek() == '"') {
                    union.add(member(quoted()));
                } else if (peek() == '*') {
                    at++;
                    union.add(Parser::children);
                } else {
                    union.add(indexes());
                }
                skipSpace();
            } while (peek() == ',');
            expect(']');
            return union.size() == 1 ? union.get(0) : (node, found) -> union.forEach(s -> s.walk(node, found));
        }

        private void expect(char c) {
            skipSpace();
            if (peek() != c) {
                throw malformed("expected " + c);
            }
            at++;
        }

        private void skipSpace() {
            while (peek() == ' ') {
                at++;
            }
        }

        private String quoted() {
            char quote = text.charAt(at++);
            StringBuilder value = new StringBuilder();
            while (at < text.length() && peek() != quote) {
                char c = text.charAt(at++);
                if (c == '\\' && at < text.length()) {
                    c = text.charAt(at++);
                }
                value.append(c);
            }
            if (at == text.length()) {
                throw malformed("expected " + quote);
            }
            at++;
            return value.toString();
        }

        /** {@code 3}, {@code -1}, {@code 1:}, {@code :2}, {@code 0:9:3}. */
        private Step indexes() {
            int end = at;
            while (end < text.length() && "0123456789-:".indexOf(text.charAt(end)) >= 0) {
                end++;
            }
            if (end == at) {
                throw malformed("expected an index");
            }
            String[] parts = text.substring(at, end).split(":", -1);
            try {
                int first = parts[0].isEmpty() ? 0 : Integer.parseInt(parts[0]);
                boolean single = parts.length == 1;
                boolean open = !single && parts[1].isEmpty();
                int last = single || open ? 0 : Integer.parseInt(parts[1]);
                int step = parts.length < 3 || parts[2].isEmpty() ? 1 : Integer.parseInt(parts[2]);
                at = end;
                return (node, found) -> {
                    int size = node.isArray() ? node.size() : 0;
                    int from = first < 0 ? first + size : first;
                    int to = single ? from + 1 : open ? size : last < 0 ? last + size : last;
                    for (int i = Math.max(0, from); i < Math.min(size, to) && step > 0; i += step) {
                        found.add(node.get(i));
                    }
                };
            } catch (NumberFormatException e) {
                throw malformed("expected an index");
            }
        }

        private Predicate<JsonNode> filter() {
            Function<JsonNode, List<JsonNode>> left = operand();
            skipSpace();
            for (String operator : List.of("==", "!=", "<=", ">=", "<", ">")) {
                if (text.startsWith(operator, at)) {
                    at += operator.length();
                    Function<JsonNode, List<JsonNode>> right = operand();
                    return node -> compare(operator, left.apply(node), right.apply(node));
                }
            }
            return node -> !left.apply(node).isEmpty();
        }

        private Function<JsonNode, List<JsonNode>> operand() {
            skipSpace();
            int start = at;
            if (peek() == '\'' || peek() == '"') {
                JsonNode constant = com.fasterxml.jackson.databind.node.TextNode.valueOf(quoted());
                return node -> List.of(constant);
            }
            if (peek() != '@') {
                while (at < text.length() && ")=!<> ".indexOf(peek()) < 0) {
                    at++;
                }
                JsonNode constant = constant(text.substring(start, at));
                return node -> List.of(constant);
            }
            int depth = 0;
            while (at < text.length() && (depth > 0 || ")=!<> ".indexOf(peek()) < 0)) {
                depth += peek() == '[' ? 1 : peek() == ']' ? -1 : 0;
                at++;
            }
            JsonPath path = new JsonPath(new Parser(text.substring(start, at)).steps());
            return path::all;
        }

        private JsonNode constant(String word) {
            if (word.equals("true") || word.equals("false")) {
                return com.fasterxml.jackson.databind.node.BooleanNode.valueOf(word.equals("true"));
            }
            try {
                return com.fasterxml.jackson.databind.node.DoubleNode.valueOf(Double.parseDouble(word));
            } catch (NumberFormatException e) {
                throw malformed("expected a constant, found " + word);
            }
        }

        private static boolean compare(String operator, List<JsonNode> left, List<JsonNode> right) {
            if (left.isEmpty() || right.isEmpty()) {
                return false;
            }
            JsonNode a = left.get(0);
            JsonNode b = right.get(0);
            int order;
            if (a.isNumber() && b.isNumber()) {
                order = Double.compare(a.asDouble(), b.asDouble());
            } else if (a.isTextual() && b.isTextual() || a.isBoolean() && b.isBoolean()) {
                order = a.asText().compareTo(b.asText());
            } else {
                return operator.equals("!=");
            }
            return switch (operator) {
                case "==" -> order == 0;
                case "!=" -> order != 0;
                case "<" -> order < 0;
                case "<=" -> order <= 0;
                case ">" -> order > 0;
                default -> order >= 0;
            };
        }
    }
}
