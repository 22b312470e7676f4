package io.trimtab.apiserver.resource;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/** JSON that travels as the text of an annotation; text that is no JSON of the expected sort counts as absent. */
final class AnnotationJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private AnnotationJson() {}

    static ArrayNode array(JsonNode annotation) {
        return parse(annotation) instanceof ArrayNode array ? array : MAPPER.createArrayNode();
    }

    static @Nullable ObjectNode object(JsonNode annotation) {
        return parse(annotation) instanceof ObjectNode object ? object : null;
    }

    /** Empty arrays and objects are not worth an annotation. */
    static void put(ObjectNode annotations, String name, JsonNode value) {
        if (!value.isEmpty()) {
            annotations.put(name, value.toString());
        }
    }

    private static @Nullable JsonNode parse(JsonNode annotation) {
        if (!annotation.isTextual()) {
            return null;
        }
        try {
            return MAPPER.readTree(annotation.textValue());
        } catch (JsonProcessingException e) {
            return null;
        }
    }
}
