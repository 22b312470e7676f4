package io.trimtab.controller;

import io.fabric8.kubernetes.client.Config;
import io.micrometer.core.instrument.MeterRegistry;
import io.trimtab.client.Client;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.client.FabricClient;
import io.trimtab.client.ServiceAccountClients;
import io.trimtab.client.WriteMode;
import io.trimtab.events.ClientEventRecorder;
import io.trimtab.health.Health;
import io.trimtab.health.HealthPort;
import io.trimtab.leader.Fence;
import io.trimtab.leader.FencedClient;
import io.trimtab.leader.LeaderCallbacks;
import io.trimtab.leader.LeaderElectionConfig;
import io.trimtab.leader.LeaderElector;
import io.trimtab.leader.Sharding;
import io.trimtab.leader.ShardingConfig;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.runtime.Shutdown;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A manager as a program of its own: connected as a kubeconfig says, alone or as the leader among several. Safe for use by any
 * thread.
 */
public final class ManagerProgram implements AutoCloseable {

    /**
     * How the program runs.
     *
     * @param name user agent, source of events, and name of the lease in {@code kube-system}
     * @param leaderElect work only while holding the lease
     * @param client how its clients behave
     * @param serviceAccounts the components that act as ServiceAccounts of {@code kube-system} of their own name; the others,
     *     the caches and the recorders of events among them, act as the kubeconfig says
     * @param namespace of the lease, or leases
     * @param sharded all replicas work, each on its share of the keys, rather than one that leads
     * @param health {@code address:port} of {@code /healthz}, {@code /livez}, {@code /readyz} and {@code /metrics}; empty for none
     * @param metrics what queues, reconciles and caches are measured in, and what {@code /metrics} tells
     * @param beside parts that run in every replica, whoever leads: webhooks. Each is made with the program's client
     */
    public record Options(
            String name,
            boolean leaderElect,
            ClientOptions client,
            Set<String> serviceAccounts,
            String namespace,
            boolean sharded,
            String health,
            @Nullable PrometheusText metrics,
            List<BiFunction<Driver, Client, ? extends Manager.Component>> beside) {

        public Options {
            serviceAccounts = Set.copyOf(serviceAccounts);
            beside = List.copyOf(beside);
        }

        /** As one of several that elect a leader, or alone. */
        public Options(String name, boolean leaderElect, ClientOptions client, Set<String> serviceAccounts) {
            this(name, leaderElect, client, serviceAccounts, "kube-system", false, "", null, List.of());
        }

        /** The same with its leases in another namespace. */
        public Options inNamespace(String leases) {
            return new Options(name, leaderElect, client, serviceAccounts, leases, sharded, health, metrics, beside);
        }

        /** The same, but all replicas work, each on its share of the keys. */
        public Options withSharding() {
            return new Options(name, false, client, serviceAccounts, namespace, true, health, metrics, beside);
        }

        /** The same, telling its health on a port; {@code 0.0.0.0:8081} in a pod. */
        public Options withHealth(String addressAndPort) {
            return new Options(
                    name, leaderElect, client, serviceAccounts, namespace, sharded, addressAndPort, metrics, beside);
        }

        /** The same, measured. */
        public Options withMetrics(PrometheusText registry) {
            return new Options(
                    name, leaderElect, client, serviceAccounts, namespace, sharded, health, registry, beside);
        }

        /** The same with a part more that runs in every replica, whoever leads. */
        public Options withBeside(BiFunction<Driver, Client, ? extends Manager.Component> part) {
            List<BiFunction<Driver, Client, ? extends Manager.Component>> all = new ArrayList<>(beside);
            all.add(part);
            return new Options(name, leaderElect, client, serviceAccounts, namespace, sharded, health, metrics, all);
        }

        /** All components act as the kubeconfig says. */
        public Options(String name, boolean leaderElect, ClientOptions client) {
            this(name, leaderElect, client, Set.of());
        }
    }

    /**
     * Where a program is measured.
     *
     * @param registry takes the measures
     * @param text what it says, in Prometheus' format: {@code registry::scrape} of a {@code PrometheusMeterRegistry}
     */
    public record PrometheusText(MeterRegistry registry, Supplier<String> text) {}

    private final FabricClient connection;
    private final Options options;
    private final Health health = new Health();
    private final List<Manager.Component> beside = new ArrayList<>(); // filled by the constructor
    private final @Nullable HealthPort healthPort;
    private final @Nullable ServiceAccountClients accounts;
    private final Driver driver;
    private final Consumer<Manager> fill;
    private final CompletableFuture<Void> leadershipLost = new CompletableFuture<>();
    private final @Nullable LeaderElector elector;
    private volatile @Nullable Manager manager;

    private ManagerProgram(Driver driver, Config config, Options options, Consumer<Manager> fill) {
        this.driver = driver;
        this.options = options;
        this.fill = fill;
        this.connection = Clients.connect(config, driver, options.client());
        this.accounts = options.serviceAccounts().isEmpty()
                ? null
                : ServiceAccountClients.create(
                        connection, config, driver, options.client(), "kube-system", options.serviceAccounts());
        // Who stores nothing can hold no lease, and does no harm beside one who does.
        if (options.leaderElect() && options.client().writes() == WriteMode.STORED) {
            FabricClient client = connection.clientFor(options.name());
            String identity =
                    Clients.hostName() + "_" + Long.toHexString(driver.random().nextLong());
            this.elector = new LeaderElector(
                    driver,
                    client,
                    LeaderElectionConfig.of(options.namespace(), options.name(), identity),
                    new LeaderCallbacks() {
                        @Override
                        public void onStartedLeading() {
                            begin();
                        }

                        @Override
                        public void onStoppedLeading() {
                            leadershipLost.complete(null);
                        }
                    },
                    new ClientEventRecorder(driver, client, options.name()));
        } else {
            this.elector = null;
        }
        options.beside().forEach(part -> beside.add(part.apply(driver, connection.clientFor(options.name()))));
        health.ready("manager", () -> {
            Manager running = manager;
            // Who waits for leadership is ready for it.
            return running == null || elector != null && !elector.isLeader()
                    ? Optional.empty()
                    : ManagerChecks.synced(running).problem();
        });
        this.healthPort = options.health().isEmpty() ? null : openHealth(options);
    }

    private HealthPort openHealth(Options options) {
        int colon = options.health().lastIndexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException("expected address:port, found " + options.health());
        }
        PrometheusText measured = options.metrics();
        return HealthPort.open(
                options.health().substring(0, colon),
                Integer.parseInt(options.health().substring(colon + 1)),
                health,
                measured == null ? () -> "" : measured.text(),
                driver);
    }

    /** What the program says of itself; more may be added. */
    public Health health() {
        return health;
    }

    /**
     * Connects and begins to work, or to run for leadership. Returns at once.
     *
     * @param fill adds controllers to the manager, when it is this program's turn to work
     */
    public static ManagerProgram start(Driver driver, Config config, Options options, Consumer<Manager> fill) {
        ManagerProgram program = new ManagerProgram(driver, config, options, fill);
        program.beside.forEach(Manager.Component::start);
        if (program.elector == null) {
            program.begin();
        } else {
            program.elector.start();
        }
        return program;
    }

    /**
     * Runs a whole program: starts it, waits until the process is asked to end (Ctrl-C, {@code kill}) or another may lead, and
     * ends in good order. Blocks meanwhile; for a {@code main}.
     *
     * @param fill adds controllers to the manager, when it is this program's turn to work
     * @return the exit code: 1 if it had to end because it may lead no longer, and a new start has to find out what it may do
     */
    public static int run(Config config, Options options, Consumer<Manager> fill) {
        Shutdown shutdown = Shutdown.listen();
        try (Driver driver = RealDriver.create(options.name());
                ManagerProgram program = start(driver, config, options, fill)) {
            program.leadershipLost().thenRun(shutdown::request);
            shutdown.await();
            boolean lost = program.leadershipLost().isDone();
            return lost ? 1 : 0;
        } finally {
            shutdown.done();
        }
    }

    private void begin() {
        Function<String, ? extends Client> clients = accounts == null ? connection::clientFor : accounts;
        DefaultManager.Builder builder = DefaultManager.builder(driver, clients)
                .events((client, component) ->
                        new ClientEventRecorder(driver, connection.clientFor(component), component));
        PrometheusText measured = options.metrics();
        if (measured != null) {
            builder.metrics(measured.registry());
        }
        LeaderElector election = elector;
        if (election != null) {
            Fence fence = election.fence();
            builder.wrapClients(client -> FencedClient.checking(client, fence));
        } else if (options.sharded() && options.client().writes() == WriteMode.STORED) {
            Sharding shards = new Sharding(
                    driver,
                    connection.clientFor(options.name()),
                    ShardingConfig.of(options.namespace(), options.name(), Clients.hostName()));
            builder.sharding(shards).wrapClients(client -> FencedClient.checking(client, shards.fence()));
        }
        Manager made = builder.build();
        manager = made;
        fill.accept(made);
        made.start();
    }

    /** The port on which it tells its health; -1 if it does not. */
    public int healthPort() {
        return healthPort == null ? -1 : healthPort.port();
    }

    /** Completes when another may lead: the program must end, for it no longer knows what it may do. */
    public CompletableFuture<Void> leadershipLost() {
        return leadershipLost;
    }

    /** Stops working, gives the lease back, and closes the connection. */
    @Override
    public void close() {
        Manager running = manager;
        if (running != null) {
            running.close();
        }
        for (int i = beside.size() - 1; i >= 0; i--) {
            beside.get(i).close();
        }
        if (healthPort != null) {
            healthPort.close();
        }
        if (elector != null) {
            elector.close();
        }
        if (accounts != null) {
            accounts.close();
        }
        connection.close();
    }
}
