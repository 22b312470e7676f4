package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.IpAddresses;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What a Service must look like. Stateless. */
public final class ServiceRules {
    private static final List<String> TYPES = List.of("ClusterIP", "ExternalName", "LoadBalancer", "NodePort");
    private static final String HINTS = "service.kubernetes.io/topology-aware-hints";
    private static final String MODE = "service.kubernetes.io/topology-mode";
    private static final String SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges";
    private static final int DAY = 86400;

    private ServiceRules() {}

    static boolean isHeadless(JsonNode spec) {
        List<String> ips = Trees.texts(spec, "clusterIPs");
        return ips.size() == 1 && ips.get(0).equals("None");
    }

    static boolean isExternallyAccessible(JsonNode spec) {
        return switch (Trees.text(spec, "type")) {
            case "LoadBalancer", "NodePort" -> true;
            case "ClusterIP" -> Trees.hasContent(spec, "externalIPs");
            default -> false;
        };
    }

    static boolean needsHealthCheck(JsonNode spec) {
        return Trees.text(spec, "type").equals("LoadBalancer")
                && Trees.text(spec, "externalTrafficPolicy").equals("Local");
    }

    static void validate(ObjectNode service, FieldErrors errors) {
        JsonNode spec = Trees.child(service, "spec");
        Map<String, String> annotations = Trees.map(service.get("metadata"), "annotations");
        if (annotations.containsKey(MODE)
                && annotations.containsKey(HINTS)
                && !annotations.get(MODE).equals(annotations.get(HINTS))) {
            errors.invalid(
                    "metadata.annotations[" + MODE + "]",
                    annotations.get(MODE),
                    "must match annotations[" + HINTS + "] when both are specified");
        }
        String type = Trees.text(spec, "type");
        List<ObjectNode> ports = Trees.objects(spec, "ports");
        if (ports.isEmpty() && !isHeadless(spec) && !type.equals("ExternalName")) {
            errors.required("spec.ports", "");
        }
        type(errors, spec, type);
        Set<String> names = new HashSet<>();
        for (int i = 0; i < ports.size(); i++) {
            port(errors, "spec.ports[" + i + "]", ports.get(i), ports.size() > 1, names);
        }
        FieldRules.labels(errors, "spec.selector", Trees.map(spec, "selector"));
        sessionAffinity(errors, spec);
        ServiceFamilies.validate(errors, spec);
        List<String> external = Trees.texts(spec, "externalIPs");
        for (int i = 0; i < external.size(); i++) {
            externalIp(errors, "spec.externalIPs[" + i + "]", external.get(i));
        }
        if (type.isEmpty()) {
            errors.required("spec.type", "");
        } else if (!TYPES.contains(type)) {
            errors.notSupported("spec.type", spec.get("type"), TYPES);
        }
        portsTogether(errors, ports, type);
        sourceRanges(errors, spec, annotations, type);
        balancing(errors, spec, type);
    }

    private static void type(FieldErrors errors, JsonNode spec, String type) {
        if (isHeadless(spec) && (type.equals("LoadBalancer") || type.equals("NodePort"))) {
            errors.invalid("spec.clusterIPs[0]", "None", "may not be set to 'None' for " + type + " services");
        }
        if (type.equals("ExternalName")) {
            String not = "may not be set for ExternalName services";
            if (Trees.hasContent(spec, "clusterIPs")) {
                errors.forbidden("spec.clusterIPs", not);
            }
            if (Trees.hasContent(spec, "ipFamilies")) {
                errors.forbidden("spec.ipFamilies", not);
            }
            if (Trees.has(spec, "ipFamilyPolicy")) {
                errors.forbidden("spec.ipFamilyPolicy", not);
            }
            String name = Trees.text(spec, "externalName");
            String bare = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
            if (bare.isEmpty()) {
                errors.required("spec.externalName", "");
            } else {
                FieldRules.invalid(errors, "spec.externalName", bare, Names.subdomain(bare));
            }
        }
    }

    private static void port(FieldErrors errors, String path, ObjectNode port, boolean named, Set<String> names) {
        String name = Trees.text(port, "name");
        if (named && name.isEmpty()) {
            errors.required(path + ".name", "");
        } else if (!name.isEmpty()) {
            FieldRules.invalid(errors, path + ".name", name, Names.label(name));
            if (!names.add(name)) {
                errors.duplicate(path + ".name", Trees.textNode(name));
            }
        }
        long number = Trees.number(port, "port");
        FieldRules.invalid(errors, path + ".port", number, Names.portNumber(number));
        FieldRules.requiredChoice(errors, path, port, "protocol", Containers.PROTOCOLS);
        FieldRules.portNumberOrName(errors, path + ".targetPort", port.get("targetPort"));
        if (Trees.has(port, "appProtocol")) {
            String protocol = Trees.text(port, "appProtocol");
            FieldRules.invalid(errors, path + ".appProtocol", protocol, Names.qualified(protocol));
        }
    }

    private static void sessionAffinity(FieldErrors errors, JsonNode spec) {
        String affinity = Trees.text(spec, "sessionAffinity");
        if (affinity.isEmpty()) {
            errors.required("spec.sessionAffinity", "");
        } else if (!affinity.equals("ClientIP") && !affinity.equals("None")) {
            errors.notSupported("spec.sessionAffinity", spec.get("sessionAffinity"), List.of("ClientIP", "None"));
        }
        if (affinity.equals("ClientIP")) {
            JsonNode timeout = Trees.at(spec, "sessionAffinityConfig", "clientIP", "timeoutSeconds");
            if (timeout.isMissingNode()) {
                errors.required("spec.sessionAffinityConfig", "when session affinity type is ClientIP");
            } else if (timeout.asLong() <= 0 || timeout.asLong() > DAY) {
                errors.invalid(
                        "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
                        timeout.asLong(),
                        "must be greater than 0 and less than " + DAY);
            }
        } else if (affinity.equals("None") && Trees.has(spec, "sessionAffinityConfig")) {
            errors.forbidden("spec.sessionAffinityConfig", "must not be set when session affinity is None");
        }
    }

    private static void externalIp(FieldErrors errors, String path, String ip) {
        if (IpAddresses.isValid(ip)) {
            endpointIp(errors, path, ip);
        } else {
            IpAddresses.validate(errors, path, ip);
        }
    }

    /** An address that traffic may be sent to. */
    public static void endpointIp(FieldErrors errors, String path, String ip) {
        byte[] bytes = IpAddresses.parse(ip);
        if (bytes == null) {
            errors.invalid(path, ip, "must be a valid IP address");
            return;
        }
        java.net.InetAddress address;
        try {
            address = java.net.InetAddress.getByAddress(bytes);
        } catch (java.net.UnknownHostException e) {
            throw new IllegalStateException("an address has 4 or 16 bytes: " + ip, e);
        }
        if (address.isAnyLocalAddress()) {
            errors.invalid(path, ip, "may not be unspecified (" + ip + ")");
        }
        if (address.isLoopbackAddress()) {
            errors.invalid(path, ip, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
        }
        if (address.isLinkLocalAddress()) {
            errors.invalid(path, ip, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
        }
        boolean linkMulticast = bytes.length == 4
                ? (bytes[0] & 255) == 224 && bytes[1] == 0 && bytes[2] == 0
                : (bytes[0] & 255) == 255 && (bytes[1] & 15) == 2;
        if (linkMulticast) {
            errors.invalid(path, ip, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
        }
    }

    private static void portsTogether(FieldErrors errors, List<ObjectNode> ports, String type) {
        if (type.equals("ClusterIP")) {
            for (int i = 0; i < ports.size(); i++) {
                if (Trees.number(ports.get(i), "nodePort") != 0) {
                    errors.forbidden("spec.ports[" + i + "].nodePort", "may not be used when `type` is 'ClusterIP'");
                }
            }
        }
        Set<String> nodePorts = new HashSet<>();
        for (int i = 0; i < ports.size(); i++) {
            long nodePort = Trees.number(ports.get(i), "nodePort");
            if (nodePort != 0 && !nodePorts.add(Trees.text(ports.get(i), "protocol") + nodePort)) {
                errors.duplicate("spec.ports[" + i + "].nodePort", ports.get(i).get("nodePort"));
            }
        }
        Set<String> numbers = new HashSet<>();
        for (int i = 0; i < ports.size(); i++) {
            String protocol = Trees.text(ports.get(i), "protocol");
            long number = Trees.number(ports.get(i), "port");
            if (!numbers.add(protocol + number)) {
                errors.duplicateShown(
                        "spec.ports[" + i + "]",
                        "{\"Name\":\"\",\"Protocol\":" + FieldErrors.quote(protocol) + ",\"AppProtocol\":null,\"Port\":"
                                + number + ",\"TargetPort\":0,\"NodePort\":0}");
            }
        }
    }

    private static void sourceRanges(FieldErrors errors, JsonNode spec, Map<String, String> annotations, String type) {
        String only = "may only be used when `type` is 'LoadBalancer'";
        List<String> ranges = Trees.texts(spec, "loadBalancerSourceRanges");
        if (!ranges.isEmpty()) {
            String path = "spec.LoadBalancerSourceRanges";
            if (!type.equals("LoadBalancer")) {
                errors.forbidden(path, only);
            }
            for (int i = 0; i < ranges.size(); i++) {
                IpAddresses.validateRange(
                        errors, path + "[" + i + "]", ranges.get(i).strip());
            }
        } else if (annotations.containsKey(SOURCE_RANGES)) {
            String path = "metadata.annotations[" + SOURCE_RANGES + "]";
            if (!type.equals("LoadBalancer")) {
                errors.forbidden(path, only);
            }
            String value = annotations.get(SOURCE_RANGES).strip();
            if (!value.isEmpty()) {
                for (String range : value.split(",", -1)) {
                    IpAddresses.validateRange(errors, path, range.strip());
                }
            }
        }
    }

    private static void balancing(FieldErrors errors, JsonNode spec, String type) {
        String only = "may only be used when `type` is 'LoadBalancer'";
        boolean balancer = type.equals("LoadBalancer");
        if (Trees.has(spec, "allocateLoadBalancerNodePorts") && !balancer) {
            errors.forbidden("spec.allocateLoadBalancerNodePorts", only);
        }
        loadBalancerClass(spec, errors);
        String external = Trees.text(spec, "externalTrafficPolicy");
        if (!isExternallyAccessible(spec)) {
            if (!external.isEmpty()) {
                errors.invalid(
                        "spec.externalTrafficPolicy", external, "may only be set for externally-accessible services");
            }
        } else {
            FieldRules.requiredChoice(errors, "spec", spec, "externalTrafficPolicy", List.of("Cluster", "Local"));
        }
        // A health check port of 0 is filled in by the allocation, which comes after this.
        long check = Trees.number(spec, "healthCheckNodePort");
        if (check != 0 && !needsHealthCheck(spec)) {
            errors.invalid(
                    "spec.healthCheckNodePort",
                    check,
                    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
        } else if (check != 0) {
            FieldRules.invalid(errors, "spec.healthCheckNodePort", check, Names.portNumber(check));
        }
        FieldRules.choice(errors, "spec", spec, "internalTrafficPolicy", List.of("Cluster", "Local"));
        FieldRules.choice(
                errors,
                "spec",
                spec,
                "trafficDistribution",
                List.of("PreferClose", "PreferSameZone", "PreferSameNode"));
    }

    static void loadBalancer(ObjectNode service, FieldErrors errors) {
        JsonNode balancer = Trees.at(service, "status", "loadBalancer");
        String path = "status.loadBalancer.ingress";
        List<JsonNode> ingresses = Trees.items(balancer, "ingress");
        if (!Trees.text(Trees.child(service, "spec"), "type").equals("LoadBalancer") && !ingresses.isEmpty()) {
            errors.forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'");
            return;
        }
        for (int i = 0; i < ingresses.size(); i++) {
            JsonNode ingress = ingresses.get(i);
            String at = path + "[" + i + "]";
            String ip = Trees.text(ingress, "ip");
            if (!ip.isEmpty()) {
                IpAddresses.validate(errors, at + ".ip", ip);
            }
            if (!Trees.has(ingress, "ipMode")) {
                if (!ip.isEmpty()) {
                    errors.required(at + ".ipMode", "must be specified when `ip` is set");
                }
            } else if (ip.isEmpty()) {
                errors.forbidden(at + ".ipMode", "may not be specified when `ip` is not set");
            } else {
                FieldRules.choice(errors, at, ingress, "ipMode", List.of("Proxy", "VIP"));
            }
            String host = Trees.text(ingress, "hostname");
            if (!host.isEmpty()) {
                FieldRules.invalid(errors, at + ".hostname", host, Names.subdomain(host));
                if (IpAddresses.isValid(host)) {
                    errors.invalid(at + ".hostname", host, "must be a DNS name, not an IP address");
                }
            }
        }
    }

    /** The class of a load balancer: of a Service that is to have one. */
    static void loadBalancerClass(JsonNode spec, FieldErrors errors) {
        if (!Trees.has(spec, "loadBalancerClass")) {
            return;
        }
        String name = Trees.text(spec, "loadBalancerClass");
        if (Trees.text(spec, "type").equals("LoadBalancer")) {
            FieldRules.invalid(errors, "spec.loadBalancerClass", name, Names.qualified(name));
        } else {
            errors.forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'");
        }
    }
}
