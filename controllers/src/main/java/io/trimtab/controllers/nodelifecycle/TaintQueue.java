package io.trimtab.controllers.nodelifecycle;

import io.trimtab.runtime.Driver;
import io.trimtab.runtime.TokenBucket;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The nodes of one zone that are to be tainted, at a limited rate. A node that was tainted is remembered until it is removed, so
 * that it is not tainted again for the same failure. Touched on one lane only.
 */
final class TaintQueue {
    private static final Duration RETRY = Duration.ofMillis(50);

    private final Driver driver;
    private final LinkedHashSet<String> waiting = new LinkedHashSet<>();
    /** The nodes that wait or were tainted; of those that failed, when they may be tried again. */
    private final Map<String, Instant> known = new HashMap<>();

    private double rate;
    private @Nullable TokenBucket limiter;

    TaintQueue(Driver driver, double rate) {
        this.driver = driver;
        this.rate = rate;
        this.limiter = rate > 0 ? new TokenBucket(driver, rate, 1) : null;
    }

    /** @return false if the node waits already, or was tainted already */
    boolean add(String node) {
        if (known.putIfAbsent(node, Instant.EPOCH) != null) {
            return false;
        }
        waiting.add(node);
        return true;
    }

    /** Lets a node that was tainted be added again; one that waits goes on waiting. */
    void forgetDone(String node) {
        if (!waiting.contains(node)) {
            known.remove(node);
        }
    }

    boolean remove(String node) {
        waiting.remove(node);
        return known.remove(node) != null;
    }

    /** Sets the rate; 0 stops all. A token that was spent stays spent. */
    void rate(double perSecond) {
        if (perSecond == rate) {
            return;
        }
        boolean spent = limiter != null && !limiter.tryTake();
        rate = perSecond;
        limiter = perSecond > 0 ? new TokenBucket(driver, perSecond, 1) : null;
        if (spent && limiter != null) {
            limiter.tryTake();
        }
    }

    /** True if some node waits and may be tainted sooner or later. */
    boolean isActive() {
        return limiter != null && !waiting.isEmpty();
    }

    /** Tries the nodes whose time has come, as far as the rate allows; those that fail are tried again soon. */
    void run(Predicate<String> taint) {
        for (int i = waiting.size(); i > 0 && limiter != null; i--) {
            String node = waiting.iterator().next();
            if (known.getOrDefault(node, Instant.EPOCH).isAfter(driver.now()) || !limiter.tryTake()) {
                return;
            }
            waiting.remove(node);
            if (!taint.test(node)) {
                known.put(node, driver.now().plus(RETRY));
                waiting.add(node);
            }
        }
    }
}
