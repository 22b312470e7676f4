package io.trimtab.apiserver.resource;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * How fast an autoscaler may go, as the annotation of autoscaling/v1 holds it: Kubernetes writes its internal type there, whose names
 * begin with capitals and whose unset fields are null. Pure functions.
 */
final class AutoscalerBehavior {
    private AutoscalerBehavior() {}

    static ObjectNode toV1(JsonNode behavior) {
        ObjectNode internal = JsonNodeFactory.instance.objectNode();
        internal.set("ScaleUp", rules(behavior.path("scaleUp")));
        internal.set("ScaleDown", rules(behavior.path("scaleDown")));
        return internal;
    }

    private static JsonNode rules(JsonNode rules) {
        if (!rules.isObject()) {
            return JsonNodeFactory.instance.nullNode();
        }
        ObjectNode internal = JsonNodeFactory.instance.objectNode();
        internal.set("StabilizationWindowSeconds", orNull(rules.path("stabilizationWindowSeconds")));
        internal.set("SelectPolicy", orNull(rules.path("selectPolicy")));
        if (rules.path("policies").isArray()) {
            ArrayNode policies = internal.putArray("Policies");
            for (JsonNode policy : rules.path("policies")) {
                policies.addObject()
                        .put("Type", policy.path("type").asText())
                        .put("Value", policy.path("value").asInt())
                        .put("PeriodSeconds", policy.path("periodSeconds").asInt());
            }
        } else {
            internal.putNull("Policies");
        }
        internal.set("Tolerance", orNull(rules.path("tolerance")));
        return internal;
    }

    private static JsonNode orNull(JsonNode value) {
        return value.isMissingNode() ? JsonNodeFactory.instance.nullNode() : value;
    }

    /** Names begin small, and what is null is not there; that holds for annotations of either spelling. */
    static JsonNode toV2(JsonNode behavior) {
        return uncapitalized(behavior);
    }

    private static JsonNode uncapitalized(JsonNode value) {
        if (value instanceof ArrayNode array) {
            ArrayNode all = JsonNodeFactory.instance.arrayNode();
            array.forEach(element -> all.add(uncapitalized(element)));
            return all;
        }
        if (!(value instanceof ObjectNode object)) {
            return value;
        }
        ObjectNode all = JsonNodeFactory.instance.objectNode();
        object.properties().forEach(field -> {
            if (!field.getValue().isNull()) {
                String name = field.getKey();
                all.set(Character.toLowerCase(name.charAt(0)) + name.substring(1), uncapitalized(field.getValue()));
            }
        });
        return all;
    }
}
