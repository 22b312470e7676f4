package io.trimtab.apiserver.auth;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.trimtab.apiserver.errors.FieldErrors;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads a configuration of the group {@code apiserver.config.k8s.io}, strictly: what it does not know is an error. Stateless. */
public final class ConfigText {
    private static final String GROUP = "apiserver.config.k8s.io/";

    /**
     * What may stand in a place.
     *
     * @param fields of an object, and what may stand there; null for a value that is looked at by others
     */
    public record Shape(@Nullable Map<String, Shape> fields) {
        /** Anything that is no object, or an object somebody else reads. */
        public static final Shape ANY = new Shape(null);

        /** An object, or a list of such, with these fields: each a name, or a name followed by its shape. */
        public static Shape of(Object... namesAndShapes) {
            Map<String, Shape> fields = new LinkedHashMap<>();
            for (int i = 0; i < namesAndShapes.length; i++) {
                boolean shaped = i + 1 < namesAndShapes.length && namesAndShapes[i + 1] instanceof Shape;
                fields.put((String) namesAndShapes[i], shaped ? (Shape) namesAndShapes[i + 1] : ANY);
                i += shaped ? 1 : 0;
            }
            return new Shape(fields);
        }
    }

    private ConfigText() {}

    /**
     * Reads a text.
     *
     * @param kind that it must be of
     * @param versions of the group that have such a kind
     * @param shape of the configuration, without kind and version
     * @throws IllegalArgumentException in Kubernetes' words, if it is not one
     */
    public static ObjectNode read(String text, String kind, Set<String> versions, Shape shape) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("empty config data");
        }
        JsonNode tree;
        try {
            tree = new YAMLMapper().readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    "couldn't get version/kind; json parse error: " + e.getOriginalMessage(), e);
        }
        String apiVersion = tree.path("apiVersion").asText("");
        String found = tree.path("kind").asText("");
        if (!(tree instanceof ObjectNode config) || found.isEmpty()) {
            throw new IllegalArgumentException("Object 'Kind' is missing in '" + text + "'");
        }
        if (apiVersion.isEmpty()) {
            throw new IllegalArgumentException("Object 'apiVersion' is missing in '" + text + "'");
        }
        boolean known = apiVersion.startsWith(GROUP) && versions.contains(apiVersion.substring(GROUP.length()));
        if (!known || !found.equals(kind)) {
            throw new IllegalArgumentException("no kind " + FieldErrors.quote(found) + " is registered for version "
                    + FieldErrors.quote(apiVersion));
        }
        List<String> unknown = new ArrayList<>();
        Map<String, Shape> top = new LinkedHashMap<>(shape.fields() == null ? Map.of() : shape.fields());
        top.put("kind", Shape.ANY);
        top.put("apiVersion", Shape.ANY);
        check(config, new Shape(top), "", unknown);
        if (!unknown.isEmpty()) {
            throw new IllegalArgumentException("strict decoding error: " + String.join(", ", unknown));
        }
        return config;
    }

    private static void check(JsonNode node, Shape shape, String path, List<String> unknown) {
        Map<String, Shape> fields = shape.fields();
        if (fields == null) {
            return;
        }
        if (node.isArray()) {
            for (int i = 0; i < node.size(); i++) {
                check(node.get(i), shape, path + "[" + i + "]", unknown);
            }
            return;
        }
        node.fields().forEachRemaining(entry -> {
            String at = path.isEmpty() ? entry.getKey() : path + "." + entry.getKey();
            Shape inner = fields.get(entry.getKey());
            if (inner == null) {
                unknown.add("unknown field " + FieldErrors.quote(at));
            } else {
                check(entry.getValue(), inner, at, unknown);
            }
        });
    }

    /** All errors as one message, as Kubernetes joins them. */
    public static String joined(FieldErrors errors) {
        List<String> all = errors.list().stream()
                .map(FieldErrors.FieldError::message)
                .distinct()
                .toList();
        return all.size() == 1 ? all.get(0) : "[" + String.join(", ", all) + "]";
    }
}
