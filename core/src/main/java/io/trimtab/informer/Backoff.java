package io.trimtab.informer;

import io.trimtab.runtime.Driver;
import java.time.Duration;

/**
 * How long a reflector waits after a failure: 800 ms, doubled each time up to 30 s, plus up to as much again at random, and
 * from the start when nothing has failed for two minutes (client-go's numbers: tools/cache/reflector.go). Not safe for use by
 * several threads.
 */
final class Backoff {
    private static final Duration FIRST = Duration.ofMillis(800);
    private static final Duration MAX = Duration.ofSeconds(30);
    private static final Duration QUIET = Duration.ofMinutes(2);

    private final Driver driver;
    private Duration next = FIRST;
    private long lastFailure;
    private boolean failed;

    Backoff(Driver driver) {
        this.driver = driver;
    }

    /** True if nothing has failed for so long that the next failure counts as the first. */
    boolean isQuiet() {
        return !failed || driver.nanoTime() - lastFailure > QUIET.toNanos();
    }

    /** Counts a failure. */
    Duration failure() {
        if (isQuiet()) {
            next = FIRST;
        }
        failed = true;
        lastFailure = driver.nanoTime();
        Duration base = next;
        Duration doubled = base.multipliedBy(2);
        next = doubled.compareTo(MAX) > 0 ? MAX : doubled;
        return base.plusNanos((long) (base.toNanos() * driver.random().nextDouble()));
    }
}
