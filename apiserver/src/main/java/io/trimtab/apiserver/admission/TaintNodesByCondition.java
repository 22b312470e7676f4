package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Taints new nodes, so that nothing is scheduled on them before they have said that they are ready. */
final class TaintNodesByCondition implements AdmissionPlugin {
    private static final String KEY = "node.kubernetes.io/not-ready";

    @Override
    public String name() {
        return "TaintNodesByCondition";
    }

    @Override
    public void admit(Attributes attributes) {
        ObjectNode node = attributes.object();
        if (node == null || attributes.operation() != Operation.CREATE || !attributes.isFor("", "nodes")) {
            return;
        }
        ObjectNode spec = PodTrees.object(node, "spec");
        for (JsonNode taint : spec.path("taints")) {
            if (PodTrees.text(taint, "key").equals(KEY)
                    && PodTrees.text(taint, "effect").equals("NoSchedule")) {
                return;
            }
        }
        PodTrees.array(spec, "taints").addObject().put("key", KEY).put("effect", "NoSchedule");
    }
}
