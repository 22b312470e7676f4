package io.trimtab.node.simulated;

import io.fabric8.kubernetes.api.model.Pod;
import io.trimtab.node.network.Fabric;
import io.trimtab.node.network.Listener;
import io.trimtab.node.network.Names;
import io.trimtab.node.network.Origin;
import io.trimtab.node.network.Protocol;
import io.trimtab.node.network.Verdict;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The network as one run of a container sees it: what listens in it, and whom it reaches. Safe for use by any thread. */
final class Sockets {
    private final Pod pod;
    private final Supplier<@Nullable Fabric> fabric;
    private final Supplier<List<Sockets>> neighbours;
    private final Map<String, Listener> listeners = new ConcurrentHashMap<>();
    private volatile @Nullable Host host;
    private volatile boolean declared;
    private volatile boolean ending;

    /** What a server does to the container that it runs in. */
    interface Host {
        SimulatedRuntime.Executed execute(List<String> command);

        void exit(Duration after, int code);

        void say(Duration after, String text);
    }

    /**
     * @param fabric of the cluster; null before there is one
     * @param neighbours those of all containers of the pod
     */
    Sockets(Pod pod, Supplier<@Nullable Fabric> fabric, Supplier<List<Sockets>> neighbours) {
        this.pod = pod;
        this.fabric = fabric;
        this.neighbours = neighbours;
    }

    /** What listens in the pod, as {@code tcp 0.0.0.0:80}, in order. */
    List<String> listening() {
        TreeSet<String> all = new TreeSet<>();
        for (Sockets one : neighbours.get()) {
            one.listeners.forEach((key, listener) -> {
                int slash = key.indexOf('/');
                all.add(key.substring(0, slash).toLowerCase(Locale.ROOT)
                        + (listener.isLocal() ? " 127.0.0.1:" : " 0.0.0.0:")
                        + key.substring(slash + 1));
            });
        }
        return List.copyOf(all);
    }

    void belongTo(Host container) {
        host = container;
    }

    /** The container has been told to end. */
    void beginEnd() {
        ending = true;
    }

    boolean isEnding() {
        return ending;
    }

    /** The container has ended. */
    void closeAll() {
        listeners.clear();
        declared = false;
    }

    /** The pod as it is known now: its labels and its address may be newer than the program. */
    Pod pod() {
        Fabric now = fabric.get();
        String node = pod.getSpec().getNodeName();
        if (now == null || node == null) {
            return pod;
        }
        return now.cluster().podsOn(node).stream()
                .filter(p -> p.getMetadata().getUid().equals(pod.getMetadata().getUid()))
                .findFirst()
                .orElse(pod);
    }

    String address() {
        Fabric now = fabric.get();
        return now == null ? "127.0.0.1" : now.sourceOf(new Origin.InPod(pod()));
    }

    // ---- who listens

    /** Listens at a port, until the container ends. */
    void listen(Protocol protocol, int port, Listener listener) {
        listeners.put(key(protocol, port), listener);
    }

    void close(Protocol protocol, int port) {
        listeners.remove(key(protocol, port));
    }

    /** From now on the ports that the container declares are served by nothing in particular. */
    void serveDeclared() {
        declared = true;
    }

    boolean servesDeclared() {
        return declared;
    }

    boolean isServing() {
        return declared || !listeners.isEmpty();
    }

    Optional<Listener> listener(Protocol protocol, int port) {
        return Optional.ofNullable(listeners.get(key(protocol, port)));
    }

    private static String key(Protocol protocol, int port) {
        return protocol + "/" + port;
    }

    // ---- what a server does to its container

    SimulatedRuntime.Executed execute(List<String> command) {
        Host container = host;
        return container == null ? new SimulatedRuntime.Executed(0, "", "", Duration.ZERO) : container.execute(command);
    }

    void exit(Duration after, int code) {
        Host container = host;
        if (container != null) {
            container.exit(after, code);
        }
    }

    void say(Duration after, String text) {
        Host container = host;
        if (container != null) {
            container.say(after, text);
        }
    }

    // ---- whom it reaches

    Names.Answer lookup(String name) {
        Fabric now = fabric.get();
        return now == null
                ? new Names.Answer(Names.Outcome.SILENT, name, null, List.of())
                : now.names().lookup(pod(), name);
    }

    Verdict dial(String address, int port, Protocol protocol) {
        Fabric now = fabric.get();
        return now == null
                ? new Verdict.Unreachable("there is no network")
                : now.dial(new Origin.InPod(pod()), address, port, protocol);
    }

    /** Whether an address is a pod's or a node's: those answer when they are only asked whether they are there. */
    boolean isSomebody(String address) {
        Fabric now = fabric.get();
        return address.startsWith("127.")
                || now != null
                        && (now.cluster().podAt(address).isPresent()
                                || now.cluster().nodes().stream()
                                        .anyMatch(n -> n.getStatus() != null
                                                && n.getStatus().getAddresses().stream()
                                                        .anyMatch(a -> address.equals(a.getAddress()))));
    }

    Optional<Names> names() {
        return Optional.ofNullable(fabric.get()).map(Fabric::names);
    }
}
