package io.trimtab.node;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.trimtab.informer.Lister;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Whether a node takes a pod that was bound to it (pkg/kubelet/lifecycle): most were placed by a scheduler and fit, but whoever
 * names a node in a pod goes past it. Asked once, when the pod is first seen. Thread-safe.
 */
final class PodAdmission {
    static final String BY_NODE = "node";

    private static final Set<String> SAFE_SYSCTLS = Set.of(
            "kernel.shm_rmid_forced",
            "net.ipv4.ip_local_port_range",
            "net.ipv4.tcp_syncookies",
            "net.ipv4.ping_group_range",
            "net.ipv4.ip_unprivileged_port_start",
            "net.ipv4.ip_local_reserved_ports",
            "net.ipv4.tcp_keepalive_time",
            "net.ipv4.tcp_fin_timeout",
            "net.ipv4.tcp_keepalive_intvl",
            "net.ipv4.tcp_keepalive_probes",
            "net.ipv4.tcp_rmem",
            "net.ipv4.tcp_wmem");

    private final Lister<Pod> pods;
    private final Nodes nodes;

    /** Why not. */
    record Refusal(String reason, String message) {}

    PodAdmission(Lister<Pod> pods, Nodes nodes) {
        this.pods = pods;
        this.nodes = nodes;
    }

    /** Null if the node takes the pod. */
    @Nullable
    Refusal refusal(Pod pod, String node) {
        Map<String, String> labels = pod.getMetadata().getLabels();
        String os = labels == null ? null : labels.get("kubernetes.io/os");
        if (os != null && !os.equals("linux")) {
            return new Refusal(
                    "PodOSSelectorNodeLabelDoesNotMatch",
                    "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label");
        }
        if (pod.getSpec().getOs() != null
                && !"linux".equals(pod.getSpec().getOs().getName())) {
            return new Refusal("PodOSNotSupported", "Failed to admit pod as the OS field doesn't match node OS");
        }
        if (pod.getSpec().getSecurityContext() != null
                && "Strict".equals(pod.getSpec().getSecurityContext().getSupplementalGroupsPolicy())) {
            return new Refusal(
                    "SupplementalGroupsPolicyNotSupported",
                    "SupplementalGroupsPolicy=Strict is not supported in this node");
        }
        Refusal sysctls = sysctls(pod);
        if (sysctls != null) {
            return sysctls;
        }
        Refusal resources = resources(pod, node);
        return resources != null ? resources : ports(pod, node);
    }

    /** Settings of the kernel that a pod may not change without its node's leave (pkg/kubelet/sysctl). */
    private static @Nullable Refusal sysctls(Pod pod) {
        var context = pod.getSpec().getSecurityContext();
        if (context == null || context.getSysctls() == null) {
            return null;
        }
        for (var sysctl : context.getSysctls()) {
            String name = sysctl.getName().replace('/', '.');
            if (!SAFE_SYSCTLS.contains(name)) {
                return new Refusal("SysctlForbidden", "forbidden sysctl: \"" + name + "\" not allowlisted");
            }
        }
        return null;
    }

    /** What this node could never give. */
    private @Nullable Refusal resources(Pod pod, String node) {
        for (Map.Entry<String, Quantity> has : nodes.allocatable(node).entrySet()) {
            BigDecimal requested = BigDecimal.ZERO;
            for (Container container : pod.getSpec().getContainers()) {
                Map<String, Quantity> requests = container.getResources() == null
                        ? null
                        : container.getResources().getRequests();
                Quantity amount = requests == null ? null : requests.get(has.getKey());
                if (amount != null) {
                    requested = requested.add(amount.getNumericalAmount());
                }
            }
            if (requested.signum() == 0) {
                continue;
            }
            BigDecimal capacity = has.getValue().getNumericalAmount();
            if (requested.compareTo(capacity) > 0) {
                boolean cpu = has.getKey().equals("cpu");
                BigDecimal unit = cpu ? BigDecimal.valueOf(1000) : BigDecimal.ONE;
                return new Refusal(
                        "OutOf" + has.getKey(),
                        "Node didn't have enough resource: " + has.getKey() + ", requested: "
                                + requested.multiply(unit).toBigInteger() + ", used: 0, capacity: "
                                + capacity.multiply(unit).toBigInteger());
            }
        }
        return null;
    }

    private @Nullable Refusal ports(Pod pod, String node) {
        List<ContainerPort> wanted = hostPorts(pod);
        if (wanted.isEmpty()) {
            return null;
        }
        for (Pod other : pods.byIndex(BY_NODE, node)) {
            boolean counts =
                    !other.getMetadata().getUid().equals(pod.getMetadata().getUid())
                            && (other.getStatus() == null
                                    || !PodStatuses.isTerminal(other.getStatus().getPhase()));
            if (!counts) {
                continue;
            }
            for (ContainerPort taken : hostPorts(other)) {
                if (wanted.stream().anyMatch(port -> conflicts(port, taken))) {
                    return new Refusal(
                            "NodePorts",
                            "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports");
                }
            }
        }
        return null;
    }

    private static List<ContainerPort> hostPorts(Pod pod) {
        List<ContainerPort> ports = new ArrayList<>();
        for (Container container : pod.getSpec().getContainers()) {
            container.getPorts().stream()
                    .filter(p -> p.getHostPort() != null && p.getHostPort() > 0)
                    .forEach(ports::add);
        }
        return ports;
    }

    private static boolean conflicts(ContainerPort a, ContainerPort b) {
        String first = address(a);
        String second = address(b);
        return Objects.equals(a.getHostPort(), b.getHostPort())
                && protocol(a).equals(protocol(b))
                && (first.equals(second) || first.equals("0.0.0.0") || second.equals("0.0.0.0"));
    }

    private static String protocol(ContainerPort port) {
        return Objects.requireNonNullElse(port.getProtocol(), "TCP");
    }

    private static String address(ContainerPort port) {
        return port.getHostIP() == null || port.getHostIP().isEmpty() ? "0.0.0.0" : port.getHostIP();
    }
}
