package io.trimtab.node.network;

import com.google.common.net.InetAddresses;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.trimtab.runtime.Driver;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The network of a simulated cluster: takes a connection from where it begins by way of Services, host ports and network policies
 * to the program that listens, or says what becomes of it instead. Safe for use by any thread; takes nobody's time: what an
 * attempt costs is for the caller to tell.
 */
public final class Fabric {
    private static final int FIRST_EPHEMERAL_PORT = 32_768;
    private static final int EPHEMERAL_PORTS = 28_000;

    private final Driver driver;
    private final ClusterView cluster;
    private final Servers servers;
    private final Balancer balancer;
    private final Names names;

    public Fabric(Driver driver, ClusterView cluster, Servers servers) {
        this.driver = driver;
        this.cluster = cluster;
        this.servers = servers;
        this.balancer = new Balancer(driver, cluster);
        this.names = new Names(cluster, this::isNameServiceAllowed);
    }

    /** The cluster's names, as a pod's resolver finds them. */
    public Names names() {
        return names;
    }

    public ClusterView cluster() {
        return cluster;
    }

    /** Tries to connect to an address, which is no name. */
    public Verdict dial(Origin origin, String address, int port, Protocol protocol) {
        if (isLoopback(address)) {
            return local(origin, address, port, protocol);
        }
        for (Service service : cluster.servicesAt(address)) {
            if (Balancer.isProxied(service)) {
                return atServiceAddress(origin, service, address, port, protocol);
            }
        }
        Node node = nodeAt(address);
        if (node != null) {
            Verdict byNodePort = atNodePort(origin, node, address, port, protocol);
            return byNodePort != null ? byNodePort : onNode(origin, node, address, port, protocol);
        }
        return direct(origin, sourceOf(origin), address, port, protocol);
    }

    private static boolean isLoopback(String address) {
        return address.startsWith("127.") || address.equals("::1") || address.equals("0.0.0.0") || address.equals("::");
    }

    // ---- services

    private Verdict atServiceAddress(Origin origin, Service service, String address, int port, Protocol protocol) {
        ServicePort found = null;
        for (ServicePort candidate : service.getSpec().getPorts()) {
            if (candidate.getPort() == port && Protocol.of(candidate.getProtocol()) == protocol) {
                found = candidate;
            }
        }
        if (found == null) {
            return new Verdict.Silent(Balancer.name(service) + " has no port " + port + "/" + protocol);
        }
        boolean internal = service.getSpec().getClusterIPs().contains(address)
                || address.equals(service.getSpec().getClusterIP());
        String from = nodeOf(origin);
        Balancer.Request request = new Balancer.Request(
                service,
                found,
                isVersion6(address),
                internal && "Local".equals(service.getSpec().getInternalTrafficPolicy()) ? from : null,
                sourceOf(origin),
                zoneOf(from));
        return forward(origin, request, internal ? null : Objects.requireNonNullElse(from, ""), protocol);
    }

    /** Null if no service has the port. */
    private @Nullable Verdict atNodePort(Origin origin, Node node, String address, int port, Protocol protocol) {
        for (Service service : cluster.servicesAtNodePort(port)) {
            if (!Balancer.isProxied(service)) {
                continue;
            }
            boolean local = "Local".equals(service.getSpec().getExternalTrafficPolicy());
            String name = node.getMetadata().getName();
            if (local && Objects.equals(service.getSpec().getHealthCheckNodePort(), port) && protocol == Protocol.TCP) {
                return reached(
                        null,
                        HealthCheck.listener(service, balancer.count(service, name)),
                        sourceOf(origin),
                        address,
                        port);
            }
            for (ServicePort candidate : service.getSpec().getPorts()) {
                if (Objects.equals(candidate.getNodePort(), port) && Protocol.of(candidate.getProtocol()) == protocol) {
                    // What begins on the node itself, or in a pod of it, is not of the outside, and may go anywhere.
                    boolean confined = local && !name.equals(nodeOf(origin));
                    Balancer.Request request = new Balancer.Request(
                            service,
                            candidate,
                            isVersion6(address),
                            confined ? name : null,
                            sourceOf(origin),
                            zoneOf(name));
                    return forward(origin, request, local ? null : name, protocol);
                }
            }
        }
        return null;
    }

    /**
     * Sends a connection to an endpoint.
     *
     * @param masquerade the node in whose name it goes on; null if it keeps its own
     */
    private Verdict forward(Origin origin, Balancer.Request request, @Nullable String masquerade, Protocol protocol) {
        Balancer.Choice choice = balancer.choose(request);
        if (choice.endpoint() == null) {
            String why = Balancer.name(request.service()) + " has no " + choice.missing();
            return choice.drop() ? new Verdict.Silent(why) : new Verdict.Refused(why);
        }
        String source = masquerade == null || masquerade.isEmpty() ? sourceOf(origin) : addressOf(masquerade);
        String address = choice.endpoint().address();
        Node node = nodeAt(address);
        return node != null
                ? onNode(origin, node, address, choice.endpoint().port(), protocol)
                : direct(origin, source, address, choice.endpoint().port(), protocol);
    }

    // ---- destinations

    /** A pod's own address, or one that nobody here has. */
    private Verdict direct(Origin origin, String source, String address, int port, Protocol protocol) {
        Optional<Pod> found = cluster.podAt(address);
        if (found.isEmpty()) {
            Optional<String> refusal = egress(origin, PolicyEngine.Party.outside(address), protocol, port);
            return refusal.isPresent()
                    ? new Verdict.Silent(refusal.get())
                    : new Verdict.Unreachable("no pod, service or node has the address " + address);
        }
        return toPod(origin, source, found.get(), address, port, protocol);
    }

    private Verdict toPod(Origin origin, String source, Pod pod, String address, int port, Protocol protocol) {
        boolean self = origin instanceof Origin.InPod from
                && from.pod().getMetadata().getUid().equals(pod.getMetadata().getUid());
        if (!self) {
            Optional<String> refusal = egress(origin, party(pod, address), protocol, port)
                    .or(() -> ingress(origin, source, pod, protocol, port));
            if (refusal.isPresent()) {
                return new Verdict.Silent(refusal.get());
            }
        }
        String name = pod.getMetadata().getNamespace() + "/" + pod.getMetadata().getName();
        if (!servers.isHere(pod)) {
            return new Verdict.Unreachable("pod " + name + " runs on node "
                    + pod.getSpec().getNodeName() + ", which another process simulates");
        }
        Optional<Listener> listener = servers.listener(pod, protocol, port);
        if (listener.isEmpty() || listener.get().isLocal() && !isLoopback(address)) {
            return new Verdict.Refused("nothing listens at port " + port + "/" + protocol + " of pod " + name);
        }
        return reached(pod, listener.get(), source, address, port);
    }

    /** A node's address: host ports, pods on its network. */
    private Verdict onNode(Origin origin, Node node, String address, int port, Protocol protocol) {
        String name = node.getMetadata().getName();
        List<Pod> pods = cluster.podsOn(name);
        for (Pod pod : pods) {
            for (Container container : pod.getSpec().getContainers()) {
                for (ContainerPort candidate : container.getPorts()) {
                    if (Objects.equals(candidate.getHostPort(), port)
                            && Protocol.of(candidate.getProtocol()) == protocol
                            && isHostAddress(candidate.getHostIP(), address)
                            && !isOnNodesNetwork(pod)
                            && pod.getStatus() != null
                            && pod.getStatus().getPodIP() != null) {
                        return toPod(
                                origin,
                                sourceOf(origin),
                                pod,
                                pod.getStatus().getPodIP(),
                                candidate.getContainerPort(),
                                protocol);
                    }
                }
            }
        }
        Optional<String> refusal = egress(origin, PolicyEngine.Party.outside(address), protocol, port);
        if (refusal.isPresent()) {
            return new Verdict.Silent(refusal.get());
        }
        for (Pod pod : pods) {
            if (isOnNodesNetwork(pod) && servers.isHere(pod)) {
                Optional<Listener> listener = servers.listener(pod, protocol, port);
                if (listener.isPresent() && (!listener.get().isLocal() || isLoopback(address))) {
                    return reached(pod, listener.get(), sourceOf(origin), address, port);
                }
            }
        }
        Optional<Listener> own =
                protocol == Protocol.TCP ? NodeServers.at(port, isLoopback(address), driver.now()) : Optional.empty();
        if (own.isPresent()) {
            return reached(null, own.get(), sourceOf(origin), address, port);
        }
        return new Verdict.Refused("nothing listens at port " + port + "/" + protocol + " of node " + name);
    }

    private static boolean isHostAddress(@Nullable String hostIp, String address) {
        return hostIp == null
                || hostIp.isEmpty()
                || hostIp.equals("0.0.0.0")
                || hostIp.equals("::")
                || hostIp.equals(address);
    }

    private Verdict local(Origin origin, String address, int port, Protocol protocol) {
        if (origin instanceof Origin.InPod from && !isOnNodesNetwork(from.pod())) {
            return toPod(origin, "127.0.0.1", from.pod(), address, port, protocol);
        }
        String name = nodeOf(origin);
        for (Node node : cluster.nodes()) {
            if (node.getMetadata().getName().equals(name)) {
                Verdict byNodePort = atNodePort(origin, node, address, port, protocol);
                return byNodePort != null ? byNodePort : onNode(origin, node, address, port, protocol);
            }
        }
        return new Verdict.Refused("nothing listens there");
    }

    private Verdict reached(@Nullable Pod pod, Listener listener, String source, String address, int port) {
        int sourcePort = FIRST_EPHEMERAL_PORT + driver.random().nextInt(EPHEMERAL_PORTS);
        return new Verdict.Reached(pod, listener, new Peer(source, sourcePort, address, port));
    }

    // ---- policies

    private Optional<String> egress(Origin origin, PolicyEngine.Party to, Protocol protocol, int port) {
        if (!(origin instanceof Origin.InPod from) || isOnNodesNetwork(from.pod())) {
            return Optional.empty();
        }
        return PolicyEngine.refusal(
                cluster.policies(from.pod().getMetadata().getNamespace()),
                PolicyEngine.Direction.EGRESS,
                from.pod(),
                to,
                protocol,
                port);
    }

    private Optional<String> ingress(Origin origin, String source, Pod pod, Protocol protocol, int port) {
        boolean fromPod = origin instanceof Origin.InPod in && !isOnNodesNetwork(in.pod());
        if (!fromPod && Objects.equals(nodeOf(origin), pod.getSpec().getNodeName())) {
            return Optional.empty(); // a node always reaches its own pods
        }
        PolicyEngine.Party from = fromPod && source.equals(sourceOf(origin))
                ? party(((Origin.InPod) origin).pod(), source)
                : PolicyEngine.Party.outside(source);
        return PolicyEngine.refusal(
                cluster.policies(pod.getMetadata().getNamespace()),
                PolicyEngine.Direction.INGRESS,
                pod,
                from,
                protocol,
                port);
    }

    private PolicyEngine.Party party(Pod pod, String address) {
        return new PolicyEngine.Party(
                address, pod, cluster.namespaceLabels(pod.getMetadata().getNamespace()));
    }

    private boolean isNameServiceAllowed(Pod pod, Pod nameService, String address) {
        Origin origin = new Origin.InPod(pod);
        return egress(origin, party(nameService, address), Protocol.UDP, 53).isEmpty();
    }

    // ---- who is who

    static boolean isOnNodesNetwork(Pod pod) {
        return Boolean.TRUE.equals(pod.getSpec().getHostNetwork());
    }

    private static @Nullable String nodeOf(Origin origin) {
        if (origin instanceof Origin.InPod in) {
            return in.pod().getSpec().getNodeName();
        }
        return origin instanceof Origin.OnNode on ? on.node() : null;
    }

    /** The address that a connection begins with. */
    public String sourceOf(Origin origin) {
        if (origin instanceof Origin.Outside outside) {
            return outside.address();
        }
        if (origin instanceof Origin.InPod in && !isOnNodesNetwork(in.pod())) {
            return cluster.addressOf(in.pod()).orElse("0.0.0.0");
        }
        return addressOf(Objects.requireNonNullElse(nodeOf(origin), ""));
    }

    private String addressOf(String node) {
        return cluster.nodes().stream()
                .filter(n -> n.getMetadata().getName().equals(node))
                .flatMap(n -> addresses(n).stream())
                .findFirst()
                .orElse("0.0.0.0");
    }

    private @Nullable Node nodeAt(String address) {
        return cluster.nodes().stream()
                .filter(n -> addresses(n).contains(address))
                .findFirst()
                .orElse(null);
    }

    private static List<String> addresses(Node node) {
        List<String> addresses = new ArrayList<>();
        if (node.getStatus() != null) {
            node.getStatus().getAddresses().stream()
                    .filter(a -> a.getType().endsWith("IP") && InetAddresses.isInetAddress(a.getAddress()))
                    .forEach(a -> addresses.add(a.getAddress()));
        }
        return addresses;
    }

    /** How much memory a node has; 128Gi for one that does not say. */
    public long memoryBytes(String node) {
        return cluster.nodes().stream()
                .filter(n -> n.getMetadata().getName().equals(node) && n.getStatus() != null)
                .map(n -> n.getStatus().getCapacity())
                .filter(capacity -> capacity != null && capacity.containsKey("memory"))
                .map(capacity -> capacity.get("memory").getNumericalAmount().longValue())
                .findFirst()
                .orElse(128L << 30);
    }

    private @Nullable String zoneOf(@Nullable String node) {
        if (node == null) {
            return null;
        }
        return cluster.nodes().stream()
                .filter(n -> n.getMetadata().getName().equals(node))
                .map(n -> n.getMetadata().getLabels())
                .filter(Objects::nonNull)
                .map((Map<String, String> labels) -> labels.get("topology.kubernetes.io/zone"))
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    private static boolean isVersion6(String address) {
        return address.indexOf(':') >= 0;
    }
}
