package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.IpAddresses;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Endpoints. Stateless. */
public final class EndpointsKind implements Kind {

    @Override
    public void defaults(ObjectNode endpoints) {
        for (ObjectNode subset : Trees.objects(endpoints, "subsets")) {
            Trees.objects(subset, "ports").forEach(port -> Trees.fill(port, "protocol", "TCP"));
        }
    }

    @Override
    public void validateCreate(ObjectNode endpoints, FieldErrors errors, WriteContext context) {
        int i = 0;
        for (JsonNode subset : Trees.items(endpoints, "subsets")) {
            String at = "subsets[" + i++ + "]";
            if (!Trees.hasContent(subset, "addresses") && !Trees.hasContent(subset, "notReadyAddresses")) {
                errors.required(at, "must specify `addresses` or `notReadyAddresses`");
            }
            for (String list : List.of("addresses", "notReadyAddresses")) {
                int j = 0;
                for (JsonNode address : Trees.items(subset, list)) {
                    address(errors, at + "." + list + "[" + j++ + "]", address);
                }
            }
            List<JsonNode> ports = Trees.items(subset, "ports");
            for (int j = 0; j < ports.size(); j++) {
                port(errors, at + ".ports[" + j + "]", ports.get(j), ports.size() > 1);
            }
        }
    }

    private static void address(FieldErrors errors, String path, JsonNode address) {
        String ip = Trees.text(address, "ip");
        IpAddresses.validate(errors, path + ".ip", ip);
        String host = Trees.text(address, "hostname");
        if (!host.isEmpty()) {
            FieldRules.invalid(errors, path + ".hostname", host, Names.label(host));
        }
        if (Trees.has(address, "nodeName")) {
            String node = Trees.text(address, "nodeName");
            FieldRules.invalid(errors, path + ".nodeName", node, Names.subdomain(node));
        }
        ServiceRules.endpointIp(errors, path + ".ip", ip);
    }

    private static void port(FieldErrors errors, String path, JsonNode port, boolean named) {
        String name = Trees.text(port, "name");
        if (named && name.isEmpty()) {
            errors.required(path + ".name", "");
        } else if (!name.isEmpty()) {
            FieldRules.invalid(errors, path + ".name", name, Names.label(name));
        }
        long number = Trees.number(port, "port");
        FieldRules.invalid(errors, path + ".port", number, Names.portNumber(number));
        FieldRules.requiredChoice(errors, path, port, "protocol", Containers.PROTOCOLS);
        if (Trees.has(port, "appProtocol")) {
            String protocol = Trees.text(port, "appProtocol");
            FieldRules.invalid(errors, path + ".appProtocol", protocol, Names.qualified(protocol));
        }
    }

    @Override
    public void validateUpdate(ObjectNode endpoints, ObjectNode old, FieldErrors errors, WriteContext context) {
        // Subsets that were stored under laxer rules may stay as they are.
        if (!Trees.same(endpoints, old, "subsets")) {
            validateCreate(endpoints, errors, context);
        }
    }

    @Override
    public boolean allowsCreateOnUpdate() {
        return true;
    }

    @Override
    public void warn(ObjectNode endpoints, @Nullable ObjectNode old, List<String> warnings) {
        int i = 0;
        for (JsonNode subset : Trees.items(endpoints, "subsets")) {
            for (String list : List.of("addresses", "notReadyAddresses")) {
                int j = 0;
                for (JsonNode address : Trees.items(subset, list)) {
                    String at = "subsets[" + i + "]." + list + "[" + j++ + "].ip";
                    IpAddresses.warn(at, Trees.text(address, "ip"), warnings);
                }
            }
            i++;
        }
    }
}
