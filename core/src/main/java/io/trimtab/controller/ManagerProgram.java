package io.trimtab.controller;

import io.fabric8.kubernetes.client.Config;
import io.trimtab.client.Client;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.client.FabricClient;
import io.trimtab.client.ServiceAccountClients;
import io.trimtab.events.ClientEventRecorder;
import io.trimtab.leader.LeaderCallbacks;
import io.trimtab.leader.LeaderElectionConfig;
import io.trimtab.leader.LeaderElector;
import io.trimtab.runtime.Driver;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
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
     */
    public record Options(String name, boolean leaderElect, ClientOptions client, Set<String> serviceAccounts) {

        /** All components act as the kubeconfig says. */
        public Options(String name, boolean leaderElect, ClientOptions client) {
            this(name, leaderElect, client, Set.of());
        }
    }

    private final FabricClient connection;
    private final @Nullable ServiceAccountClients accounts;
    private final Driver driver;
    private final Consumer<Manager> fill;
    private final CompletableFuture<Void> leadershipLost = new CompletableFuture<>();
    private final @Nullable LeaderElector elector;
    private volatile @Nullable Manager manager;

    private ManagerProgram(Driver driver, Config config, Options options, Consumer<Manager> fill) {
        this.driver = driver;
        this.fill = fill;
        this.connection = Clients.connect(config, driver, options.client());
        this.accounts = options.serviceAccounts().isEmpty()
                ? null
                : ServiceAccountClients.create(
                        connection, config, driver, options.client(), "kube-system", options.serviceAccounts());
        if (options.leaderElect()) {
            FabricClient client = connection.clientFor(options.name());
            String identity =
                    Clients.hostName() + "_" + Long.toHexString(driver.random().nextLong());
            this.elector = new LeaderElector(
                    driver,
                    client,
                    LeaderElectionConfig.of("kube-system", options.name(), identity),
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
    }

    /**
     * Connects and begins to work, or to run for leadership. Returns at once.
     *
     * @param fill adds controllers to the manager, when it is this program's turn to work
     */
    public static ManagerProgram start(Driver driver, Config config, Options options, Consumer<Manager> fill) {
        ManagerProgram program = new ManagerProgram(driver, config, options, fill);
        if (program.elector == null) {
            program.begin();
        } else {
            program.elector.start();
        }
        return program;
    }

    private void begin() {
        Function<String, ? extends Client> clients = accounts == null ? connection::clientFor : accounts;
        Manager made = DefaultManager.builder(driver, clients)
                .events((client, component) ->
                        new ClientEventRecorder(driver, connection.clientFor(component), component))
                .build();
        manager = made;
        fill.accept(made);
        made.start();
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
        if (elector != null) {
            elector.close();
        }
        if (accounts != null) {
            accounts.close();
        }
        connection.close();
    }
}
