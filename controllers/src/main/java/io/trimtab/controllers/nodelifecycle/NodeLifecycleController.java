package io.trimtab.controllers.nodelifecycle;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeCondition;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Parallel;
import io.trimtab.controllers.nodes.NodeTaints;
import io.trimtab.controllers.nodes.Nodes;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks every 5 seconds whether each node still gives signs of life. One that is silent too long is said to be Unknown, its pods
 * not ready; then it is tainted NoExecute, at a rate that depends on how much of its zone has failed with it: when everything
 * seems to be lost at once, it is more likely that we cannot see. State is touched on its lane only.
 */
public final class NodeLifecycleController implements Manager.Component {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "node-lifecycle-controller";

    static final String COMPONENT = "node-controller";
    private static final Logger LOG = LoggerFactory.getLogger(NodeLifecycleController.class);
    private static final Duration PERIOD = Duration.ofSeconds(5);
    private static final Duration TAINT_PERIOD = Duration.ofMillis(100);
    private static final int ATTEMPTS = 5;
    private static final int WRITERS = 16;
    private static final String EXCLUDED = "node.kubernetes.io/exclude-disruption";
    private static final WatchScope NODE_LEASES = WatchScope.namespace("kube-node-lease");

    private final Client client;
    private final Driver driver;
    private final Driver.Lane lane;
    private final EventRecorder events;
    private final Lister<Node> nodes;
    private final Lister<Pod> pods;
    private final Lister<Lease> leases;

    private final Map<String, Node> known = new LinkedHashMap<>();
    private final Map<String, NodeHealth> health = new HashMap<>();
    private final Map<String, TaintQueue> queues = new HashMap<>();
    private final Map<String, Zones.State> zoneStates = new HashMap<>();
    /** Nodes whose pods could not all be marked. */
    private final Set<String> unmarked = new HashSet<>();

    private Driver.@Nullable Timer timer;
    private Driver.@Nullable Timer taintTimer;
    private boolean closed;

    private NodeLifecycleController(Manager manager) {
        this.client = manager.client(COMPONENT);
        this.driver = manager.driver();
        this.lane = driver.lane(NAME);
        this.events = manager.events(COMPONENT);
        this.nodes = manager.informers().informer(Node.class).lister();
        SharedInformer<Pod> podInformer = manager.informers().informer(Pod.class);
        Pods.indexByNode(podInformer);
        this.pods = podInformer.lister();
        this.leases = manager.informers()
                .informer(ResourceType.of(Lease.class), NODE_LEASES)
                .lister();
    }

    /** Adds the controller's parts to the manager. */
    public static void addTo(Manager manager) {
        manager.add(NodeConditionTaints.controller(manager));
        manager.add(new NodeLifecycleController(manager));
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public void start() {
        lane.execute(this::pass);
    }

    @Override
    public void close() {
        lane.execute(() -> {
            closed = true;
            if (timer != null) {
                timer.cancel();
            }
            if (taintTimer != null) {
                taintTimer.cancel();
            }
        });
    }

    // ---- health

    /** A node that needs something written, and what came of it. */
    private static final class Case {
        final Node node;
        NodeHealth.Verdict verdict;

        @Nullable
        NodeCondition current;

        boolean failed;

        Case(Node node, NodeHealth.Verdict verdict) {
            this.node = node;
            this.verdict = verdict;
            this.current = Nodes.condition(node, "Ready").orElse(null);
        }

        boolean isReady() {
            return current != null && "True".equals(current.getStatus());
        }
    }

    private void pass() {
        if (closed) {
            return;
        }
        timer = driver.schedule(PERIOD, () -> lane.execute(this::pass));
        List<Node> all = nodes.list();
        welcome(all);
        Instant now = driver.now();
        List<Case> cases = new ArrayList<>(all.size());
        for (Node node : all) {
            String name = node.getMetadata().getName();
            cases.add(new Case(node, NodeHealth.assess(node, health.get(name), leaseOf(name), now)));
        }
        runAll(cases.stream().filter(c -> c.verdict.overdue() != null).toList(), this::writeUnknown);
        Map<String, int[]> zones = new HashMap<>();
        List<Case> lost = new ArrayList<>();
        List<Case> recovered = new ArrayList<>();
        for (Case c : cases) {
            if (c.failed) {
                continue; // nothing is certain; the next pass looks again
            }
            String name = c.node.getMetadata().getName();
            health.put(name, c.verdict.health());
            if (!Nodes.labels(c.node).containsKey(EXCLUDED)) {
                zones.computeIfAbsent(Zones.zoneOf(c.node), z -> new int[2])[c.isReady() ? 0 : 1]++;
            }
            if (c.current != null) {
                taintByHealth(c, recovered);
                boolean turned = !c.isReady() && c.verdict.observed().equals("True");
                if (turned) {
                    Nodes.recordStatus(events, c.node, "NodeNotReady");
                }
                boolean retry = unmarked.contains(name) && !c.verdict.observed().equals("True");
                if (turned || retry) {
                    lost.add(c);
                } else {
                    unmarked.remove(name);
                }
            }
        }
        runAll(recovered, c -> removeTaints(c.node));
        markPods(lost);
        handleDisruption(zones, all);
        taintSoon();
    }

    private @Nullable Lease leaseOf(String node) {
        return leases.get(NODE_LEASES.namespace(), node).orElse(null);
    }

    /** Tells of nodes that came and went. */
    private void welcome(List<Node> all) {
        Set<String> present = new HashSet<>();
        List<Case> fresh = new ArrayList<>();
        for (Node node : all) {
            String name = node.getMetadata().getName();
            present.add(name);
            queues.computeIfAbsent(Zones.zoneOf(node), zone -> {
                zoneStates.putIfAbsent(zone, Zones.State.INITIAL);
                return new TaintQueue(driver, Zones.NORMAL_RATE);
            });
            Node before = known.put(name, node);
            if (before == null) {
                Nodes.recordEvent(events, node, "RegisteredNode", "Registered Node " + name + " in Controller");
            }
        }
        known.values().removeIf(node -> {
            String name = node.getMetadata().getName();
            if (present.contains(name)) {
                return false;
            }
            Nodes.recordEvent(events, node, "RemovingNode", "Removing Node " + name + " from Controller");
            health.remove(name);
            unmarked.remove(name);
            queues.values().forEach(queue -> queue.remove(name));
            return true;
        });
    }

    /** Writes the conditions of a node that is overdue; looks at it anew when it has changed meanwhile. */
    private void writeUnknown(Case c) {
        String name = c.node.getMetadata().getName();
        for (int attempt = 1; ; attempt++) {
            Node overdue = c.verdict.overdue();
            if (overdue == null) {
                return;
            }
            try {
                Node written = client.updateStatus(NodeTaints.NODES, overdue);
                c.current = Nodes.condition(written, "Ready").orElse(null);
                c.verdict = new NodeHealth.Verdict(c.verdict.health().withReady(c.current), c.verdict.observed(), null);
                return;
            } catch (ApiException e) {
                if (attempt == ATTEMPTS || !e.isConflict()) {
                    c.failed = true;
                    LOG.atWarn()
                            .addKeyValue("node", name)
                            .setCause(e)
                            .log("The node's state cannot be written; its pods are left alone");
                    return;
                }
            }
            Node fresh = client.get(NodeTaints.NODES, null, name).orElse(null);
            if (fresh == null) {
                c.failed = true;
                return;
            }
            c.verdict = NodeHealth.assess(fresh, c.verdict.health(), leaseOf(name), driver.now());
            c.current = Nodes.condition(fresh, "Ready").orElse(null);
        }
    }

    private void runAll(List<Case> cases, java.util.function.Consumer<Case> action) {
        if (cases.isEmpty()) {
            return;
        }
        int groups = Math.min(WRITERS, cases.size());
        List<Callable<Boolean>> tasks = new ArrayList<>(groups);
        for (int g = 0; g < groups; g++) {
            int first = g;
            tasks.add(() -> {
                for (int i = first; i < cases.size(); i += groups) {
                    Case c = cases.get(i);
                    try {
                        action.accept(c);
                    } catch (ApiException e) {
                        c.failed = true;
                        LOG.atWarn()
                                .addKeyValue("node", c.node.getMetadata().getName())
                                .setCause(e)
                                .log("The node cannot be written; it is tried again in the next pass");
                    }
                }
                return true;
            });
        }
        Parallel.run(driver, tasks);
    }

    private void markPods(List<Case> lost) {
        runAll(lost, c -> {
            Instant now = driver.now();
            for (Pod pod : pods.byIndex(Pods.BY_NODE, c.node.getMetadata().getName())) {
                PodReadiness.markNotReady(client, events, pod, now);
            }
        });
        for (Case c : lost) {
            String name = c.node.getMetadata().getName();
            if (c.failed) {
                unmarked.add(name);
            } else {
                unmarked.remove(name);
            }
        }
    }

    // ---- NoExecute taints

    private TaintQueue queueOf(Node node) {
        return queues.computeIfAbsent(Zones.zoneOf(node), z -> new TaintQueue(driver, Zones.NORMAL_RATE));
    }

    /** By what the node itself says: one that we have only now called Unknown has until the next pass. */
    private void taintByHealth(Case c, List<Case> recovered) {
        String name = c.node.getMetadata().getName();
        switch (c.verdict.observed()) {
            case "False" -> taintOrSwap(c.node, NodeTaints.NOT_READY, NodeTaints.UNREACHABLE);
            case "Unknown" -> taintOrSwap(c.node, NodeTaints.UNREACHABLE, NodeTaints.NOT_READY);
            case "True" -> {
                if (hasEither(c.node)) {
                    recovered.add(c);
                }
                queueOf(c.node).remove(name);
            }
            default -> {}
        }
    }

    private static boolean hasEither(Node node) {
        return NodeTaints.has(node, NodeTaints.NOT_READY, NodeTaints.NO_EXECUTE)
                || NodeTaints.has(node, NodeTaints.UNREACHABLE, NodeTaints.NO_EXECUTE);
    }

    private void taintOrSwap(Node node, String right, String wrong) {
        String name = node.getMetadata().getName();
        if (NodeTaints.has(node, wrong, NodeTaints.NO_EXECUTE)) {
            if (!trySwap(node, right, wrong)) {
                LOG.atWarn().addKeyValue("node", name).log("The taint is not swapped; tried again in the next pass");
            }
            return;
        }
        TaintQueue queue = queueOf(node);
        if (!NodeTaints.has(node, right, NodeTaints.NO_EXECUTE)) {
            queue.forgetDone(name); // somebody took it off: put it on again
        }
        queue.add(name);
    }

    private boolean trySwap(Node node, String add, String remove) {
        try {
            NodeTaints.swap(
                    client,
                    node,
                    List.of(NodeTaints.of(add, NodeTaints.NO_EXECUTE, Pods.time(driver.now()))),
                    List.of(NodeTaints.of(remove, NodeTaints.NO_EXECUTE, null)));
            return true;
        } catch (ApiException e) {
            LOG.atWarn()
                    .addKeyValue("node", node.getMetadata().getName())
                    .addKeyValue("taint", add)
                    .setCause(e)
                    .log("The node cannot be tainted");
            return false;
        }
    }

    private void removeTaints(Node node) {
        NodeTaints.swap(
                client,
                node,
                List.of(),
                List.of(
                        NodeTaints.of(NodeTaints.NOT_READY, NodeTaints.NO_EXECUTE, null),
                        NodeTaints.of(NodeTaints.UNREACHABLE, NodeTaints.NO_EXECUTE, null)));
    }

    private void taintSoon() {
        if (taintTimer == null && queues.values().stream().anyMatch(TaintQueue::isActive)) {
            taintTimer = driver.schedule(Duration.ZERO, () -> lane.execute(this::taintPass));
        }
    }

    private void taintPass() {
        taintTimer = null;
        if (closed) {
            return;
        }
        queues.values().forEach(queue -> queue.run(this::taint));
        if (queues.values().stream().anyMatch(TaintQueue::isActive)) {
            taintTimer = driver.schedule(TAINT_PERIOD, () -> lane.execute(this::taintPass));
        }
    }

    private boolean taint(String name) {
        Node node = nodes.get(null, name).orElse(null);
        String status = node == null
                ? "True"
                : Nodes.condition(node, "Ready").map(NodeCondition::getStatus).orElse("True");
        return node == null
                || switch (status) {
                    case "False" -> trySwap(node, NodeTaints.NOT_READY, NodeTaints.UNREACHABLE);
                    case "Unknown" -> trySwap(node, NodeTaints.UNREACHABLE, NodeTaints.NOT_READY);
                    default -> true; // it came back while it waited
                };
    }

    // ---- disruption

    /** Slows down, or stops, what is done to the nodes of zones that have largely failed. */
    private void handleDisruption(Map<String, int[]> zones, List<Node> all) {
        Map<String, Zones.State> now = new HashMap<>();
        zones.forEach((zone, counts) -> {
            now.put(zone, Zones.state(counts[0], counts[1]));
            zoneStates.putIfAbsent(zone, Zones.State.INITIAL);
        });
        zoneStates.keySet().retainAll(now.keySet());
        boolean allAre = now.values().stream().allMatch(Zones.State.FULL_DISRUPTION::equals);
        boolean allWere = zoneStates.values().stream().allMatch(Zones.State.FULL_DISRUPTION::equals);
        if (allAre && allWere) {
            return;
        }
        if (allAre) {
            LOG.warn("All zones are lost at once: nothing is evicted until one is back");
            List<Case> tainted = new ArrayList<>();
            for (Node node : all) {
                queueOf(node).remove(node.getMetadata().getName());
                if (hasEither(node)) {
                    tainted.add(
                            new Case(node, new NodeHealth.Verdict(new NodeHealth(null, null, driver.now()), "", null)));
                }
            }
            runAll(tainted, c -> removeTaints(c.node));
            queues.values().forEach(queue -> queue.rate(0));
            zoneStates.replaceAll((zone, state) -> Zones.State.FULL_DISRUPTION);
            return;
        }
        if (allWere) {
            Instant probe = driver.now();
            health.replaceAll((name, h) -> h.probedAt(probe));
        }
        now.forEach((zone, state) -> {
            if (allWere || zoneStates.get(zone) != state) {
                int[] counts = zones.getOrDefault(zone, new int[2]);
                queues.computeIfAbsent(zone, z -> new TaintQueue(driver, Zones.NORMAL_RATE))
                        .rate(Zones.rate(state, counts[0] + counts[1]));
                zoneStates.put(zone, state);
            }
        });
    }
}
