package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Set;

/** How plugins refuse. Stateless. */
final class Refusals {
    private Refusals() {}

    /** The 403 that names the object, and says why. */
    static StatusException forbidden(AdmissionPlugin.Attributes attributes, String why) {
        return Statuses.forbidden(
                attributes.resource().group(), attributes.resource().plural(), name(attributes), why);
    }

    /** Several reasons as one text: equal ones once, in brackets if there are several. */
    static String joined(Collection<String> reasons) {
        Set<String> distinct = new LinkedHashSet<>(reasons);
        return distinct.size() == 1 ? distinct.iterator().next() : "[" + String.join(", ", distinct) + "]";
    }

    /** The object's name, or what it will be generated from. */
    private static String name(AdmissionPlugin.Attributes attributes) {
        if (!attributes.name().isEmpty()) {
            return attributes.name();
        }
        ObjectNode object = attributes.object();
        JsonNode metadata = object == null ? null : object.get("metadata");
        if (metadata != null) {
            String name = metadata.path("name").asText("");
            String prefix = metadata.path("generateName").asText("");
            if (!name.isEmpty() || !prefix.isEmpty()) {
                return name.isEmpty() ? prefix : name;
            }
        }
        return "Unknown";
    }
}
