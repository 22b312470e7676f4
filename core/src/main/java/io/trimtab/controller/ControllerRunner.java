package io.trimtab.controller;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.trimtab.client.ApiException;
import io.trimtab.informer.EventHandler;
import io.trimtab.informer.InformerFactory;
import io.trimtab.informer.SharedInformer;
import io.trimtab.leader.FencedException;
import io.trimtab.leader.Sharding;
import io.trimtab.queue.MicrometerQueueMetrics;
import io.trimtab.queue.QueueMetrics;
import io.trimtab.queue.RateLimiter;
import io.trimtab.queue.RateLimiters;
import io.trimtab.queue.WorkQueue;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs one controller: informers fill its queue, and up to {@code workers} steps at once take keys out of it. A worker is a
 * step that reconciles a key and hands itself in again while there are keys; with none it ends, and the queue wakes another.
 */
final class ControllerRunner {
    private static final Logger log = LoggerFactory.getLogger(ControllerRunner.class);

    private final Controller controller;
    private final Driver driver;
    private final Function<String, InformerFactory> caches;
    private final @Nullable Sharding sharding;
    private final TurnedAway turnedAway = new TurnedAway();
    private final AtomicLong reconciles = new AtomicLong();
    private final WorkQueue<Request> queue;
    private final OwnWrites ownWrites;
    private final ReconcileObserver observer;
    private final Meters meters;
    private final AtomicInteger workers = new AtomicInteger();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private volatile boolean stopping; // set by the manager's close

    ControllerRunner(
            Controller controller,
            Driver driver,
            Function<String, InformerFactory> caches,
            @Nullable Sharding sharding,
            Duration ownWritesTimeout,
            ReconcileObserver observer,
            @Nullable MeterRegistry registry) {
        this.controller = controller;
        this.driver = driver;
        this.caches = caches;
        this.sharding = sharding;
        this.observer = observer;
        QueueMetrics queueMetrics =
                registry == null ? QueueMetrics.NONE : new MicrometerQueueMetrics(registry, controller.name());
        RateLimiter<Request> limiter = RateLimiters.controllerDefault(
                driver,
                controller.retryBase(),
                controller.retryMax(),
                controller.retriesPerSecond(),
                controller.retryBurst());
        Function<? super Request, String> tenants = controller.tenants();
        this.queue = tenants == null
                ? WorkQueue.create(driver, limiter, queueMetrics)
                : WorkQueue.fair(driver, limiter, queueMetrics, tenants);
        this.ownWrites = new OwnWrites(controller.name(), controller.sources(), caches, driver, ownWritesTimeout);
        this.meters = new Meters(registry, controller, workers);
    }

    String name() {
        return controller.name();
    }

    // ---- in --------------------------------------------------------------------------------------------------------

    /** Makes the informers and listens to them. Call once. */
    void watch() {
        controller.sources().forEach(this::watch);
        controller.feeds().forEach(feed -> feed.accept(enqueuer(WorkQueue.NORMAL_PRIORITY)));
    }

    private <T extends HasMetadata> void watch(Controller.Source<T> source) {
        Enqueuer normal = enqueuer(WorkQueue.NORMAL_PRIORITY);
        // What was there at start-up can wait for what happens now: after a restart users still see their changes at
        // once.
        Enqueuer low = enqueuer(WorkQueue.LOW_PRIORITY);
        informer(source).addHandler(new EventHandler<T>() {
            @Override
            public void onAdd(T object, boolean initial) {
                source.mapper().map(new Change<>(null, object, initial), initial ? low : normal);
            }

            @Override
            public void onUpdate(T old, T object) {
                // A resync tells what was told before: like what was there at start-up, it can wait for what happens
                // now.
                boolean resync = old == object
                        || Objects.equals(
                                old.getMetadata().getResourceVersion(),
                                object.getMetadata().getResourceVersion());
                source.mapper().map(new Change<>(old, object, false), resync ? low : normal);
            }

            @Override
            public void onDelete(T object, boolean finalStateUnknown) {
                source.mapper().map(new Change<>(object, null, false), normal);
            }

            @Override
            public String toString() {
                return "mapper of controller " + name();
            }
        });
    }

    private <T extends HasMetadata> SharedInformer<T> informer(Controller.Source<T> source) {
        return caches.apply(source.cluster()).informer(source.type(), source.scope());
    }

    /** The controller's caches, each once. */
    Set<SharedInformer<?>> informers() {
        Set<SharedInformer<?>> own = new LinkedHashSet<>();
        controller.sources().forEach(source -> own.add(informer(source)));
        return own;
    }

    /** The caches of the manager's own cluster of this resource, which must show what others wrote before a hand-over. */
    void informersOf(String resource, Collection<SharedInformer<?>> into) {
        for (Controller.Source<?> source : controller.sources()) {
            if (source.cluster().isEmpty() && source.type().qualifiedName().equals(resource)) {
                into.add(informer(source));
            }
        }
    }

    /** Looks at all keys of slots that this replica has gained: as if it had just been started, for those. */
    void replay(Sharding shards, Set<Integer> slots) {
        Predicate<Request> gained = request -> slots.contains(shards.slotOf(request));
        turnedAway.take(gained).forEach(request -> queue.add(request, WorkQueue.LOW_PRIORITY));
        Enqueuer low = enqueuer(WorkQueue.LOW_PRIORITY);
        Enqueuer filter = new Enqueuer() {
            @Override
            public void add(Request request) {
                if (gained.test(request)) {
                    low.add(request);
                }
            }

            @Override
            public void addAfter(Request request, Duration delay) {
                if (gained.test(request)) {
                    low.addAfter(request, delay);
                }
            }

            @Override
            public void addRateLimited(Request request) {
                if (gained.test(request)) {
                    low.addRateLimited(request);
                }
            }
        };
        controller.sources().forEach(source -> replay(source, filter));
    }

    private <T extends HasMetadata> void replay(Controller.Source<T> source, Enqueuer filter) {
        for (T object : informer(source).lister().list()) {
            source.mapper().map(new Change<>(null, object, true), filter);
        }
    }

    private Enqueuer enqueuer(int priority) {
        return new Enqueuer() {
            @Override
            public void add(Request request) {
                queue.add(request, priority);
            }

            @Override
            public void addAfter(Request request, Duration delay) {
                queue.addAfter(request, delay, priority);
            }

            @Override
            public void addRateLimited(Request request) {
                queue.addRateLimited(request);
            }
        };
    }

    /** Begins to work as soon as the controller's own informers are synced. Call once, after the informers were started. */
    void start() {
        Set<SharedInformer<?>> own = informers();
        if (own.isEmpty()) {
            begin();
            return;
        }
        AtomicInteger missing = new AtomicInteger(own.size());
        for (SharedInformer<?> informer : own) {
            informer.whenAtLeast(1, () -> {
                if (missing.decrementAndGet() == 0) {
                    begin();
                }
            });
        }
    }

    private void begin() {
        if (!stopping) {
            log.debug("Controller begins: controller={} workers={}", name(), controller.workers());
            queue.onReady(this::wake);
        }
    }

    // ---- work ------------------------------------------------------------------------------------------------------

    /** Adds a worker if one more may run. Called by the queue whenever a key begins to wait. */
    private void wake() {
        while (!stopping) {
            int now = workers.get();
            if (now >= controller.workers()) {
                return; // each of them looks once more before it ends
            }
            if (workers.compareAndSet(now, now + 1)) {
                driver.execute(this::work);
                return;
            }
        }
    }

    /** One step of a worker: one key. */
    private void work() {
        Request request = stopping ? null : queue.poll();
        if (request == null) {
            int left = workers.decrementAndGet();
            if (stopping) {
                if (left == 0) {
                    ended.complete(null);
                }
            } else if (queue.depth() > 0) {
                wake(); // a key came between the poll and the count
            }
            return;
        }
        try {
            Sharding shards = sharding;
            if (shards == null) {
                look(request);
            } else if (shards.tryEnter(request)) {
                try {
                    look(request);
                } finally {
                    shards.leave(request);
                }
            } else {
                turnedAway.add(request); // another's; if it becomes ours, we look at it then
                queue.forget(request);
            }
        } finally {
            queue.done(request);
            driver.execute(this::work);
        }
    }

    private void look(Request request) {
        if (!ownWrites.park(request, () -> queue.add(request))) {
            String id = name() + "-" + reconciles.incrementAndGet();
            ReconcileLog.enter(name(), request, id);
            try {
                reconcile(request);
            } finally {
                ReconcileLog.exit();
            }
        }
    }

    /** The one place where whatever a reconciler throws ends. */
    private void reconcile(Request request) {
        ReconcileScope scope = new ReconcileScope();
        long start = driver.nanoTime();
        Result result = null;
        Throwable failure = null;
        observer.before(name(), request);
        try {
            result = scope.call(() -> controller.reconciler().reconcile(request));
            if (result == null) {
                failure = new IllegalStateException("controller " + name() + ": the reconciler returned null for "
                        + request + "; expected a Result, such as Result.done()");
            }
        } catch (Throwable e) {
            failure = e;
        }
        Duration took = Duration.ofNanos(driver.nanoTime() - start);
        try {
            ownWrites.note(request, scope);
            tellWritten(scope);
            if (failure != null) {
                failed(request, failure);
            } else if (result != null) {
                ended(request, result);
            }
        } finally {
            meters.reconciled(result, failure, took);
            observer.after(name(), request, failure == null ? result : null, failure, took);
        }
    }

    /** Whoever takes our slots over must have seen this. */
    private void tellWritten(ReconcileScope scope) {
        Sharding shards = sharding;
        if (shards != null) {
            InformerFactory home = caches.apply("");
            scope.written().forEach((place, revision) -> {
                if (place.caches() == home) {
                    shards.wrote(place.type().qualifiedName(), revision);
                }
            });
        }
    }

    private void ended(Request request, Result result) {
        Duration after = result.after();
        if (result.requeue()) {
            queue.addRateLimited(request);
        } else {
            queue.forget(request);
            if (after != null) {
                queue.addAfter(request, after);
            }
        }
    }

    private void failed(Request request, Throwable failure) {
        if (stopping) {
            return; // interrupted, most likely, and in any case not to be tried again by us
        }
        int failuresBefore = queue.numRequeues(request);
        boolean drop = controller.maxRetries() >= 0 && failuresBefore >= controller.maxRetries();
        if (drop) {
            queue.forget(request);
        } else {
            queue.addRateLimited(request);
        }
        report(request, failure, failuresBefore + 1, drop);
    }

    private void report(Request request, Throwable failure, int failures, boolean drop) {
        String revision = revisionOf(request);
        String what = drop ? "Reconcile failed too often, key dropped" : "Reconcile failed, will try again";
        if (failure instanceof FencedException) {
            log.info("Reconcile stopped, another may have taken over: controller={} key={}", name(), request);
        } else if (failure instanceof ApiException refused && refused.isConflict() && !drop) {
            // Somebody else wrote in between. The next look decides anew; nobody needs to read about it.
            log.debug(
                    "Reconcile met a conflict, will try again: controller={} namespace={} name={} revision={} failures={} cause={}",
                    name(),
                    request.namespace(),
                    request.name(),
                    revision,
                    failures,
                    refused.getMessage());
        } else if (failure instanceof ApiException refused) {
            log.warn(
                    "{}: controller={} namespace={} name={} revision={} failures={} code={} cause={}",
                    what,
                    name(),
                    request.namespace(),
                    request.name(),
                    revision,
                    failures,
                    refused.code(),
                    refused.getMessage());
        } else {
            log.error(
                    "{}: controller={} namespace={} name={} revision={} failures={}",
                    what,
                    name(),
                    request.namespace(),
                    request.name(),
                    revision,
                    failures,
                    failure);
        }
    }

    /** The revision that the cache of the controller's kind shows for this key, for the log. */
    private String revisionOf(Request request) {
        if (controller.sources().isEmpty()) {
            return "";
        }
        Controller.Source<?> primary = controller.sources().get(0);
        String cluster = request.cluster().isEmpty() ? primary.cluster() : request.cluster();
        return caches.apply(cluster)
                .existing(primary.type(), primary.scope())
                .flatMap(i -> i.lister().get(request.namespace(), request.name()))
                .map(o -> String.valueOf(o.getMetadata().getResourceVersion()))
                .orElse("");
    }

    // ---- out -------------------------------------------------------------------------------------------------------

    /** Takes no more keys. The future completes when no reconcile runs. */
    CompletableFuture<Void> stop() {
        stopping = true;
        queue.shutDown();
        if (workers.get() == 0) {
            ended.complete(null);
        }
        return ended;
    }

    /** Counts and times, under the names that controllers of the Go ecosystem use; does nothing without a registry. */
    private static final class Meters {
        private final @Nullable MeterRegistry registry;
        private final String controller;
        private final @Nullable Timer time;

        Meters(@Nullable MeterRegistry registry, Controller controller, AtomicInteger workers) {
            this.registry = registry;
            this.controller = controller.name();
            if (registry == null) {
                this.time = null;
                return;
            }
            this.time = registry.timer("controller.runtime.reconcile.time", "controller", this.controller);
            Gauge.builder("controller.runtime.active.workers", workers::get)
                    .tag("controller", this.controller)
                    .register(registry);
            int most = controller.workers();
            Gauge.builder("controller.runtime.max.concurrent.reconciles", () -> most)
                    .tag("controller", this.controller)
                    .register(registry);
        }

        void reconciled(@Nullable Result result, @Nullable Throwable failure, Duration took) {
            if (registry == null || time == null) {
                return;
            }
            time.record(took);
            registry.counter("controller.runtime.reconcile", "controller", controller, "result", label(result, failure))
                    .increment();
            if (failure != null) {
                registry.counter("controller.runtime.reconcile.errors", "controller", controller)
                        .increment();
            }
        }

        private static String label(@Nullable Result result, @Nullable Throwable failure) {
            if (failure != null || result == null) {
                return "error";
            }
            return result.requeue() ? "requeue" : result.after() != null ? "requeue_after" : "success";
        }
    }
}
