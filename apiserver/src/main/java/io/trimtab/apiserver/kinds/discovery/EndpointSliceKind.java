package io.trimtab.apiserver.kinds.discovery;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.IpAddresses;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.kinds.core.ServiceRules;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** EndpointSlices. Stateless. */
public final class EndpointSliceKind implements Kind {
    private static final List<String> TYPES = List.of("FQDN", "IPv4", "IPv6");

    @Override
    public void defaults(ObjectNode slice) {
        if (!Trees.has(slice, "endpoints")) {
            slice.putArray("endpoints");
        }
        for (ObjectNode endpoint : Trees.objects(slice, "endpoints")) {
            Trees.make(endpoint, "conditions");
        }
        for (ObjectNode port : Trees.objects(slice, "ports")) {
            if (!Trees.has(port, "name")) {
                port.put("name", "");
            }
            Trees.fill(port, "protocol", "TCP");
        }
    }

    @Override
    public void validateCreate(ObjectNode slice, FieldErrors errors, WriteContext context) {
        frame(slice, errors);
        endpoints(slice, errors);
    }

    private static void frame(ObjectNode slice, FieldErrors errors) {
        String type = Trees.text(slice, "addressType");
        if (type.isEmpty()) {
            errors.required("addressType", "");
        } else if (!TYPES.contains(type)) {
            errors.notSupported("addressType", slice.get("addressType"), TYPES);
        }
        List<JsonNode> ports = Trees.items(slice, "ports");
        if (ports.size() > 20000) {
            errors.tooMany("ports", ports.size(), 20000);
            return;
        }
        Set<String> names = new HashSet<>();
        for (int i = 0; i < ports.size(); i++) {
            String path = "ports[" + i + "]";
            String name = Trees.text(ports.get(i), "name");
            if (!name.isEmpty()) {
                FieldRules.invalid(errors, path + ".name", name, Names.label(name));
            }
            if (!names.add(name)) {
                errors.duplicate(path + ".name", Trees.textNode(name));
            }
            FieldRules.requiredChoice(errors, path, ports.get(i), "protocol", List.of("SCTP", "TCP", "UDP"));
            if (Trees.has(ports.get(i), "appProtocol")) {
                String protocol = Trees.text(ports.get(i), "appProtocol");
                FieldRules.invalid(errors, path + ".appProtocol", protocol, Names.qualified(protocol));
            }
        }
    }

    private static void endpoints(ObjectNode slice, FieldErrors errors) {
        List<JsonNode> endpoints = Trees.items(slice, "endpoints");
        if (endpoints.size() > 1000) {
            errors.tooMany("endpoints", endpoints.size(), 1000);
            return;
        }
        String type = Trees.text(slice, "addressType");
        for (int i = 0; i < endpoints.size(); i++) {
            String path = "endpoints[" + i + "]";
            JsonNode endpoint = endpoints.get(i);
            List<String> addresses = Trees.texts(endpoint, "addresses");
            if (addresses.isEmpty()) {
                errors.required(path + ".addresses", "must contain at least 1 address");
            } else if (addresses.size() > 100) {
                errors.tooMany(path + ".addresses", addresses.size(), 100);
            }
            for (int j = 0; j < addresses.size(); j++) {
                address(errors, path + ".addresses", j, addresses.get(j), type);
            }
            if (Trees.has(endpoint, "nodeName")) {
                String node = Trees.text(endpoint, "nodeName");
                FieldRules.invalid(errors, path + ".nodeName", node, Names.subdomain(node));
            }
            Map<String, String> topology = Trees.map(endpoint, "deprecatedTopology");
            if (topology.size() > 16) {
                errors.tooMany(path + ".deprecatedTopology", topology.size(), 16);
            }
            FieldRules.labels(errors, path + ".deprecatedTopology", topology);
            if (Trees.has(endpoint, "hostname")) {
                String host = Trees.text(endpoint, "hostname");
                FieldRules.invalid(errors, path + ".hostname", host, Names.label(host));
            }
            hints(errors, path + ".hints", Trees.child(endpoint, "hints"));
        }
    }

    private static void address(FieldErrors errors, String path, int index, String address, String type) {
        String at = path + "[" + index + "]";
        FieldErrors wrong = new FieldErrors();
        switch (type) {
            case "IPv4" -> IpAddresses.validate(wrong, at, address);
            case "IPv6" -> IpAddresses.validateStrict(wrong, at, address);
            case "FQDN" -> domain(errors, at, address);
            default -> {}
        }
        errors.addAll(wrong);
        if (wrong.isEmpty() && (type.equals("IPv4") || type.equals("IPv6"))) {
            if (IpAddresses.isV6(address) != type.equals("IPv6")) {
                errors.invalid(path, address, "must be an " + type + " address");
            }
            ServiceRules.endpointIp(errors, at, address);
        }
    }

    private static void domain(FieldErrors errors, String path, String name) {
        if (name.isEmpty()) {
            errors.required(path, "");
            return;
        }
        String bare = name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
        List<String> wrong = Names.subdomain(bare);
        if (!wrong.isEmpty()) {
            errors.invalid(path, bare, String.join(",", wrong));
        } else if (bare.indexOf('.') < 0) {
            errors.invalid(path, bare, "should be a domain with at least two segments separated by dots");
        } else {
            for (String label : bare.split("\\.")) {
                List<String> bad = Names.label(label);
                if (!bad.isEmpty()) {
                    errors.invalid(path, label, String.join(",", bad));
                }
            }
        }
    }

    private static void hints(FieldErrors errors, String path, JsonNode hints) {
        for (String list : List.of("forZones", "forNodes")) {
            List<JsonNode> items = Trees.items(hints, list);
            if (items.size() > 8) {
                errors.tooMany(path + "." + list, items.size(), 8);
                return;
            }
            Set<String> seen = new HashSet<>();
            for (int i = 0; i < items.size(); i++) {
                String at = path + "." + list + "[" + i + "].name";
                String name = Trees.text(items.get(i), "name");
                if (!seen.add(name)) {
                    errors.duplicate(at, Trees.textNode(name));
                }
                FieldRules.invalid(
                        errors, at, name, list.equals("forZones") ? Names.labelValue(name) : Names.subdomain(name));
            }
        }
    }

    @Override
    public void validateUpdate(ObjectNode slice, ObjectNode old, FieldErrors errors, WriteContext context) {
        frame(slice, errors);
        if (!Trees.same(slice, old, "endpoints")) {
            endpoints(slice, errors);
        }
        if (!Trees.same(slice, old, "addressType")) {
            errors.invalid("addressType", Trees.shown(slice, "addressType"), FieldRules.IMMUTABLE);
        }
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    /** Labels count, too: they tie the slice to its Service. */
    @Override
    public boolean isSpecChange(ObjectNode slice, ObjectNode old) {
        return !Trees.same(slice, old, "endpoints")
                || !Trees.same(slice, old, "ports")
                || !Trees.same(slice, old, "addressType")
                || !Trees.same(slice.get("metadata"), old.get("metadata"), "labels")
                || !Trees.same(slice.get("metadata"), old.get("metadata"), "annotations");
    }

    @Override
    public void prepareCreate(ObjectNode slice, WriteContext context) {
        dropTopology(slice);
    }

    @Override
    public void prepareUpdate(ObjectNode slice, ObjectNode old, WriteContext context) {
        dropTopology(slice);
    }

    /** What has been a field of a version that is gone. */
    private static void dropTopology(ObjectNode slice) {
        for (ObjectNode endpoint : Trees.objects(slice, "endpoints")) {
            endpoint.remove("deprecatedTopology");
        }
    }

    @Override
    public void warn(ObjectNode slice, @Nullable ObjectNode old, List<String> warnings) {
        String type = Trees.text(slice, "addressType");
        if (type.equals("FQDN")) {
            if (old == null) {
                warnings.add("spec.addressType: FQDN endpoints are deprecated");
            }
            return;
        }
        String manager =
                Trees.map(slice.get("metadata"), "labels").getOrDefault("endpointslice.kubernetes.io/managed-by", "");
        if (manager.equals("endpointslice-controller.k8s.io")
                || manager.equals("endpointslicemirroring-controller.k8s.io")) {
            return;
        }
        int i = 0;
        for (JsonNode endpoint : Trees.items(slice, "endpoints")) {
            List<String> addresses = Trees.texts(endpoint, "addresses");
            for (int j = 0; j < addresses.size(); j++) {
                IpAddresses.warn("endpoints[" + i + "].addresses[" + j + "]", addresses.get(j), warnings);
            }
            i++;
        }
    }
}
