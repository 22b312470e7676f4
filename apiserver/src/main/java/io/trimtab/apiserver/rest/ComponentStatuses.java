package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.storage.StoredObject;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Says how the other parts of the control plane are, by the leases they hold. Stateless. */
final class ComponentStatuses {
    private ComponentStatuses() {}

    static ApiResponse handle(Call call) {
        return switch (call.info.verb()) {
            case "get" -> {
                Representation form = Representation.negotiate(call, Representation.Endpoint.OBJECT);
                String name = call.info.name();
                for (ObjectNode one : all(call)) {
                    if (Metadata.name(one).equals(name)) {
                        yield ResponseWriter.object(call, form, 200, one);
                    }
                }
                throw Statuses.notFound("", "componentstatus", name);
            }
            case "list" -> {
                Representation form = Representation.negotiate(call, Representation.Endpoint.LIST);
                ListOptions options = ListOptions.parse(call, false);
                List<ObjectNode> selected = new ArrayList<>();
                for (ObjectNode one : all(call)) {
                    boolean matches = options.labels().matches(java.util.Map.of())
                            && options.fields().matches(f -> f.equals("metadata.name") ? Metadata.name(one) : null);
                    if (matches) {
                        selected.add(one);
                    }
                }
                yield ResponseWriter.list(call, form, selected, -1);
            }
            default -> throw Statuses.methodNotAllowed();
        };
    }

    private static List<ObjectNode> all(Call call) {
        return List.of(
                component("controller-manager", leader(call, "kube-controller-manager", "10257")),
                component("scheduler", leader(call, "kube-scheduler", "10259")),
                component("etcd-0", "")); // this request has reached the store: it is well
    }

    /** Empty if it is well, else what Kubernetes would say of a component that does not answer. */
    private static String leader(Call call, String lease, String port) {
        Served leases = call.env.resources().find("coordination.k8s.io", "v1", "leases");
        Optional<StoredObject> found =
                leases == null ? Optional.empty() : call.env.storage().get(leases.storage(), "kube-system", lease);
        if (found.isPresent()) {
            JsonNode spec = found.get().tree().path("spec");
            try {
                Instant end = Instant.parse(spec.path("renewTime").asText())
                        .plusSeconds(spec.path("leaseDurationSeconds").asLong(0));
                if (end.isAfter(call.env.driver().now())) {
                    return "";
                }
            } catch (DateTimeException e) {
                // a lease without a time is nobody's
            }
        }
        return "Get \"https://127.0.0.1:" + port + "/healthz\": dial tcp 127.0.0.1:" + port
                + ": connect: connection refused";
    }

    private static ObjectNode component(String name, String error) {
        ObjectNode object = Json.object().put("kind", "ComponentStatus").put("apiVersion", "v1");
        object.putObject("metadata").put("name", name);
        ObjectNode condition = object.putArray("conditions")
                .addObject()
                .put("type", "Healthy")
                .put("status", error.isEmpty() ? "True" : "False");
        condition.put("message", error.isEmpty() ? "ok" : error);
        return object;
    }
}
