package io.trimtab.controller;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;

/**
 * The newest keys that were another replica's when they came. If that one dies before it has looked at them, and their objects
 * are gone meanwhile, the caches do not show them any more: this does. Bounded; safe for use by any thread.
 */
final class TurnedAway {
    /** Far more keys than change within a lease duration, as a rule; some 100 bytes each. */
    private static final int MAX = 10_000;

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Set<Request> keys = new LinkedHashSet<>();

    void add(Request key) {
        lock.lock();
        try {
            keys.remove(key);
            keys.add(key);
            if (keys.size() > MAX) {
                Iterator<Request> oldest = keys.iterator();
                oldest.next();
                oldest.remove();
            }
        } finally {
            lock.unlock();
        }
    }

    List<Request> take(Predicate<Request> which) {
        lock.lock();
        try {
            List<Request> taken = new ArrayList<>(keys.stream().filter(which).toList());
            taken.forEach(keys::remove);
            return taken;
        } finally {
            lock.unlock();
        }
    }
}
