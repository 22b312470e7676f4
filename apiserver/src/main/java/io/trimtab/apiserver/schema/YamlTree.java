package io.trimtab.apiserver.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.StringReader;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.composer.Composer;
import org.yaml.snakeyaml.composer.ComposerException;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.parser.ParserImpl;
import org.yaml.snakeyaml.reader.StreamReader;
import org.yaml.snakeyaml.reader.UnicodeReader;
import org.yaml.snakeyaml.resolver.Resolver;
import org.yaml.snakeyaml.scanner.ScannerException;

/**
 * YAML as the JSON that Kubernetes makes of it: YAML 1.1 words for booleans, keys as text, the first document only. Duplicate
 * keys are reported, and the last one wins.
 */
final class YamlTree {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final Set<String> TRUE =
            Set.of("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON");
    private static final Set<String> FALSE =
            Set.of("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF");
    private static final Set<String> NULL = Set.of("", "~", "null", "Null", "NULL");
    private static final Pattern FLOAT = Pattern.compile("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?");
    private static final Pattern INT = Pattern.compile("[-+]?(0b[01_]+|0x[0-9a-fA-F_]+|0o?[0-7_]+|[0-9][0-9_]*)");
    // Go's library lets small documents consist of aliases nearly whole, and of large ones only a tenth: what is more
    // is a
    // bomb.
    private static final int ALIASES_LOOKED_AT = 100;
    private static final int NODES_LOOKED_AT = 1000;
    private static final double SMALL = 400_000;
    private static final double LARGE = 4_000_000;

    private static final int MAX_DEPTH = 1000;
    private static final int MAX_INTEGER_DIGITS = 400;

    private final List<String> duplicates = new ArrayList<>();
    private final Map<Node, Boolean> open = new IdentityHashMap<>();
    private final Map<Node, Boolean> seen = new IdentityHashMap<>();
    private int count;
    private int aliased;
    private int aliasDepth;

    private YamlTree() {}

    static JsonNode read(byte[] text, List<String> duplicates) throws DecodeException {
        try {
            LoaderOptions options = new LoaderOptions();
            options.setCodePointLimit(Integer.MAX_VALUE);
            options.setNestingDepthLimit(MAX_DEPTH);
            options.setMaxAliasesForCollections(Integer.MAX_VALUE);
            StreamReader reader = text.length > 1 && (text[0] & 0xff) >= 0xfe
                    ? new StreamReader(new UnicodeReader(new java.io.ByteArrayInputStream(text)))
                    : new StreamReader(new StringReader(withoutTabs(new String(text, StandardCharsets.UTF_8))));
            Composer composer = new Composer(new ParserImpl(reader, options), new Resolver(), options);
            Node root = composer.checkNode() ? composer.getNode() : null;
            YamlTree tree = new YamlTree();
            JsonNode json = root == null ? NODES.nullNode() : tree.convert(root);
            if (!tree.duplicates.isEmpty()) {
                duplicates.add("yaml: unmarshal errors:\n  " + String.join("\n  ", tree.duplicates));
            }
            return json;
        } catch (ComposerException e) {
            String problem = String.valueOf(e.getProblem());
            int alias = problem.indexOf("undefined alias ");
            throw new Malformed(
                    alias < 0
                            ? "yaml: " + problem
                            : "yaml: unknown anchor '" + problem.substring(alias + 16) + "' referenced");
        } catch (MarkedYAMLException e) {
            throw new Malformed("yaml: " + place(e, text) + problem(e));
        } catch (YAMLException e) {
            if (String.valueOf(e.getMessage()).startsWith("Nesting Depth exceeded")) {
                // Go's parser lets ten times that pass; what comes next would not.
                throw new Malformed("yaml: " + deepLine(text) + "exceeded max depth of 10000");
            }
            String problem = String.valueOf(e.getMessage());
            throw new Malformed(
                    "yaml: " + (problem.startsWith("special char") ? "control" + problem.substring(7) : problem));
        } catch (StackOverflowError e) {
            // The library's parser calls itself for each level, and how many fit depends on the thread and on what is
            // compiled.
            throw new Malformed("yaml: " + deepLine(text) + "exceeded max depth of 10000");
        }
    }

    /** Between brackets Go's library takes tabs for spaces, so that indented JSON is YAML for it; this one does not. */
    private static String withoutTabs(String text) {
        String begin = text.stripLeading();
        if (text.indexOf('\t') < 0 || !begin.startsWith("{") && !begin.startsWith("[")) {
            return text;
        }
        char[] chars = text.toCharArray();
        char quote = 0;
        for (int i = 0; i < chars.length; i++) {
            char c = chars[i];
            if (quote != 0) {
                if (c == '\\' && quote == '"') {
                    i++;
                } else if (c == quote) {
                    quote = 0;
                }
            } else if (c == '"' || c == '\'') {
                quote = c;
            } else if (c == '\t') {
                chars[i] = ' ';
            }
        }
        return new String(chars);
    }

    /** Where brackets are open too deep. */
    private static String deepLine(byte[] text) {
        int depth = 0;
        int line = 1;
        for (byte b : text) {
            if (b == '[' || b == '{') {
                if (++depth > MAX_DEPTH) {
                    break;
                }
            } else if (b == ']' || b == '}') {
                depth--;
            } else if (b == '\n') {
                line++;
            }
        }
        return depth > MAX_DEPTH ? "line " + line + ": " : "";
    }

    // Go's library counts lines from zero, leaves the first one unsaid, and adds one for errors of its scanner.
    private static String place(MarkedYAMLException e, byte[] text) {
        boolean scanner = e instanceof ScannerException;
        int line = line(e.getContextMark(), text, scanner);
        line = line != 0 ? line : line(e.getProblemMark(), text, scanner);
        if (line != 0 && scanner) {
            line++;
        }
        return line == 0 ? "" : "line " + line + ": ";
    }

    private static int line(@Nullable Mark mark, byte[] text, boolean scanner) {
        if (mark == null) {
            return 0;
        }
        // At the end of the text Go starts a new line, for its parser.
        String whole = new String(text, StandardCharsets.UTF_8);
        int length = whole.codePointCount(0, whole.length());
        return !scanner && mark.getIndex() >= length && mark.getColumn() != 0 ? mark.getLine() + 1 : mark.getLine();
    }

    private static String problem(MarkedYAMLException e) {
        String problem = String.valueOf(e.getProblem());
        if (problem.startsWith("mapping values are not allowed")) {
            return "mapping values are not allowed in this context";
        }
        if (problem.contains("cannot start any token")) {
            return "found character that cannot start any token";
        }
        if (problem.startsWith("found unknown escape character")) {
            return "found unknown escape character";
        }
        if (problem.startsWith("expected alphabetic or numeric character")) {
            return "could not find expected directive name";
        }
        if (problem.startsWith("expected the node content")) {
            return "did not find expected node content";
        }
        if (problem.startsWith("expected ',' or '")) {
            return "did not find " + problem.substring(0, "expected ',' or ']'".length());
        }
        if (problem.startsWith("expected '<document start>'")) {
            return "did not find expected <document start>";
        }
        if (problem.startsWith("expected <block end>")) {
            return e.getContext() != null && e.getContext().contains("collection")
                    ? "did not find expected '-' indicator"
                    : "did not find expected key";
        }
        if (problem.startsWith("could not find expected ':'")) {
            return "could not find expected ':'";
        }
        return problem;
    }

    private JsonNode convert(Node node) throws DecodeException {
        count++;
        // The parser hands out the same node for an alias as for its anchor.
        boolean alias = node.getAnchor() != null && seen.put(node, true) != null;
        if (alias) {
            aliasDepth++;
        }
        if (aliasDepth > 0) {
            aliased++;
        }
        if (aliased > ALIASES_LOOKED_AT
                && count > NODES_LOOKED_AT
                && (double) aliased / count > allowedAliases(count)) {
            throw new Malformed("yaml: document contains excessive aliasing");
        }
        JsonNode result;
        if (node instanceof ScalarNode scalar) {
            result = scalar(scalar);
        } else {
            if (open.put(node, true) != null) {
                throw new Malformed("yaml: anchor '" + node.getAnchor() + "' value contains itself");
            }
            result = node instanceof SequenceNode sequence ? sequence(sequence) : mapping((MappingNode) node);
            open.remove(node);
        }
        if (alias) {
            aliasDepth--;
        }
        return result;
    }

    private static double allowedAliases(int nodes) {
        return 0.99 - 0.89 * Math.min(1, Math.max(0, (nodes - SMALL) / (LARGE - SMALL)));
    }

    private ArrayNode sequence(SequenceNode sequence) throws DecodeException {
        ArrayNode array = NODES.arrayNode();
        for (Node item : sequence.getValue()) {
            array.add(convert(item));
        }
        return array;
    }

    private ObjectNode mapping(MappingNode mapping) throws DecodeException {
        ObjectNode object = NODES.objectNode();
        for (NodeTuple tuple : mapping.getValue()) {
            if (isMerge(tuple.getKeyNode())) {
                merge(tuple.getValueNode(), object);
            }
        }
        Set<String> own = new java.util.HashSet<>();
        for (NodeTuple tuple : mapping.getValue()) {
            if (isMerge(tuple.getKeyNode())) {
                continue;
            }
            JsonNode key = convert(tuple.getKeyNode());
            if (key.isNull()) {
                throw new Malformed(
                        "unsupported map key of type: %!s(<nil>), key: <nil>, value: " + convert(tuple.getValueNode()));
            }
            if (!key.isValueNode()) {
                throw new Malformed("yaml: invalid map key: " + key);
            }
            String name = key.asText();
            if (!own.add(name)) {
                int line = tuple.getKeyNode().getStartMark().getLine() + 1;
                duplicates.add("line " + line + ": key \"" + name + "\" already set in map");
            }
            object.set(name, convert(tuple.getValueNode()));
        }
        return object;
    }

    private static boolean isMerge(Node key) {
        return key instanceof ScalarNode s
                && s.getScalarStyle() == DumperOptions.ScalarStyle.PLAIN
                && s.getValue().equals("<<");
    }

    private void merge(Node from, ObjectNode into) throws DecodeException {
        if (from instanceof SequenceNode sequence) {
            // Earlier maps win over later ones.
            for (int i = sequence.getValue().size() - 1; i >= 0; i--) {
                merge(sequence.getValue().get(i), into);
            }
        } else if (convert(from) instanceof ObjectNode object) {
            into.setAll(object);
        } else {
            throw new Malformed("yaml: map merge requires map or sequence of maps as the value");
        }
    }

    private static JsonNode scalar(ScalarNode scalar) throws DecodeException {
        String text = scalar.getValue();
        Tag tag = scalar.getTag();
        if (tag.equals(Tag.BINARY)) {
            return NODES.textNode(new String(java.util.Base64.getMimeDecoder().decode(text), StandardCharsets.UTF_8));
        }
        if (scalar.getScalarStyle() != DumperOptions.ScalarStyle.PLAIN || tag.equals(Tag.STR) && isPlainText(scalar)) {
            return NODES.textNode(text);
        }
        if (NULL.contains(text)) {
            return NODES.nullNode();
        }
        if (TRUE.contains(text)) {
            return NODES.booleanNode(true);
        }
        if (FALSE.contains(text)) {
            return NODES.booleanNode(false);
        }
        JsonNode number = number(text);
        return number != null ? number : NODES.textNode(text);
    }

    // A plain scalar that the resolver takes for text may still be one of the words it does not know ("y"), or one that
    // was tagged "!!str" by hand; only the tag's text in the source tells, and that is kept for explicit tags alone.
    private static boolean isPlainText(ScalarNode scalar) {
        String text = scalar.getValue();
        boolean special = NULL.contains(text) || TRUE.contains(text) || FALSE.contains(text) || number(text) != null;
        boolean wouldResolve = !new Resolver()
                .resolve(org.yaml.snakeyaml.nodes.NodeId.scalar, text, true)
                .equals(Tag.STR);
        return !special || wouldResolve;
    }

    private static @Nullable JsonNode number(String text) {
        if (text.isEmpty() || "+-.0123456789".indexOf(text.charAt(0)) < 0) {
            return null;
        }
        if (INT.matcher(text).matches()) {
            JsonNode whole = integer(text.replace("_", ""));
            if (whole != null) {
                return whole;
            }
        }
        if (!FLOAT.matcher(text).matches()) {
            return null;
        }
        double number = Double.parseDouble(text);
        // Too large for a number is text.
        return Double.isInfinite(number) ? null : GoNumbers.node(number);
    }

    private static @Nullable JsonNode integer(String text) {
        boolean negative = text.startsWith("-");
        String digits = negative || text.startsWith("+") ? text.substring(1) : text;
        int radix = 10;
        if (digits.startsWith("0x")) {
            radix = 16;
            digits = digits.substring(2);
        } else if (digits.startsWith("0b")) {
            radix = 2;
            digits = digits.substring(2);
        } else if (digits.startsWith("0o")) {
            radix = 8;
            digits = digits.substring(2);
        } else if (digits.length() > 1 && digits.startsWith("0")) {
            radix = 8;
            digits = digits.substring(1);
        }
        if (digits.length() > MAX_INTEGER_DIGITS) {
            // Not whole in 64 bits whatever the digits; to find out takes time by their number squared.
            return null;
        }
        try {
            BigInteger n = new BigInteger(digits, radix);
            n = negative ? n.negate() : n;
            if (n.bitLength() > 63) {
                return NODES.numberNode(n.doubleValue());
            }
            long value = n.longValue();
            return value == (int) value ? NODES.numberNode((int) value) : NODES.numberNode(value);
        } catch (NumberFormatException e) {
            return null;
        }
    }
}
