package io.trimtab.node.simulated;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The files in which a kernel says what a container may use: its control group (version 2), and how soon it is killed when memory
 * runs out. They are made of what the pod was given, as a kubelet and runc write them. Stateless.
 */
final class Kernel {
    /** Where a container sees its own control group. */
    static final String GROUP = "/sys/fs/cgroup";

    /** Below the node's {@link #GROUP}, as with systemd. */
    private static final String PODS = "kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod";

    private static final int PERIOD_MICROS = 100_000;
    private static final int MIN_QUOTA_MICROS = 1000;
    private static final int MIN_SHARES = 2;
    private static final int MAX_SHARES = 262_144;

    private static final String SETTINGS = "/proc/sys/";
    /** What a pod may change without anybody's leave, as it is when nobody does. */
    private static final Map<String, String> DEFAULTS = Map.of(
            "kernel.shm_rmid_forced", "0",
            "net.ipv4.ip_local_port_range", "32768\t60999",
            "net.ipv4.tcp_syncookies", "1",
            "net.ipv4.ping_group_range", "1\t0",
            "net.ipv4.ip_unprivileged_port_start", "1024",
            "net.ipv4.ip_local_reserved_ports", "",
            "net.ipv4.tcp_keepalive_time", "7200");

    private Kernel() {}

    /** Whether a container may change the network of its pod. */
    static boolean administersNetwork(Container container) {
        var context = container.getSecurityContext();
        return context != null
                && (Boolean.TRUE.equals(context.getPrivileged())
                        || context.getCapabilities() != null
                                && context.getCapabilities().getAdd().stream()
                                        .anyMatch(c -> c.equals("NET_ADMIN") || c.equals("ALL")));
    }

    private static @Nullable String setting(Pod pod, String path) {
        String key = path.replace('/', '.');
        var context = pod.getSpec().getSecurityContext();
        if (context != null && context.getSysctls() != null) {
            for (var sysctl : context.getSysctls()) {
                if (sysctl.getName().replace('/', '.').equals(key)) {
                    return sysctl.getValue();
                }
            }
        }
        return DEFAULTS.get(key);
    }

    /** Which users of the node a pod's are: all, or 65536 of its own. */
    private static String users(Pod pod) {
        if (!Boolean.FALSE.equals(pod.getSpec().getHostUsers())) {
            return "         0          0 4294967295";
        }
        long first = 65_536L * (1 + Math.floorMod(pod.getMetadata().getUid().hashCode(), 32_000));
        return String.format("%10d %10d %10d", 0, first, 65_536);
    }

    /** A file of the kernel's; null if there is none at that path. */
    static FileTree.@Nullable Entry file(String path, Pod pod, Container container, long nodeMemoryBytes) {
        String text =
                switch (path) {
                    case GROUP + "/cpu.weight" -> weight(ownOrOf(pod, container));
                    case GROUP + "/cpu.max" -> quota(ownOrOf(pod, container));
                    case GROUP + "/memory.max" -> memory(ownOrOf(pod, container));
                    case GROUP + "/cgroup.controllers" -> "cpuset cpu io memory hugetlb pids rdma misc";
                    case "/proc/1/oom_score_adj", "/proc/self/oom_score_adj" ->
                        String.valueOf(killOrder(pod, container, nodeMemoryBytes));
                    case "/proc/self/status", "/proc/1/status" -> status(pod, container);
                    case "/proc/self/uid_map", "/proc/self/gid_map" -> users(pod);
                    default -> path.startsWith(SETTINGS) ? setting(pod, path.substring(SETTINGS.length())) : null;
                };
        if (text != null) {
            return FileTree.Entry.file(text + "\n", 0644);
        }
        return path.equals(GROUP) ? new FileTree.Entry("", true, 0755, 0) : null;
    }

    /** What a node shows of a pod's control group; files by path below {@link #GROUP}. */
    static void podGroup(Pod pod, BiConsumer<String, FileTree.Entry> files) {
        String directory = PODS + pod.getMetadata().getUid().replace('-', '_') + ".slice/";
        ResourceRequirements all = ofPod(pod);
        files.accept(directory + "cpu.weight", FileTree.Entry.file(weight(all) + "\n", 0644));
        files.accept(directory + "cpu.max", FileTree.Entry.file(quota(all) + "\n", 0644));
        files.accept(directory + "memory.max", FileTree.Entry.file(memory(all) + "\n", 0644));
    }

    private static String status(Pod pod, Container container) {
        var context = container.getSecurityContext();
        boolean bound = context != null && Boolean.FALSE.equals(context.getAllowPrivilegeEscalation());
        return "Name:\tsh\nState:\tR (running)\nPid:\t1\nNoNewPrivs:\t" + (bound ? 1 : 0) + "\nSeccomp:\t"
                + seccomp(pod, container) + "\nCpus_allowed_list:\t0-31";
    }

    /** 2 is a filter, 0 is none, as the kernel counts. */
    private static int seccomp(Pod pod, Container container) {
        var own = container.getSecurityContext();
        if (own != null && Boolean.TRUE.equals(own.getPrivileged())) {
            return 0;
        }
        var all = pod.getSpec().getSecurityContext();
        var profile = own != null && own.getSeccompProfile() != null
                ? own.getSeccompProfile()
                : all == null ? null : all.getSeccompProfile();
        return profile == null || "Unconfined".equals(profile.getType()) ? 0 : 2;
    }

    // ---- amounts

    /** A limit of the pod's own counts for a container that has none. */
    private static ResourceRequirements ownOrOf(Pod pod, Container container) {
        ResourceRequirements own = container.getResources();
        ResourceRequirements whole = pod.getSpec().getResources();
        if (whole == null || whole.getLimits() == null || whole.getLimits().isEmpty()) {
            return own == null ? new ResourceRequirements() : own;
        }
        ResourceRequirements both = new ResourceRequirements();
        both.setRequests(own == null ? null : own.getRequests());
        LinkedHashMap<String, Quantity> limits = new LinkedHashMap<>(whole.getLimits());
        if (own != null && own.getLimits() != null) {
            limits.putAll(own.getLimits());
        }
        both.setLimits(limits);
        return both;
    }

    private static ResourceRequirements ofPod(Pod pod) {
        if (pod.getSpec().getResources() != null) {
            ResourceRequirements whole = pod.getSpec().getResources();
            ResourceRequirements sum = sum(pod);
            ResourceRequirements result = new ResourceRequirements();
            result.setRequests(over(sum.getRequests(), whole.getRequests()));
            result.setLimits(over(sum.getLimits(), whole.getLimits()));
            return result;
        }
        return sum(pod);
    }

    private static Map<String, Quantity> over(
            @Nullable Map<String, Quantity> sum, @Nullable Map<String, Quantity> given) {
        Map<String, Quantity> all = new LinkedHashMap<>(Objects.requireNonNullElse(sum, Map.of()));
        all.putAll(Objects.requireNonNullElse(given, Map.of()));
        return all;
    }

    private static ResourceRequirements sum(Pod pod) {
        List<Container> together = new ArrayList<>(pod.getSpec().getContainers());
        pod.getSpec().getInitContainers().stream()
                .filter(c -> "Always".equals(c.getRestartPolicy()))
                .forEach(together::add);
        ResourceRequirements sum = new ResourceRequirements();
        Map<String, Quantity> requests = new LinkedHashMap<>();
        Map<String, Quantity> limits = new LinkedHashMap<>();
        for (String resource : List.of("cpu", "memory")) {
            BigDecimal asked = BigDecimal.ZERO;
            BigDecimal most = BigDecimal.ZERO;
            boolean limited = true;
            for (Container container : together) {
                asked = asked.add(amount(container.getResources(), resource, false));
                BigDecimal limit = amount(container.getResources(), resource, true);
                limited &= limit.signum() > 0;
                most = most.add(limit);
            }
            requests.put(resource, new Quantity(asked.toPlainString()));
            if (limited) {
                limits.put(resource, new Quantity(most.toPlainString()));
            }
        }
        sum.setRequests(requests);
        sum.setLimits(limits);
        return sum;
    }

    private static BigDecimal amount(@Nullable ResourceRequirements resources, String name, boolean limit) {
        Map<String, Quantity> amounts =
                resources == null ? null : limit ? resources.getLimits() : resources.getRequests();
        Quantity found = amounts == null ? null : amounts.get(name);
        return found == null ? BigDecimal.ZERO : found.getNumericalAmount();
    }

    private static long milli(ResourceRequirements resources, boolean limit) {
        return amount(resources, "cpu", limit)
                .multiply(BigDecimal.valueOf(1000))
                .setScale(0, RoundingMode.CEILING)
                .longValue();
    }

    // ---- as they are written

    private static String weight(ResourceRequirements resources) {
        long milli = milli(resources, false);
        if (milli == 0) {
            milli = milli(resources, true);
        }
        long shares = Math.max(MIN_SHARES, Math.min(MAX_SHARES, milli * 1024 / 1000));
        return String.valueOf(1 + (shares - 2) * 9999 / 262_142);
    }

    private static String quota(ResourceRequirements resources) {
        long milli = milli(resources, true);
        String most = milli == 0 ? "max" : String.valueOf(Math.max(MIN_QUOTA_MICROS, milli * PERIOD_MICROS / 1000));
        return most + " " + PERIOD_MICROS;
    }

    private static String memory(ResourceRequirements resources) {
        BigDecimal limit = amount(resources, "memory", true);
        return limit.signum() == 0 ? "max" : limit.toBigInteger().toString();
    }

    /** pkg/kubelet/qos/policy.go. */
    private static long killOrder(Pod pod, Container container, long nodeMemoryBytes) {
        String quality = pod.getStatus() == null ? null : pod.getStatus().getQosClass();
        Integer priority = pod.getSpec().getPriority();
        if (priority != null && priority >= 2_000_000_000 || "Guaranteed".equals(quality)) {
            return -997;
        }
        if ("BestEffort".equals(quality)) {
            return 1000;
        }
        long asked = amount(container.getResources(), "memory", false).longValue();
        long left = 1000 - 1000 * asked / nodeMemoryBytes;
        if ("Always".equals(container.getRestartPolicy())) {
            long least = pod.getSpec().getContainers().stream()
                    .mapToLong(c -> amount(c.getResources(), "memory", false).longValue())
                    .min()
                    .orElse(0);
            left = Math.min(left, 1000 - 1000 * least / nodeMemoryBytes);
        }
        return left < 3 ? 3 : left == 1000 ? 999 : left;
    }
}
