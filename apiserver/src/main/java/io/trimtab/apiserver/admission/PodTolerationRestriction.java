package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.Statuses;

/** Adds the tolerations that a namespace gives its pods, and refuses those it does not allow. */
final class PodTolerationRestriction implements AdmissionPlugin {
    private static final String DEFAULTS = "scheduler.alpha.kubernetes.io/defaultTolerations";
    private static final String ALLOWED = "scheduler.alpha.kubernetes.io/tolerationsWhitelist";
    private static final com.fasterxml.jackson.databind.ObjectMapper JSON =
            new com.fasterxml.jackson.databind.json.JsonMapper();

    @Override
    public String name() {
        return "PodTolerationRestriction";
    }

    @Override
    public void admit(Attributes attributes) {
        ObjectNode pod = attributes.object();
        if (pod == null || !attributes.isFor("", "pods")) {
            return;
        }
        ObjectNode spec = PodTrees.spec(pod);
        ArrayNode extra = JsonNodeFactory.instance.arrayNode();
        if (attributes.operation() == Operation.CREATE) {
            extra.addAll(annotation(attributes, DEFAULTS));
        }
        if (!QualityOfService.isBestEffort(pod)) {
            extra.addObject()
                    .put("effect", "NoSchedule")
                    .put("key", "node.kubernetes.io/memory-pressure")
                    .put("operator", "Exists");
        }
        if (!extra.isEmpty()) {
            spec.set("tolerations", Tolerations.merge(spec.path("tolerations"), extra));
        }
        validate(attributes);
    }

    @Override
    public void validate(Attributes attributes) {
        ObjectNode pod = attributes.object();
        if (pod == null || !attributes.isFor("", "pods")) {
            return;
        }
        ArrayNode allowed = annotation(attributes, ALLOWED);
        for (JsonNode toleration : pod.path("spec").path("tolerations")) {
            boolean covered = allowed.isEmpty();
            for (JsonNode wide : allowed) {
                covered |= Tolerations.covers(wide, toleration);
            }
            if (!covered) {
                throw Statuses.raw("pod tolerations (possibly merged with namespace default tolerations) conflict with"
                        + " its namespace whitelist");
            }
        }
    }

    private static ArrayNode annotation(Attributes attributes, String key) {
        String text = NamespaceExists.find(attributes)
                .tree()
                .path("metadata")
                .path("annotations")
                .path(key)
                .asText("");
        try {
            return !text.isEmpty() && JSON.readTree(text) instanceof ArrayNode array
                    ? array
                    : JsonNodeFactory.instance.arrayNode();
        } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
            throw Statuses.raw(e.getOriginalMessage());
        }
    }
}
