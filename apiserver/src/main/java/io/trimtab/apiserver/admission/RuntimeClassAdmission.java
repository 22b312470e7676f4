package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.resource.CoreResources;
import org.jspecify.annotations.Nullable;

/** Adds what a runtime class costs and where it runs to the pods that choose it. */
final class RuntimeClassAdmission implements AdmissionPlugin {
    @Override
    public String name() {
        return "RuntimeClass";
    }

    @Override
    public void admit(Attributes attributes) {
        ObjectNode pod = attributes.object();
        if (pod == null || attributes.operation() != Operation.CREATE || !attributes.isFor("", "pods")) {
            return;
        }
        JsonNode found = find(attributes, pod);
        if (found == null) {
            return;
        }
        ObjectNode spec = PodTrees.spec(pod);
        JsonNode overhead = found.path("overhead").path("podFixed");
        if (found.hasNonNull("overhead")) {
            if (!spec.path("overhead").isEmpty() && !same(overhead, spec.path("overhead"))) {
                throw mismatch(attributes);
            }
            if (overhead.isObject()) {
                spec.set("overhead", overhead.deepCopy());
            }
        }
        if (found.hasNonNull("scheduling")) {
            schedule(attributes, spec, found.path("scheduling"));
        }
    }

    private static void schedule(Attributes attributes, ObjectNode spec, JsonNode scheduling) {
        PodTrees.each(scheduling.path("nodeSelector"), (key, value) -> {
            ObjectNode selector = PodTrees.object(spec, "nodeSelector");
            JsonNode own = selector.get(key);
            if (own != null && !own.asText().equals(value.asText())) {
                throw Refusals.forbidden(
                        attributes,
                        "conflict: runtimeClass.scheduling.nodeSelector[" + key + "] = " + value.asText()
                                + "; pod.spec.nodeSelector[" + key + "] = " + own.asText());
            }
            selector.set(key, value);
        });
        if (!scheduling.path("tolerations").isEmpty()) {
            spec.set("tolerations", Tolerations.merge(spec.path("tolerations"), scheduling.path("tolerations")));
        }
    }

    @Override
    public void validate(Attributes attributes) {
        ObjectNode pod = attributes.object();
        if (pod == null || attributes.operation() != Operation.CREATE || !attributes.isFor("", "pods")) {
            return;
        }
        JsonNode found = find(attributes, pod);
        JsonNode own = pod.path("spec").path("overhead");
        if (found != null && found.hasNonNull("overhead")) {
            if (!same(found.path("overhead").path("podFixed"), own)) {
                throw mismatch(attributes);
            }
        } else if (own.isObject()) {
            throw Refusals.forbidden(
                    attributes, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
        }
    }

    private static @Nullable JsonNode find(Attributes attributes, ObjectNode pod) {
        JsonNode name = pod.path("spec").get("runtimeClassName");
        if (name == null || name.isNull()) {
            return null;
        }
        return attributes
                .context()
                .storage()
                .get(CoreResources.RUNTIME_CLASSES, null, name.asText())
                .orElseThrow(() -> Refusals.forbidden(
                        attributes, "pod rejected: RuntimeClass " + FieldErrors.quote(name.asText()) + " not found"))
                .tree();
    }

    private static StatusException mismatch(Attributes attributes) {
        return Refusals.forbidden(
                attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
    }

    private static boolean same(JsonNode one, JsonNode other) {
        return Amounts.of(one).equals(Amounts.of(other));
    }
}
