package io.trimtab.controllers.endpointslice;

import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointConditions;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPort;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What makes endpoints, ports and slices the same. Pure functions, shared with the mirroring of Endpoints. */
public final class Slices {
    public static final String SERVICE_NAME = "kubernetes.io/service-name";
    public static final String MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
    public static final String IPV4 = "IPv4";
    public static final String IPV6 = "IPv6";

    private static final int LONGEST_NAME = 253;

    private Slices() {}

    /**
     * What an endpoint is, whatever its state: two of the same identity are one that has changed.
     *
     * @param addresses without order
     */
    public record Identity(
            Set<String> addresses,
            @Nullable String hostname,
            @Nullable String targetNamespace,
            @Nullable String targetName) {

        public static Identity of(Endpoint endpoint) {
            ObjectReference target = endpoint.getTargetRef();
            return new Identity(
                    new TreeSet<>(endpoint.getAddresses()),
                    emptyToNull(endpoint.getHostname()),
                    target == null ? null : target.getNamespace(),
                    target == null ? null : target.getName());
        }
    }

    /** One port, as it counts for grouping. */
    public record Port(
            String name,
            @Nullable String protocol,
            @Nullable Integer number,
            @Nullable String appProtocol) {}

    /** The key of slices that have the same ports. */
    public static Set<Port> portsKey(@Nullable List<EndpointPort> ports) {
        Set<Port> key = new java.util.HashSet<>();
        if (ports != null) {
            ports.forEach(p -> key.add(new Port(
                    p.getName() == null ? "" : p.getName(), p.getProtocol(), p.getPort(), p.getAppProtocol())));
        }
        return key;
    }

    /** The same but for hints. */
    public static boolean sameState(Endpoint a, Endpoint b) {
        return Objects.equals(emptyToNull(a.getNodeName()), emptyToNull(b.getNodeName()))
                && Objects.equals(emptyToNull(a.getZone()), emptyToNull(b.getZone()))
                && sameConditions(a.getConditions(), b.getConditions())
                && sameTarget(a.getTargetRef(), b.getTargetRef());
    }

    private static boolean sameConditions(@Nullable EndpointConditions a, @Nullable EndpointConditions b) {
        EndpointConditions x = a == null ? new EndpointConditions() : a;
        EndpointConditions y = b == null ? new EndpointConditions() : b;
        return Objects.equals(x.getReady(), y.getReady())
                && Objects.equals(x.getServing(), y.getServing())
                && Objects.equals(x.getTerminating(), y.getTerminating());
    }

    private static boolean sameTarget(@Nullable ObjectReference a, @Nullable ObjectReference b) {
        if (a == null || b == null) {
            return a == b;
        }
        return Objects.equals(a.getKind(), b.getKind())
                && Objects.equals(a.getNamespace(), b.getNamespace())
                && Objects.equals(a.getName(), b.getName())
                && Objects.equals(a.getUid(), b.getUid());
    }

    /** What the server begins a slice's name with. */
    public static String prefix(String owner) {
        return owner.length() + 1 <= LONGEST_NAME ? owner + "-" : owner;
    }

    public static Map<String, String> labels(EndpointSlice slice) {
        Map<String, String> labels = slice.getMetadata().getLabels();
        return labels == null ? Map.of() : labels;
    }

    private static @Nullable String emptyToNull(@Nullable String text) {
        return text == null || text.isEmpty() ? null : text;
    }
}
