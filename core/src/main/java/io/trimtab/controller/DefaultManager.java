package io.trimtab.controller;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.micrometer.core.instrument.MeterRegistry;
import io.trimtab.client.Client;
import io.trimtab.client.FabricClient;
import io.trimtab.events.ClientEventRecorder;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.DefaultInformerFactory;
import io.trimtab.informer.InformerFactory;
import io.trimtab.informer.SharedInformer;
import io.trimtab.leader.Sharding;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The manager. A controller begins as soon as its own informers are synced; one whose resource nobody serves holds up no
 * other.
 *
 * <p>What a reconciler writes through a client of this manager, its next run for the same key will find in the caches: until
 * they show it, the key waits (for ten seconds unless said otherwise; then it runs all the same).
 */
public final class DefaultManager implements Manager {
    private static final Logger log = LoggerFactory.getLogger(DefaultManager.class);

    /** How long running reconciles may take to end when the manager closes; client-go's programs give themselves as much. */
    private static final Duration DRAIN = Duration.ofSeconds(30);

    /** A component that waits for caches which never come is started all the same after this time. */
    private static final Duration COMPONENT_PATIENCE = Duration.ofSeconds(60);

    /** What a manager is made of. Not safe for use by several threads. */
    public static final class Builder {
        private final Driver driver;
        private final Function<String, ? extends Client> clients;
        private @Nullable InformerFactory informers;
        private BiFunction<Client, String, ? extends EventRecorder> events;
        private @Nullable MeterRegistry registry;
        private ReconcileObservers observers = new ReconcileObservers(List.of());
        private final Map<String, Function<String, ? extends Client>> remote = new LinkedHashMap<>();
        private DefaultInformerFactory.Options caching = DefaultInformerFactory.Options.DEFAULT;
        private UnaryOperator<Client> wrapper = client -> client;
        private @Nullable Sharding sharding;
        private Duration drain = DRAIN;
        private Duration ownWritesTimeout = Duration.ofSeconds(10);

        private Builder(Driver driver, Function<String, ? extends Client> clients) {
            this.driver = Objects.requireNonNull(driver);
            this.clients = Objects.requireNonNull(clients);
            this.events = (client, component) -> new ClientEventRecorder(driver, client, component);
        }

        /** The caches; made over a client named {@code informers} unless given. The manager starts and closes them. */
        public Builder informers(InformerFactory factory) {
            this.informers = factory;
            return this;
        }

        /** Makes the recorder of a component from the component's client; one that writes Event objects unless given. */
        public Builder events(BiFunction<Client, String, ? extends EventRecorder> recorders) {
            this.events = recorders;
            return this;
        }

        /** Where queues and reconciles are measured; nowhere unless given. */
        public Builder metrics(MeterRegistry meters) {
            this.registry = meters;
            return this;
        }

        /** Hears of every reconcile; there may be several. */
        public Builder observer(ReconcileObserver hears) {
            this.observers = observers.and(hears);
            return this;
        }

        /** How the caches behave that the manager makes: resync, pages, transforms. */
        public Builder caching(DefaultInformerFactory.Options options) {
            this.caching = options;
            return this;
        }

        /** Stands between components and their clients: traces, say, or a fence. Not used for caches and events. */
        public Builder wrapClients(UnaryOperator<Client> with) {
            UnaryOperator<Client> before = wrapper;
            this.wrapper = client -> with.apply(before.apply(client));
            return this;
        }

        /**
         * One more cluster that controllers may work in.
         *
         * @param name as {@link Controller.Builder#inClusters} and {@link Request#cluster} have it
         * @param clientsThere the client of each component, by name
         */
        public Builder cluster(String name, Function<String, ? extends Client> clientsThere) {
            if (name.isEmpty() || remote.putIfAbsent(name, clientsThere) != null) {
                throw new IllegalArgumentException("a cluster needs a name of its own, not '" + name + "'");
            }
            return this;
        }

        /** The same over one connection. */
        public Builder cluster(String name, FabricClient connection) {
            return cluster(name, connection::clientFor);
        }

        /**
         * Shares the keys of all controllers with other replicas of this program. The manager starts and closes it; what
         * components write should go through a {@link io.trimtab.leader.FencedClient}, see {@link #wrapClients}.
         */
        public Builder sharding(Sharding shards) {
            this.sharding = shards;
            return this;
        }

        /** How long running reconciles may take to end when the manager closes; 30 s unless said. */
        public Builder drain(Duration timeout) {
            this.drain = timeout;
            return this;
        }

        /** How long a key waits for the caches to show what it wrote; 10 s unless said. */
        public Builder ownWritesTimeout(Duration timeout) {
            this.ownWritesTimeout = timeout;
            return this;
        }

        public DefaultManager build() {
            return new DefaultManager(this);
        }
    }

    private final Driver driver;
    private final Map<String, Parts> clusters = new LinkedHashMap<>();
    private final Parts home;
    private final UnaryOperator<Client> wrapper;
    private final @Nullable Sharding sharding;
    private final Duration drain;
    private final BiFunction<Client, String, ? extends EventRecorder> events;
    private final @Nullable MeterRegistry registry;
    private final ReconcileObserver observer;
    private final Duration ownWritesTimeout;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Map<String, ControllerRunner> controllers = new LinkedHashMap<>();

    @GuardedBy("lock")
    private final List<Component> components = new ArrayList<>();

    @GuardedBy("lock")
    private final List<Component> startedComponents = new ArrayList<>();

    @GuardedBy("lock")
    private boolean started;

    @GuardedBy("lock")
    private boolean closed;

    private DefaultManager(Builder builder) {
        this.driver = builder.driver;
        this.wrapper = builder.wrapper;
        this.sharding = builder.sharding;
        this.drain = builder.drain;
        this.events = builder.events;
        this.registry = builder.registry;
        this.observer = builder.observers;
        this.ownWritesTimeout = builder.ownWritesTimeout;
        this.home = new Parts(
                "",
                builder.clients,
                builder.informers != null
                        ? builder.informers
                        : new DefaultInformerFactory(
                                builder.clients.apply("informers"), driver, builder.caching, registry, ""));
        clusters.put("", home);
        builder.remote.forEach((name, clients) -> clusters.put(
                name,
                new Parts(
                        name,
                        clients,
                        new DefaultInformerFactory(
                                clients.apply("informers"), driver, builder.caching, registry, name))));
    }

    /** What belongs to one cluster. */
    private final class Parts implements RemoteCluster {
        private final String name;
        private final Function<String, ? extends Client> clients;
        private final InformerFactory informers;

        /** Guarded by the manager's lock. */
        private final Map<String, EventRecorder> recorders = new LinkedHashMap<>();

        Parts(String name, Function<String, ? extends Client> clients, InformerFactory informers) {
            this.name = name;
            this.clients = clients;
            this.informers = informers;
        }

        @Override
        public String name() {
            return name;
        }

        @Override
        public Client client(String component) {
            return new RecordingClient(wrapper.apply(clients.apply(component)), informers);
        }

        @Override
        public InformerFactory informers() {
            return informers;
        }

        @Override
        public EventRecorder events(String component) {
            lock.lock();
            try {
                return recorders.computeIfAbsent(component, c -> events.apply(clients.apply(c), c));
            } finally {
                lock.unlock();
            }
        }
    }

    @Override
    public RemoteCluster cluster(String name) {
        Parts parts = clusters.get(name);
        if (parts == null) {
            throw new IllegalArgumentException("the manager knows no cluster " + name + ", only " + clusters.keySet());
        }
        return parts;
    }

    /**
     * A manager whose parts are still to be chosen.
     *
     * @param clients the client of each component, by name
     */
    public static Builder builder(Driver driver, Function<String, ? extends Client> clients) {
        return new Builder(driver, clients);
    }

    /** A manager whose components share one connection. */
    public static Builder builder(Driver driver, FabricClient client) {
        return new Builder(driver, client::clientFor);
    }

    @Override
    public Driver driver() {
        return driver;
    }

    @Override
    public Client client(String component) {
        return home.client(component);
    }

    @Override
    public InformerFactory informers() {
        return home.informers;
    }

    @Override
    public EventRecorder events(String component) {
        return home.events(component);
    }

    @Override
    public void add(Controller controller) {
        ControllerRunner runner = new ControllerRunner(
                controller, driver, name -> cluster(name).informers(), sharding, ownWritesTimeout, observer, registry);
        boolean start;
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException(
                        "the manager is closed; controller " + controller.name() + " cannot run");
            }
            if (controllers.putIfAbsent(controller.name(), runner) != null) {
                throw new IllegalArgumentException("there is a controller named " + controller.name() + " already");
            }
            start = started;
        } finally {
            lock.unlock();
        }
        runner.watch();
        if (start) {
            runner.start();
        }
    }

    @Override
    public void add(Component component) {
        boolean start;
        lock.lock();
        try {
            if (closed) {
                throw new IllegalStateException("the manager is closed; component " + component.name() + " cannot run");
            }
            components.add(component);
            start = started;
        } finally {
            lock.unlock();
        }
        if (start) {
            startWhenSynced(component);
        }
    }

    @Override
    public void start() {
        List<ControllerRunner> runners;
        List<Component> parts;
        lock.lock();
        try {
            if (started || closed) {
                return;
            }
            started = true;
            runners = List.copyOf(controllers.values());
            parts = List.copyOf(components);
        } finally {
            lock.unlock();
        }
        clusters.values().forEach(cluster -> cluster.informers.start());
        runners.forEach(ControllerRunner::start);
        parts.forEach(this::startWhenSynced);
        Sharding shards = sharding;
        if (shards != null) {
            shards.addListener(new Gains(shards));
            shards.start();
        }
    }

    /** Begins with the keys of slots that this replica gains. */
    private final class Gains implements Sharding.Listener {
        private final Sharding shards;

        Gains(Sharding shards) {
            this.shards = shards;
        }

        private List<ControllerRunner> runners() {
            lock.lock();
            try {
                return List.copyOf(controllers.values());
            } finally {
                lock.unlock();
            }
        }

        /** The caches must show what the former owners wrote: else we would do it again. */
        @Override
        public void preparing(Map<String, Long> written, Runnable ready) {
            AtomicInteger missing = new AtomicInteger(1);
            AtomicBoolean once = new AtomicBoolean();
            Driver.Timer patience = driver.schedule(ownWritesTimeout, () -> {
                if (once.compareAndSet(false, true)) {
                    log.warn("Others' writes are not in the cache yet, going on without: written={}", written);
                    ready.run();
                }
            });
            Runnable one = () -> {
                if (missing.decrementAndGet() == 0 && once.compareAndSet(false, true)) {
                    patience.cancel();
                    ready.run();
                }
            };
            written.forEach((resource, revision) -> {
                Set<SharedInformer<?>> caches = new LinkedHashSet<>();
                runners().forEach(runner -> runner.informersOf(resource, caches));
                missing.addAndGet(caches.size());
                caches.forEach(cache -> cache.whenAtLeast(revision, one));
            });
            one.run();
        }

        @Override
        public void gained(Set<Integer> slots) {
            runners().forEach(runner -> runner.replay(shards, slots));
        }
    }

    private void startWhenSynced(Component component) {
        AtomicBoolean once = new AtomicBoolean();
        Driver.Timer patience = driver.schedule(COMPONENT_PATIENCE, () -> {
            if (once.compareAndSet(false, true)) {
                log.warn(
                        "Caches are not synced, starting all the same: component={} after={}",
                        component.name(),
                        COMPONENT_PATIENCE);
                startNow(component);
            }
        });
        home.informers.whenSynced(() -> {
            if (once.compareAndSet(false, true)) {
                patience.cancel();
                // Not on an informer's lane: a start may read, write and wait.
                driver.execute(() -> startNow(component));
            }
        });
    }

    private void startNow(Component component) {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            startedComponents.add(component);
        } finally {
            lock.unlock();
        }
        component.start();
    }

    @Override
    public void close() {
        List<ControllerRunner> runners;
        List<Component> parts;
        List<EventRecorder> recording;
        boolean ran;
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            ran = started;
            runners = List.copyOf(controllers.values());
            parts = new ArrayList<>(startedComponents);
            recording = new ArrayList<>();
            for (Parts cluster : clusters.values()) {
                recording.addAll(cluster.recorders.values());
            }
        } finally {
            lock.unlock();
        }
        CompletableFuture<?>[] ends =
                runners.stream().map(ControllerRunner::stop).toArray(CompletableFuture[]::new);
        java.util.Collections.reverse(parts); // in the reverse order of their start, as one takes things apart
        parts.forEach(p -> closeQuietly(p, p.name()));
        if (ran) {
            try {
                driver.await(CompletableFuture.allOf(ends), drain);
            } catch (TimeoutException e) {
                log.warn(
                        "Reconciles still run, closing all the same: controllers={} after={}",
                        runners.stream()
                                .filter(r -> !r.stop().isDone())
                                .map(ControllerRunner::name)
                                .toList(),
                        drain);
            } catch (CompletionException e) {
                log.warn("Closing was interrupted, reconciles may still run", e);
            }
        }
        Sharding shards = sharding;
        if (shards != null && ran) {
            shards.close(); // after the last reconcile: nothing of the slots is in work
        }
        for (EventRecorder recorder : recording) {
            if (recorder instanceof AutoCloseable closeable) {
                closeQuietly(closeable, "events");
            }
        }
        clusters.values().forEach(cluster -> cluster.informers.close());
    }

    private static void closeQuietly(AutoCloseable part, String name) {
        try {
            part.close();
        } catch (Exception e) {
            log.error("Part did not close well: component={}", name, e);
        }
    }
}
