package io.trimtab.runtime;

import java.time.Duration;

/**
 * Lets so many through at once, and so many a second after that. Starts full. Safe for use by any thread.
 */
public final class TokenBucket {
    private final Driver driver;
    private final double perNano;
    private final int burst;
    /** Guarded by this: below zero when tokens are promised that have yet to come. */
    private double tokens;
    /** Guarded by this. */
    private long lastNanos;

    /**
     * @param perSecond tokens that come back in a second
     * @param burst tokens that there are at most, and at first
     */
    public TokenBucket(Driver driver, double perSecond, int burst) {
        this.driver = driver;
        this.perNano = perSecond / 1e9;
        this.burst = burst;
        this.tokens = burst;
        this.lastNanos = driver.nanoTime();
    }

    /** Takes a token if there is one now. */
    public synchronized boolean tryTake() {
        refill();
        if (tokens < 1) {
            return false;
        }
        tokens--;
        return true;
    }

    /** Takes a token, and says how long the caller has to wait until it is there. */
    public synchronized Duration reserve() {
        refill();
        tokens--;
        return tokens >= 0 ? Duration.ZERO : Duration.ofNanos((long) Math.ceil(-tokens / perNano));
    }

    private void refill() {
        long now = driver.nanoTime();
        tokens = Math.min(burst, tokens + (now - lastNanos) * perNano);
        lastNanos = now;
    }
}
