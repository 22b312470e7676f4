package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.CoreResources;
import java.util.List;

/** Copies the zone and region of a node to the pods that are bound to it. */
final class PodTopologyLabels implements AdmissionPlugin {
    private static final List<String> LABELS = List.of("topology.kubernetes.io/zone", "topology.kubernetes.io/region");

    @Override
    public String name() {
        return "PodTopologyLabels";
    }

    @Override
    public void admit(Attributes attributes) {
        ObjectNode object = attributes.object();
        boolean isPods = attributes.resource().group().isEmpty()
                && attributes.resource().plural().equals("pods");
        if (object == null || !isPods || attributes.operation() != Operation.CREATE) {
            return;
        }
        String node = "";
        if (attributes.subresource().isEmpty()) {
            node = PodTrees.text(object.path("spec"), "nodeName");
        } else if (attributes.subresource().equals("binding")
                && PodTrees.text(object.path("target"), "kind").equals("Node")) {
            node = PodTrees.text(object.path("target"), "name");
        }
        if (node.isEmpty()) {
            return;
        }
        attributes.context().storage().get(CoreResources.NODES, null, node).ifPresent(found -> {
            for (String label : LABELS) {
                String value = found.labels().get(label);
                if (value != null) {
                    PodTrees.object(PodTrees.object(object, "metadata"), "labels")
                            .put(label, value);
                }
            }
        });
    }
}
