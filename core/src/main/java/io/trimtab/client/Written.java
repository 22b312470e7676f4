package io.trimtab.client;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.fabric8.kubernetes.api.model.HasMetadata;
import java.io.IOException;

/**
 * What a writer is told of an object that it does not want back.
 *
 * @param namespace empty for cluster-scoped objects
 * @param resourceVersion of the object as stored
 */
public record Written(String namespace, String name, String resourceVersion) {

    /** The same of an object that was read. */
    public static Written of(HasMetadata object) {
        var metadata = object.getMetadata();
        return new Written(
                text(metadata.getNamespace()), text(metadata.getName()), text(metadata.getResourceVersion()));
    }

    private static String text(String value) {
        return value == null ? "" : value;
    }

    /** Reads the head of an object in JSON: metadata comes first in what servers write, and the rest is not looked at. */
    static Written read(byte[] json) {
        String namespace = "";
        String name = "";
        String version = "";
        try (JsonParser parser = KubernetesJson.mapper().getFactory().createParser(json)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                boolean metadata = parser.currentName().equals("metadata");
                JsonToken value = parser.nextToken();
                if (!metadata || value != JsonToken.START_OBJECT) {
                    parser.skipChildren();
                    continue;
                }
                while (version.isEmpty() && parser.nextToken() == JsonToken.FIELD_NAME) {
                    String field = parser.currentName();
                    parser.nextToken();
                    switch (field) {
                        case "namespace" -> namespace = parser.getText();
                        case "name" -> name = parser.getText();
                        // The last of the three, in the order in which they are declared and in the alphabet's.
                        case "resourceVersion" -> version = parser.getText();
                        default -> parser.skipChildren();
                    }
                }
                return new Written(namespace, name, version);
            }
        } catch (IOException e) {
            throw new ApiException("cannot read the answer: " + e.getMessage(), e);
        }
        throw new ApiException("cannot read the answer: it has no metadata", new IOException("no metadata"));
    }
}
