package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.IpAddresses;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Services. They take cluster IPs and node ports from pools; a PUT that leaves out what was given keeps it. Guarded by the pools'
 * own locks.
 */
public final class ServiceKind implements Kind {
    private final ServiceAddresses addresses;

    public ServiceKind(ServiceAddresses addresses) {
        this.addresses = addresses;
    }

    @Override
    public void defaults(ObjectNode service) {
        ObjectNode spec = Trees.make(service, "spec");
        Trees.fill(spec, "sessionAffinity", "None");
        if (Trees.text(spec, "sessionAffinity").equals("None")) {
            spec.remove("sessionAffinityConfig");
        } else if (Trees.text(spec, "sessionAffinity").equals("ClientIP")
                && Trees.at(spec, "sessionAffinityConfig", "clientIP", "timeoutSeconds")
                        .isMissingNode()) {
            spec.putObject("sessionAffinityConfig").putObject("clientIP").put("timeoutSeconds", 10800);
        }
        Trees.fill(spec, "type", "ClusterIP");
        String type = Trees.text(spec, "type");
        for (ObjectNode port : Trees.objects(spec, "ports")) {
            Trees.fill(port, "protocol", "TCP");
            JsonNode target = Trees.child(port, "targetPort");
            boolean none = target.isTextual() ? target.textValue().isEmpty() : target.asLong(0) == 0;
            if (none) {
                Trees.put(port, "targetPort", Trees.number(port, "port"));
            }
        }
        if (ServiceRules.isExternallyAccessible(spec)) {
            Trees.fill(spec, "externalTrafficPolicy", "Cluster");
        }
        if (type.equals("NodePort") || type.equals("LoadBalancer") || type.equals("ClusterIP")) {
            if (!Trees.has(spec, "internalTrafficPolicy")) {
                spec.put("internalTrafficPolicy", "Cluster");
            }
        } else if (type.equals("ExternalName")) {
            // Nothing is routed inside; readers never see the field here.
            spec.remove("internalTrafficPolicy");
        }
        ObjectNode balancer = Trees.make(Trees.make(service, "status"), "loadBalancer");
        if (type.equals("LoadBalancer")) {
            Trees.fill(spec, "allocateLoadBalancerNodePorts", true);
            for (ObjectNode ingress : Trees.objects(balancer, "ingress")) {
                if (Trees.hasContent(ingress, "ip") && !Trees.has(ingress, "ipMode")) {
                    ingress.put("ipMode", "VIP");
                }
            }
        }
    }

    @Override
    public void prepareCreate(ObjectNode service, WriteContext context) {
        service.putObject("status").putObject("loadBalancer");
        addresses.prepareCreate(service);
    }

    @Override
    public void prepareUpdate(ObjectNode service, ObjectNode old, WriteContext context) {
        Trees.carry(service, old, "status");
        addresses.prepareUpdate(service, old);
        ServiceUpdates.dropWhatTheTypeHasNot(service, old);
    }

    @Override
    public void validateCreate(ObjectNode service, FieldErrors errors, WriteContext context) {
        ServiceRules.validate(service, errors);
    }

    @Override
    public void validateUpdate(ObjectNode service, ObjectNode old, FieldErrors errors, WriteContext context) {
        ServiceUpdates.validate(service, old, errors);
        ServiceRules.validate(service, errors);
    }

    @Override
    public void validateStatusUpdate(ObjectNode service, ObjectNode old, FieldErrors errors, WriteContext context) {
        ServiceRules.loadBalancer(service, errors);
    }

    @Override
    public Allocation allocate(@Nullable ObjectNode service, @Nullable ObjectNode old, WriteContext context) {
        return addresses.allocate(service, old, context);
    }

    @Override
    public NameRule nameRule() {
        return NameRule.LABEL_1035;
    }

    @Override
    public boolean allowsCreateOnUpdate() {
        return true;
    }

    @Override
    public boolean returnsDeletedObject() {
        return true;
    }

    @Override
    public Map<String, Function<JsonNode, String>> selectableFields() {
        return Map.of(
                "spec.clusterIP", service -> Trees.text(Trees.child(service, "spec"), "clusterIP"),
                "spec.type", service -> Trees.text(Trees.child(service, "spec"), "type"));
    }

    @Override
    public void warn(ObjectNode service, @Nullable ObjectNode old, List<String> warnings) {
        JsonNode spec = Trees.child(service, "spec");
        String hints = "service.kubernetes.io/topology-aware-hints";
        if (Trees.map(service.get("metadata"), "annotations").containsKey(hints)) {
            warnings.add(
                    "annotation " + hints + " is deprecated, please use service.kubernetes.io/topology-mode instead");
        }
        String type = Trees.text(spec, "type");
        boolean external = type.equals("ExternalName");
        boolean headless = !external && Trees.texts(spec, "clusterIPs").equals(List.of("None"));
        if (!external && !headless) {
            warn(spec, "clusterIPs", warnings);
        }
        List<String> externalIps = Trees.texts(spec, "externalIPs");
        if (headless) {
            if (!Trees.text(spec, "loadBalancerIP").isEmpty()) {
                warnings.add("spec.loadBalancerIP is ignored for headless services");
            }
            if (!externalIps.isEmpty()) {
                warnings.add("spec.externalIPs is ignored for headless services");
            }
            if (!Trees.text(spec, "sessionAffinity").equals("None")) {
                warnings.add("spec.SessionAffinity is ignored for headless services");
            }
        }
        warn(spec, "externalIPs", warnings);
        IpAddresses.warn("spec.loadBalancerIP", Trees.text(spec, "loadBalancerIP"), warnings);
        List<String> ranges = Trees.texts(spec, "loadBalancerSourceRanges");
        for (int i = 0; i < ranges.size(); i++) {
            IpAddresses.warnRange("spec.loadBalancerSourceRanges[" + i + "]", ranges.get(i), warnings);
        }
        if (external && !externalIps.isEmpty()) {
            warnings.add("spec.externalIPs is ignored when spec.type is \"ExternalName\"");
        }
        if (!external && !Trees.text(spec, "externalName").isEmpty()) {
            warnings.add("spec.externalName is ignored when spec.type is not \"ExternalName\"");
        }
    }

    private static void warn(JsonNode spec, String list, List<String> warnings) {
        List<String> addresses = Trees.texts(spec, list);
        for (int i = 0; i < addresses.size(); i++) {
            IpAddresses.warn("spec." + list + "[" + i + "]", addresses.get(i), warnings);
        }
    }
}
