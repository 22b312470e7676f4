package io.trimtab.client;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

/** A rate limit: so many requests a second on average, a burst of some at once. Safe for use by any thread. */
final class TokenBucket {
    private static final double NANOS_PER_SECOND = 1e9;

    private final Driver driver;
    private final double perNano;
    private final double burst;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private double tokens;

    @GuardedBy("lock")
    private long filledAt;

    TokenBucket(Driver driver, double perSecond, int burst) {
        this.driver = driver;
        this.perNano = perSecond / NANOS_PER_SECOND;
        this.burst = burst;
        this.tokens = burst;
        this.filledAt = driver.nanoTime();
    }

    /** Takes one token, on credit if need be, and says how long to wait before using it; zero for not at all. */
    Duration take() {
        lock.lock();
        try {
            long now = driver.nanoTime();
            tokens = Math.min(burst, tokens + (now - filledAt) * perNano);
            filledAt = now;
            tokens -= 1;
            return tokens >= 0 ? Duration.ZERO : Duration.ofNanos((long) Math.ceil(-tokens / perNano));
        } finally {
            lock.unlock();
        }
    }
}
