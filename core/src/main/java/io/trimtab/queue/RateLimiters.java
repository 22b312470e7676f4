package io.trimtab.queue;

import io.trimtab.runtime.Driver;
import io.trimtab.runtime.TokenBucket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;

/** The rate limiters of Kubernetes' controllers (client-go, util/workqueue/default_rate_limiters.go). */
public final class RateLimiters {
    private RateLimiters() {}

    /**
     * The limiter of a controller unless it says otherwise: 5 ms·2ⁿ up to 1000 s for each key, and 10 a second with a burst of
     * 100 for all keys together, whichever is longer.
     */
    public static <K> RateLimiter<K> controllerDefault(Driver driver) {
        return controllerDefault(driver, Duration.ofMillis(5), Duration.ofSeconds(1000));
    }

    /** The same, with another back-off for each key. */
    public static <K> RateLimiter<K> controllerDefault(Driver driver, Duration base, Duration max) {
        return controllerDefault(driver, base, max, 10, 100);
    }

    /** The same, with another rate of all keys together as well. */
    public static <K> RateLimiter<K> controllerDefault(
            Driver driver, Duration base, Duration max, double perSecond, int burst) {
        return maxOf(List.of(exponential(base, max), tokenBucket(driver, perSecond, burst)));
    }

    /** For each key: base·2ⁿ after n failures, at most max. Remembers one number for each key that failed. */
    public static <K> RateLimiter<K> exponential(Duration base, Duration max) {
        return new Exponential<>(base.toNanos(), max.toNanos());
    }

    /**
     * For all keys together: so many at once, then so many a second; whoever comes early waits for its token.
     *
     * @param perSecond tokens that come back in a second
     * @param burst tokens that there are at most, and at first
     */
    public static <K> RateLimiter<K> tokenBucket(Driver driver, double perSecond, int burst) {
        return new SharedBucket<>(new TokenBucket(driver, perSecond, burst));
    }

    /** The longest wait that any of them asks for. */
    public static <K> RateLimiter<K> maxOf(List<RateLimiter<K>> limiters) {
        return new Max<>(List.copyOf(limiters));
    }

    private static final class Exponential<K> implements RateLimiter<K> {
        private final long baseNanos;
        private final long maxNanos;
        private final ConcurrentHashMap<K, Integer> failures = new ConcurrentHashMap<>();

        Exponential(long baseNanos, long maxNanos) {
            this.baseNanos = baseNanos;
            this.maxNanos = maxNanos;
        }

        @Override
        public Duration when(K key) {
            int before = failures.merge(key, 1, Integer::sum) - 1;
            double nanos = baseNanos * Math.pow(2, before);
            return Duration.ofNanos(nanos > maxNanos ? maxNanos : (long) nanos);
        }

        @Override
        public void forget(K key) {
            failures.remove(key);
        }

        @Override
        public int retries(K key) {
            return failures.getOrDefault(key, 0);
        }
    }

    private static final class SharedBucket<K> implements RateLimiter<K> {
        private final TokenBucket bucket;

        SharedBucket(TokenBucket bucket) {
            this.bucket = bucket;
        }

        @Override
        public Duration when(K key) {
            return bucket.reserve();
        }

        @Override
        public void forget(K key) {
            // It remembers no keys.
        }

        @Override
        public int retries(K key) {
            return 0;
        }
    }

    private static final class Max<K> implements RateLimiter<K> {
        private final List<RateLimiter<K>> limiters;

        Max(List<RateLimiter<K>> limiters) {
            this.limiters = limiters;
        }

        @Override
        public Duration when(K key) {
            Duration longest = Duration.ZERO;
            for (RateLimiter<K> limiter : limiters) {
                Duration wait = limiter.when(key);
                if (wait.compareTo(longest) > 0) {
                    longest = wait;
                }
            }
            return longest;
        }

        @Override
        public void forget(K key) {
            limiters.forEach(l -> l.forget(key));
        }

        @Override
        public int retries(K key) {
            int most = 0;
            for (RateLimiter<K> limiter : limiters) {
                most = Math.max(most, limiter.retries(key));
            }
            return most;
        }
    }
}
