package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.Set;

/** Refuses external addresses that a Service did not have before. */
final class DenyServiceExternalIps implements AdmissionPlugin {
    @Override
    public String name() {
        return "DenyServiceExternalIPs";
    }

    @Override
    public void validate(Attributes attributes) {
        ObjectNode service = attributes.object();
        if (service == null || !attributes.isFor("", "services")) {
            return;
        }
        Set<String> had = attributes.old() == null ? Set.of() : addresses(attributes.old());
        if (!had.containsAll(addresses(service))) {
            throw Refusals.forbidden(attributes, "Use of external IPs is denied by admission control");
        }
    }

    private static Set<String> addresses(ObjectNode service) {
        Set<String> addresses = new HashSet<>();
        service.path("spec").path("externalIPs").forEach(address -> addresses.add(address.asText()));
        return addresses;
    }
}
