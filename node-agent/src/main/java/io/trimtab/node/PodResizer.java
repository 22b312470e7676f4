package io.trimtab.node;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.trimtab.informer.Lister;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What each pod of the nodes has of processor and memory, and whether it may have what it asks for since (pkg/kubelet/allocation):
 * what no node of this size could give is infeasible, what others have now is put off until they go. Thread-safe: pods of one node
 * are looked at by several workers at once.
 */
final class PodResizer {
    private static final List<String> RESIZABLE = List.of("cpu", "memory");

    /** What the smallest container is taken to use of memory: a shell and its C library. */
    private static final long USAGE_BYTES = 512 << 10;

    private final Lister<Pod> pods;
    private final Nodes nodes;
    private final ReentrantLock lock = new ReentrantLock();

    /** By pod's uid and container's name. */
    @GuardedBy("lock")
    private final Map<String, Map<String, ResourceRequirements>> allocated = new HashMap<>();

    @GuardedBy("lock")
    private final Map<String, Waiting> waiting = new HashMap<>();

    /** A resize that others must make room for first. */
    private record Waiting(Pod pod, Instant since) {}

    /**
     * What came of a look at a pod.
     *
     * @param pod with the resources that it has, not those that it asks for
     * @param reason why it does not have what it asks for, {@code Deferred}, {@code Infeasible} or {@code Error}; null if it has it
     * @param restarts the containers that must run anew with what they have got just now
     * @param resized whether it has got something just now
     */
    record Outcome(Pod pod, @Nullable String reason, String message, Set<String> restarts, boolean resized) {}

    PodResizer(Lister<Pod> pods, Nodes nodes) {
        this.pods = pods;
        this.nodes = nodes;
    }

    void forget(String uid) {
        lock.lock();
        try {
            allocated.remove(uid);
            waiting.remove(uid);
        } finally {
            lock.unlock();
        }
    }

    /** Gives a pod what it asks for, if that can be. */
    Outcome look(Pod pod, String node, Instant now) {
        Long generation = pod.getMetadata().getGeneration();
        if (generation == null || generation <= 1) {
            return new Outcome(pod, null, "", Set.of(), false); // never changed: nothing is remembered of most pods
        }
        String uid = pod.getMetadata().getUid();
        lock.lock();
        try {
            Map<String, ResourceRequirements> has = allocated.computeIfAbsent(uid, u -> first(pod));
            Set<String> changed = changed(pod, has);
            if (changed.isEmpty()) {
                waiting.remove(uid);
                return new Outcome(pod, null, "", Set.of(), false);
            }
            String tooMuch = tooMuch(pod, node);
            if (tooMuch != null) {
                waiting.remove(uid);
                return new Outcome(with(pod, has), "Infeasible", tooMuch, Set.of(), false);
            }
            Waiting since = waiting.getOrDefault(uid, new Waiting(pod, now));
            waiting.put(uid, new Waiting(pod, since.since));
            String taken = taken(pod, node);
            if (taken != null) {
                return new Outcome(with(pod, has), "Deferred", taken, Set.of(), false);
            }
            waiting.remove(uid);
            Set<String> restarts = restarts(pod, has, changed);
            String tooLittle = tooLittle(pod, has, changed, restarts);
            if (tooLittle != null) {
                return new Outcome(with(pod, has), "Error", tooLittle, Set.of(), false);
            }
            allocated.put(uid, wanted(pod));
            return new Outcome(pod, null, "", restarts, true);
        } finally {
            lock.unlock();
        }
    }

    // ---- what there is

    /** Of a pod that ran before this process did, its status tells; of another, what it asks for was taken into account. */
    private static Map<String, ResourceRequirements> first(Pod pod) {
        Map<String, ResourceRequirements> all = wanted(pod);
        if (pod.getStatus() != null) {
            List<ContainerStatus> statuses = new ArrayList<>(pod.getStatus().getContainerStatuses());
            statuses.addAll(pod.getStatus().getInitContainerStatuses());
            for (ContainerStatus status : statuses) {
                if (status.getResources() != null && all.containsKey(status.getName())) {
                    all.put(status.getName(), status.getResources());
                }
            }
        }
        return all;
    }

    private static Map<String, ResourceRequirements> wanted(Pod pod) {
        Map<String, ResourceRequirements> all = new HashMap<>();
        resizable(pod).forEach(c -> all.put(c.getName(), resources(c)));
        return all;
    }

    private static ResourceRequirements resources(Container container) {
        return Objects.requireNonNullElseGet(container.getResources(), ResourceRequirements::new);
    }

    private static List<Container> resizable(Pod pod) {
        List<Container> all = new ArrayList<>(pod.getSpec().getContainers());
        pod.getSpec().getInitContainers().stream()
                .filter(PodStatuses::isSidecar)
                .forEach(all::add);
        return all;
    }

    private static Set<String> changed(Pod pod, Map<String, ResourceRequirements> has) {
        Set<String> names = new HashSet<>();
        for (Container container : resizable(pod)) {
            ResourceRequirements before = has.get(container.getName());
            if (before != null && RESIZABLE.stream().anyMatch(r -> differ(before, resources(container), r))) {
                names.add(container.getName());
            }
        }
        return names;
    }

    private static boolean differ(ResourceRequirements a, ResourceRequirements b, String resource) {
        return amount(a.getRequests(), resource).compareTo(amount(b.getRequests(), resource)) != 0
                || amount(a.getLimits(), resource).compareTo(amount(b.getLimits(), resource)) != 0;
    }

    private static BigDecimal amount(@Nullable Map<String, Quantity> amounts, String resource) {
        Quantity found = amounts == null ? null : amounts.get(resource);
        return found == null ? BigDecimal.ZERO : found.getNumericalAmount();
    }

    private static Set<String> restarts(Pod pod, Map<String, ResourceRequirements> has, Set<String> changed) {
        Set<String> names = new HashSet<>();
        for (Container container : resizable(pod)) {
            ResourceRequirements before = has.get(container.getName());
            if (before != null && changed.contains(container.getName())) {
                container.getResizePolicy().stream()
                        .filter(policy -> "RestartContainer".equals(policy.getRestartPolicy())
                                && differ(before, resources(container), policy.getResourceName()))
                        .forEach(policy -> names.add(container.getName()));
            }
        }
        return names;
    }

    /** The pod as if it asked for what it has. */
    private static Pod with(Pod pod, Map<String, ResourceRequirements> has) {
        return new PodBuilder(pod)
                .editSpec()
                .withContainers(pod.getSpec().getContainers().stream()
                        .map(c -> with(c, has))
                        .toList())
                .withInitContainers(pod.getSpec().getInitContainers().stream()
                        .map(c -> with(c, has))
                        .toList())
                .endSpec()
                .build();
    }

    private static Container with(Container container, Map<String, ResourceRequirements> has) {
        ResourceRequirements own = has.get(container.getName());
        return own == null
                ? container
                : new ContainerBuilder(container).withResources(own).build();
    }

    /** A limit below what a container uses already would kill it. */
    private static @Nullable String tooLittle(
            Pod pod, Map<String, ResourceRequirements> has, Set<String> changed, Set<String> restarts) {
        for (Container container : resizable(pod)) {
            String name = container.getName();
            BigDecimal limit = amount(resources(container).getLimits(), "memory");
            ResourceRequirements before = has.get(name);
            boolean lowered =
                    before != null && limit.signum() > 0 && limit.compareTo(amount(before.getLimits(), "memory")) != 0;
            if (changed.contains(name) && !restarts.contains(name) && lowered && limit.longValue() < USAGE_BYTES) {
                return "attempting to set container \"" + name + "\" memory limit (" + limit.toBigInteger()
                        + ") below current usage (" + USAGE_BYTES + ")";
            }
        }
        return null;
    }

    // ---- what fits

    private @Nullable String tooMuch(Pod pod, String node) {
        Map<String, Quantity> capacity = nodes.allocatable(node);
        for (String resource : List.of("memory", "cpu")) {
            BigDecimal asked = requests(pod, null, resource);
            BigDecimal most = amount(capacity, resource);
            if (asked.compareTo(most) > 0) {
                return "Node didn't have enough capacity: " + resource + ", requested: " + shown(asked, resource)
                        + ", capacity: " + shown(most, resource);
            }
        }
        return null;
    }

    /** Why a resize must wait; those that come before it are given their room first. */
    @GuardedBy("lock")
    private @Nullable String taken(Pod pod, String node) {
        Map<String, Pod> others = new HashMap<>();
        for (Pod other : pods.byIndex(PodAdmission.BY_NODE, node)) {
            if (other.getStatus() == null
                    || !PodStatuses.isTerminal(other.getStatus().getPhase())) {
                others.put(other.getMetadata().getUid(), other);
            }
        }
        Map<String, Map<String, ResourceRequirements>> has = new HashMap<>(allocated);
        List<Waiting> first = new ArrayList<>(waiting.values());
        first.removeIf(w -> !others.containsKey(w.pod.getMetadata().getUid()));
        first.sort(order(allocated));
        for (Waiting one : first) {
            String uid = one.pod.getMetadata().getUid();
            String why = lacks(one.pod, others, has, node);
            if (uid.equals(pod.getMetadata().getUid())) {
                return why;
            }
            if (why == null) {
                has.put(uid, wanted(one.pod));
            }
        }
        return lacks(pod, others, has, node);
    }

    /** Who asks for no more, who matters more, who has firmer promises, who has waited longer. */
    private static Comparator<Waiting> order(Map<String, Map<String, ResourceRequirements>> allocated) {
        return Comparator.<Waiting, Boolean>comparing(w -> asksForMore(w.pod, allocated))
                .thenComparing(
                        w -> Objects.requireNonNullElse(w.pod.getSpec().getPriority(), 0), Comparator.reverseOrder())
                .thenComparing(w -> !"Guaranteed".equals(w.pod.getStatus().getQosClass()))
                .thenComparing(Waiting::since)
                .thenComparing(w -> w.pod.getMetadata().getUid());
    }

    private static boolean asksForMore(Pod pod, Map<String, Map<String, ResourceRequirements>> allocated) {
        Map<String, ResourceRequirements> has = allocated.get(pod.getMetadata().getUid());
        return RESIZABLE.stream().anyMatch(r -> requests(pod, null, r).compareTo(requests(pod, has, r)) > 0);
    }

    private @Nullable String lacks(
            Pod pod, Map<String, Pod> others, Map<String, Map<String, ResourceRequirements>> has, String node) {
        Map<String, Quantity> capacity = nodes.allocatable(node);
        for (String resource : RESIZABLE) {
            BigDecimal used = BigDecimal.ZERO;
            for (Map.Entry<String, Pod> other : others.entrySet()) {
                if (!other.getKey().equals(pod.getMetadata().getUid())) {
                    used = used.add(requests(other.getValue(), has.get(other.getKey()), resource));
                }
            }
            BigDecimal asked = requests(pod, null, resource);
            BigDecimal most = amount(capacity, resource);
            if (asked.signum() > 0 && used.add(asked).compareTo(most) > 0) {
                return "Node didn't have enough resource: " + resource + ", requested: " + shown(asked, resource)
                        + ", used: " + shown(used, resource) + ", capacity: " + shown(most, resource);
            }
        }
        return null;
    }

    private static String shown(BigDecimal amount, String resource) {
        return (resource.equals("cpu") ? amount.multiply(BigDecimal.valueOf(1000)) : amount)
                .toBigInteger()
                .toString();
    }

    /** What a pod takes of a node: the most of what runs at once (component-helpers/resource). */
    private static BigDecimal requests(Pod pod, @Nullable Map<String, ResourceRequirements> has, String resource) {
        BigDecimal sum = BigDecimal.ZERO;
        for (Container container : pod.getSpec().getContainers()) {
            sum = sum.add(request(container, has, resource));
        }
        BigDecimal beside = BigDecimal.ZERO;
        BigDecimal most = BigDecimal.ZERO;
        for (Container init : pod.getSpec().getInitContainers()) {
            BigDecimal own = request(init, has, resource);
            if (PodStatuses.isSidecar(init)) {
                beside = beside.add(own);
                most = most.max(beside);
            } else {
                most = most.max(beside.add(own));
            }
        }
        BigDecimal all = sum.add(beside).max(most);
        Map<String, Quantity> overhead = pod.getSpec().getOverhead();
        return all.add(amount(overhead, resource));
    }

    private static BigDecimal request(
            Container container, @Nullable Map<String, ResourceRequirements> has, String resource) {
        ResourceRequirements given = has == null ? null : has.get(container.getName());
        return amount((given == null ? resources(container) : given).getRequests(), resource);
    }
}
