package io.trimtab.apiserver.customresources;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.trimtab.apiserver.resource.ApiResource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The versions of a definition, as resources. Stateless. */
final class Versions {
    private static final Set<String> VERBS = Collections.unmodifiableSet(new LinkedHashSet<>(
            List.of("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")));
    private static final Set<String> SUB_VERBS = Set.of("get", "patch", "update");

    private Versions() {}

    /** The resource at the version that objects are stored as. */
    static ApiResource storage(JsonNode definition) {
        for (JsonNode version : definition.path("spec").path("versions")) {
            if (version.path("storage").asBoolean()) {
                return resource(definition, version);
            }
        }
        return resource(definition, MissingNode.getInstance());
    }

    /** The resource at a version, under the names that were accepted. */
    static ApiResource resource(JsonNode definition, JsonNode version) {
        JsonNode spec = definition.path("spec");
        JsonNode accepted = definition.path("status").path("acceptedNames");
        JsonNode names = accepted.path("plural").asText("").isEmpty() ? spec.path("names") : accepted;
        Map<String, ApiResource.Subresource> subresources = new LinkedHashMap<>();
        JsonNode asked = version.path("subresources");
        if (asked.path("status").isObject()) {
            subresources.put(
                    "status",
                    new ApiResource.Subresource(
                            "status", null, null, names.path("kind").asText(), SUB_VERBS));
        }
        if (asked.path("scale").isObject()) {
            subresources.put("scale", new ApiResource.Subresource("scale", "autoscaling", "v1", "Scale", SUB_VERBS));
        }
        return new ApiResource(
                spec.path("group").asText(),
                version.path("name").asText(),
                spec.path("names").path("plural").asText(),
                names.path("singular").asText(),
                names.path("kind").asText(),
                spec.path("scope").asText().equals("Namespaced"),
                VERBS,
                texts(names.path("shortNames")),
                texts(names.path("categories")),
                Collections.unmodifiableMap(subresources),
                true);
    }

    /**
     * Whether all objects in the store are as this version would write them: then they can be sent without a look. They are if
     * the definition was never changed and this is its storage version.
     */
    static boolean isWrittenAsRead(JsonNode definition, ApiResource resource, ApiResource stored) {
        return resource.equals(stored)
                && definition.path("metadata").path("generation").asLong() == 1
                && definition.path("status").path("storedVersions").size() == 1;
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(t -> texts.add(t.asText()));
        return List.copyOf(texts);
    }
}
