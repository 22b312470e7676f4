package io.trimtab.informer;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.client.ListWatch;
import io.trimtab.client.WatchEvent;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The informer: a reflector feeds an indexer, and handlers hear what changed. Everything that changes state or calls a handler
 * is a step of one lane, so each handler hears the changes one at a time, in order, after the cache has them.
 */
final class CachedInformer<T extends HasMetadata> implements SharedInformer<T>, Reflector.Sink<T> {
    private static final Logger log = LoggerFactory.getLogger(CachedInformer.class);

    /** One handler. */
    private static final class Registration<T> {
        final EventHandler<? super T> handler;
        volatile boolean active = true; // set by any thread

        Registration(EventHandler<? super T> handler) {
            this.handler = handler;
        }
    }

    private record Waiter(long revision, long order, Runnable action) implements Comparable<Waiter> {
        @Override
        public int compareTo(Waiter other) {
            int byRevision = Long.compare(revision, other.revision);
            return byRevision != 0 ? byRevision : Long.compare(order, other.order);
        }
    }

    private final String name;
    private final Driver driver;
    private final Driver.Lane lane;
    private final Duration resync;
    private final Indexer<T> indexer = new Indexer<>();
    private final Reflector<T> reflector;
    private final List<Registration<T>> handlers = new ArrayList<>(); // on the lane

    private final ReentrantLock waiting = new ReentrantLock();

    @GuardedBy("waiting")
    private final PriorityQueue<Waiter> waiters = new PriorityQueue<>();

    @GuardedBy("waiting")
    private long waiterCount;

    @GuardedBy("waiting")
    private boolean started;

    private volatile boolean synced; // written on the lane
    private volatile boolean closed; // set by any thread

    /**
     * An informer that has not started.
     *
     * @param resync how often handlers hear of every object again; zero for never
     */
    CachedInformer(
            String name, ListWatch<T> source, Driver driver, Duration resync, int pageSize, boolean streamingLists) {
        this.name = name;
        this.driver = driver;
        this.lane = driver.lane("informer " + name);
        this.resync = resync;
        this.reflector = new Reflector<>(name, source, this, driver, lane, pageSize, streamingLists);
    }

    void start() {
        waiting.lock();
        try {
            if (started || closed) {
                return;
            }
            started = true;
        } finally {
            waiting.unlock();
        }
        reflector.start();
        if (!resync.isZero()) {
            scheduleResync();
        }
    }

    void close() {
        closed = true;
        reflector.stop();
        waiting.lock();
        try {
            waiters.clear();
        } finally {
            waiting.unlock();
        }
    }

    // ---- for users -------------------------------------------------------------------------------------------------

    @Override
    public AutoCloseable addHandler(EventHandler<? super T> handler) {
        Registration<T> registration = new Registration<>(Objects.requireNonNull(handler));
        lane.execute(() -> {
            handlers.add(registration);
            for (T object : indexer.list()) {
                tell(registration, new Told.Add<>(object, true));
            }
        });
        return () -> {
            registration.active = false;
            lane.execute(() -> handlers.remove(registration));
        };
    }

    @Override
    public void addIndex(String name, Function<? super T, ? extends Collection<String>> keys) {
        indexer.addIndex(name, keys);
    }

    @Override
    public Lister<T> lister() {
        return indexer;
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public int count() {
        return indexer.count();
    }

    @Override
    public long sizeBytes() {
        return HeapSize.estimate(indexer.list());
    }

    @Override
    public Duration lag() {
        return synced && !closed ? reflector.lag() : Duration.ZERO;
    }

    @Override
    public boolean isSynced() {
        return synced;
    }

    @Override
    public long revision() {
        return indexer.revision();
    }

    @Override
    public void whenAtLeast(long revision, Runnable action) {
        waiting.lock();
        try {
            // Looked at under the lock that the lane takes after it has published: one of the two sees the other.
            if (!reached(revision)) {
                waiters.add(new Waiter(revision, waiterCount++, action));
                return;
            }
        } finally {
            waiting.unlock();
        }
        action.run();
    }

    /** Before the first list nothing is seen, so that waiting for any revision means waiting for the sync. */
    private boolean reached(long revision) {
        return revision <= 0 || synced && indexer.revision() >= revision;
    }

    private void runWaiters() {
        while (true) {
            Waiter due;
            waiting.lock();
            try {
                due = waiters.peek();
                if (due == null || !reached(due.revision)) {
                    return;
                }
                waiters.poll();
            } finally {
                waiting.unlock();
            }
            try {
                due.action.run();
            } catch (RuntimeException e) {
                log.error("Action that waited for a revision failed: informer={} revision={}", name, due.revision, e);
            }
        }
    }

    // ---- from the reflector, on the lane ---------------------------------------------------------------------------

    @Override
    public void replace(List<T> objects, long revision) {
        Map<ObjectKey, T> next = new LinkedHashMap<>(objects.size() * 4 / 3 + 1);
        for (T object : objects) {
            next.put(ObjectKey.of(object), object);
        }
        List<Told<T>> changes = new ArrayList<>();
        for (T old : indexer.list()) {
            T object = next.get(ObjectKey.of(old));
            if (object == null || !sameUid(old, object)) {
                changes.add(new Told.Delete<>(old, true));
            }
        }
        next.replaceAll((key, object) -> {
            T old = indexer.get(key.namespace(), key.name()).orElse(null);
            if (old == null || !sameUid(old, object)) {
                changes.add(new Told.Add<>(object, !synced));
                return object;
            }
            if (Objects.equals(
                    old.getMetadata().getResourceVersion(), object.getMetadata().getResourceVersion())) {
                return old; // readers may already hold it: one object for one state
            }
            changes.add(new Told.Update<>(old, object));
            return object;
        });
        indexer.replace(next.values(), revision);
        changes.forEach(this::tellAll);
        synced = true;
        runWaiters();
    }

    private static boolean sameUid(HasMetadata a, HasMetadata b) {
        return Objects.equals(a.getMetadata().getUid(), b.getMetadata().getUid());
    }

    @Override
    public void apply(WatchEvent<T> event) {
        if (event instanceof WatchEvent.Bookmark<T> bookmark) {
            indexer.advance(Revisions.parse(bookmark.resourceVersion()));
        } else {
            T object = Revisions.objectOf(event);
            T old = indexer.get(
                            object.getMetadata().getNamespace(),
                            object.getMetadata().getName())
                    .orElse(null);
            long revision = Revisions.of(object);
            boolean told = revision != 0
                    && (revision < indexer.revision()
                            || old != null && sameUid(old, object) && revision == Revisions.of(old));
            if (!told) {
                long newest = Math.max(revision, indexer.revision());
                if (event instanceof WatchEvent.Deleted<T>) {
                    applyDelete(old, object, newest);
                } else {
                    applyPut(old, object, newest);
                }
            }
        }
        runWaiters();
    }

    private void applyDelete(@Nullable T old, T object, long revision) {
        indexer.remove(ObjectKey.of(object), revision);
        if (old != null) {
            // Another uid: the deletion of the one we knew, and the creation of this one, both went by unseen.
            boolean known = sameUid(old, object);
            tellAll(new Told.Delete<>(known ? object : old, !known));
        }
    }

    private void applyPut(@Nullable T old, T object, long revision) {
        if (old == null) {
            indexer.put(object, revision);
            tellAll(new Told.Add<>(object, false));
        } else if (sameUid(old, object)) {
            indexer.put(object, revision);
            tellAll(new Told.Update<>(old, object));
        } else {
            indexer.put(object, revision);
            tellAll(new Told.Delete<>(old, true));
            tellAll(new Told.Add<>(object, false));
        }
    }

    // ---- telling ---------------------------------------------------------------------------------------------------

    /** What a handler hears. */
    private sealed interface Told<T> {
        void to(EventHandler<? super T> handler);

        record Add<T>(T object, boolean initial) implements Told<T> {
            @Override
            public void to(EventHandler<? super T> handler) {
                handler.onAdd(object, initial);
            }
        }

        record Update<T>(T old, T object) implements Told<T> {
            @Override
            public void to(EventHandler<? super T> handler) {
                handler.onUpdate(old, object);
            }
        }

        record Delete<T>(T object, boolean finalStateUnknown) implements Told<T> {
            @Override
            public void to(EventHandler<? super T> handler) {
                handler.onDelete(object, finalStateUnknown);
            }
        }
    }

    private void tellAll(Told<T> change) {
        for (Registration<T> registration : handlers) {
            tell(registration, change);
        }
    }

    private void tell(Registration<T> registration, Told<T> change) {
        if (!registration.active || closed) {
            return;
        }
        try {
            change.to(registration.handler);
        } catch (RuntimeException | Error e) {
            // User code: the others, and the next event, must not suffer from it.
            log.error("Event handler failed: informer={} handler={}", name, registration.handler, e);
        }
    }

    private void scheduleResync() {
        driver.schedule(
                resync,
                () -> lane.execute(() -> {
                    if (closed) {
                        return;
                    }
                    if (synced) {
                        for (T object : indexer.list()) {
                            tellAll(new Told.Update<>(object, object));
                        }
                    }
                    scheduleResync();
                }));
    }

    @Override
    public String toString() {
        return "informer " + name + " at revision " + revision() + ", " + indexer.count() + " objects";
    }
}
