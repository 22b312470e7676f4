package io.trimtab.apiserver.table;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/** Forms of text that cells of several kinds share. */
final class Texts {
    static final String NONE = "<none>";
    static final String UNSET = "<unset>";

    private Texts() {}

    static String name(JsonNode object) {
        return object.path("metadata").path("name").asText("");
    }

    static String orNone(String text) {
        return text.isEmpty() ? NONE : text;
    }

    static String orNone(JsonNode text) {
        return orNone(text.asText(""));
    }

    /** The text of a field that may be absent; {@code <unset>} then. */
    static String orUnset(JsonNode value) {
        return value.isMissingNode() || value.isNull() ? UNSET : value.asText();
    }

    /** {@code True}, {@code False} or {@code <unset>}. */
    static String trueFalse(JsonNode value) {
        return value.isBoolean() ? value.booleanValue() ? "True" : "False" : UNSET;
    }

    /** {@code k=v,k2=v2} in the order of keys, {@code <none>} for none. */
    static String labels(JsonNode map) {
        TreeMap<String, String> sorted = new TreeMap<>();
        map.fields().forEachRemaining(f -> sorted.put(f.getKey(), f.getValue().asText("")));
        List<String> pairs = new ArrayList<>();
        sorted.forEach((k, v) -> pairs.add(k + "=" + v));
        return orNone(String.join(",", pairs));
    }

    /** A structured selector in text form; {@code <none>} for one without requirements. */
    static String selector(JsonNode selector) {
        return orNone(selectorOrEmpty(selector));
    }

    /** A structured selector in text form, its requirements sorted by key. */
    static String selectorOrEmpty(JsonNode selector) {
        // One key may have several requirements; they keep their order.
        List<Map.Entry<String, String>> terms = new ArrayList<>();
        selector.path("matchLabels")
                .fields()
                .forEachRemaining(f -> terms.add(
                        Map.entry(f.getKey(), f.getKey() + "=" + f.getValue().asText(""))));
        terms.sort(Map.Entry.comparingByKey());
        for (JsonNode requirement : selector.path("matchExpressions")) {
            String key = requirement.path("key").asText("");
            TreeSet<String> values = new TreeSet<>();
            requirement.path("values").forEach(v -> values.add(v.asText("")));
            String in = "(" + String.join(",", values) + ")";
            String term =
                    switch (requirement.path("operator").asText("")) {
                        case "In" -> key + " in " + in;
                        case "NotIn" -> key + " notin " + in;
                        case "Exists" -> key;
                        case "DoesNotExist" -> "!" + key;
                        default -> "";
                    };
            if (term.isEmpty()) {
                return "<error>";
            }
            terms.add(Map.entry(key, term));
        }
        terms.sort(Map.Entry.comparingByKey());
        List<String> texts = new ArrayList<>();
        terms.forEach(t -> texts.add(t.getValue()));
        return String.join(",", texts);
    }

    static String join(String separator, JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(t -> texts.add(t.asText("")));
        return String.join(separator, texts);
    }

    /** One field of each element. */
    static String join(String separator, JsonNode array, String field) {
        List<String> texts = new ArrayList<>();
        array.forEach(t -> texts.add(t.path(field).asText("")));
        return String.join(separator, texts);
    }

    /** At most three of them, and how many more there are; {@code <unset>} for none. */
    static String firstThree(List<String> all) {
        String shown = String.join(",", all.subList(0, Math.min(3, all.size())));
        if (all.size() > 3) {
            return shown + " + " + (all.size() - 3) + " more...";
        }
        return shown.isEmpty() ? UNSET : shown;
    }

    /** Names and images of a pod template's containers, as two cells. */
    static Row containers(Row row, JsonNode podSpec) {
        return row.add(join(",", podSpec.path("containers"), "name"))
                .add(join(",", podSpec.path("containers"), "image"));
    }

    /** The condition of this type, or a missing node. */
    static JsonNode condition(JsonNode object, String type) {
        JsonNode found = com.fasterxml.jackson.databind.node.MissingNode.getInstance();
        for (Iterator<JsonNode> all = object.path("status").path("conditions").elements(); all.hasNext(); ) {
            JsonNode condition = all.next();
            if (condition.path("type").asText("").equals(type)) {
                return condition;
            }
        }
        return found;
    }

    static boolean isTrue(JsonNode condition) {
        return condition.path("status").asText("").equals("True");
    }

    static boolean isDeleting(JsonNode object) {
        return object.path("metadata").has("deletionTimestamp");
    }
}
