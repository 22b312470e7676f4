package io.trimtab.standalone;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.store.Store;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.client.FabricClient;
import io.trimtab.controller.DefaultManager;
import io.trimtab.controller.Manager;
import io.trimtab.controller.ReconcileObserver;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.ControllerTable;
import io.trimtab.controllers.certificates.Signers;
import io.trimtab.controllers.nodeipam.NodeIpamController;
import io.trimtab.controllers.persistentvolume.PersistentVolumeBinder;
import io.trimtab.events.ClientEventRecorder;
import io.trimtab.informer.EventHandler;
import io.trimtab.informer.SharedInformer;
import io.trimtab.leader.LeaderCallbacks;
import io.trimtab.leader.LeaderElectionConfig;
import io.trimtab.leader.LeaderElector;
import io.trimtab.node.NodeAgent;
import io.trimtab.node.NodeAgentOptions;
import io.trimtab.node.simulated.SimulatedRuntime;
import io.trimtab.node.simulated.SimulatedStorage;
import io.trimtab.runtime.Driver;
import io.trimtab.scheduler.Scheduler;
import io.trimtab.scheduler.SchedulerOptions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A whole Kubernetes control plane in this process: API server, controllers, scheduler, simulated nodes, talking without
 * sockets. In real time or in virtual time, as its driver is. Made and closed by one thread; used by any.
 *
 * <pre>{@code
 * try (Driver driver = RealDriver.create(); Cluster cluster = Cluster.start(ClusterOptions.IN_MEMORY, driver)) {
 *     cluster.apiServer().adminClient().pods().inAnyNamespace().list();
 * }
 * }</pre>
 */
public final class Cluster implements AutoCloseable {
    /** The controller that makes the account without which no pod can be. */
    private static final String ACCOUNTS = "serviceaccount-controller";

    /** After this, the others start too, whatever the first ones wait for. */
    private static final Duration FIRST_STAGE = Duration.ofSeconds(10);

    private final ClusterOptions options;
    private final ApiServerInstance apiServer;
    private final Driver driver;
    /** Only where other servers share the store: then one of them works, and the others wait for their turn. */
    private final @Nullable LeaderElector elector;
    /** Replaced when a term ends, by the elector's lane. */
    private volatile Manager manager;

    private volatile @Nullable NodeAgent nodes;
    private volatile boolean closed;
    private final List<String> nodeNames;
    private final boolean waitsForAccount;
    private final UnaryOperator<NodeAgentOptions> nodeOptions;
    private final Map<String, FabricClient> clients = new ConcurrentHashMap<>();
    private final Map<String, UserInfo> identities = new ConcurrentHashMap<>();
    /** Who hears of the reconciles of the cluster's own controllers. */
    private volatile ReconcileObserver observer = new ReconcileObserver() {};

    private Cluster(
            ClusterOptions options,
            ApiServerInstance apiServer,
            Driver driver,
            UnaryOperator<NodeAgentOptions> nodeOptions) {
        this.nodeOptions = nodeOptions;
        this.options = options;
        this.apiServer = apiServer;
        this.nodeNames = options.nodes();
        this.waitsForAccount = ControllerTable.isSelected(ACCOUNTS, options.controllers());
        this.driver = driver;
        this.manager = newManager();
        this.elector = options.apiServer().store() == ApiServerOptions.StoreKind.ETCD ? newElector() : null;
    }

    private Manager newManager() {
        Manager made = DefaultManager.builder(driver, this::client)
                // Events are written on behalf of the process: their source says which component speaks.
                .events((client, component) ->
                        new ClientEventRecorder(driver, privileged().clientFor(component), component))
                .observer(new ReconcileObserver() {
                    @Override
                    public void before(String controller, Request request) {
                        observer.before(controller, request);
                    }

                    @Override
                    public void after(
                            String controller,
                            Request request,
                            @Nullable Result result,
                            @Nullable Throwable failure,
                            Duration took) {
                        observer.after(controller, request, result, failure, took);
                    }
                })
                .build();
        addControllers(made, name -> !isStaged() || name.equals(ACCOUNTS));
        if (!options.nodes().isEmpty()) {
            SimulatedRuntime runtime = new SimulatedRuntime(driver, options.simulation());
            nodes = NodeAgent.addTo(made, nodeOptions.apply(NodeAgentOptions.of(options.nodes())), runtime);
            apiServer.simulatedNodes().serve(runtime);
        }
        if (!isStaged()) {
            addOthers(made);
        }
        return made;
    }

    /**
     * In real time a process has a few processors, and starting a controller for the first time takes much of one: what others
     * wait for comes first. In virtual time nobody waits.
     */
    private boolean isStaged() {
        return !driver.isVirtual();
    }

    private void addControllers(Manager made, Predicate<String> which) {
        if (!options.controllers().isEmpty()) {
            ControllerTable.addTo(
                    made,
                    options.controllers(),
                    new ControllerTable.Options(apiServer.certificateAuthority())
                            .withFeatures(options.apiServer().extensions().features())
                            .withSigners(Signers.of(apiServer.signingAuthority(), Signers.LONGEST))
                            .withNodeRanges(new NodeIpamController.Ranges(
                                    List.of(options.podCidr()),
                                    List.of(options.apiServer().serviceCidr()),
                                    options.nodeCidrMaskSize(),
                                    64)),
                    which);
        }
    }

    /** What is neither a controller nor a node. */
    private void addOthers(Manager made) {
        if (options.scheduler()) {
            Scheduler.addTo(made, SchedulerOptions.DEFAULT);
        }
        if (!options.nodes().isEmpty()) {
            if (ControllerTable.isSelected(PersistentVolumeBinder.NAME, options.controllers())) {
                SimulatedStorage.addTo(made);
            }
            if (options.metrics()) {
                made.add(new SimulatedMetrics(made, privileged(), apiServer.callouts()));
            }
        }
    }

    private void startManager() {
        Manager starting = manager;
        starting.start();
        if (isStaged()) {
            AtomicBoolean once = new AtomicBoolean();
            Runnable rest = () -> {
                if (once.compareAndSet(false, true)) {
                    driver.execute(() -> startRest(starting));
                }
            };
            Driver.Timer patience = driver.schedule(FIRST_STAGE, rest);
            whenReady(starting).thenCombine(apiServer.whenOpen(), (a, b) -> {
                patience.cancel();
                // Whoever waited for this has his word to say first.
                return driver.schedule(Duration.ofMillis(100), rest);
            });
        }
    }

    private void startRest(Manager starting) {
        try {
            addOthers(starting);
            addControllers(starting, name -> !name.equals(ACCOUNTS));
        } catch (IllegalStateException e) {
            if (!closed && starting == manager) {
                throw e; // a manager that is closed takes no more parts: its cluster or its term is over
            }
        }
    }

    private LeaderElector newElector() {
        String identity =
                Clients.hostName() + "_" + Long.toHexString(driver.random().nextLong());
        return new LeaderElector(
                driver,
                privileged(),
                LeaderElectionConfig.of("kube-system", "trimtab", identity),
                new LeaderCallbacks() {
                    @Override
                    public void onStartedLeading() {
                        startManager();
                    }

                    @Override
                    public void onStoppedLeading() {
                        manager.close();
                        if (!closed) {
                            manager = newManager();
                            driver.execute(Cluster.this::standForElection);
                        }
                    }
                },
                null);
    }

    private void standForElection() {
        LeaderElector candidate = elector;
        if (candidate == null) {
            startManager();
        } else if (!closed) {
            candidate.start();
        }
    }

    /**
     * Starts everything. The API server answers when this returns; the others have begun to work.
     *
     * @throws StartException if it cannot start, with one line that says why and what to do
     */
    public static Cluster start(ClusterOptions options, Driver driver) {
        return start(options, driver, ApiServerInstance.startBehind(options.apiServer(), driver));
    }

    /** The same on a store that is open already, such as a fork of another cluster's. */
    public static Cluster start(ClusterOptions options, Driver driver, Store store) {
        return start(options, driver, ApiServerInstance.startBehind(options.apiServer(), driver, store));
    }

    /**
     * Starts a copy of this cluster that goes its own way: the same objects, certificates and parts, on another driver. The
     * objects are shared until one of the two changes them, so this takes as long as starting the parts. What controllers were
     * about to do is found out anew by the copy's. The store must be one in memory.
     *
     * @param driver whose time is not before this cluster's
     * @throws UnsupportedOperationException if the store cannot be copied
     */
    public Cluster fork(Driver driver) {
        return start(options, driver, apiServer.fork(driver));
    }

    private static Cluster start(ClusterOptions options, Driver driver, ApiServerInstance apiServer) {
        return start(options, driver, apiServer, UnaryOperator.identity(), made -> {});
    }

    /**
     * Starts the other parts around an API server that runs already.
     *
     * @param apiServer closed with the cluster, or if this fails
     * @param nodes how the simulated nodes differ from usual ones
     * @param before called when all parts are made and none has begun
     */
    public static Cluster start(
            ClusterOptions options,
            Driver driver,
            ApiServerInstance apiServer,
            UnaryOperator<NodeAgentOptions> nodes,
            Consumer<Cluster> before) {
        try {
            Cluster cluster = new Cluster(options, apiServer, driver, nodes);
            before.accept(cluster);
            cluster.standForElection();
            try {
                apiServer.awaitPorts();
            } catch (RuntimeException e) {
                cluster.closeParts();
                throw e;
            }
            return cluster;
        } catch (RuntimeException e) {
            apiServer.close();
            throw e;
        }
    }

    private FabricClient privileged() {
        return client(Identities.PROCESS);
    }

    private FabricClient client(String component) {
        return clients.computeIfAbsent(
                component,
                name -> apiServer
                        .transport()
                        .client(identities.getOrDefault(name, Identities.of(name)), ClientOptions.DEFAULT)
                        .clientFor(name));
    }

    /** As whom a component that is not one of the cluster's own acts. Call before the component asks for its client. */
    public void actAs(String component, UserInfo user) {
        identities.put(component, user);
    }

    /** Sets who hears of the reconciles of this cluster's manager from now on. */
    public void observe(ReconcileObserver hears) {
        observer = hears;
    }

    public ApiServerInstance apiServer() {
        return apiServer;
    }

    /** Runs the controllers; more may be added. */
    public Manager manager() {
        return manager;
    }

    /**
     * Waits until a user can do something: the default service account is there (if its controller runs) and all simulated
     * nodes are ready.
     *
     * @return false if that is not so when the time is over
     */
    public boolean awaitReady(Duration timeout) {
        long until = driver.nanoTime() + timeout.toNanos();
        if (elector != null && !awaitLeader(elector, timeout)) {
            // Another server works, and has made ready what there is to.
            return !elector.leader().isEmpty();
        }
        return awaitParts(Duration.ofNanos(Math.max(0, until - driver.nanoTime())));
    }

    private boolean awaitLeader(LeaderElector candidate, Duration timeout) {
        long until = driver.nanoTime() + timeout.toNanos();
        while (candidate.leader().isEmpty() && driver.nanoTime() < until) {
            try {
                driver.await(new CompletableFuture<Void>(), Duration.ofMillis(50));
            } catch (TimeoutException e) {
                // Asked again.
            }
        }
        return candidate.isLeader();
    }

    private boolean awaitParts(Duration timeout) {
        try {
            manager.driver().await(whenReady(manager), timeout);
            return true;
        } catch (TimeoutException e) {
            return false;
        }
    }

    private CompletableFuture<Void> whenReady(Manager works) {
        CompletableFuture<Void> ready = CompletableFuture.completedFuture(null);
        if (waitsForAccount) {
            ready = await(
                    works.informers().informer(ServiceAccount.class),
                    account -> account.getMetadata().getName().equals("default")
                            && account.getMetadata().getNamespace().equals("default"));
        }
        for (String name : nodeNames) {
            ready = ready.thenCombine(
                    await(
                            works.informers().informer(Node.class),
                            node -> node.getMetadata().getName().equals(name)
                                    && node.getStatus() != null
                                    && node.getStatus().getConditions().stream()
                                            .anyMatch(
                                                    c -> "Ready".equals(c.getType()) && "True".equals(c.getStatus()))),
                    (a, b) -> null);
        }
        return ready;
    }

    private static <T> CompletableFuture<Void> await(SharedInformer<T> informer, Predicate<T> condition) {
        CompletableFuture<Void> seen = new CompletableFuture<>();
        AutoCloseable handler = informer.addHandler(new EventHandler<T>() {
            @Override
            public void onAdd(T object, boolean initial) {
                if (condition.test(object)) {
                    seen.complete(null);
                }
            }

            @Override
            public void onUpdate(T old, T object) {
                onAdd(object, false);
            }

            @Override
            public void onDelete(T object, boolean finalStateUnknown) {}
        });
        return seen.whenComplete((done, failure) -> {
            try {
                handler.close();
            } catch (Exception e) {
                throw new IllegalStateException("a handler could not be removed", e);
            }
        });
    }

    /** Adds a simulated node, which joins at once; there must have been one from the beginning. */
    public void addNode(String name) {
        NodeAgent agent = nodes;
        if (agent == null) {
            throw new IllegalStateException("node " + name + " cannot join: this cluster simulates no nodes");
        }
        agent.add(name);
    }

    /** Silences a simulated node, as if its plug were pulled. */
    public void stopNode(String name) {
        NodeAgent agent = nodes;
        if (agent != null) {
            agent.stop(name);
        }
    }

    /** Brings a silenced node back. */
    public void resumeNode(String name) {
        NodeAgent agent = nodes;
        if (agent != null) {
            agent.resume(name);
        }
    }

    /** Stops the parts in the reverse order of their start. */
    @Override
    public void close() {
        closeParts();
        apiServer.close();
        clients.values().forEach(FabricClient::close);
    }

    private void closeParts() {
        closed = true;
        // First, so that what it has begun is finished before another begins.
        manager.close();
        if (elector != null) {
            elector.close();
        }
    }
}
