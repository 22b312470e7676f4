package io.trimtab.apiserver.store;

import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Leases for keys that are to vanish. Keys written within a minute or so share one, as in Kubernetes: a lease for each event
 * would cost etcd more than the event. Safe for use by any thread.
 */
final class EtcdLeases {
    /** How much longer than asked a key may live: a twentieth, a minute at the most. */
    private static final int SLACK_PART = 20;

    private static final Duration MAX_SLACK = Duration.ofSeconds(60);

    /** etcd removes all keys of a lease in one go. */
    private static final int MAX_KEYS = 1000;

    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(10);

    /** @param until last moment at which it may be handed out */
    private record Held(CompletableFuture<Long> id, Instant until, int keys) {}

    private final EtcdClient client;
    private final Driver driver;
    private final ReentrantLock lock = new ReentrantLock();

    /** Guarded by lock. */
    private final Map<Duration, Held> byLife = new HashMap<>();

    EtcdLeases(EtcdClient client, Driver driver) {
        this.client = client;
        this.driver = driver;
    }

    /** A lease that lasts so long from now at least. */
    CompletableFuture<Long> lease(Duration life) {
        Instant now = driver.now();
        lock.lock();
        try {
            Held held = byLife.get(life);
            if (held != null
                    && held.keys() < MAX_KEYS
                    && now.isBefore(held.until())
                    && !held.id().isCompletedExceptionally()) {
                byLife.put(life, new Held(held.id(), held.until(), held.keys() + 1));
                return held.id();
            }
            Duration slack = life.dividedBy(SLACK_PART);
            if (slack.compareTo(MAX_SLACK) > 0) {
                slack = MAX_SLACK;
            }
            if (slack.compareTo(Duration.ofSeconds(1)) < 0) {
                slack = Duration.ofSeconds(1);
            }
            CompletableFuture<Long> id = client.grantLease(life.plus(slack), CALL_TIMEOUT);
            byLife.put(life, new Held(id, now.plus(slack), 1));
            return id;
        } finally {
            lock.unlock();
        }
    }

    /** Hands out no lease any more that was granted before: etcd does not know one of them. */
    void forget() {
        lock.lock();
        try {
            byLife.clear();
        } finally {
            lock.unlock();
        }
    }
}
