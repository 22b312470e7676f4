package io.trimtab.apiserver.kinds.apiextensions;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.kinds.Trees;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The formats of strings that are checked; others may be written in a schema, and mean nothing. Stateless. */
final class StringFormats {
    /** Without dashes, as they are compared; those of Kubernetes names are too young to be known where a 1.33 may still run. */
    private static final Set<String> KNOWN = Set.of(
            "bsonobjectid",
            "uri",
            "email",
            "hostname",
            "ipv4",
            "ipv6",
            "cidr",
            "mac",
            "uuid",
            "uuid3",
            "uuid4",
            "uuid5",
            "isbn",
            "isbn10",
            "isbn13",
            "creditcard",
            "ssn",
            "hexcolor",
            "rgbcolor",
            "byte",
            "password",
            "date",
            "duration",
            "datetime");

    private StringFormats() {}

    /** The formats of a definition's strings that nobody knows, one after the other. */
    static List<String> unknown(JsonNode spec) {
        List<JsonNode> versions = Trees.items(spec, "versions");
        boolean alike = versions.stream().allMatch(v -> Trees.same(v, versions.get(0), "schema"));
        List<String> found = new ArrayList<>();
        // What all versions say is kept once, and told once.
        for (JsonNode version : alike && !versions.isEmpty() ? versions.subList(0, 1) : versions) {
            collect(version.path("schema").path("openAPIV3Schema"), found);
        }
        return found;
    }

    private static void collect(JsonNode schema, List<String> found) {
        String format = schema.path("format").asText("");
        if (!format.isEmpty()
                && schema.path("type").asText("").equals("string")
                && !KNOWN.contains(format.replace("-", ""))) {
            found.add(format);
        }
        for (String one : List.of("items", "not", "additionalProperties")) {
            if (schema.path(one).isObject()) {
                collect(schema.path(one), found);
            }
        }
        for (String list : List.of("allOf", "oneOf", "anyOf")) {
            schema.path(list).forEach(each -> collect(each, found));
        }
        Map<String, JsonNode> sorted = new TreeMap<>();
        schema.path("properties").properties().forEach(e -> sorted.put(e.getKey(), e.getValue()));
        sorted.values().forEach(each -> collect(each, found));
    }
}
