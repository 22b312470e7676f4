package io.trimtab.node.network;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointConditions;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPort;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Picks the endpoint of a service for a connection, as a service proxy does (pkg/proxy/topology.go): in turns, or always the same
 * one for a client that the service wants to keep. Safe for use by any thread.
 */
final class Balancer {
    private static final int DEFAULT_AFFINITY_SECONDS = 10_800;
    private static final int MAX_CLIENTS = 10_000;

    private final Driver driver;
    private final ClusterView cluster;
    private final Map<String, AtomicInteger> turns = new ConcurrentHashMap<>();
    private final Map<String, Kept> kept = Collections.synchronizedMap(new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Kept> eldest) {
            return size() > MAX_CLIENTS;
        }
    });

    /** The endpoint that a client is kept at. */
    private record Kept(Target target, Instant until) {}

    /** Where a service leads. */
    record Target(String address, int port) {}

    /**
     * What is asked for.
     *
     * @param onlyOn the node whose endpoints count; null if all do
     * @param zone of the node that forwards; null if it has none
     */
    record Request(
            Service service,
            ServicePort port,
            boolean version6,
            @Nullable String onlyOn,
            String client,
            @Nullable String zone) {}

    /**
     * What was found.
     *
     * @param endpoint null if there is none
     * @param missing then: what there is none of
     * @param drop then: whether the client hears nothing, rather than a refusal
     */
    record Choice(@Nullable Target endpoint, String missing, boolean drop) {}

    /** An endpoint, as a slice tells it, at the port asked for. */
    private record Candidate(Target target, Endpoint endpoint, boolean ready, boolean serving, boolean terminating) {}

    Balancer(Driver driver, ClusterView cluster) {
        this.driver = driver;
        this.cluster = cluster;
    }

    static String name(Service service) {
        return "service " + service.getMetadata().getNamespace() + "/"
                + service.getMetadata().getName();
    }

    /** Whether the service is one of the proxy's: it has addresses, and no other proxy is named. */
    static boolean isProxied(Service service) {
        Map<String, String> labels = service.getMetadata().getLabels();
        String ip = service.getSpec().getClusterIP();
        return (labels == null
                        || !labels.containsKey("service.kubernetes.io/service-proxy-name")
                                && !labels.containsKey("service.kubernetes.io/headless"))
                && ip != null
                && !ip.isEmpty()
                && !ip.equals("None")
                && !"ExternalName".equals(service.getSpec().getType());
    }

    Choice choose(Request request) {
        List<Candidate> all = candidates(request);
        List<Candidate> usable = usable(all);
        if (usable.isEmpty()) {
            return new Choice(null, "endpoints", false);
        }
        if (request.onlyOn() != null) {
            usable = usable(all.stream()
                    .filter(c -> request.onlyOn().equals(c.endpoint().getNodeName()))
                    .toList());
            if (usable.isEmpty()) {
                return new Choice(null, "endpoints on node " + request.onlyOn(), true);
            }
        } else {
            usable = near(usable, request.zone());
        }
        List<Target> targets = usable.stream().map(Candidate::target).distinct().toList();
        String key = request.service().getMetadata().getUid() + "/"
                + Objects.requireNonNullElse(request.port().getName(), "");
        if (!"ClientIP".equals(request.service().getSpec().getSessionAffinity())) {
            return new Choice(next(key, targets), "", false);
        }
        String client = key + "/" + request.client();
        Kept before = kept.get(client);
        Target target = before != null && before.until().isAfter(driver.now()) && targets.contains(before.target())
                ? before.target()
                : next(key, targets);
        kept.remove(client);
        kept.put(client, new Kept(target, driver.now().plus(affinity(request.service()))));
        return new Choice(target, "", false);
    }

    private Target next(String key, List<Target> targets) {
        int turn = turns.computeIfAbsent(
                        key, k -> new AtomicInteger(driver.random().nextInt(1 << 20)))
                .getAndIncrement();
        return targets.get(Math.floorMod(turn, targets.size()));
    }

    private static Duration affinity(Service service) {
        var config = service.getSpec().getSessionAffinityConfig();
        Integer seconds = config == null || config.getClientIP() == null
                ? null
                : config.getClientIP().getTimeoutSeconds();
        return Duration.ofSeconds(seconds == null ? DEFAULT_AFFINITY_SECONDS : seconds);
    }

    /** How many ready endpoints a service has on a node. */
    int count(Service service, String node) {
        return (int) cluster
                .slices(
                        service.getMetadata().getNamespace(),
                        service.getMetadata().getName())
                .stream()
                .flatMap(s -> s.getEndpoints().stream())
                .filter(e -> node.equals(e.getNodeName()) && isTrue(e, EndpointConditions::getReady, true))
                .count();
    }

    /** Those that are ready; if none is, those that still serve while they end. */
    private static List<Candidate> usable(List<Candidate> all) {
        List<Candidate> ready = all.stream().filter(Candidate::ready).toList();
        return ready.isEmpty()
                ? all.stream().filter(c -> c.serving() && c.terminating()).toList()
                : ready;
    }

    /** Hints count only if every endpoint has one and some are for this zone. */
    private static List<Candidate> near(List<Candidate> usable, @Nullable String zone) {
        Predicate<Candidate> hinted = c -> c.endpoint().getHints() != null
                && c.endpoint().getHints().getForZones() != null
                && !c.endpoint().getHints().getForZones().isEmpty();
        if (zone == null || !usable.stream().allMatch(hinted)) {
            return usable;
        }
        List<Candidate> near = usable.stream()
                .filter(c -> c.endpoint().getHints().getForZones().stream().anyMatch(z -> zone.equals(z.getName())))
                .toList();
        return near.isEmpty() ? usable : near;
    }

    private List<Candidate> candidates(Request request) {
        // By address: the same endpoint may stand in two slices while it moves.
        Map<String, Candidate> found = new TreeMap<>(Comparator.naturalOrder());
        String name = Objects.requireNonNullElse(request.port().getName(), "");
        for (EndpointSlice slice : cluster.slices(
                request.service().getMetadata().getNamespace(),
                request.service().getMetadata().getName())) {
            if (!slice.getAddressType().equals(request.version6() ? "IPv6" : "IPv4")) {
                continue;
            }
            for (EndpointPort port : ports(slice)) {
                if (port.getPort() == null
                        || !Objects.requireNonNullElse(port.getName(), "").equals(name)
                        || Protocol.of(port.getProtocol())
                                != Protocol.of(request.port().getProtocol())) {
                    continue;
                }
                for (Endpoint endpoint : slice.getEndpoints()) {
                    String address = endpoint.getAddresses().get(0);
                    boolean ready = isTrue(endpoint, EndpointConditions::getReady, true);
                    found.put(
                            address + ":" + port.getPort(),
                            new Candidate(
                                    new Target(address, port.getPort()),
                                    endpoint,
                                    ready,
                                    isTrue(endpoint, EndpointConditions::getServing, ready),
                                    isTrue(endpoint, EndpointConditions::getTerminating, false)));
                }
            }
        }
        return new ArrayList<>(found.values());
    }

    private static List<EndpointPort> ports(EndpointSlice slice) {
        return slice.getPorts() == null ? List.of() : slice.getPorts();
    }

    private static boolean isTrue(
            Endpoint endpoint,
            java.util.function.Function<EndpointConditions, @Nullable Boolean> condition,
            boolean otherwise) {
        EndpointConditions conditions = endpoint.getConditions();
        Boolean value = conditions == null ? null : condition.apply(conditions);
        return value == null ? otherwise : value;
    }
}
