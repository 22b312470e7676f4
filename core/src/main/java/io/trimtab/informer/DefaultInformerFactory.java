package io.trimtab.informer;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.client.Client;
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

/** Makes informers over one client. Safe for use by any thread. */
public final class DefaultInformerFactory implements InformerFactory {

    /**
     * How informers behave.
     *
     * @param resync how often handlers hear of every object again; zero for never
     * @param pageSize objects of one page of a list
     * @param streamingLists ask for streaming lists; servers that have none are listed in pages all the same
     */
    public record Options(Duration resync, int pageSize, boolean streamingLists) {
        /** No resync, pages of 500 objects (client-go's number), streaming lists where the server has them. */
        public static final Options DEFAULT = new Options(Duration.ZERO, 500, true);

        public Options withResync(Duration period) {
            return new Options(period, pageSize, streamingLists);
        }

        public Options withStreamingLists(boolean on) {
            return new Options(resync, pageSize, on);
        }
    }

    private record Key(ResourceType<?> type, WatchScope scope) {}

    private final Client client;
    private final Driver driver;
    private final Options options;
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
                    client.listWatch(type, scope),
                    driver,
                    options.resync(),
                    options.pageSize(),
                    options.streamingLists());
            informers.put(key, informer);
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

    private static String nameOf(ResourceType<?> type, WatchScope scope) {
        StringBuilder name = new StringBuilder(type.qualifiedName());
        if (scope.namespace() != null) {
            name.append(" in ").append(scope.namespace());
        }
        if (scope.labelSelector() != null) {
            name.append(" with ").append(scope.labelSelector());
        }
        if (scope.fieldSelector() != null) {
            name.append(" with ").append(scope.fieldSelector());
        }
        return name.toString();
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
