package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Allows required anti-affinity by host only. */
final class LimitPodHardAntiAffinityTopology implements AdmissionPlugin {
    private static final String HOST = "kubernetes.io/hostname";

    @Override
    public String name() {
        return "LimitPodHardAntiAffinityTopology";
    }

    @Override
    public void validate(Attributes attributes) {
        ObjectNode pod = attributes.object();
        if (pod == null || !attributes.isFor("", "pods")) {
            return;
        }
        for (JsonNode term : pod.path("spec")
                .path("affinity")
                .path("podAntiAffinity")
                .path("requiredDuringSchedulingIgnoredDuringExecution")) {
            String key = PodTrees.text(term, "topologyKey");
            if (!key.equals(HOST)) {
                throw Refusals.forbidden(
                        attributes,
                        "affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey " + key + " but only key "
                                + HOST + " is allowed");
            }
        }
    }
}
