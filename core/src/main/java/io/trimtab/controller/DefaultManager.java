package io.trimtab.controller;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.micrometer.core.instrument.MeterRegistry;
import io.trimtab.client.Client;
import io.trimtab.client.FabricClient;
import io.trimtab.events.ClientEventRecorder;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.DefaultInformerFactory;
import io.trimtab.informer.InformerFactory;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiFunction;
import java.util.function.Function;
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
        private ReconcileObserver observer = new ReconcileObserver() {};
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

        /** Hears of every reconcile. */
        public Builder observer(ReconcileObserver hears) {
            this.observer = hears;
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
    private final Function<String, ? extends Client> clients;
    private final InformerFactory informers;
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
    private final Map<String, EventRecorder> recorders = new LinkedHashMap<>();

    @GuardedBy("lock")
    private boolean started;

    @GuardedBy("lock")
    private boolean closed;

    private DefaultManager(Builder builder) {
        this.driver = builder.driver;
        this.clients = builder.clients;
        this.informers = builder.informers != null
                ? builder.informers
                : new DefaultInformerFactory(clients.apply("informers"), driver);
        this.events = builder.events;
        this.registry = builder.registry;
        this.observer = builder.observer;
        this.ownWritesTimeout = builder.ownWritesTimeout;
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
        return new RecordingClient(clients.apply(component), informers);
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

    @Override
    public void add(Controller controller) {
        ControllerRunner runner =
                new ControllerRunner(controller, driver, informers, ownWritesTimeout, observer, registry);
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
        informers.start();
        runners.forEach(ControllerRunner::start);
        parts.forEach(this::startWhenSynced);
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
        informers.whenSynced(() -> {
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
            recording = List.copyOf(recorders.values());
        } finally {
            lock.unlock();
        }
        CompletableFuture<?>[] ends =
                runners.stream().map(ControllerRunner::stop).toArray(CompletableFuture[]::new);
        java.util.Collections.reverse(parts); // in the reverse order of their start, as one takes things apart
        parts.forEach(p -> closeQuietly(p, p.name()));
        if (ran) {
            try {
                driver.await(CompletableFuture.allOf(ends), DRAIN);
            } catch (TimeoutException e) {
                log.warn(
                        "Reconciles still run, closing all the same: controllers={} after={}",
                        runners.stream()
                                .filter(r -> !r.stop().isDone())
                                .map(ControllerRunner::name)
                                .toList(),
                        DRAIN);
            } catch (CompletionException e) {
                log.warn("Closing was interrupted, reconciles may still run", e);
            }
        }
        for (EventRecorder recorder : recording) {
            if (recorder instanceof AutoCloseable closeable) {
                closeQuietly(closeable, "events");
            }
        }
        informers.close();
    }

    private static void closeQuietly(AutoCloseable part, String name) {
        try {
            part.close();
        } catch (Exception e) {
            log.error("Part did not close well: component={}", name, e);
        }
    }
}
