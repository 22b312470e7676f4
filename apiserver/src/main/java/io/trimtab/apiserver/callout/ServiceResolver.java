package io.trimtab.apiserver.callout;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Objects;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.storage.StoredObject;
import io.trimtab.runtime.Driver;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.IntSupplier;

/**
 * Finds where a Service is: at a ready endpoint of it, or at its cluster IP. The API server's own Service is the API server
 * (kubeapiserver's service resolvers, and apiserver/pkg/util/proxy). Safe for use by any thread.
 */
public final class ServiceResolver {
    /** The label of an EndpointSlice that names its Service. */
    public static final String SERVICE_NAME = "kubernetes.io/service-name";

    private final Storage storage;
    private final Driver driver;
    private final Routing routing;
    private final IntSupplier loopbackPort;

    /** How a Service is reached. */
    public enum Routing {
        /** As a client in the cluster would: what has a cluster IP at an endpoint, no service proxy being here to ask. */
        AUTOMATIC,
        /** At an endpoint, and there only. */
        ENDPOINTS,
        /** At the cluster IP, which needs a service proxy on this machine. */
        CLUSTER_IP
    }

    /** A host and a port. */
    public record Address(String host, int port) {}

    /** @param loopbackPort where this server listens on loopback; not positive if it does not */
    public ServiceResolver(Storage storage, Driver driver, Routing routing, IntSupplier loopbackPort) {
        this.storage = storage;
        this.driver = driver;
        this.routing = routing;
        this.loopbackPort = loopbackPort;
    }

    /**
     * Where to connect to.
     *
     * @throws CalloutException if there is no such Service, or nothing behind it
     */
    public Address resolve(Target.Service service) {
        if (service.namespace().equals("default")
                && service.name().equals("kubernetes")
                && service.port() == 443
                && loopbackPort.getAsInt() > 0) {
            return new Address("127.0.0.1", loopbackPort.getAsInt());
        }
        JsonNode spec = storage.get(CoreResources.SERVICES, service.namespace(), service.name())
                .orElseThrow(() -> new CalloutException("service \"" + service.name() + "\" not found"))
                .tree()
                .path("spec");
        boolean external = spec.path("type").asText().equals("ExternalName");
        return switch (routing) {
            case AUTOMATIC -> external ? clusterIp(service, spec) : endpoint(service, spec);
            case ENDPOINTS -> endpoint(service, spec);
            case CLUSTER_IP -> clusterIp(service, spec);
        };
    }

    private static Address clusterIp(Target.Service service, JsonNode spec) {
        String type = spec.path("type").asText("ClusterIP");
        String ip = spec.path("clusterIP").asText("");
        if (type.equals("ClusterIP") && ip.equals("None")) {
            throw new CalloutException("cannot route to service with ClusterIP \"None\"");
        }
        if (type.equals("ExternalName")) {
            return new Address(spec.path("externalName").asText(), service.port());
        }
        findPort(service, spec);
        return new Address(ip, service.port());
    }

    private Address endpoint(Target.Service service, JsonNode spec) {
        String type = spec.path("type").asText("ClusterIP");
        if (type.equals("ExternalName")) {
            throw new CalloutException("unsupported service type \"" + type + "\"");
        }
        String portName = findPort(service, spec).path("name").asText("");
        String family = spec.path("ipFamilies").path(0).asText("IPv4");
        List<JsonNode> slices = new ArrayList<>();
        for (StoredObject slice : Objects.labelled(
                storage, CoreResources.ENDPOINT_SLICES, service.namespace(), Map.of(SERVICE_NAME, service.name()))) {
            slices.add(slice.tree());
        }
        slices.sort(Comparator.comparing(s -> !s.path("addressType").asText().equals(family)));
        for (JsonNode slice : slices) {
            for (JsonNode port : slice.path("ports")) {
                if (!port.path("name").asText("").equals(portName)
                        || !port.path("port").isNumber()) {
                    continue;
                }
                JsonNode endpoints = slice.path("endpoints");
                int offset = endpoints.isEmpty() ? 0 : driver.random().nextInt(endpoints.size());
                for (int i = 0; i < endpoints.size(); i++) {
                    JsonNode endpoint = endpoints.get((i + offset) % endpoints.size());
                    if (endpoint.path("conditions").path("ready").asBoolean(true)) {
                        return new Address(
                                endpoint.path("addresses").path(0).asText(),
                                port.path("port").asInt());
                    }
                }
            }
        }
        throw new CalloutException("no endpoints available for service \"" + service.name() + "\"");
    }

    private static JsonNode findPort(Target.Service service, JsonNode spec) {
        for (JsonNode port : spec.path("ports")) {
            if (port.path("port").asInt() == service.port()) {
                return port;
            }
        }
        throw new CalloutException(
                "no service port " + service.port() + " found for service \"" + service.name() + "\"");
    }
}
