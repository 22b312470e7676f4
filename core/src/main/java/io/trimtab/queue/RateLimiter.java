package io.trimtab.queue;

import java.time.Duration;

/** Decides how long a key that failed has to wait. Safe for use by any thread. */
public interface RateLimiter<K> {

    /** Counts a failure of the key, and says how long it has to wait. */
    Duration when(K key);

    /** Forgets the failures of the key. */
    void forget(K key);

    /** How many failures of the key are remembered. */
    int retries(K key);
}
