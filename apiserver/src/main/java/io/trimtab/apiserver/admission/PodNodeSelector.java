package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.Statuses;
import java.util.LinkedHashMap;
import java.util.Map;

/** Adds the node selector that a namespace is annotated with to its pods. */
final class PodNodeSelector implements AdmissionPlugin {
    private static final String ANNOTATION = "scheduler.alpha.kubernetes.io/node-selector";

    @Override
    public String name() {
        return "PodNodeSelector";
    }

    @Override
    public void admit(Attributes attributes) {
        ObjectNode pod = attributes.object();
        if (pod == null || attributes.operation() != Operation.CREATE || !attributes.isFor("", "pods")) {
            return;
        }
        Map<String, String> wanted = selectorOf(attributes);
        refuseConflicts(attributes, pod, wanted);
        if (!wanted.isEmpty()) {
            ObjectNode selector = PodTrees.object(PodTrees.spec(pod), "nodeSelector");
            wanted.forEach(selector::put);
        }
    }

    @Override
    public void validate(Attributes attributes) {
        ObjectNode pod = attributes.object();
        if (pod != null && attributes.operation() == Operation.CREATE && attributes.isFor("", "pods")) {
            refuseConflicts(attributes, pod, selectorOf(attributes));
        }
    }

    private static void refuseConflicts(Attributes attributes, ObjectNode pod, Map<String, String> wanted) {
        JsonNode own = pod.path("spec").path("nodeSelector");
        wanted.forEach((key, value) -> {
            if (own.has(key) && !own.path(key).asText().equals(value)) {
                throw Refusals.forbidden(
                        attributes, "pod node label selector conflicts with its namespace node label selector");
            }
        });
    }

    private static Map<String, String> selectorOf(Attributes attributes) {
        String text = NamespaceExists.find(attributes)
                .tree()
                .path("metadata")
                .path("annotations")
                .path(ANNOTATION)
                .asText("");
        Map<String, String> labels = new LinkedHashMap<>();
        for (String part : text.isEmpty() ? new String[0] : text.split(",", -1)) {
            String[] sides = part.split("=", -1);
            if (sides.length != 2) {
                throw Statuses.raw("invalid selector: " + FieldErrors.quote(part));
            }
            labels.put(sides[0].trim(), sides[1].trim());
        }
        return labels;
    }
}
