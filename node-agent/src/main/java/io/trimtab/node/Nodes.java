package io.trimtab.node;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeAddress;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.NodeCondition;
import io.fabric8.kubernetes.api.model.NodeStatus;
import io.fabric8.kubernetes.api.model.NodeStatusBuilder;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Manager;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.EventHandler;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The nodes of one agent: registers them, renews their leases and reports their conditions, all from one wheel of timers, so that
 * a thousand nodes are a thousand small steps and not a thousand threads. A node's own state is touched on its lane only; what
 * others ask is safe for any thread.
 */
final class Nodes implements Manager.Component {
    static final String VERSION = "v1.34.4";

    private static final Logger LOG = LoggerFactory.getLogger(Nodes.class);
    private static final ResourceType<Node> NODES = ResourceType.of(Node.class);
    private static final ResourceType<Lease> LEASES = ResourceType.of(Lease.class);
    private static final String LEASE_NAMESPACE = "kube-node-lease";
    private static final int LEASE_SECONDS = 40;
    private static final Duration RETRY = Duration.ofSeconds(1);
    private static final Pattern IPV4 = Pattern.compile("\\d+\\.\\d+\\.\\d+\\.\\d+");

    private final Driver driver;
    private final Client client;
    private final PodWorker.EventRecorders events;
    private final Lister<Node> cached;
    private final Lister<Pod> pods;
    private final NodeAgentOptions options;
    private final String runtimeVersion;
    private final Map<String, State> states = new ConcurrentHashMap<>();

    private final class State {
        final String name;
        final String address;
        final Driver.Lane lane;
        volatile boolean running = true;
        volatile @Nullable AddressPool pool;

        @Nullable
        Lease lease;

        @Nullable
        Instant reported;

        Driver.@Nullable Timer timer;

        State(String name, String address) {
            this.name = name;
            this.address = address;
            this.lane = driver.lane("node " + name);
        }
    }

    Nodes(
            Manager manager,
            Client client,
            PodWorker.EventRecorders events,
            Lister<Pod> pods,
            NodeAgentOptions options,
            String runtimeVersion) {
        this.driver = manager.driver();
        this.client = client;
        this.events = events;
        this.pods = pods;
        SharedInformer<Node> informer = manager.informers().informer(Node.class);
        this.cached = informer.lister();
        informer.addHandler(new ResourcesOfOthers());
        this.options = options;
        this.runtimeVersion = runtimeVersion;
        int index = 0;
        for (String name : options.names()) {
            index++;
            states.put(name, new State(name, IPV4.matcher(name).matches() ? name : address(index)));
        }
    }

    /** Makes allocatable what somebody else declares that a node has, such as a device; also when nobody does any more. */
    private final class ResourcesOfOthers implements EventHandler<Node> {
        @Override
        public void onAdd(Node node, boolean initial) {
            look(node);
        }

        @Override
        public void onUpdate(Node old, Node node) {
            if (old.getStatus() != node.getStatus()) {
                look(node);
            }
        }

        @Override
        public void onDelete(Node node, boolean finalStateUnknown) {}

        private void look(Node node) {
            String name = node.getMetadata().getName();
            if (runs(name) && !differing(node).isEmpty()) {
                State state = Objects.requireNonNull(states.get(name));
                state.lane.execute(() -> cached.get(null, name).ifPresent(current -> adopt(name, current)));
            }
        }

        private void adopt(String name, Node node) {
            Map<String, @Nullable Quantity> amounts = differing(node);
            if (amounts.isEmpty()) {
                return;
            }
            try {
                client.patch(
                        NODES,
                        null,
                        name,
                        Patch.strategic(KubernetesJson.write(Map.of("status", Map.of("allocatable", amounts))))
                                .on("status"));
            } catch (ApiException e) {
                LOG.atWarn().addKeyValue("node", name).setCause(e).log("The node's resources could not be written");
            }
        }

        /** By resource, what should be allocatable; null for nothing. */
        private Map<String, @Nullable Quantity> differing(Node node) {
            Map<String, @Nullable Quantity> amounts = new TreeMap<>();
            NodeStatus status = node.getStatus();
            if (status == null || status.getCapacity() == null) {
                return amounts;
            }
            Map<String, Quantity> allocatable = status.getAllocatable() == null ? Map.of() : status.getAllocatable();
            status.getCapacity().forEach((resource, amount) -> {
                if (resource.indexOf('/') > 0 && !amount.equals(allocatable.get(resource))) {
                    amounts.put(resource, amount);
                }
            });
            allocatable.keySet().forEach(resource -> {
                if (resource.indexOf('/') > 0 && !status.getCapacity().containsKey(resource)) {
                    amounts.put(resource, null);
                }
            });
            return amounts;
        }
    }

    /** Nodes that are not named after an address get one of 10.0.0.0/16. */
    private static String address(int index) {
        int number = index + 10;
        return "10.0." + number / 250 + "." + (number % 250 + 1);
    }

    // ---- asked by pod workers

    /** True if the node is one of ours, and has not been stopped. */
    boolean runs(String name) {
        State state = states.get(name);
        return state != null && state.running;
    }

    /** All nodes of the cluster, as far as they are known here. */
    List<Node> known() {
        return cached.list();
    }

    String hostAddress(String name) {
        String own = Objects.requireNonNull(states.get(name)).address;
        return kept(name)
                .flatMap(status -> status.getAddresses().stream()
                        .filter(address -> "InternalIP".equals(address.getType()))
                        .map(NodeAddress::getAddress)
                        .findFirst())
                .orElse(own);
    }

    /** What a node says of itself, if that stays as it is. */
    private Optional<NodeStatus> kept(String name) {
        return options.keeps()
                ? cached.get(null, name)
                        .map(Node::getStatus)
                        .filter(status -> status.getCapacity() != null
                                && !status.getCapacity().isEmpty())
                : Optional.empty();
    }

    /** The pod addresses of a node; empty while it has no pod CIDR. */
    Optional<AddressPool> addresses(String name) {
        State state = states.get(name);
        if (state == null) {
            return Optional.empty();
        }
        AddressPool pool = state.pool;
        if (pool == null) {
            String cidr = cached.get(null, name)
                    .map(node -> node.getSpec() == null ? null : node.getSpec().getPodCIDR())
                    .orElse(null);
            if (cidr == null || cidr.isEmpty()) {
                return Optional.empty();
            }
            synchronized (state) {
                if (state.pool == null) {
                    AddressPool fresh = new AddressPool(cidr);
                    // Those of pods that ran before this process did, before any new pod asks for one.
                    pods.list().stream()
                            .filter(pod -> name.equals(pod.getSpec().getNodeName())
                                    && pod.getStatus() != null
                                    && pod.getStatus().getPodIP() != null
                                    && !Boolean.TRUE.equals(pod.getSpec().getHostNetwork()))
                            .forEach(pod -> fresh.reserve(pod.getStatus().getPodIP()));
                    state.pool = fresh;
                }
                pool = state.pool;
            }
        }
        return Optional.ofNullable(pool);
    }

    // ---- life

    @Override
    public String name() {
        return "nodes";
    }

    @Override
    public void start() {
        long period = options.leasePeriod().toMillis();
        int index = 0;
        for (State state : states.values()) {
            state.lane.execute(() -> register(state));
            // Spread over the period: renewals come one after another, not all at once.
            long offset = period * index++ / states.size();
            state.timer = driver.schedule(
                    options.leasePeriod().plusMillis(offset), () -> state.lane.execute(() -> beat(state)));
        }
    }

    @Override
    public void close() {
        states.keySet().forEach(this::stop);
    }

    /** The node falls silent, as if its plug were pulled: no heartbeat, and its pods are left as they are. */
    void stop(String name) {
        State state = states.get(name);
        if (state != null) {
            state.running = false;
            Driver.Timer timer = state.timer;
            if (timer != null) {
                timer.cancel();
            }
        }
    }

    /** One node more, which joins now. */
    void add(String name) {
        State fresh = new State(name, IPV4.matcher(name).matches() ? name : address(states.size() + 1));
        if (states.putIfAbsent(name, fresh) == null) {
            fresh.lane.execute(() -> register(fresh));
            fresh.timer = driver.schedule(options.leasePeriod(), () -> fresh.lane.execute(() -> beat(fresh)));
        }
    }

    /** A node that was stopped comes back. */
    void resume(String name) {
        State state = states.get(name);
        if (state != null && !state.running) {
            state.running = true;
            state.reported = null;
            state.lane.execute(() -> register(state));
            state.timer = driver.schedule(options.leasePeriod(), () -> state.lane.execute(() -> beat(state)));
        }
    }

    // ---- steps, on the node's lane

    private void register(State state) {
        if (!state.running) {
            return;
        }
        try {
            Node node = cached.get(null, state.name)
                    .or(() -> client.get(NODES, null, state.name))
                    .orElse(null);
            if (node != null && isReported(state, node)) {
                // As after a restart within the period: nothing new to say, and a thousand nodes would say it at once.
                state.reported = driver.now();
            } else if (node == null) {
                client.create(NODES, newNode(state));
                event(state, "Normal", "Starting", "Starting kubelet.");
                event(state, "Normal", "NodeReady", "Node " + state.name + " status is now: NodeReady");
                state.reported = driver.now();
            } else {
                report(state);
            }
            renew(state);
        } catch (ApiException e) {
            LOG.atWarn()
                    .addKeyValue("node", state.name)
                    .setCause(e)
                    .log("The node could not be registered; again soon");
            driver.schedule(RETRY, () -> state.lane.execute(() -> register(state)));
        }
    }

    private void beat(State state) {
        if (!state.running) {
            return;
        }
        state.timer = driver.schedule(options.leasePeriod(), () -> state.lane.execute(() -> beat(state)));
        Heartbeats shorter = options.heartbeats();
        Instant now = driver.now();
        try {
            if (shorter == null) {
                renew(state);
            } else if (!shorter.renew(state.name, now)) {
                state.lease = null; // others than this have written it meanwhile
                renew(state);
            }
            Instant reported = state.reported;
            boolean due =
                    reported == null || !reported.plus(options.statusPeriod()).isAfter(now);
            boolean ready = isReportedReady(state);
            if (due && ready && shorter != null && shorter.confirm(state.name, now)) {
                state.reported = now;
            } else if (due || !ready) {
                report(state);
            }
        } catch (ApiException e) {
            LOG.atWarn().addKeyValue("node", state.name).setCause(e).log("A heartbeat failed; the next will tell");
        }
    }

    /** Whether the server knows the node as it is, but for the time of its last report. */
    private boolean isReported(State state, Node node) {
        NodeStatus known = node.getStatus();
        if (known == null || !isReportedReady(state)) {
            return false;
        }
        if (kept(state.name).isPresent()) {
            return true;
        }
        NodeStatus now = status(state, conditionsOf(node));
        return now.getCapacity().equals(known.getCapacity())
                && now.getAllocatable().equals(known.getAllocatable())
                && now.getAddresses().equals(known.getAddresses())
                && now.getNodeInfo().equals(known.getNodeInfo());
    }

    /** Somebody may have declared the node not ready while it could not report. */
    private boolean isReportedReady(State state) {
        return cached.get(null, state.name)
                .map(node -> node.getStatus() != null
                        && node.getStatus().getConditions().stream()
                                .anyMatch(c -> "Ready".equals(c.getType()) && "True".equals(c.getStatus())))
                .orElse(true);
    }

    private void renew(State state) {
        Lease lease = state.lease;
        ZonedDateTime now = ZonedDateTime.ofInstant(driver.now(), ZoneOffset.UTC);
        try {
            if (lease == null) {
                lease = client.get(LEASES, LEASE_NAMESPACE, state.name).orElse(null);
            }
            if (lease == null) {
                state.lease = client.create(LEASES, newLease(state, now));
                return;
            }
            state.lease = client.update(
                    LEASES,
                    new LeaseBuilder(lease)
                            // The first was perhaps written before the node was seen.
                            .editMetadata()
                            .withOwnerReferences(owner(state))
                            .endMetadata()
                            .editOrNewSpec()
                            .withHolderIdentity(state.name)
                            .withLeaseDurationSeconds(LEASE_SECONDS)
                            .withRenewTime(now)
                            .endSpec()
                            .build());
        } catch (ApiException e) {
            state.lease = null; // read it again before the next try
            if (!e.isConflict() && !e.isNotFound()) {
                throw e;
            }
        }
    }

    /** The node's own object: its lease goes with it. */
    private List<OwnerReference> owner(State state) {
        return cached.get(null, state.name)
                .map(node -> List.of(new OwnerReferenceBuilder()
                        .withApiVersion("v1")
                        .withKind("Node")
                        .withName(state.name)
                        .withUid(node.getMetadata().getUid())
                        .build()))
                .orElse(List.of());
    }

    private Lease newLease(State state, ZonedDateTime now) {
        LeaseBuilder lease = new LeaseBuilder()
                .withNewMetadata()
                .withNamespace(LEASE_NAMESPACE)
                .withName(state.name)
                .endMetadata()
                .withNewSpec()
                .withHolderIdentity(state.name)
                .withLeaseDurationSeconds(LEASE_SECONDS)
                .withRenewTime(now)
                .endSpec();
        lease.editMetadata().withOwnerReferences(owner(state)).endMetadata();
        return lease.build();
    }

    private void report(State state) {
        Map<String, NodeCondition> before =
                conditionsOf(cached.get(null, state.name).orElse(null));
        NodeStatus status = kept(state.name).isPresent()
                ? new NodeStatusBuilder().withConditions(conditions(before)).build()
                : status(state, before);
        client.patch(
                NODES,
                null,
                state.name,
                Patch.strategic(KubernetesJson.write(Map.of("status", status))).on("status"));
        state.reported = driver.now();
    }

    private static Map<String, NodeCondition> conditionsOf(@Nullable Node node) {
        Map<String, NodeCondition> byType = new HashMap<>();
        if (node != null && node.getStatus() != null) {
            node.getStatus().getConditions().forEach(c -> byType.put(c.getType(), c));
        }
        return byType;
    }

    private void event(State state, String type, String reason, String message) {
        ObjectReference reference = new ObjectReference();
        reference.setKind("Node");
        reference.setName(state.name);
        reference.setUid(state.name); // as a kubelet does: it need not know its own object to speak of it
        EventRecorder recorder = events.of(state.name);
        recorder.record(reference, type, reason, message);
    }

    // ---- what a node looks like

    private Node newNode(State state) {
        Map<String, String> labels = new TreeMap<>();
        labels.put("kubernetes.io/hostname", state.name);
        labels.put("kubernetes.io/os", "linux");
        labels.put("kubernetes.io/arch", "amd64");
        labels.put("beta.kubernetes.io/os", "linux");
        labels.put("beta.kubernetes.io/arch", "amd64");
        labels.putAll(options.labels());
        return new NodeBuilder()
                .withNewMetadata()
                .withName(state.name)
                .withLabels(labels)
                .endMetadata()
                .withStatus(status(state, Map.of()))
                .build();
    }

    /** What a node gives to pods. */
    Map<String, Quantity> allocatable(String name) {
        return kept(name)
                .map(status -> status.getAllocatable() == null
                                || status.getAllocatable().isEmpty()
                        ? status.getCapacity()
                        : status.getAllocatable())
                .orElseGet(this::capacity);
    }

    /** What every node has that is ours. */
    private Map<String, Quantity> capacity() {
        Map<String, Quantity> capacity = new TreeMap<>();
        capacity.put("cpu", new Quantity("32"));
        capacity.put("memory", new Quantity("128Gi"));
        capacity.put("ephemeral-storage", new Quantity("200Gi"));
        capacity.put("hugepages-1Gi", new Quantity("0"));
        capacity.put("hugepages-2Mi", new Quantity("0"));
        capacity.put("pods", new Quantity("110"));
        options.capacity().forEach((name, amount) -> capacity.put(name, new Quantity(amount)));
        return capacity;
    }

    private NodeStatus status(State state, Map<String, NodeCondition> before) {
        Map<String, Quantity> capacity = capacity();
        return new NodeStatusBuilder()
                .withCapacity(capacity)
                .withAllocatable(capacity)
                .addNewAddress(state.address, "InternalIP")
                .addNewAddress(state.name, "Hostname")
                .withNewDaemonEndpoints()
                .withNewKubeletEndpoint(10250)
                .endDaemonEndpoints()
                .withNewNodeInfo()
                .withArchitecture("amd64")
                .withOperatingSystem("linux")
                .withOsImage("Trimtab simulated node")
                .withKernelVersion("6.6.0-trimtab")
                .withContainerRuntimeVersion(runtimeVersion)
                .withKubeletVersion(VERSION)
                .withKubeProxyVersion("")
                .withMachineID(state.name)
                .withSystemUUID(state.name)
                .withBootID(state.name)
                .endNodeInfo()
                .withConditions(conditions(before))
                .build();
    }

    private List<NodeCondition> conditions(Map<String, NodeCondition> before) {
        String now = PodStatuses.time(driver.now());
        List<NodeCondition> conditions = new ArrayList<>();
        conditions.add(condition(
                before,
                now,
                "MemoryPressure",
                "False",
                "KubeletHasSufficientMemory",
                "kubelet has sufficient memory available"));
        conditions.add(condition(
                before, now, "DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"));
        conditions.add(condition(
                before,
                now,
                "PIDPressure",
                "False",
                "KubeletHasSufficientPID",
                "kubelet has sufficient PID available"));
        conditions.add(condition(before, now, "Ready", "True", "KubeletReady", "kubelet is posting ready status"));
        return conditions;
    }

    private static NodeCondition condition(
            Map<String, NodeCondition> before, String now, String type, String status, String reason, String message) {
        NodeCondition old = before.get(type);
        String since = old != null && status.equals(old.getStatus()) ? old.getLastTransitionTime() : now;
        return new NodeCondition(now, since, message, reason, status, type);
    }
}
