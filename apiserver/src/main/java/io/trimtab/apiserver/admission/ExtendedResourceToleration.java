package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Set;
import java.util.TreeSet;

/** Lets pods that ask for an extended resource onto the nodes that are kept for it. */
final class ExtendedResourceToleration implements AdmissionPlugin {
    @Override
    public String name() {
        return "ExtendedResourceToleration";
    }

    @Override
    public void admit(Attributes attributes) {
        ObjectNode pod = attributes.object();
        boolean writes = attributes.operation() == Operation.CREATE || attributes.operation() == Operation.UPDATE;
        if (pod == null || !writes || !attributes.isFor("", "pods")) {
            return;
        }
        ObjectNode spec = PodTrees.spec(pod);
        Set<String> names = new TreeSet<>();
        for (ObjectNode container : PodTrees.containers(spec, "containers", "initContainers")) {
            container.path("resources").path("requests").fieldNames().forEachRemaining(name -> {
                if (ResourceNames.isExtended(name)) {
                    names.add(name);
                }
            });
        }
        for (String name : names) {
            ObjectNode toleration = JsonNodeFactory.instance
                    .objectNode()
                    .put("effect", "NoSchedule")
                    .put("key", name)
                    .put("operator", "Exists");
            boolean there = false;
            for (JsonNode other : spec.path("tolerations")) {
                there |= other.equals(toleration);
            }
            if (!there) {
                PodTrees.array(spec, "tolerations").add(toleration);
            }
        }
    }
}
