package io.trimtab.controller;

import io.fabric8.kubernetes.client.Config;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.client.FabricClient;
import io.trimtab.events.ClientEventRecorder;
import io.trimtab.leader.LeaderCallbacks;
import io.trimtab.leader.LeaderElectionConfig;
import io.trimtab.leader.LeaderElector;
import io.trimtab.runtime.Driver;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
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
     */
    public record Options(String name, boolean leaderElect, ClientOptions client) {}

    private final FabricClient connection;
    private final Driver driver;
    private final Consumer<Manager> fill;
    private final CompletableFuture<Void> leadershipLost = new CompletableFuture<>();
    private final @Nullable LeaderElector elector;
    private volatile @Nullable Manager manager;

    private ManagerProgram(Driver driver, Config config, Options options, Consumer<Manager> fill) {
        this.driver = driver;
        this.fill = fill;
        this.connection = Clients.connect(config, driver, options.client());
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
        Manager made = DefaultManager.builder(driver, connection)
                .events((client, component) -> new ClientEventRecorder(driver, client, component))
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
        connection.close();
    }
}
