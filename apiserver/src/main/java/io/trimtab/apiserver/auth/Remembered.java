package io.trimtab.apiserver.auth;

import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/** Answers of another server, each kept for a while. Bounded: the oldest go first. Safe for use by any thread. */
final class Remembered<K, V> {
    private static final int MOST = 8192;

    private final Driver driver;
    private final ReentrantLock lock = new ReentrantLock();
    /** Guarded by lock. */
    private final Map<K, Entry<V>> entries = new LinkedHashMap<>();

    private record Entry<V>(V value, long untilNanos) {}

    Remembered(Driver driver) {
        this.driver = driver;
    }

    Optional<V> get(K key) {
        lock.lock();
        try {
            Entry<V> entry = entries.get(key);
            if (entry == null) {
                return Optional.empty();
            }
            if (driver.nanoTime() - entry.untilNanos() >= 0) {
                entries.remove(key);
                return Optional.empty();
            }
            return Optional.of(entry.value());
        } finally {
            lock.unlock();
        }
    }

    void put(K key, V value, Duration time) {
        if (time.isZero() || time.isNegative()) {
            return;
        }
        lock.lock();
        try {
            entries.remove(key);
            entries.put(key, new Entry<>(value, driver.nanoTime() + time.toNanos()));
            for (Iterator<Entry<V>> oldest = entries.values().iterator(); entries.size() > MOST; ) {
                oldest.next();
                oldest.remove();
            }
        } finally {
            lock.unlock();
        }
    }
}
