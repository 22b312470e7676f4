package io.trimtab.apiserver.kinds.networking;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.IpAddresses;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;

/** NetworkPolicies. Stateless. */
public final class NetworkPolicyKind implements Kind {
    private static final List<String> PROTOCOLS = List.of("TCP", "UDP", "SCTP");

    @Override
    public void defaults(ObjectNode policy) {
        ObjectNode spec = Trees.make(policy, "spec");
        Trees.make(spec, "podSelector");
        for (String direction : List.of("ingress", "egress")) {
            for (ObjectNode rule : Trees.objects(spec, direction)) {
                Trees.objects(rule, "ports").forEach(port -> Trees.fill(port, "protocol", "TCP"));
            }
        }
        if (!Trees.hasContent(spec, "policyTypes")) {
            var types = spec.putArray("policyTypes").add("Ingress");
            if (Trees.hasContent(spec, "egress")) {
                types.add("Egress");
            }
        }
    }

    @Override
    public void validateCreate(ObjectNode policy, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(policy, "spec");
        LabelSelectorRules.validate(errors, "spec.podSelector", spec.get("podSelector"));
        rules(errors, spec, "ingress", "from");
        rules(errors, spec, "egress", "to");
        List<String> types = Trees.texts(spec, "policyTypes");
        if (types.size() > 2) {
            errors.invalid("spec.policyTypes", spec.get("policyTypes"), "may not specify more than two policyTypes");
            return;
        }
        for (int i = 0; i < types.size(); i++) {
            if (!types.get(i).equals("Ingress") && !types.get(i).equals("Egress")) {
                errors.notSupportedInOrder(
                        "spec.policyTypes[" + i + "]", Trees.textNode(types.get(i)), List.of("Ingress", "Egress"));
            }
        }
    }

    private static void rules(FieldErrors errors, JsonNode spec, String direction, String peers) {
        int i = 0;
        for (JsonNode rule : Trees.items(spec, direction)) {
            String path = "spec." + direction + "[" + i++ + "]";
            int j = 0;
            for (JsonNode port : Trees.items(rule, "ports")) {
                port(errors, path + ".ports[" + j++ + "]", port);
            }
            j = 0;
            for (JsonNode peer : Trees.items(rule, peers)) {
                peer(errors, path + "." + peers + "[" + j++ + "]", peer);
            }
        }
    }

    private static void port(FieldErrors errors, String path, JsonNode port) {
        FieldRules.choice(errors, path, port, "protocol", PROTOCOLS);
        JsonNode number = Trees.child(port, "port");
        boolean range = Trees.has(port, "endPort");
        long end = Trees.number(port, "endPort");
        if (number.isMissingNode()) {
            if (range) {
                errors.invalid(path + ".endPort", end, "may not be specified when `port` is not specified");
            }
        } else if (number.isTextual()) {
            if (range) {
                errors.invalid(path + ".endPort", end, "may not be specified when `port` is non-numeric");
            }
            FieldRules.invalid(errors, path + ".port", number.textValue(), Names.portName(number.textValue()));
        } else {
            FieldRules.invalid(errors, path + ".port", number.asLong(), Names.portNumber(number.asLong()));
            if (range) {
                if (end < number.asLong()) {
                    errors.invalid(path + ".endPort", number.asLong(), "must be greater than or equal to `port`");
                }
                FieldRules.invalid(errors, path + ".endPort", end, Names.portNumber(end));
            }
        }
    }

    private static void peer(FieldErrors errors, String path, JsonNode peer) {
        int count = 0;
        for (String selector : List.of("podSelector", "namespaceSelector")) {
            if (Trees.has(peer, selector)) {
                count++;
                LabelSelectorRules.validate(errors, path + "." + selector, peer.get(selector));
            }
        }
        if (Trees.has(peer, "ipBlock")) {
            count++;
            block(errors, path + ".ipBlock", peer.get("ipBlock"));
        }
        if (count == 0) {
            errors.required(path, "must specify a peer");
        } else if (count > 1 && Trees.has(peer, "ipBlock")) {
            errors.forbidden(path, "may not specify both ipBlock and another peer");
        }
    }

    private static void block(FieldErrors errors, String path, JsonNode block) {
        String cidr = Trees.text(block, "cidr");
        if (cidr.isEmpty()) {
            errors.required(path + ".cidr", "");
            return;
        }
        IpAddresses.validateRange(errors, path + ".cidr", cidr);
        IpAddresses.Range range = IpAddresses.parseRange(cidr);
        List<String> excepted = Trees.texts(block, "except");
        for (int i = 0; range != null && i < excepted.size(); i++) {
            String at = path + ".except[" + i + "]";
            IpAddresses.validateRange(errors, at, excepted.get(i));
            IpAddresses.Range except = IpAddresses.parseRange(excepted.get(i));
            if (except != null && (range.offset(except.network()) == null || range.prefix() >= except.prefix())) {
                errors.invalid(at, excepted.get(i), "must be a strict subset of `cidr`");
            }
        }
    }

    @Override
    public void validateUpdate(ObjectNode policy, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(policy, errors, context);
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode policy, ObjectNode old) {
        return !Trees.same(policy, old, "spec");
    }

    @Override
    public boolean isValidatedAsNewToo() {
        return true;
    }
}
