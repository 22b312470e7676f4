package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.kinds.Amounts;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.quantity.Quantity;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** What a pod's containers need together, and the class of service that follows from it. Stateless. */
public final class PodResources {
    private static final List<String> COMPUTE = List.of("cpu", "memory");

    private PodResources() {}

    /** What the containers request together: the sum, or the need of the init containers where that is greater. */
    public static Map<String, JsonNode> requests(JsonNode spec) {
        return aggregate(spec, "requests");
    }

    /** What the containers are limited to together. */
    public static Map<String, JsonNode> limits(JsonNode spec) {
        return aggregate(spec, "limits");
    }

    private static Map<String, JsonNode> aggregate(JsonNode spec, String list) {
        Map<String, Quantity> total = new HashMap<>();
        for (JsonNode container : Trees.items(spec, "containers")) {
            add(total, container, list);
        }
        // Init containers run one after another; those that restart go on running beside all that come after them.
        Map<String, Quantity> running = new HashMap<>();
        Map<String, Quantity> peak = new HashMap<>();
        for (JsonNode container : Trees.items(spec, "initContainers")) {
            if (Trees.text(container, "restartPolicy").equals("Always")) {
                add(total, container, list);
                add(running, container, list);
                running.forEach((name, amount) -> peak.merge(name, amount, PodResources::max));
            } else {
                Map<String, Quantity> now = new HashMap<>(running);
                add(now, container, list);
                now.forEach((name, amount) -> peak.merge(name, amount, PodResources::max));
            }
        }
        peak.forEach((name, amount) -> total.merge(name, amount, PodResources::max));
        Map<String, JsonNode> result = new TreeMap<>();
        total.forEach((name, amount) -> result.put(name, Trees.textNode(amount.toString())));
        return result;
    }

    private static void add(Map<String, Quantity> total, JsonNode container, String list) {
        Trees.entries(Trees.child(container, "resources"), list)
                .forEach((name, amount) -> total.merge(name, Amounts.of(amount), Quantity::add));
    }

    private static Quantity max(Quantity a, Quantity b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    /** {@code Guaranteed}, {@code Burstable} or {@code BestEffort}. */
    public static String qosClass(JsonNode spec) {
        Map<String, Quantity> requests = new HashMap<>();
        Map<String, Quantity> limits = new HashMap<>();
        boolean guaranteed = true;
        List<JsonNode> parts = new ArrayList<>();
        if (Trees.has(spec, "resources")) {
            parts.add(spec);
        } else {
            parts.addAll(Trees.items(spec, "containers"));
            parts.addAll(Trees.items(spec, "initContainers"));
        }
        for (JsonNode part : parts) {
            JsonNode resources = Trees.child(part, "resources");
            Set<String> limited = new HashSet<>();
            for (String name : COMPUTE) {
                Quantity request = Amounts.of(Trees.at(resources, "requests", name));
                if (request.signum() > 0) {
                    requests.merge(name, request, Quantity::add);
                }
                Quantity limit = Amounts.of(Trees.at(resources, "limits", name));
                if (limit.signum() > 0) {
                    limits.merge(name, limit, Quantity::add);
                    limited.add(name);
                }
            }
            guaranteed &= limited.size() == COMPUTE.size();
        }
        if (requests.isEmpty() && limits.isEmpty()) {
            return "BestEffort";
        }
        for (Map.Entry<String, Quantity> request : requests.entrySet()) {
            Quantity limit = limits.get(request.getKey());
            guaranteed &= limit != null && limit.compareTo(request.getValue()) == 0;
        }
        return guaranteed && requests.size() == limits.size() ? "Guaranteed" : "Burstable";
    }

    /** The spec's containers with their paths: init containers, containers, then ephemeral ones. */
    static Map<String, ObjectNode> containers(JsonNode spec, String path) {
        Map<String, ObjectNode> containers = new java.util.LinkedHashMap<>();
        for (String list : List.of("initContainers", "containers", "ephemeralContainers")) {
            int i = 0;
            for (ObjectNode container : Trees.objects(spec, list)) {
                containers.put(path + "." + list + "[" + i++ + "]", container);
            }
        }
        return containers;
    }
}
