package io.trimtab.node;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.ResourceType;
import io.trimtab.informer.SharedInformer;
import io.trimtab.node.network.ClusterView;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a network asks of its cluster: pods, services and nodes out of the agent's caches, the rest of the server at each
 * connection. A simulated pod connects seldom; caches of every endpoint and policy would cost every cluster, and a policy counts
 * from the moment at which it is written. Thread-safe.
 */
final class ClusterReads implements ClusterView {
    private static final Logger LOG = LoggerFactory.getLogger(ClusterReads.class);
    private static final ResourceType<Pod> PODS = ResourceType.of(Pod.class);
    private static final ResourceType<EndpointSlice> SLICES = ResourceType.of(EndpointSlice.class);
    private static final ResourceType<NetworkPolicy> POLICIES = ResourceType.of(NetworkPolicy.class);
    private static final ResourceType<Namespace> NAMESPACES = ResourceType.of(Namespace.class);
    private static final String BY_ADDRESS = "podAddress";
    private static final String SERVICE_BY_ADDRESS = "serviceAddress";
    private static final String SERVICE_BY_NODE_PORT = "nodePort";

    private final Client client;
    private final SharedInformer<Pod> pods;
    private final SharedInformer<Service> services;
    private final Nodes nodes;
    private volatile Function<Pod, @Nullable String> addresses = pod -> null;

    ClusterReads(Client client, SharedInformer<Pod> pods, SharedInformer<Service> services, Nodes nodes) {
        this.client = client;
        this.pods = pods;
        this.services = services;
        this.nodes = nodes;
        pods.addIndex(
                BY_ADDRESS, pod -> isAddressed(pod) ? List.of(pod.getStatus().getPodIP()) : List.of());
        services.addIndex(SERVICE_BY_ADDRESS, ClusterReads::addresses);
        services.addIndex(SERVICE_BY_NODE_PORT, ClusterReads::nodePorts);
    }

    /** Sets who knows the addresses that the agent has given out. */
    void given(Function<Pod, @Nullable String> known) {
        addresses = known;
    }

    @Override
    public Optional<String> addressOf(Pod pod) {
        String known = addresses.apply(pod);
        return known != null ? Optional.of(known) : ClusterView.super.addressOf(pod);
    }

    private static boolean isAddressed(Pod pod) {
        return pod.getStatus() != null
                && pod.getStatus().getPodIP() != null
                && !Boolean.TRUE.equals(pod.getSpec().getHostNetwork())
                && !PodStatuses.isTerminal(pod.getStatus().getPhase());
    }

    private static List<String> addresses(Service service) {
        TreeSet<String> all = new TreeSet<>(service.getSpec().getClusterIPs());
        String own = service.getSpec().getClusterIP();
        if (own != null) {
            all.add(own);
        }
        all.remove("None");
        all.remove("");
        all.addAll(service.getSpec().getExternalIPs());
        if (service.getStatus() != null && service.getStatus().getLoadBalancer() != null) {
            service.getStatus().getLoadBalancer().getIngress().stream()
                    .map(i -> i.getIp())
                    .filter(Objects::nonNull)
                    .forEach(all::add);
        }
        return List.copyOf(all);
    }

    private static List<String> nodePorts(Service service) {
        TreeSet<String> all = new TreeSet<>();
        for (ServicePort port : service.getSpec().getPorts()) {
            if (port.getNodePort() != null && port.getNodePort() > 0) {
                all.add(String.valueOf(port.getNodePort()));
            }
        }
        Integer health = service.getSpec().getHealthCheckNodePort();
        if (health != null && health > 0) {
            all.add(String.valueOf(health));
        }
        return List.copyOf(all);
    }

    @Override
    public Optional<Pod> podAt(String address) {
        List<Pod> known = pods.lister().byIndex(BY_ADDRESS, address);
        if (!known.isEmpty()) {
            return Optional.of(known.get(known.size() - 1));
        }
        // The agent of one node is told of no other's pods.
        ListOptions options = new ListOptionsBuilder()
                .withFieldSelector("status.podIP=" + address)
                .build();
        return list(PODS, null, options).stream()
                .filter(ClusterReads::isAddressed)
                .findFirst();
    }

    @Override
    public List<Pod> podsOn(String node) {
        List<Pod> found = new ArrayList<>();
        for (Pod pod : pods.lister().byIndex(PodAdmission.BY_NODE, node)) {
            if (pod.getStatus() == null
                    || !PodStatuses.isTerminal(pod.getStatus().getPhase())) {
                found.add(pod);
            }
        }
        return found;
    }

    @Override
    public Optional<Service> service(String namespace, String name) {
        return services.lister().get(namespace, name);
    }

    @Override
    public List<Service> servicesAt(String address) {
        return services.lister().byIndex(SERVICE_BY_ADDRESS, address);
    }

    @Override
    public List<Service> servicesAtNodePort(int port) {
        return services.lister().byIndex(SERVICE_BY_NODE_PORT, String.valueOf(port));
    }

    @Override
    public List<EndpointSlice> slices(String namespace, String service) {
        ListOptions options = new ListOptionsBuilder()
                .withLabelSelector("kubernetes.io/service-name=" + service)
                .build();
        return list(SLICES, namespace, options);
    }

    @Override
    public List<NetworkPolicy> policies(String namespace) {
        return list(POLICIES, namespace, new ListOptions());
    }

    @Override
    public Map<String, String> namespaceLabels(String name) {
        try {
            return client.get(NAMESPACES, null, name)
                    .map(n -> n.getMetadata().getLabels())
                    .orElse(Map.of());
        } catch (ApiException e) {
            LOG.atDebug().addKeyValue("namespace", name).setCause(e).log("A namespace cannot be read");
            return Map.of();
        }
    }

    @Override
    public List<Node> nodes() {
        return nodes.known();
    }

    /** A node may lack the right to read them: then its pods' network goes without. */
    private <T extends HasMetadata> List<T> list(
            ResourceType<T> type, @Nullable String namespace, ListOptions options) {
        try {
            return client.list(type, namespace, options).items();
        } catch (ApiException e) {
            LOG.atWarn()
                    .addKeyValue("resource", type.plural())
                    .setCause(e)
                    .log("The simulated network cannot read what it needs");
            return List.of();
        }
    }
}
