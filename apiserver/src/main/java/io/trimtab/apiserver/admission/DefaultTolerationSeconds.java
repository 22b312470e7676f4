package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Lets pods stay for five minutes on a node that is not ready or cannot be reached, unless they say otherwise. */
final class DefaultTolerationSeconds implements AdmissionPlugin {
    private static final int SECONDS = 300;

    @Override
    public String name() {
        return "DefaultTolerationSeconds";
    }

    @Override
    public void admit(Attributes attributes) {
        ObjectNode pod = attributes.object();
        boolean writes = attributes.operation() == Operation.CREATE || attributes.operation() == Operation.UPDATE;
        if (pod == null || !writes || !attributes.isFor("", "pods")) {
            return;
        }
        ObjectNode spec = PodTrees.spec(pod);
        boolean notReady = tolerates(spec, "node.kubernetes.io/not-ready");
        boolean unreachable = tolerates(spec, "node.kubernetes.io/unreachable");
        if (!notReady) {
            add(spec, "node.kubernetes.io/not-ready");
        }
        if (!unreachable) {
            add(spec, "node.kubernetes.io/unreachable");
        }
    }

    private static boolean tolerates(ObjectNode spec, String taint) {
        for (JsonNode toleration : spec.path("tolerations")) {
            String key = PodTrees.text(toleration, "key");
            String effect = PodTrees.text(toleration, "effect");
            if ((key.equals(taint) || key.isEmpty()) && (effect.equals("NoExecute") || effect.isEmpty())) {
                return true;
            }
        }
        return false;
    }

    private static void add(ObjectNode spec, String taint) {
        PodTrees.array(spec, "tolerations")
                .addObject()
                .put("effect", "NoExecute")
                .put("key", taint)
                .put("operator", "Exists")
                .put("tolerationSeconds", SECONDS);
    }
}
