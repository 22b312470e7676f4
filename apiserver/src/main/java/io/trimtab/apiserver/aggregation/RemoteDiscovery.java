package io.trimtab.apiserver.aggregation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.Map;

/** Turns what a server says of a group version into the form of aggregated discovery. Stateless. */
final class RemoteDiscovery {
    private RemoteDiscovery() {}

    /** @param list an {@code APIResourceList} */
    static ArrayNode resources(JsonNode list) {
        Map<String, ObjectNode> byName = new LinkedHashMap<>();
        for (JsonNode line : list.path("resources")) {
            String name = line.path("name").asText();
            if (name.indexOf('/') < 0) {
                byName.put(name, resource(line, name));
            }
        }
        for (JsonNode line : list.path("resources")) {
            String name = line.path("name").asText();
            int slash = name.indexOf('/');
            if (slash > 0) {
                ObjectNode parent = byName.computeIfAbsent(
                        name.substring(0, slash),
                        n -> parentless(n, line.path("namespaced").asBoolean()));
                subresource(parent.withArrayProperty("subresources").addObject(), line, name.substring(slash + 1));
            }
        }
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        byName.values().forEach(all::add);
        return all;
    }

    private static ObjectNode resource(JsonNode line, String name) {
        ObjectNode resource = JsonNodeFactory.instance.objectNode().put("resource", name);
        responseKind(resource, line);
        resource.put("scope", line.path("namespaced").asBoolean() ? "Namespaced" : "Cluster");
        resource.put("singularResource", line.path("singularName").asText(""));
        resource.set("verbs", line.path("verbs").isArray() ? line.get("verbs") : resource.arrayNode());
        for (String field : new String[] {"shortNames", "categories"}) {
            if (!line.path(field).isEmpty()) {
                resource.set(field, line.get(field));
            }
        }
        return resource;
    }

    private static ObjectNode parentless(String name, boolean namespaced) {
        ObjectNode resource = JsonNodeFactory.instance.objectNode().put("resource", name);
        resource.put("scope", namespaced ? "Namespaced" : "Cluster");
        resource.put("singularResource", "");
        resource.putNull("verbs");
        return resource;
    }

    private static void subresource(ObjectNode below, JsonNode line, String name) {
        below.put("subresource", name);
        responseKind(below, line);
        below.set("verbs", line.path("verbs").isArray() ? line.get("verbs") : below.arrayNode());
    }

    private static void responseKind(ObjectNode entry, JsonNode line) {
        entry.putObject("responseKind")
                .put("group", line.path("group").asText(""))
                .put("version", line.path("version").asText(""))
                .put("kind", line.path("kind").asText(""));
    }
}
