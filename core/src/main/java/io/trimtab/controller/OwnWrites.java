package io.trimtab.controller;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.informer.EventHandler;
import io.trimtab.informer.InformerFactory;
import io.trimtab.informer.SharedInformer;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a key wait until the caches show what its last reconcile wrote. Without that a controller would count its own new pods
 * as missing, and create them twice.
 *
 * <p>Created and changed objects are known by the revision that the server returned. A deletion returns none, so there the
 * cache must show that the object's uid is gone or terminating. Safe for use by any thread.
 */
final class OwnWrites {
    private static final Logger log = LoggerFactory.getLogger(OwnWrites.class);

    /** Something that is not in a cache yet. */
    private interface Unseen {
        boolean isSeen();

        /** Runs the action as soon as it is seen, on any thread; at once if it is. */
        void whenSeen(Runnable action);
    }

    /** What a key wrote, and whether the key waits for it now. The flag is guarded by the lock. */
    private static final class Noted {
        private final List<Unseen> writes;
        private boolean parked;

        Noted(List<Unseen> writes) {
            this.writes = writes;
        }
    }

    private final String controller;
    private final List<Controller.Source<?>> sources;
    private final Function<String, InformerFactory> caches;
    private final Driver driver;
    private final Duration timeout;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Map<Request, Noted> byKey = new HashMap<>();

    @GuardedBy("lock")
    private final Map<SharedInformer<?>, Departures<?>> departures = new HashMap<>();

    OwnWrites(
            String controller,
            List<Controller.Source<?>> sources,
            Function<String, InformerFactory> caches,
            Driver driver,
            Duration timeout) {
        this.controller = controller;
        this.sources = sources;
        this.caches = caches;
        this.driver = driver;
        this.timeout = timeout;
    }

    /** The object's revision as a number; 0 if it has none that can be compared. */
    static long revisionOf(HasMetadata object) {
        return revisionOf(object.getMetadata().getResourceVersion());
    }

    static long revisionOf(@Nullable String text) {
        if (text == null
                || text.isEmpty()
                || text.length() > 18
                || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return 0;
        }
        return Long.parseLong(text);
    }

    /** Notes what a reconcile of the key wrote, as far as the caches do not show it yet. */
    void note(Request key, ReconcileScope scope) {
        List<Unseen> unseen = new ArrayList<>();
        scope.written().forEach((place, revision) -> {
            for (SharedInformer<? extends HasMetadata> informer :
                    informersOf(place.caches(), place.type(), place.namespace())) {
                add(unseen, new UnseenRevision(informer, revision));
            }
        });
        for (ReconcileScope.Deletion deletion : scope.deletions()) {
            for (SharedInformer<? extends HasMetadata> informer :
                    informersOf(deletion.caches(), deletion.type(), deletion.namespace())) {
                add(unseen, unseenDeletion(informer, deletion));
            }
        }
        lock.lock();
        try {
            if (unseen.isEmpty()) {
                byKey.remove(key);
            } else {
                byKey.put(key, new Noted(unseen));
            }
        } finally {
            lock.unlock();
        }
    }

    private static void add(List<Unseen> unseen, Unseen write) {
        if (!write.isSeen()) {
            unseen.add(write);
        }
    }

    /**
     * Lets the key wait if it must.
     *
     * @param wake runs once, on any thread, when the caches show everything or the time is up
     * @return false if there is nothing to wait for; then {@code wake} never runs
     */
    boolean park(Request key, Runnable wake) {
        Noted noted;
        List<Unseen> waitFor;
        lock.lock();
        try {
            noted = byKey.get(key);
            if (noted == null) {
                return false;
            }
            if (noted.parked) {
                return true; // something else woke it meanwhile; the wake that was promised still comes
            }
            waitFor = noted.writes.stream().filter(w -> !w.isSeen()).toList();
            if (waitFor.isEmpty()) {
                byKey.remove(key);
                return false;
            }
            noted.parked = true;
        } finally {
            lock.unlock();
        }
        Noted parked = noted;
        Driver.Timer timer = driver.schedule(timeout, () -> {
            if (release(key, parked)) {
                log.warn(
                        "Own writes are not in the cache yet, going on without: controller={} namespace={} name={} after={} missing={}",
                        controller,
                        key.namespace(),
                        key.name(),
                        timeout,
                        waitFor);
                wake.run();
            }
        });
        AtomicInteger missing = new AtomicInteger(waitFor.size());
        for (Unseen write : waitFor) {
            write.whenSeen(() -> {
                if (missing.decrementAndGet() == 0 && release(key, parked)) {
                    timer.cancel();
                    wake.run();
                }
            });
        }
        return true;
    }

    /** False if somebody else has released the key before. */
    private boolean release(Request key, Noted parked) {
        lock.lock();
        try {
            return byKey.remove(key, parked);
        } finally {
            lock.unlock();
        }
    }

    /** Caches that the controller may read and in which a write to this place must show. */
    private List<SharedInformer<? extends HasMetadata>> informersOf(
            InformerFactory informers, ResourceType<?> type, String namespace) {
        List<SharedInformer<? extends HasMetadata>> found = new ArrayList<>();
        boolean all = false;
        for (Controller.Source<?> source : sources) {
            if (source.type().equals(type)
                    && caches.apply(source.cluster()) == informers
                    && shows(source.scope(), namespace)) {
                informers.existing(source.type(), source.scope()).ifPresent(i -> {
                    if (!found.contains(i)) {
                        found.add(i);
                    }
                });
                all |= source.scope().equals(WatchScope.ALL);
            }
        }
        if (!all) {
            Optional<? extends SharedInformer<? extends HasMetadata>> shared = informers.existing(type, WatchScope.ALL);
            shared.ifPresent(found::add);
        }
        return found;
    }

    private static boolean shows(WatchScope scope, String namespace) {
        // Whether a selector lets the object through is the server's business: such caches are not waited for.
        return scope.labelSelector() == null
                && scope.fieldSelector() == null
                && (scope.namespace() == null || scope.namespace().equals(namespace));
    }

    private record UnseenRevision(SharedInformer<?> informer, long revision) implements Unseen {
        @Override
        public boolean isSeen() {
            return informer.revision() >= revision;
        }

        @Override
        public void whenSeen(Runnable action) {
            informer.whenAtLeast(revision, action);
        }
    }

    private <T extends HasMetadata> Unseen unseenDeletion(
            SharedInformer<T> informer, ReconcileScope.Deletion deletion) {
        return new Unseen() {
            @Override
            public boolean isSeen() {
                return informer.lister()
                        .get(deletion.namespace(), deletion.name())
                        .map(o -> o.getMetadata().getDeletionTimestamp() != null
                                || !deletion.uid().equals(o.getMetadata().getUid()))
                        .orElse(true);
            }

            @Override
            public void whenSeen(Runnable action) {
                AtomicBoolean once = new AtomicBoolean();
                Departures<T> watcher = departuresOf(informer);
                Request object = new Request(deletion.namespace(), deletion.name());
                Consumer<Request> check = o -> {
                    if (isSeen() && once.compareAndSet(false, true)) {
                        watcher.forget(object, this);
                        action.run();
                    }
                };
                watcher.watch(object, this, check);
                check.accept(object); // it may have gone between the look and the registration
            }

            @Override
            public String toString() {
                return "deletion of " + deletion.type() + " " + deletion.namespace() + "/" + deletion.name();
            }
        };
    }

    @SuppressWarnings("unchecked")
    private <T extends HasMetadata> Departures<T> departuresOf(SharedInformer<T> informer) {
        Departures<T> made;
        lock.lock();
        try {
            Departures<?> known = departures.get(informer);
            if (known != null) {
                return (Departures<T>) known;
            }
            made = new Departures<>();
            departures.put(informer, made);
        } finally {
            lock.unlock();
        }
        informer.addHandler(made);
        return made;
    }

    /** Hears of objects that go or begin to go, on behalf of the keys that wait for it. */
    private static final class Departures<T extends HasMetadata> implements EventHandler<T> {
        private final ReentrantLock lock = new ReentrantLock();

        @GuardedBy("lock")
        private final Map<Request, Map<Object, Consumer<Request>>> checks = new HashMap<>();

        void watch(Request object, Object who, Consumer<Request> check) {
            lock.lock();
            try {
                checks.computeIfAbsent(object, o -> new HashMap<>()).put(who, check);
            } finally {
                lock.unlock();
            }
        }

        void forget(Request object, Object who) {
            lock.lock();
            try {
                checks.computeIfPresent(object, (o, of) -> {
                    of.remove(who);
                    return of.isEmpty() ? null : of;
                });
            } finally {
                lock.unlock();
            }
        }

        private void look(HasMetadata object) {
            List<Consumer<Request>> due;
            Request key = Request.of(object);
            lock.lock();
            try {
                Map<Object, Consumer<Request>> of = checks.get(key);
                due = of == null ? List.of() : List.copyOf(of.values());
            } finally {
                lock.unlock();
            }
            due.forEach(check -> check.accept(key));
        }

        @Override
        public void onAdd(T object, boolean initial) {}

        @Override
        public void onUpdate(T old, T object) {
            if (object.getMetadata().getDeletionTimestamp() != null) {
                look(object);
            }
        }

        @Override
        public void onDelete(T object, boolean finalStateUnknown) {
            look(object);
        }
    }
}
