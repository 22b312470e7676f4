package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.quantity.Quantity;
import io.trimtab.runtime.Driver;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/** Counts services, and their node ports and load balancers. */
enum QuotaOfServices implements QuotaEvaluator {
    INSTANCE;

    private static final Set<String> NAMES =
            Set.of("count/services", "services", "services.nodeports", "services.loadbalancers");

    @Override
    public boolean handles(AdmissionPlugin.Attributes attributes) {
        return attributes.subresource().isEmpty()
                && (attributes.operation() == AdmissionPlugin.Operation.CREATE
                        || attributes.operation() == AdmissionPlugin.Operation.UPDATE);
    }

    @Override
    public List<String> matching(Collection<String> names) {
        return names.stream().filter(NAMES::contains).toList();
    }

    @Override
    public TreeMap<String, Quantity> usage(ObjectNode service, Driver driver) {
        JsonNode spec = service.path("spec");
        String type = PodTrees.text(spec, "type");
        boolean balanced = type.equals("LoadBalancer");
        long ports = 0;
        if (balanced && !spec.path("allocateLoadBalancerNodePorts").asBoolean(true)) {
            for (JsonNode port : spec.path("ports")) {
                ports += port.path("nodePort").asInt(0) == 0 ? 0 : 1;
            }
        } else if (balanced || type.equals("NodePort")) {
            ports = spec.path("ports").size();
        }
        TreeMap<String, Quantity> usage = new TreeMap<>();
        usage.put("count/services", Quantity.of(1));
        usage.put("services", Quantity.of(1));
        usage.put("services.nodeports", Quantity.of(ports));
        usage.put("services.loadbalancers", Quantity.of(balanced ? 1 : 0));
        return usage;
    }
}
