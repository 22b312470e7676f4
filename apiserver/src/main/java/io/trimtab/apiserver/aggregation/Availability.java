package io.trimtab.apiserver.aggregation;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.callout.CalloutException;
import io.trimtab.apiserver.callout.CalloutTransport;
import io.trimtab.apiserver.callout.CalloutTransport.Pending;
import io.trimtab.apiserver.callout.CalloutTransport.Reply;
import io.trimtab.apiserver.callout.CalloutTransport.Request;
import io.trimtab.apiserver.callout.ServiceResolver;
import io.trimtab.apiserver.callout.Target;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Objects;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Finds out whether a server behind a Service can be reached (kube-aggregator's remote_available_controller.go). Stateless. */
final class Availability {
    private static final Duration TIMEOUT = Duration.ofSeconds(5);
    private static final int ATTEMPTS = 5;
    private static final UserInfo AGGREGATOR = UserInfo.of("system:kube-aggregator", UserInfo.MASTERS_GROUP);

    private final Storage storage;
    private final CalloutTransport transport;

    Availability(Storage storage, CalloutTransport transport) {
        this.storage = storage;
        this.transport = transport;
    }

    /** What a check found. */
    record Finding(boolean available, String reason, String message) {}

    /** Checks a server. Blocks until it has answered, or some seconds are over. */
    Finding check(Registration registration, Target target) {
        Target.Service service = target.service();
        if (service != null && !transport.isLocal(target)) {
            Optional<Finding> wrong = checkService(service);
            if (wrong.isPresent()) {
                return wrong.get();
            }
        }
        // Who owns the network may spoil the status; that is no reason to trust nobody.
        Target insecure = new Target(
                target.tls(),
                target.host(),
                target.port(),
                target.authority(),
                target.path(),
                service,
                Target.Trust.anything().withClient(target.trust().client()));
        Request request = new Request(insecure, "GET", registration.discoveryPath(), headers(), new byte[0], TIMEOUT);
        String failure = failure(request, transport.start(request));
        if (failure.isEmpty()) {
            return passed();
        }
        // Another endpoint of the Service may do better.
        List<Pending> more = new ArrayList<>();
        for (int i = 1; i < ATTEMPTS; i++) {
            more.add(transport.start(request));
        }
        for (Pending pending : more) {
            failure = failure(request, pending);
            if (failure.isEmpty()) {
                return passed();
            }
        }
        return new Finding(false, "FailedDiscoveryCheck", failure);
    }

    private static Finding passed() {
        return new Finding(true, "Passed", "all checks passed");
    }

    /** Empty if all is well. */
    private String failure(Request request, Pending pending) {
        String url = transport.located(request.target()) + request.pathAndQuery();
        try {
            Reply reply = pending.await();
            return reply.code() >= 200 && reply.code() < 300
                    ? ""
                    : "failing or missing response from " + url + ": bad status from " + url + ": " + reply.code();
        } catch (CalloutException e) {
            String message = e.getMessage();
            boolean unresolved = message.startsWith("no endpoints") || message.startsWith("service \"");
            if (unresolved) {
                return message;
            }
            String why = e.timedOut()
                    ? "net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting"
                            + " headers)"
                    : message;
            return "failing or missing response from " + url + ": Get \"" + url + "\": " + why;
        }
    }

    /** The headers of a request that this server makes in its own name. */
    static Map<String, List<String>> headers() {
        return RemoteUser.headers(AGGREGATOR);
    }

    private Optional<Finding> checkService(Target.Service wanted) {
        String where = "service/" + wanted.name() + " in \"" + wanted.namespace() + "\"";
        Optional<StoredObject> found = storage.get(CoreResources.SERVICES, wanted.namespace(), wanted.name());
        if (found.isEmpty()) {
            return no("ServiceNotFound", where + " is not present");
        }
        JsonNode spec = found.get().tree().path("spec");
        if (!spec.path("type").asText("ClusterIP").equals("ClusterIP")) {
            return Optional.empty();
        }
        String portName = null;
        for (JsonNode port : spec.path("ports")) {
            if (port.path("port").asInt() == wanted.port()) {
                portName = port.path("name").asText("");
                break;
            }
        }
        if (portName == null) {
            return no("ServicePortError", where + " is not listening on port " + wanted.port());
        }
        List<StoredObject> slices = Objects.labelled(
                storage,
                CoreResources.ENDPOINT_SLICES,
                wanted.namespace(),
                Map.of(ServiceResolver.SERVICE_NAME, wanted.name()));
        if (slices.isEmpty()) {
            return no("EndpointsNotFound", "cannot find endpointslices for " + where);
        }
        for (StoredObject slice : slices) {
            if (isReady(slice.tree()) && hasPort(slice.tree(), portName)) {
                return Optional.empty();
            }
        }
        return no(
                "MissingEndpoints",
                "endpointslices for " + where + " have no addresses with port name \"" + portName + "\"");
    }

    private static boolean isReady(JsonNode slice) {
        for (JsonNode endpoint : slice.path("endpoints")) {
            if (endpoint.path("conditions").path("ready").asBoolean(true)) {
                return true;
            }
        }
        return false;
    }

    private static boolean hasPort(JsonNode slice, String name) {
        for (JsonNode port : slice.path("ports")) {
            if (port.path("name").asText("").equals(name) && port.path("port").isNumber()) {
                return true;
            }
        }
        return false;
    }

    private static Optional<Finding> no(String reason, String message) {
        return Optional.of(new Finding(false, reason, message));
    }
}
