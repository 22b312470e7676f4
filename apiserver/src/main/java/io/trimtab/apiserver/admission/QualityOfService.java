package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.quantity.Quantity;
import java.util.List;

/** Whether a pod asks for resources. Stateless. */
final class QualityOfService {
    private QualityOfService() {}

    /** No container, nor the pod itself, asks for CPU or memory. */
    static boolean isBestEffort(ObjectNode pod) {
        JsonNode spec = pod.path("spec");
        if (asks(spec.path("resources"))) {
            return false;
        }
        return PodTrees.containers(spec, "initContainers", "containers").stream()
                .noneMatch(c -> asks(c.path("resources")));
    }

    private static boolean asks(JsonNode resources) {
        for (String side : List.of("requests", "limits")) {
            for (String name : List.of("cpu", "memory")) {
                JsonNode amount = resources.path(side).get(name);
                if (amount != null && !Quantity.parse(amount.asText()).isZero()) {
                    return true;
                }
            }
        }
        return false;
    }
}
