package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.allocation.AllocationException;
import io.trimtab.apiserver.allocation.ClusterIpAllocator;
import io.trimtab.apiserver.allocation.NodePortAllocator;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind.Allocation;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Takes cluster IPs and node ports for Services, and gives them back. Guarded by the allocators. */
public final class ServiceAddresses {
    private final ClusterIpAllocator ips;
    private final NodePortAllocator ports;

    public ServiceAddresses(ClusterIpAllocator ips, NodePortAllocator ports) {
        this.ips = ips;
        this.ports = ports;
    }

    void prepareCreate(ObjectNode service) {
        ServiceFamilies.normalize(Trees.make(service, "spec"), null);
        ServiceFamilies.init(service, null, ips.family());
    }

    void prepareUpdate(ObjectNode service, ObjectNode old) {
        ObjectNode spec = Trees.make(service, "spec");
        JsonNode before = Trees.child(old, "spec");
        ServiceUpdates.carryAllocated(spec, before);
        ServiceFamilies.normalize(spec, before);
        ServiceFamilies.init(service, before, ips.family());
    }

    Allocation allocate(@Nullable ObjectNode service, @Nullable ObjectNode old, WriteContext context) {
        Taken taken = new Taken(context);
        ObjectNode owner = service == null ? old : service;
        if (owner == null) {
            return Allocation.NONE;
        }
        taken.namespace = Trees.text(owner.get("metadata"), "namespace");
        taken.name = Trees.text(owner.get("metadata"), "name");
        JsonNode before = Trees.child(old, "spec");
        Set<String> hadIps = new HashSet<>(Trees.texts(before, "clusterIPs"));
        hadIps.remove("None");
        Set<Integer> hadPorts = nodePorts(before);
        if (service != null) {
            ObjectNode spec = Trees.make(service, "spec");
            try {
                clusterIp(service, spec, hadIps, taken);
                nodePorts(service, spec, hadPorts, taken);
                healthCheck(spec, hadPorts, taken);
            } catch (StatusException e) {
                taken.rollback();
                throw e;
            }
            Trees.texts(spec, "clusterIPs").forEach(hadIps::remove);
            hadPorts.removeAll(nodePorts(spec));
        }
        taken.leftIps.addAll(hadIps);
        taken.leftPorts.addAll(hadPorts);
        return taken;
    }

    private static Set<Integer> nodePorts(JsonNode spec) {
        Set<Integer> ports = new HashSet<>();
        for (JsonNode port : Trees.items(spec, "ports")) {
            ports.add((int) Trees.number(port, "nodePort"));
        }
        ports.add((int) Trees.number(spec, "healthCheckNodePort"));
        ports.remove(0);
        return ports;
    }

    private void clusterIp(ObjectNode service, ObjectNode spec, Set<String> had, Taken taken) {
        if (ServiceFamilies.isExternalName(spec)
                || Trees.texts(spec, "clusterIPs").contains("None")) {
            return;
        }
        WriteContext context = taken.context;
        List<String> wanted = Trees.texts(spec, "clusterIPs");
        if (wanted.isEmpty()) {
            String address;
            try {
                address = context.dryRun()
                        ? ips.dryRunAddress()
                        : ips.allocateNext(taken.namespace, taken.name, context.storage(), context.driver());
            } catch (AllocationException e) {
                throw Statuses.internal("failed to allocate a serviceIP: " + e.getMessage());
            }
            if (!context.dryRun()) {
                taken.ips.add(address);
            }
            spec.put("clusterIP", address);
            spec.putArray("clusterIPs").add(address);
            return;
        }
        String address = wanted.get(0);
        if (had.contains(address)) {
            return;
        }
        try {
            if (context.dryRun()) {
                ips.check(address, context.storage());
            } else {
                ips.allocate(address, taken.namespace, taken.name, context.storage(), context.driver());
                taken.ips.add(address);
            }
        } catch (AllocationException e) {
            FieldErrors errors = new FieldErrors();
            errors.invalid(
                    "spec.clusterIPs",
                    spec.get("clusterIPs"),
                    "failed to allocate IP " + address + ": " + e.getMessage());
            throw invalid(service, errors);
        }
    }

    private void nodePorts(ObjectNode service, ObjectNode spec, Set<Integer> had, Taken taken) {
        if (!ServiceUpdates.needsNodePorts(spec)) {
            return;
        }
        boolean automatic = Trees.text(spec, "type").equals("NodePort")
                || !Trees.has(spec, "allocateLoadBalancerNodePorts")
                || Trees.flag(spec, "allocateLoadBalancerNodePorts");
        List<ObjectNode> list = Trees.objects(spec, "ports");
        // One port number under several protocols gets one node port, as DNS over UDP and TCP wants it.
        Map<Long, Integer> shared = new HashMap<>();
        for (ObjectNode port : list) {
            int asked = (int) Trees.number(port, "nodePort");
            if (asked != 0) {
                shared.putIfAbsent(Trees.number(port, "port"), asked);
            }
        }
        Set<Integer> now = new HashSet<>();
        for (int i = 0; i < list.size(); i++) {
            ObjectNode port = list.get(i);
            int asked = (int) Trees.number(port, "nodePort");
            if (asked == 0 && !automatic) {
                continue;
            }
            if (asked == 0) {
                Integer other = shared.get(Trees.number(port, "port"));
                asked = other != null ? other : next(taken);
                shared.put(Trees.number(port, "port"), asked);
                port.put("nodePort", asked);
                if (other == null) {
                    now.add(asked);
                }
            }
            if (!had.contains(asked) && now.add(asked)) {
                take(service, taken, i, asked);
            }
        }
    }

    private int next(Taken taken) {
        WriteContext context = taken.context;
        if (context.dryRun()) {
            return ports.anyPort(context.driver());
        }
        try {
            int port = ports.allocateNext(context.storage(), context.driver());
            taken.ports.add(port);
            return port;
        } catch (AllocationException e) {
            throw Statuses.internal("failed to allocate a nodePort: " + e.getMessage());
        }
    }

    private void take(ObjectNode service, Taken taken, int index, int port) {
        WriteContext context = taken.context;
        if (context.dryRun()) {
            return;
        }
        try {
            ports.allocate(port, context.storage(), context.driver());
            taken.ports.add(port);
        } catch (AllocationException e) {
            FieldErrors errors = new FieldErrors();
            errors.invalid("spec.ports[" + index + "].nodePort", port, String.valueOf(e.getMessage()));
            throw invalid(service, errors);
        }
    }

    private void healthCheck(ObjectNode spec, Set<Integer> had, Taken taken) {
        if (!ServiceRules.needsHealthCheck(spec)) {
            return;
        }
        int asked = (int) Trees.number(spec, "healthCheckNodePort");
        if (asked == 0) {
            spec.put("healthCheckNodePort", next(taken));
        } else if (!had.contains(asked) && !taken.context.dryRun()) {
            try {
                ports.allocate(asked, taken.context.storage(), taken.context.driver());
                taken.ports.add(asked);
            } catch (AllocationException e) {
                throw Statuses.internal(
                        "failed to allocate requested HealthCheck NodePort " + asked + ": " + e.getMessage());
            }
        }
    }

    private static StatusException invalid(ObjectNode service, FieldErrors errors) {
        return Statuses.invalid("", "Service", Trees.text(service.get("metadata"), "name"), errors);
    }

    /** What one write took, and what it leaves behind once it is stored. */
    private final class Taken implements Allocation {
        private final WriteContext context;
        private final List<String> ips = new ArrayList<>();
        private final List<Integer> ports = new ArrayList<>();
        private final List<String> leftIps = new ArrayList<>();
        private final List<Integer> leftPorts = new ArrayList<>();
        private String namespace = "";
        private String name = "";

        Taken(WriteContext context) {
            this.context = context;
        }

        @Override
        public void commit() {
            ports.forEach(ServiceAddresses.this.ports::settle);
            if (!context.dryRun()) {
                leftIps.forEach(ip -> ServiceAddresses.this.ips.release(ip, namespace, name, context.storage()));
                leftPorts.forEach(port -> ServiceAddresses.this.ports.release(port, context.storage()));
            }
        }

        @Override
        public void rollback() {
            ips.forEach(ip -> ServiceAddresses.this.ips.release(ip, namespace, name, context.storage()));
            ports.forEach(port -> ServiceAddresses.this.ports.release(port, context.storage()));
        }
    }
}
