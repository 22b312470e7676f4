package io.trimtab.simulate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Node;
import io.trimtab.apiserver.store.MemoryStore;
import io.trimtab.client.KubernetesJson;
import io.trimtab.controller.ControllerProvider;
import io.trimtab.controllers.ControllerTable;
import io.trimtab.node.simulated.Simulation;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.ApiServerInstance;
import io.trimtab.standalone.ApiServerOptions;
import io.trimtab.standalone.Cluster;
import io.trimtab.standalone.ClusterOptions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Runs a cluster that does not exist, or a copy of one that does, in virtual time, and tells what happened. The same seed gives
 * the same run. What is imported is read once; each {@link #run} works on a copy of its own. For one thread.
 *
 * <pre>{@code
 * Outcome outcome = ClusterSimulation.of(ClusterState.read(Path.of("cluster.yaml")))
 *         .scenario(Scenario.read(Path.of("scenario.yaml")))
 *         .run();
 * System.out.println(outcome.text(200, false));
 * }</pre>
 *
 * @since 0.1
 */
public final class ClusterSimulation {
    private static final Duration USUAL_LENGTH = Duration.ofMinutes(10);

    /** What would write the certificates of a cluster that does not exist into each namespace of one that does. */
    private static final List<String> USUAL_OF_IMPORTS = List.of("*", "-root-ca-certificate-publisher-controller");

    private final ClusterState state;
    private final List<NodeStore> stores = new ArrayList<>();
    private final List<ControllerProvider> programs = new ArrayList<>();
    private Scenario scenario = Scenario.QUIET;
    private @Nullable Duration length;
    private @Nullable Long seed;
    private @Nullable List<String> controllers;
    private @Nullable Path recording;
    private boolean scheduler = true;

    private ClusterSimulation(ClusterState state) {
        this.state = state;
    }

    /** A simulation of a cluster with these objects. */
    public static ClusterSimulation of(ClusterState state) {
        return new ClusterSimulation(state);
    }

    /** Nodes besides those that are imported; may be called several times. */
    public ClusterSimulation nodes(NodeStore store) {
        stores.add(store);
        return this;
    }

    /** What is done meanwhile. Its settings count where nothing else is said. */
    public ClusterSimulation scenario(Scenario done) {
        scenario = done;
        return this;
    }

    /** How long the run is; ten minutes unless this or the scenario says. */
    public ClusterSimulation length(Duration time) {
        length = time;
        return this;
    }

    /** Of all that is drawn by lot; 1 unless this or the scenario says. */
    public ClusterSimulation seed(long number) {
        seed = number;
        return this;
    }

    /** Which of Kubernetes' controllers run, as {@code --controllers} has it; all, unless this or the scenario says. */
    public ClusterSimulation controllers(List<String> selection) {
        controllers = List.copyOf(selection);
        return this;
    }

    /** Whether the scheduler runs; it does unless this says otherwise. */
    public ClusterSimulation scheduler(boolean runs) {
        scheduler = runs;
        return this;
    }

    /** A controller of one's own, which runs beside the others and may do everything. */
    public ClusterSimulation program(ControllerProvider program) {
        programs.add(program);
        return this;
    }

    /** Writes the watch history of the run to a file. */
    public ClusterSimulation record(Path file) {
        recording = file;
        return this;
    }

    private static <T> T said(@Nullable T first, @Nullable T second, T otherwise) {
        return first != null ? first : second != null ? second : otherwise;
    }

    /**
     * Runs it.
     *
     * @throws SimulationException if the import or the scenario cannot be used
     */
    public Outcome run() {
        Duration time = said(length, scenario.length(), USUAL_LENGTH);
        List<String> selection =
                said(controllers, scenario.controllers(), state.objects().isEmpty() ? List.of("*") : USUAL_OF_IMPORTS);
        try {
            ControllerTable.check(selection);
        } catch (IllegalArgumentException e) {
            throw new SimulationException(String.valueOf(e.getMessage()), e);
        }
        List<NodeStore> all = new ArrayList<>(stores);
        if (scenario.nodes() != null) {
            all.add(NodeStore.uniform(scenario.nodes()));
        }
        Prepared prepared = Prepared.of(state, all, said(seed, scenario.seed(), 1L), null);
        VirtualDriver driver = prepared.driver();
        int nodes = prepared.nodes().size();
        ClusterOptions options = ClusterOptions.IN_MEMORY
                .withApiServer(prepared.options())
                .withNodes(List.copyOf(prepared.nodes().keySet()))
                .withSimulation(Simulation.DEFAULT)
                .withPodCidr(podCidr(nodes), 24)
                .withControllers(selection)
                .withScheduler(scheduler);
        Calls calls = new Calls();
        Chronicle chronicle = new Chronicle(driver);
        prepared.server().listenIn(calls::between);
        try (Cluster cluster = Cluster.start(
                options,
                driver,
                prepared.server(),
                agents -> agents.keeping().withHeartbeats(prepared.server().heartbeats()),
                made -> prepare(made, chronicle, prepared))) {
            Hand hand = new Hand(cluster, driver, what -> chronicle.tell("scenario", what));
            if (prepared.imported() == 0) {
                driver.settle(); // accounts of the namespaces, and the like
                calls.reset();
            }
            long before = prepared.server().store().revision();
            MemoryStore beginning = prepared.store().fork();
            try (Recording file = recording == null ? null : Recording.begin(recording, prepared.store(), driver)) {
                applyUnborn(prepared, hand, driver, what -> chronicle.tell("scenario", what));
                hand.schedule(scenario, time);
                driver.advanceTo(prepared.began().plus(time));
            }
            var resources = cluster.apiServer().server().resources();
            Map<Objects.Key, ObjectNode> end = Objects.all(prepared.store(), resources);
            keep(all, end);
            return new Outcome(
                    time,
                    prepared.imported(),
                    nodes,
                    prepared.store().revision() - before,
                    prepared.notes(),
                    chronicle,
                    calls.all(),
                    Objects.changes(Objects.all(beginning, resources), end),
                    end);
        } finally {
            driver.close();
        }
    }

    private void prepare(Cluster cluster, Chronicle chronicle, Prepared prepared) {
        chronicle.follow(cluster.manager());
        prepared.nodes().forEach((name, ready) -> {
            if (!ready) {
                cluster.stopNode(name); // it is down in the original, too
            }
        });
        if (!programs.isEmpty()) {
            AdminManager manager = new AdminManager(cluster);
            programs.forEach(program -> cluster.manager().add(program.controller(manager)));
        }
    }

    /** Manifests that no cluster has seen: applied at the beginning, definitions first. */
    static void applyUnborn(Prepared prepared, Hand hand, VirtualDriver driver, Consumer<String> tell) {
        if (prepared.unborn().isEmpty()) {
            return;
        }
        driver.settle();
        for (boolean definitions : new boolean[] {true, false}) {
            for (ObjectNode object : prepared.unborn()) {
                if (object.path("kind").asText().equals("CustomResourceDefinition") == definitions) {
                    try {
                        hand.apply(object);
                    } catch (SimulationException e) {
                        tell.accept("apply " + object.path("kind").asText() + " "
                                + object.path("metadata").path("name").asText() + " failed: " + e.getMessage());
                    }
                }
            }
            driver.settle();
        }
    }

    private static void keep(List<NodeStore> stores, Map<Objects.Key, ObjectNode> end) {
        for (NodeStore store : stores) {
            java.util.Set<String> own = new java.util.HashSet<>();
            store.nodes().forEach(node -> own.add(node.getMetadata().getName()));
            end.forEach((key, object) -> {
                if (key.resource().equals("nodes") && own.contains(key.name())) {
                    store.keep(node(object));
                }
            });
            store.close();
        }
    }

    private static Node node(JsonNode object) {
        try {
            return KubernetesJson.mapper().treeToValue(object, Node.class);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A range that has 256 addresses for each node. */
    private static String podCidr(int nodes) {
        return nodes <= 256 ? "172.16.0.0/16" : nodes <= 4096 ? "172.16.0.0/12" : "10.0.0.0/8";
    }

    /**
     * A server with the imported objects, on which nothing has run yet.
     *
     * @param nodes whether each is ready
     */
    record Prepared(
            MemoryStore store,
            ApiServerInstance server,
            ApiServerOptions options,
            VirtualDriver driver,
            Instant began,
            Map<String, Boolean> nodes,
            List<ObjectNode> unborn,
            List<String> notes,
            int imported) {

        /**
         * The caller closes the server, and the driver after it.
         *
         * @param begin when time begins; null for the moment of which the state tells
         */
        static Prepared of(ClusterState state, List<NodeStore> stores, long seed, @Nullable Instant begin) {
            Instant start = begin != null
                    ? begin
                    : state.moment()
                            .map(newest ->
                                    newest.truncatedTo(ChronoUnit.SECONDS).plusSeconds(1))
                            .orElse(VirtualDriver.DEFAULT_START);
            String cidr = Seeding.serviceCidr(state).orElse(ApiServerOptions.IN_MEMORY.serviceCidr());
            ApiServerOptions options = ApiServerOptions.IN_MEMORY.withServiceCidr(cidr);
            MemoryStore imports = MemoryStore.create();
            MemoryStore store;
            Seeding seeding;
            Map<String, Boolean> nodes;
            // On a server of its own: what a server remembers of its objects, it reads when it starts.
            VirtualDriver importing = VirtualDriver.create(VirtualDriver.Options.DEFAULT
                    .withSeed(seed ^ 0x696d706f7274L)
                    .withStart(start));
            try (ApiServerInstance server = ApiServerInstance.start(options, importing, imports)) {
                seeding = new Seeding(server, importing);
                seeding.take(state);
                for (NodeStore from : stores) {
                    seeding.join(from.nodes(), start);
                }
                nodes = seeding.nodes();
                store = imports.fork();
            } finally {
                importing.close();
            }
            VirtualDriver driver = VirtualDriver.create(
                    VirtualDriver.Options.DEFAULT.withSeed(seed).withStart(start));
            ApiServerInstance server = ApiServerInstance.start(options, driver, store);
            return new Prepared(
                    store,
                    server,
                    options,
                    driver,
                    start,
                    nodes,
                    seeding.unborn(),
                    List.copyOf(seeding.notes()),
                    seeding.imported());
        }
    }
}
