package io.trimtab.apiserver.table;

import static io.trimtab.apiserver.table.Texts.NONE;
import static io.trimtab.apiserver.table.Texts.name;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The groups networking.k8s.io and discovery.k8s.io. */
final class NetworkCells {
    private NetworkCells() {}

    static void register(Map<String, RowFunction> rows) {
        rows.put("ingresses.networking.k8s.io", NetworkCells::ingress);
        rows.put("ingressclasses.networking.k8s.io", NetworkCells::ingressClass);
        rows.put(
                "networkpolicies.networking.k8s.io",
                (o, now) -> new Row()
                        .add(name(o))
                        .add(Texts.selector(o.path("spec").path("podSelector")))
                        .add(Ages.of(o, now)));
        rows.put(
                "ipaddresses.networking.k8s.io",
                (o, now) -> new Row()
                        .add(name(o))
                        .add(parent(o.path("spec").path("parentRef")))
                        .add(Ages.of(o, now))); // a third cell under two heads: so does Kubernetes
        rows.put(
                "servicecidrs.networking.k8s.io",
                (o, now) -> new Row()
                        .add(name(o))
                        .add(Texts.join(",", o.path("spec").path("cidrs")))
                        .add(Ages.of(o, now)));
        rows.put("endpointslices.discovery.k8s.io", NetworkCells::endpointSlice);
    }

    private static Row ingress(JsonNode o, Instant now) {
        JsonNode spec = o.path("spec");
        List<String> hosts = new ArrayList<>();
        spec.path("rules").forEach(r -> {
            String host = r.path("host").asText("");
            if (!host.isEmpty()) {
                hosts.add(host);
            }
        });
        return new Row()
                .add(name(o))
                .add(
                        spec.path("ingressClassName").isTextual()
                                ? spec.path("ingressClassName").asText()
                                : NONE)
                .add(hosts.isEmpty() ? "*" : Texts.firstThree(hosts))
                .add(String.join(",", CoreCells.loadBalancer(o.path("status").path("loadBalancer"))))
                .add(spec.path("tls").isEmpty() ? "80" : "80, 443")
                .add(Ages.of(o, now));
    }

    private static Row ingressClass(JsonNode o, Instant now) {
        JsonNode parameters = o.path("spec").path("parameters");
        String text = NONE;
        if (parameters.isObject()) {
            String group = parameters.path("apiGroup").isTextual()
                    ? "." + parameters.path("apiGroup").asText()
                    : "";
            text = parameters.path("kind").asText("") + group + "/"
                    + parameters.path("name").asText("");
        }
        return new Row()
                .add(name(o))
                .add(o.path("spec").path("controller").asText(""))
                .add(text)
                .add(Ages.of(o, now));
    }

    private static String parent(JsonNode parent) {
        if (!parent.isObject()) {
            return NONE;
        }
        String group = parent.path("group").asText("");
        String namespace = parent.path("namespace").asText("");
        return parent.path("resource").asText("")
                + (group.isEmpty() ? "" : "." + group)
                + "/"
                + (namespace.isEmpty() ? "" : namespace + "/")
                + parent.path("name").asText("");
    }

    private static Row endpointSlice(JsonNode o, Instant now) {
        List<String> ports = new ArrayList<>();
        for (JsonNode port : o.path("ports")) {
            ports.add(
                    port.path("port").isNumber()
                            ? port.path("port").asText()
                            : port.path("name").isTextual() ? port.path("name").asText() : "*");
        }
        List<String> addresses = new ArrayList<>();
        o.path("endpoints").forEach(e -> e.path("addresses").forEach(a -> addresses.add(a.asText(""))));
        return new Row()
                .add(name(o))
                .add(o.path("addressType").asText(""))
                .add(Texts.firstThree(ports))
                .add(Texts.firstThree(addresses))
                .add(Ages.of(o, now));
    }
}
