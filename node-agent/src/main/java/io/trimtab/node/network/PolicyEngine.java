package io.trimtab.node.network;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.networking.v1.IPBlock;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyEgressRule;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyIngressRule;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPeer;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPort;
import io.trimtab.selector.model.ModelSelectors;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Decides whether network policies let a connection through. A pod that no policy of a direction selects is open in that
 * direction; one that some select is open to what any rule of any of them allows. Pure functions: who asks fetches the policies
 * of the subject's namespace.
 */
public final class PolicyEngine {
    private PolicyEngine() {}

    /** Which end of the connection the subject is. */
    public enum Direction {
        INGRESS("Ingress"),
        EGRESS("Egress");

        private final String type;

        Direction(String type) {
            this.type = type;
        }
    }

    /**
     * The other end of a connection.
     *
     * @param address its IP, as the subject sees it
     * @param pod null if it is no pod with an address of its own: a node, a pod on its node's network, or outside
     * @param namespaceLabels of the pod's namespace
     */
    public record Party(String address, @Nullable Pod pod, Map<String, String> namespaceLabels) {
        public static Party outside(String address) {
            return new Party(address, null, Map.of());
        }
    }

    /**
     * Why a connection is refused.
     *
     * @param policies of the subject's namespace; those that do not select it do not count
     * @param subject whose policies these are
     * @param port where the connection leads, at the destination itself, after any Service's translation
     * @return empty if the connection is allowed
     */
    public static Optional<String> refusal(
            Collection<NetworkPolicy> policies,
            Direction direction,
            Pod subject,
            Party other,
            Protocol protocol,
            int port) {
        Pod destination = direction == Direction.INGRESS ? subject : other.pod();
        List<NetworkPolicy> isolating = new ArrayList<>();
        for (NetworkPolicy policy : policies) {
            if (!applies(policy, direction, subject)) {
                continue;
            }
            isolating.add(policy);
            for (Rule rule : rules(policy, direction)) {
                if (matchesPeers(policy, rule.peers(), other)
                        && matchesPorts(rule.ports(), destination, protocol, port)) {
                    return Optional.empty();
                }
            }
        }
        if (isolating.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of("no " + direction.type.toLowerCase(java.util.Locale.ROOT) + " rule of "
                + isolating.stream()
                        .map(p -> "networkpolicy " + p.getMetadata().getNamespace() + "/"
                                + p.getMetadata().getName())
                        .sorted()
                        .collect(Collectors.joining(", "))
                + " allows it");
    }

    /** Ingress and egress rules have the same shape. */
    private record Rule(List<NetworkPolicyPeer> peers, List<NetworkPolicyPort> ports) {}

    private static boolean applies(NetworkPolicy policy, Direction direction, Pod subject) {
        var spec = policy.getSpec();
        if (spec == null
                || !policy.getMetadata()
                        .getNamespace()
                        .equals(subject.getMetadata().getNamespace())) {
            return false;
        }
        List<String> types = spec.getPolicyTypes();
        boolean named = types == null || types.isEmpty()
                ? direction == Direction.INGRESS || !spec.getEgress().isEmpty()
                : types.contains(direction.type);
        return named
                && (spec.getPodSelector() == null
                        || ModelSelectors.of(spec.getPodSelector()).matches(labels(subject)));
    }

    private static List<Rule> rules(NetworkPolicy policy, Direction direction) {
        List<Rule> rules = new ArrayList<>();
        if (direction == Direction.INGRESS) {
            for (NetworkPolicyIngressRule rule : policy.getSpec().getIngress()) {
                rules.add(new Rule(rule.getFrom(), rule.getPorts()));
            }
        } else {
            for (NetworkPolicyEgressRule rule : policy.getSpec().getEgress()) {
                rules.add(new Rule(rule.getTo(), rule.getPorts()));
            }
        }
        return rules;
    }

    private static boolean matchesPeers(NetworkPolicy policy, @Nullable List<NetworkPolicyPeer> peers, Party other) {
        return peers == null || peers.isEmpty() || peers.stream().anyMatch(peer -> matches(policy, peer, other));
    }

    private static boolean matches(NetworkPolicy policy, NetworkPolicyPeer peer, Party other) {
        if (peer.getIpBlock() != null) {
            return matches(peer.getIpBlock(), other.address());
        }
        Pod pod = other.pod();
        if (pod == null) {
            return false;
        }
        boolean namespace = peer.getNamespaceSelector() == null
                ? policy.getMetadata().getNamespace().equals(pod.getMetadata().getNamespace())
                : ModelSelectors.of(peer.getNamespaceSelector()).matches(other.namespaceLabels());
        return namespace
                && (peer.getPodSelector() == null
                        || ModelSelectors.of(peer.getPodSelector()).matches(labels(pod)));
    }

    private static boolean matches(IPBlock block, String address) {
        return Cidr.parse(block.getCidr()).contains(address)
                && (block.getExcept() == null
                        || block.getExcept().stream()
                                .noneMatch(except -> Cidr.parse(except).contains(address)));
    }

    private static boolean matchesPorts(
            @Nullable List<NetworkPolicyPort> ports, @Nullable Pod destination, Protocol protocol, int port) {
        return ports == null
                || ports.isEmpty()
                || ports.stream().anyMatch(allowed -> matches(allowed, destination, protocol, port));
    }

    private static boolean matches(NetworkPolicyPort allowed, @Nullable Pod destination, Protocol protocol, int port) {
        if (Protocol.of(allowed.getProtocol()) != protocol) {
            return false;
        }
        IntOrString wanted = allowed.getPort();
        if (wanted == null) {
            return true;
        }
        if (wanted.getStrVal() != null) {
            return destination != null
                    && namedPorts(destination, wanted.getStrVal(), protocol).contains(port);
        }
        int first = wanted.getIntVal();
        return allowed.getEndPort() == null ? port == first : port >= first && port <= allowed.getEndPort();
    }

    private static List<Integer> namedPorts(Pod pod, String name, Protocol protocol) {
        List<Container> containers = new ArrayList<>(pod.getSpec().getContainers());
        pod.getSpec().getInitContainers().stream()
                .filter(c -> "Always".equals(c.getRestartPolicy()))
                .forEach(containers::add);
        return containers.stream()
                .flatMap(c -> c.getPorts().stream())
                .filter(p -> name.equals(p.getName()) && Protocol.of(p.getProtocol()) == protocol)
                .map(ContainerPort::getContainerPort)
                .toList();
    }

    private static Map<String, String> labels(Pod pod) {
        Map<String, String> labels = pod.getMetadata().getLabels();
        return labels == null ? Map.of() : labels;
    }
}
