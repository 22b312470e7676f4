package io.trimtab.apiserver.admission.policy;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.admission.AdmissionPlugin.Attributes;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;

/** How policies refuse. Stateless. */
final class Refusals {
    private Refusals() {}

    /** The 403 that names the object, and says why. */
    static StatusException forbidden(Attributes attributes, String why) {
        String name = attributes.name();
        if (name.isEmpty()) {
            JsonNode metadata = attributes.object() == null
                    ? com.fasterxml.jackson.databind.node.MissingNode.getInstance()
                    : attributes.object().path("metadata");
            name = metadata.path("name").asText("");
            name = name.isEmpty() ? metadata.path("generateName").asText("") : name;
            name = name.isEmpty() ? "Unknown" : name;
        }
        return Statuses.forbidden(
                attributes.resource().group(), attributes.resource().plural(), name, why);
    }
}
