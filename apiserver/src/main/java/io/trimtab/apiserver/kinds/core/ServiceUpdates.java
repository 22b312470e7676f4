package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Trees;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What happens to a Service's fields when it changes, and what may not change. Stateless. */
final class ServiceUpdates {
    private static final String ONCE = "may not change once set";

    private ServiceUpdates() {}

    static boolean needsNodePorts(JsonNode spec) {
        String type = Trees.text(spec, "type");
        return type.equals("NodePort") || type.equals("LoadBalancer");
    }

    /** Puts back what was given to the Service and the client left out. */
    static void carryAllocated(ObjectNode spec, JsonNode before) {
        if (!ServiceFamilies.isExternalName(before) && !ServiceFamilies.isExternalName(spec)) {
            if (!Trees.hasContent(spec, "clusterIP")) {
                Trees.carry(spec, before, "clusterIP");
            }
            if (!Trees.hasContent(spec, "clusterIPs") && Trees.hasContent(before, "clusterIPs")) {
                Trees.carry(spec, before, "clusterIPs");
            }
        }
        if (needsNodePorts(before) && needsNodePorts(spec)) {
            Set<Long> used = nodePorts(before);
            used.retainAll(nodePorts(spec));
            Map<String, Long> byName = new HashMap<>();
            Trees.objects(before, "ports")
                    .forEach(port -> byName.put(Trees.text(port, "name"), Trees.number(port, "nodePort")));
            for (ObjectNode port : Trees.objects(spec, "ports")) {
                Long had = byName.get(Trees.text(port, "name"));
                if (Trees.number(port, "nodePort") == 0 && had != null && had != 0 && !used.contains(had)) {
                    Trees.put(port, "nodePort", had);
                }
            }
        }
        if (ServiceRules.needsHealthCheck(before)
                && ServiceRules.needsHealthCheck(spec)
                && Trees.number(spec, "healthCheckNodePort") == 0) {
            Trees.carry(spec, before, "healthCheckNodePort");
        }
    }

    private static Set<Long> nodePorts(JsonNode spec) {
        Set<Long> ports = new HashSet<>();
        for (ObjectNode port : Trees.objects(spec, "ports")) {
            if (Trees.number(port, "nodePort") != 0) {
                ports.add(Trees.number(port, "nodePort"));
            }
        }
        return ports;
    }

    /** Clears fields that came with the old type and mean nothing for the new one, unless the client has changed them. */
    static void dropWhatTheTypeHasNot(ObjectNode service, ObjectNode old) {
        ObjectNode spec = Trees.make(service, "spec");
        JsonNode before = Trees.child(old, "spec");
        String type = Trees.text(spec, "type");
        if (!ServiceFamilies.isExternalName(before) && ServiceFamilies.isExternalName(spec)) {
            if (Trees.same(spec, before, "clusterIPs")) {
                spec.remove("clusterIP");
                spec.remove("clusterIPs");
            }
            dropIfSame(spec, before, "ipFamilies");
            dropIfSame(spec, before, "ipFamilyPolicy");
        }
        if (needsNodePorts(before) && !needsNodePorts(spec) && sameNodePorts(spec, before)) {
            Trees.objects(spec, "ports").forEach(port -> port.remove("nodePort"));
        }
        if (ServiceRules.needsHealthCheck(before) && !ServiceRules.needsHealthCheck(spec)) {
            dropIfSame(spec, before, "healthCheckNodePort");
        }
        boolean wasBalancer = Trees.text(before, "type").equals("LoadBalancer");
        if (wasBalancer && !type.equals("LoadBalancer")) {
            dropIfSame(spec, before, "allocateLoadBalancerNodePorts");
            dropIfSame(spec, before, "loadBalancerClass");
        }
        if (ServiceRules.isExternallyAccessible(before) && !ServiceRules.isExternallyAccessible(spec)) {
            dropIfSame(spec, before, "externalTrafficPolicy");
        }
        if (!type.equals("LoadBalancer")) {
            Trees.make(service, "status").putObject("loadBalancer");
        }
    }

    private static void dropIfSame(ObjectNode spec, JsonNode before, String field) {
        if (Trees.same(spec, before, field)) {
            spec.remove(field);
        }
    }

    private static boolean sameNodePorts(JsonNode spec, JsonNode before) {
        List<Long> now = Trees.objects(spec, "ports").stream()
                .map(port -> Trees.number(port, "nodePort"))
                .toList();
        List<Long> had = Trees.objects(before, "ports").stream()
                .map(port -> Trees.number(port, "nodePort"))
                .toList();
        return now.equals(had);
    }

    static void validate(ObjectNode service, ObjectNode old, FieldErrors errors) {
        JsonNode spec = Trees.child(service, "spec");
        JsonNode before = Trees.child(old, "spec");
        if (!ServiceFamilies.isExternalName(spec) && !ServiceFamilies.isExternalName(before)) {
            boolean headless = ServiceRules.isHeadless(spec);
            boolean wasHeadless = ServiceRules.isHeadless(before);
            if (!headless || !wasHeadless) {
                clusterIps(spec, before, errors);
            }
            if (!headless && !wasHeadless) {
                families(spec, before, errors);
            }
        }
        if (Trees.text(spec, "type").equals("LoadBalancer")
                && Trees.text(before, "type").equals("LoadBalancer")
                && !Trees.same(spec, before, "loadBalancerClass")) {
            errors.invalid("spec.loadBalancerClass", Trees.shown(spec, "loadBalancerClass"), ONCE);
        }
        ServiceRules.loadBalancerClass(spec, errors);
        if (ServiceRules.needsHealthCheck(before)
                && ServiceRules.needsHealthCheck(spec)
                && Trees.number(spec, "healthCheckNodePort") != Trees.number(before, "healthCheckNodePort")) {
            errors.forbidden("spec.healthCheckNodePort", "field is immutable");
        }
    }

    private static void clusterIps(JsonNode spec, JsonNode before, FieldErrors errors) {
        List<String> now = Trees.texts(spec, "clusterIPs");
        List<String> had = Trees.texts(before, "clusterIPs");
        JsonNode shown = Trees.shown(spec, "clusterIPs");
        if (now.size() == had.size()) {
            for (int i = 0; i < had.size(); i++) {
                if (!had.get(i).equals(now.get(i))) {
                    errors.invalid("spec.clusterIPs[" + i + "]", shown, ONCE);
                }
            }
            return;
        }
        if (now.isEmpty()) {
            errors.invalid("spec.clusterIPs[0]", shown, "primary clusterIP can not be unset");
        } else if (!had.isEmpty() && !now.get(0).equals(had.get(0))) {
            errors.invalid("spec.clusterIPs[0]", shown, ONCE);
        }
        if (now.size() < had.size()
                && now.size() == 1
                && !Trees.text(spec, "ipFamilyPolicy").equals("SingleStack")) {
            errors.invalid(
                    "spec.ipFamilyPolicy",
                    Trees.shown(spec, "ipFamilyPolicy"),
                    "must be set to 'SingleStack' when releasing the secondary clusterIP");
        }
    }

    private static void families(JsonNode spec, JsonNode before, FieldErrors errors) {
        List<String> now = Trees.texts(spec, "ipFamilies");
        List<String> had = Trees.texts(before, "ipFamilies");
        if (now.size() == had.size()) {
            for (int i = 0; i < had.size(); i++) {
                if (!had.get(i).equals(now.get(i))) {
                    errors.invalid("spec.ipFamilies[0]", Trees.shown(spec, "ipFamilies"), ONCE);
                }
            }
        } else if (!now.isEmpty() && !had.isEmpty() && !now.get(0).equals(had.get(0))) {
            errors.invalid("spec.ipFamilies[0]", Trees.shown(spec, "clusterIPs"), ONCE);
        }
    }
}
