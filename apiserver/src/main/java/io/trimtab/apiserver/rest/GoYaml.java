package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.DumperOptions.FlowStyle;
import org.yaml.snakeyaml.DumperOptions.ScalarStyle;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.representer.Represent;
import org.yaml.snakeyaml.representer.Representer;

/**
 * YAML as Kubernetes' servers write it: keys in natural order, block style, lines folded at 80 columns, text quoted where a reader
 * of YAML 1.1 would take it for something else. Stateless; safe for use by any thread.
 */
final class GoYaml {
    private static final Set<String> WORDS = Set.of(
            "y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE", "n", "N", "no", "No", "NO", "off",
            "Off", "OFF", "false", "False", "FALSE", "", "~", "null", "Null", "NULL", ".nan", ".NaN", ".NAN", ".inf",
            ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF");
    private static final Pattern NUMBER = Pattern.compile(
            "[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+" + "|(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?)");
    private static final Pattern SIXTIETHS = Pattern.compile("[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\\.[0-9_]*)?");
    private static final Pattern TIME = Pattern.compile(
            "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(([Tt]|[ \\t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?[ \\t]*(Z|[-+][0-9:]+)?)?");

    private GoYaml() {}

    static byte[] write(JsonNode node) {
        DumperOptions options = new DumperOptions();
        options.setDefaultFlowStyle(FlowStyle.BLOCK);
        options.setAllowUnicode(true);
        options.setWidth(80);
        options.setLineBreak(DumperOptions.LineBreak.UNIX);
        return new Yaml(new Texts(options), options).dump(plain(node)).getBytes(StandardCharsets.UTF_8);
    }

    private static @Nullable Object plain(JsonNode node) {
        if (node.isObject()) {
            List<String> names = new ArrayList<>();
            node.fieldNames().forEachRemaining(names::add);
            names.sort(GoYaml::compareNaturally);
            Map<String, @Nullable Object> map = new LinkedHashMap<>();
            names.forEach(name -> map.put(name, plain(node.path(name))));
            return map;
        }
        if (node.isArray()) {
            List<@Nullable Object> list = new ArrayList<>();
            node.forEach(element -> list.add(plain(element)));
            return list;
        }
        if (node.isTextual()) {
            return node.textValue();
        }
        if (node.isNull()) {
            return null;
        }
        return node.isBoolean() ? (Object) node.booleanValue() : node.numberValue();
    }

    /** Numbers within names by their value, and letters behind what is none. */
    static int compareNaturally(String left, String right) {
        boolean behindDigit = false;
        int common = Math.min(left.length(), right.length());
        for (int i = 0; i < common; i++) {
            char a = left.charAt(i);
            char b = right.charAt(i);
            if (a == b) {
                behindDigit = Character.isDigit(a);
                continue;
            }
            boolean isLetter = Character.isLetter(a);
            if (isLetter != Character.isLetter(b)) {
                return isLetter == behindDigit ? -1 : 1;
            }
            if (isLetter) {
                return Character.compare(a, b);
            }
            int order = compareNumbers(left, right, i);
            return order != 0 ? order : Character.compare(a, b);
        }
        return Integer.compare(left.length(), right.length());
    }

    private static int compareNumbers(String left, String right, int from) {
        int leftEnd = digitsEnd(left, from);
        int rightEnd = digitsEnd(right, from);
        // A zero counts if a digit other than zero stands before it.
        boolean isWithin = (left.charAt(from) == '0' || right.charAt(from) == '0') && hasNonZeroBefore(left, from);
        String a = (isWithin ? "1" : "0") + left.substring(from, leftEnd);
        String b = (isWithin ? "1" : "0") + right.substring(from, rightEnd);
        int byValue = new java.math.BigInteger(a).compareTo(new java.math.BigInteger(b));
        return byValue != 0 ? byValue : Integer.compare(leftEnd, rightEnd);
    }

    private static int digitsEnd(String text, int from) {
        int end = from;
        while (end < text.length() && text.charAt(end) >= '0' && text.charAt(end) <= '9') {
            end++;
        }
        return end;
    }

    private static boolean hasNonZeroBefore(String text, int from) {
        for (int i = from - 1; i >= 0 && Character.isDigit(text.charAt(i)); i--) {
            if (text.charAt(i) != '0') {
                return true;
            }
        }
        return false;
    }

    /** Whether a reader would take the text, unquoted, for something else. */
    static boolean isAmbiguous(String text) {
        if (WORDS.contains(text)) {
            return true;
        }
        char first = text.charAt(0);
        if (first != '.' && first != '-' && first != '+' && !Character.isDigit(first)) {
            return false;
        }
        return NUMBER.matcher(text.replace("_", "")).matches()
                || SIXTIETHS.matcher(text).matches()
                || TIME.matcher(text).matches();
    }

    private static final class Texts extends Representer {
        Texts(DumperOptions options) {
            super(options);
            representers.put(String.class, new RepresentText());
        }

        private final class RepresentText implements Represent {
            @Override
            public Node representData(Object data) {
                String text = (String) data;
                ScalarStyle style = ScalarStyle.PLAIN;
                if (text.indexOf('\n') >= 0) {
                    style = ScalarStyle.LITERAL;
                } else if (isAmbiguous(text)) {
                    style = ScalarStyle.DOUBLE_QUOTED;
                }
                return representScalar(Tag.STR, text, style);
            }
        }
    }
}
