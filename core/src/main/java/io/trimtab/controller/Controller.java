package io.trimtab.controller;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Describes a controller: what it watches, which keys a change wakes, and what to do with a key. Immutable once built; a
 * {@link Manager} runs it.
 *
 * <pre>{@code
 * Controller.of("replicaset", ReplicaSet.class)
 *     .owns(Pod.class)
 *     .watches(Pod.class, (change, queue) -> ...)
 *     .workers(5)
 *     .reconcile(reconciler);
 * }</pre>
 */
public final class Controller {

    /**
     * One thing that is watched, and whom its changes wake.
     *
     * @param cluster where it is watched; empty for the manager's own cluster
     */
    public record Source<T extends HasMetadata>(
            String cluster, ResourceType<T> type, WatchScope scope, ChangeMapper<T> mapper) {}

    private final String name;
    private final List<Source<?>> sources;
    private final List<Consumer<Enqueuer>> feeds;
    private final int workers;
    private final int maxRetries;
    private final Duration retryBase;
    private final Duration retryMax;
    private final double retriesPerSecond;
    private final int retryBurst;
    private final @Nullable Function<? super Request, String> tenants;
    private final Reconciler reconciler;

    private Controller(Builder builder, Reconciler reconciler) {
        this.name = builder.name;
        this.sources = List.copyOf(builder.sources);
        this.feeds = List.copyOf(builder.feeds);
        this.workers = builder.workers;
        this.maxRetries = builder.maxRetries;
        this.retryBase = builder.retryBase;
        this.retryMax = builder.retryMax;
        this.retriesPerSecond = builder.retriesPerSecond;
        this.retryBurst = builder.retryBurst;
        this.tenants = builder.tenants;
        this.reconciler = reconciler;
    }

    /**
     * A controller of one kind: each change of an object wakes its own key.
     *
     * @param name unique in its manager; shows in logs, metrics and as user agent
     */
    public static <T extends HasMetadata> Builder of(String name, Class<T> primary) {
        return of(name, ResourceType.of(primary), change -> true);
    }

    /** The same, for any resource, and only for changes that the predicate lets pass. */
    public static <T extends HasMetadata> Builder of(
            String name, ResourceType<T> primary, Predicate<Change<T>> predicate) {
        return named(name).watches(primary, WatchScope.ALL, (change, queue) -> {
            if (predicate.test(change)) {
                queue.add(Request.of(change.latest()));
            }
        });
    }

    /** A controller whose keys come only from what {@link Builder#watches} maps. */
    public static Builder named(String name) {
        return new Builder(name);
    }

    public String name() {
        return name;
    }

    public List<Source<?>> sources() {
        return sources;
    }

    /** Who is handed the queue to wake keys by other means than watching. */
    public List<Consumer<Enqueuer>> feeds() {
        return feeds;
    }

    /** How many keys are reconciled at once. */
    public int workers() {
        return workers;
    }

    /** After so many failures in a row a key is dropped until something wakes it; negative for never. */
    public int maxRetries() {
        return maxRetries;
    }

    public Duration retryBase() {
        return retryBase;
    }

    public Duration retryMax() {
        return retryMax;
    }

    /** Retries of all keys together, sustained. */
    public double retriesPerSecond() {
        return retriesPerSecond;
    }

    /** Retries of all keys together, at once. */
    public int retryBurst() {
        return retryBurst;
    }

    /** Whose a key is, for fairness between tenants; null if all keys are one tenant's. */
    public @Nullable Function<? super Request, String> tenants() {
        return tenants;
    }

    public Reconciler reconciler() {
        return reconciler;
    }

    /** Collects what a controller is made of. Not safe for use by several threads. */
    public static final class Builder {
        private final String name;
        private final List<Source<?>> sources = new ArrayList<>();
        private final List<Consumer<Enqueuer>> feeds = new ArrayList<>();
        private int workers = 1;
        private int maxRetries = -1;
        private Duration retryBase = Duration.ofMillis(5);
        private Duration retryMax = Duration.ofSeconds(1000);
        private double retriesPerSecond = 10;
        private int retryBurst = 100;
        private @Nullable Function<? super Request, String> tenants;

        private Builder(String name) {
            this.name = Objects.requireNonNull(name);
        }

        /** A change of an object wakes the key of its controlling owner, if that is of this controller's kind. */
        public <T extends HasMetadata> Builder owns(Class<T> type) {
            ResourceType<?> primary = primary();
            return watches(type, (change, queue) -> {
                wakeOwner(primary, change.old(), queue);
                wakeOwner(primary, change.object(), queue);
            });
        }

        private static void wakeOwner(ResourceType<?> primary, @Nullable HasMetadata object, Enqueuer queue) {
            if (object == null) {
                return;
            }
            for (var owner : object.getMetadata().getOwnerReferences()) {
                if (Boolean.TRUE.equals(owner.getController())
                        && primary.kind().equals(owner.getKind())
                        && primary.apiVersion().equals(owner.getApiVersion())) {
                    String namespace =
                            primary.namespaced() ? object.getMetadata().getNamespace() : "";
                    queue.add(new Request(namespace, owner.getName()));
                }
            }
        }

        private ResourceType<?> primary() {
            if (sources.isEmpty()) {
                throw new IllegalStateException("controller " + name + ": owns() needs a primary resource, see of()");
            }
            return sources.get(0).type();
        }

        /** A change of an object of this type wakes what the mapper says. */
        public <T extends HasMetadata> Builder watches(Class<T> type, ChangeMapper<T> mapper) {
            return watches(ResourceType.of(type), WatchScope.ALL, mapper);
        }

        /** A change of an object of this resource and scope wakes what the mapper says. */
        public <T extends HasMetadata> Builder watches(ResourceType<T> type, WatchScope scope, ChangeMapper<T> mapper) {
            sources.add(new Source<>("", type, scope, mapper));
            return this;
        }

        /**
         * A change in another cluster wakes what the mapper says: as it says it, so a key without a cluster is one of the
         * manager's own.
         *
         * @param cluster as the manager was told of it
         */
        public <T extends HasMetadata> Builder watchesIn(
                String cluster, ResourceType<T> type, WatchScope scope, ChangeMapper<T> mapper) {
            sources.add(new Source<>(cluster, type, scope, mapper));
            return this;
        }

        /**
         * Does in each of these clusters what was said so far: all that is watched is watched there, and not in the manager's own
         * cluster, and the keys that this wakes name the cluster. Say {@code ""} for the manager's own.
         *
         * @param names as the manager was told of them
         */
        public Builder inClusters(String... names) {
            List<Source<?>> said = List.copyOf(sources);
            sources.clear();
            for (String cluster : names) {
                said.forEach(source -> sources.add(in(cluster, source)));
            }
            return this;
        }

        private static <T extends HasMetadata> Source<T> in(String cluster, Source<T> source) {
            ChangeMapper<T> mapper = source.mapper();
            return new Source<>(
                    cluster,
                    source.type(),
                    source.scope(),
                    (change, queue) -> mapper.map(change, new ClusterEnqueuer(cluster, queue)));
        }

        /**
         * Hands the controller's queue to somebody who wakes keys by other means than watching: a timer, another controller.
         *
         * @param feed called once, when a manager takes the controller
         */
        public Builder feeds(Consumer<Enqueuer> feed) {
            feeds.add(feed);
            return this;
        }

        /** How many keys are reconciled at once; 1 unless said. */
        public Builder workers(int count) {
            if (count < 1) {
                throw new IllegalArgumentException("controller " + name + ": workers must be 1 or more, not " + count);
            }
            this.workers = count;
            return this;
        }

        /** After so many failures in a row a key is dropped until something wakes it; never unless said. */
        public Builder maxRetries(int count) {
            this.maxRetries = count;
            return this;
        }

        /** Back-off of a key: base·2ⁿ, at most max; 5 ms and 1000 s unless said. */
        public Builder retry(Duration base, Duration max) {
            this.retryBase = base;
            this.retryMax = max;
            return this;
        }

        /** Retries of all keys together: 10 a second and 100 at once unless said. */
        public Builder retryRate(double perSecond, int burst) {
            this.retriesPerSecond = perSecond;
            this.retryBurst = burst;
            return this;
        }

        /**
         * Lets tenants take turns, one key each, so that one who has much to do keeps the others waiting for no longer than their
         * number; by namespace, say: {@code fairBy(Request::namespace)}. First come first served unless said.
         */
        public Builder fairBy(Function<? super Request, String> tenant) {
            this.tenants = tenant;
            return this;
        }

        /** Takes workers, retries and fairness from another controller, and nothing else. */
        public Builder settingsOf(Controller other) {
            this.workers = other.workers;
            this.maxRetries = other.maxRetries;
            this.retryBase = other.retryBase;
            this.retryMax = other.retryMax;
            this.retriesPerSecond = other.retriesPerSecond;
            this.retryBurst = other.retryBurst;
            this.tenants = other.tenants;
            return this;
        }

        public Controller reconcile(Reconciler reconciler) {
            return new Controller(this, reconciler);
        }
    }
}
