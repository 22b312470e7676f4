package io.trimtab.apiserver.openapi;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The types of Kubernetes by name, in the words of OpenAPI. Immutable after it is loaded. */
final class Definitions {
    static final String META = "io.k8s.apimachinery.pkg.apis.meta.v1.";

    private static final String REF = "#/";
    private static final String BARE = "bare reference";

    private final ObjectNode types;
    private final ObjectNode words;
    private final Map<String, String> byKind = new HashMap<>();

    private Definitions(ObjectNode types, ObjectNode words) {
        this.types = types;
        this.words = words;
        types.properties().forEach(type -> {
            JsonNode kinds = type.getValue().path("x-kubernetes-group-version-kind");
            // What serves every group (DeleteOptions and the like) belongs to none.
            if (kinds.size() == 1) {
                JsonNode kind = kinds.get(0);
                byKind.put(
                        key(
                                kind.path("group").asText(),
                                kind.path("version").asText(),
                                kind.path("kind").asText()),
                        type.getKey());
            }
        });
    }

    static Definitions load() {
        ObjectNode types = resource("types.json");
        ObjectNode details = resource("openapi-details.json");
        // The values of enumerations are for readers: the decoder takes any, as Kubernetes' does.
        details.path("enums")
                .properties()
                .forEach(type -> type.getValue().properties().forEach(e -> {
                    if (types.path(type.getKey()).at("/" + e.getKey()) instanceof ObjectNode schema) {
                        schema.set("enum", e.getValue());
                    }
                }));
        ObjectNode words = resource("openapi-descriptions.json");
        describe(types, words);
        // A few fields have no words of their own, so that their references stand bare.
        details.path("plainReferences").forEach(field -> {
            String[] parts = field.asText().split("/");
            if (types.path(parts[0]).path("properties").path(parts[1]) instanceof ObjectNode schema) {
                schema.put(BARE, true);
            }
        });
        return new Definitions(types, words);
    }

    /** Says what the fields mean that all objects have. Those of single kinds are left to Kubernetes' documentation. */
    private static void describe(ObjectNode types, ObjectNode words) {
        types.properties().forEach(type -> {
            JsonNode properties = type.getValue().path("properties");
            JsonNode own = words.path(type.getKey());
            if (own.has("")) {
                ((ObjectNode) type.getValue()).set("description", own.get(""));
            }
            describe(properties, own);
            if (type.getValue().has("x-kubernetes-group-version-kind")) {
                describe(properties, words.path("every object"));
            }
            JsonNode metadata = properties.path("metadata");
            String shape = metadata.path("$ref").asText();
            if (shape.endsWith(".ObjectMeta")) {
                ((ObjectNode) metadata).set("description", words.path("every object's metadata"));
            } else if (shape.endsWith(".ListMeta")) {
                if (properties.path("items") instanceof ObjectNode items) {
                    items.put("description", "List of " + plural(type.getKey()));
                }
                ((ObjectNode) metadata).set("description", words.path("every list's metadata"));
            }
        });
    }

    /** {@code services} of the name of the type ServiceList. */
    private static String plural(String list) {
        String kind = list.substring(list.lastIndexOf('.') + 1).replaceAll("List$", "");
        String word = kind.toLowerCase(java.util.Locale.ROOT);
        if (word.endsWith("s") || word.endsWith("x")) {
            return word.equals("endpoints") ? word : word + "es";
        }
        return word.endsWith("y") ? word.substring(0, word.length() - 1) + "ies" : word + "s";
    }

    private static void describe(JsonNode properties, JsonNode words) {
        words.properties().forEach(word -> {
            if (properties.path(word.getKey()) instanceof ObjectNode schema) {
                schema.set("description", word.getValue());
            }
        });
    }

    /** What stands in every object's type, or in every list's. */
    JsonNode words(String what) {
        return words.path(what);
    }

    private static ObjectNode resource(String name) {
        try (InputStream in = Definitions.class.getResourceAsStream("/io/trimtab/apiserver/" + name)) {
            if (in == null) {
                throw new IllegalStateException(name + " is missing from the class path");
            }
            return (ObjectNode) new ObjectMapper().readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(name + " cannot be read", e);
        }
    }

    private static String key(String group, String version, String kind) {
        return group + "/" + version + "/" + kind;
    }

    /** Whether Kubernetes itself has such a type. */
    boolean has(String name) {
        return types.has(name);
    }

    /** The name of the type of a kind; null if there is none. */
    @Nullable
    String nameOf(String group, String version, String kind) {
        return byKind.get(key(group, version, kind));
    }

    /** The types that these lead to, themselves included, with references as a document of version 3 has them. */
    ObjectNode closure(Set<String> roots, Map<String, ObjectNode> own) {
        Map<String, JsonNode> found = new TreeMap<>();
        Deque<String> open = new ArrayDeque<>(new TreeSet<>(roots));
        while (!open.isEmpty()) {
            String name = open.pop();
            JsonNode type = own.containsKey(name) ? own.get(name) : types.get(name);
            if (type != null && !found.containsKey(name)) {
                found.put(name, converted(type, open));
            }
        }
        ObjectNode schemas = JsonNodeFactory.instance.objectNode();
        found.forEach(schemas::set);
        return schemas;
    }

    /** A schema with its references renamed; what it refers to is added to {@code open}. */
    private static ObjectNode converted(JsonNode schema, Deque<String> open) {
        ObjectNode result = JsonNodeFactory.instance.objectNode();
        schema.properties().forEach(field -> {
            JsonNode value = field.getValue();
            switch (field.getKey()) {
                case "properties" -> {
                    ObjectNode properties = result.putObject("properties");
                    value.properties().forEach(p -> properties.set(p.getKey(), member(p.getValue(), true, open)));
                }
                case "items", "additionalProperties", "not" ->
                    result.set(field.getKey(), value.isObject() ? member(value, false, open) : value);
                case "oneOf", "anyOf", "allOf" -> {
                    ArrayNode all = result.putArray(field.getKey());
                    value.forEach(v -> all.add(member(v, false, open)));
                }
                default -> result.set(field.getKey(), value);
            }
        });
        return result;
    }

    /** A reference may not have siblings, so where something is said beside it, it is wrapped. */
    private static JsonNode member(JsonNode schema, boolean property, Deque<String> open) {
        JsonNode reference = schema.get("$ref");
        if (reference == null) {
            return converted(schema, open);
        }
        String name = reference.asText().substring(REF.length());
        open.push(name);
        ObjectNode plain = JsonNodeFactory.instance.objectNode().put("$ref", "#/components/schemas/" + name);
        if (schema.has(BARE) || !property && schema.size() == 1) {
            return plain;
        }
        ObjectNode wrapped = JsonNodeFactory.instance.objectNode();
        schema.properties().forEach(f -> {
            if (!f.getKey().equals("$ref")) {
                wrapped.set(f.getKey(), f.getValue());
            }
        });
        wrapped.putArray("allOf").add(plain);
        return wrapped;
    }
}
