package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.quantity.Quantity;
import io.trimtab.runtime.Driver;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Counts ResourceClaims, and the devices of each class that they ask for. */
enum QuotaOfResourceClaims implements QuotaEvaluator {
    INSTANCE;

    private static final String COUNT = "count/resourceclaims.resource.k8s.io";
    private static final String DEVICES = ".deviceclass.resource.k8s.io/devices";
    /** What an allocation can hold at most, and so what "all" may come to. */
    private static final long ALL = 32;

    @Override
    public boolean handles(AdmissionPlugin.Attributes attributes) {
        return attributes.subresource().isEmpty()
                && (attributes.operation() == AdmissionPlugin.Operation.CREATE
                        || attributes.operation() == AdmissionPlugin.Operation.UPDATE);
    }

    @Override
    public List<String> matching(Collection<String> names) {
        return names.stream()
                .filter(name -> name.equals(COUNT) || name.endsWith(DEVICES))
                .toList();
    }

    @Override
    public TreeMap<String, Quantity> usage(ObjectNode claim, Driver driver) {
        Map<String, Long> devices = new HashMap<>();
        for (JsonNode request : claim.path("spec").path("devices").path("requests")) {
            // The version before the current one says in the request what now stands in "exactly".
            JsonNode exactly = request.has("exactly") ? request.path("exactly") : request;
            Map<String, Long> most = new HashMap<>();
            for (JsonNode one : request.path("firstAvailable")) {
                most.merge(PodTrees.text(one, "deviceClassName"), number(one), Math::max);
            }
            if (most.isEmpty() && exactly.has("deviceClassName")) {
                most.put(PodTrees.text(exactly, "deviceClassName"), number(exactly));
            }
            most.forEach((name, count) -> devices.merge(name, count, Long::sum));
        }
        TreeMap<String, Quantity> usage = new TreeMap<>();
        usage.put(COUNT, Quantity.of(1));
        devices.forEach((name, count) -> usage.put(name + DEVICES, Quantity.of(count)));
        return usage;
    }

    private static long number(JsonNode request) {
        return switch (PodTrees.text(request, "allocationMode")) {
            case "All" -> ALL;
            case "ExactCount" -> request.path("count").asLong(1);
            default -> 0;
        };
    }
}
