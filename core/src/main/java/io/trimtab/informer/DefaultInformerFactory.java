package io.trimtab.informer;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.trimtab.client.Client;
import io.trimtab.client.ListWatch;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Makes informers over one client. Safe for use by any thread. */
public final class DefaultInformerFactory implements InformerFactory {

    /**
     * How informers behave.
     *
     * @param resync how often handlers hear of every object again; zero for never
     * @param pageSize objects of one page of a list
     * @param streamingLists ask for streaming lists; servers that have none are listed in pages all the same
     * @param transforms for resources whose objects are changed before they are kept; what they return is what everybody sees
     */
    public record Options(
            Duration resync,
            int pageSize,
            boolean streamingLists,
            Map<ResourceType<?>, UnaryOperator<? extends HasMetadata>> transforms) {
        /** No resync, pages of 500 objects (client-go's number), streaming lists where the server has them. */
        public static final Options DEFAULT = new Options(Duration.ZERO, 500, true, Map.of());

        public Options withResync(Duration period) {
            return new Options(period, pageSize, streamingLists, transforms);
        }

        /**
         * The same, keeping less of a resource's objects, or something else: a {@link Projection}, or a function of your own.
         *
         * @param transform is given an object that may be shared, so it must not change it; must keep name, namespace, uid and
         *     resourceVersion. If it throws, the object is kept as it came
         */
        public <T extends HasMetadata> Options withTransform(ResourceType<T> type, UnaryOperator<T> transform) {
            Map<ResourceType<?>, UnaryOperator<? extends HasMetadata>> all = new LinkedHashMap<>(transforms);
            all.put(type, transform);
            return new Options(resync, pageSize, streamingLists, all);
        }

        public Options withStreamingLists(boolean on) {
            return new Options(resync, pageSize, on, transforms);
        }
    }

    private record Key(ResourceType<?> type, WatchScope scope) {}

    private final Client client;
    private final Driver driver;
    private final Options options;
    private final @Nullable MeterRegistry registry;
    private final String cluster;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Map<Key, CachedInformer<?>> informers = new LinkedHashMap<>();

    @GuardedBy("lock")
    private boolean started;

    @GuardedBy("lock")
    private boolean closed;

    public DefaultInformerFactory(Client client, Driver driver) {
        this(client, driver, Options.DEFAULT);
    }

    public DefaultInformerFactory(Client client, Driver driver, Options options) {
        this(client, driver, options, null, "");
    }

    /**
     * A factory whose informers are measured: {@code trimtab.informer.objects}, {@code .bytes} and {@code .lag.seconds}.
     *
     * @param registry null for none
     * @param cluster tags the measures; empty for a program's own cluster
     */
    public DefaultInformerFactory(
            Client client, Driver driver, Options options, @Nullable MeterRegistry registry, String cluster) {
        this.registry = registry;
        this.cluster = cluster;
        this.client = client;
        this.driver = driver;
        this.options = options;
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T extends HasMetadata> SharedInformer<T> informer(ResourceType<T> type, WatchScope scope) {
        CachedInformer<T> informer;
        boolean start;
        lock.lock();
        try {
            Key key = new Key(type, scope);
            CachedInformer<T> known = (CachedInformer<T>) informers.get(key);
            if (known != null) {
                return known;
            }
            if (closed) {
                throw new IllegalStateException("the informers are closed; nobody can ask for " + type + " any more");
            }
            informer = new CachedInformer<>(
                    nameOf(type, scope),
                    source(type, scope),
                    driver,
                    options.resync(),
                    options.pageSize(),
                    options.streamingLists());
            informers.put(key, informer);
            measure(informer, type, scope);
            start = started;
        } finally {
            lock.unlock();
        }
        if (start) {
            informer.start();
        }
        return informer;
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T extends HasMetadata> Optional<SharedInformer<T>> existing(ResourceType<T> type, WatchScope scope) {
        lock.lock();
        try {
            return Optional.ofNullable((CachedInformer<T>) informers.get(new Key(type, scope)));
        } finally {
            lock.unlock();
        }
    }

    @SuppressWarnings("unchecked") // put in under its type
    private <T extends HasMetadata> ListWatch<T> source(ResourceType<T> type, WatchScope scope) {
        ListWatch<T> source = client.listWatch(type, scope);
        UnaryOperator<T> transform = (UnaryOperator<T>) options.transforms().get(type);
        return transform == null ? source : new TransformedListWatch<>(source, transform);
    }

    private void measure(CachedInformer<?> informer, ResourceType<?> type, WatchScope scope) {
        if (registry == null) {
            return;
        }
        Tags tags = Tags.of(
                "cluster",
                cluster,
                "resource",
                type.qualifiedName(),
                "scope",
                scopeOf(scope).toString());
        Gauge.builder("trimtab.informer.objects", informer, SharedInformer::count)
                .tags(tags)
                .description("Objects in the cache.")
                .register(registry);
        Gauge.builder("trimtab.informer.bytes", informer, SharedInformer::sizeBytes)
                .tags(tags)
                .description("Memory of the cache's objects, from a sample.")
                .register(registry);
        Gauge.builder("trimtab.informer.lag.seconds", informer, i -> i.lag().toNanos() / 1e9)
                .tags(tags)
                .description("For how long the cache has been behind the server, as far as it knows.")
                .register(registry);
    }

    @Override
    public List<SharedInformer<?>> all() {
        lock.lock();
        try {
            return List.copyOf(informers.values());
        } finally {
            lock.unlock();
        }
    }

    private static String nameOf(ResourceType<?> type, WatchScope scope) {
        return type.qualifiedName() + scopeOf(scope);
    }

    private static StringBuilder scopeOf(WatchScope scope) {
        StringBuilder name = new StringBuilder();
        if (scope.namespace() != null) {
            name.append(" in ").append(scope.namespace());
        }
        if (scope.labelSelector() != null) {
            name.append(" with ").append(scope.labelSelector());
        }
        if (scope.fieldSelector() != null) {
            name.append(" with ").append(scope.fieldSelector());
        }
        return name;
    }

    @Override
    public void start() {
        List<CachedInformer<?>> made;
        lock.lock();
        try {
            started = true;
            made = List.copyOf(informers.values());
        } finally {
            lock.unlock();
        }
        made.forEach(CachedInformer::start);
    }

    @Override
    public boolean isSynced() {
        lock.lock();
        try {
            return informers.values().stream().allMatch(CachedInformer::isSynced);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void whenSynced(Runnable action) {
        List<CachedInformer<?>> made;
        lock.lock();
        try {
            made = List.copyOf(informers.values());
        } finally {
            lock.unlock();
        }
        if (made.isEmpty()) {
            action.run();
            return;
        }
        AtomicInteger missing = new AtomicInteger(made.size());
        for (CachedInformer<?> informer : made) {
            informer.whenAtLeast(1, () -> {
                if (missing.decrementAndGet() == 0) {
                    action.run();
                }
            });
        }
    }

    @Override
    public void close() {
        List<CachedInformer<?>> made;
        lock.lock();
        try {
            closed = true;
            made = List.copyOf(informers.values());
        } finally {
            lock.unlock();
        }
        made.forEach(CachedInformer::close);
    }
}
