package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.quantity.Quantity;
import java.util.TreeMap;

/** What a pod asks for as a whole: {@code requests} or {@code limits}. Stateless. */
final class PodAmounts {
    private PodAmounts() {}

    /**
     * The sum of containers and sidecars, or what the greediest init container needs, whichever is more; what the pod says of
     * itself counts instead; overhead comes on top.
     */
    static TreeMap<String, Quantity> total(JsonNode pod, String side) {
        JsonNode spec = pod.path("spec");
        TreeMap<String, Quantity> running = new TreeMap<>();
        PodTrees.containers(spec, "containers").forEach(c -> Amounts.add(running, amounts(c, side)));
        TreeMap<String, Quantity> sidecars = new TreeMap<>();
        TreeMap<String, Quantity> starting = new TreeMap<>();
        for (ObjectNode container : PodTrees.containers(spec, "initContainers")) {
            TreeMap<String, Quantity> own = amounts(container, side);
            if (PodTrees.text(container, "restartPolicy").equals("Always")) {
                Amounts.add(running, own);
                Amounts.add(sidecars, own);
                Amounts.raise(starting, sidecars);
            } else {
                Amounts.add(own, sidecars);
                Amounts.raise(starting, own);
            }
        }
        Amounts.raise(running, starting);
        // What stands at the pod replaces the sum, for the resources that may stand there.
        PodTrees.each(spec.path("resources").path(side), (name, amount) -> {
            if (name.equals("cpu") || name.equals("memory") || name.startsWith("hugepages-")) {
                running.put(name, Quantity.parse(amount.asText()));
            }
        });
        TreeMap<String, Quantity> overhead = Amounts.of(spec.path("overhead"));
        if (side.equals("limits")) {
            overhead.keySet().retainAll(running.keySet()); // no limit stays no limit
        }
        Amounts.add(running, overhead);
        return running;
    }

    static TreeMap<String, Quantity> amounts(JsonNode container, String side) {
        return Amounts.of(container.path("resources").path(side));
    }
}
