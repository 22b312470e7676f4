package io.trimtab.josdk;

import io.javaoperatorsdk.operator.processing.event.rate.LinearRateLimiter;
import io.javaoperatorsdk.operator.processing.event.rate.RateLimiter;
import io.javaoperatorsdk.operator.processing.event.rate.RateLimiter.RateLimitState;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The SDK's own rate limiter by a driver's clock: so many reconciles of a resource within a period that begins anew with the first
 * one after it. What it answers while a resource must wait is what the SDK answers, the time since the period began; the SDK asks
 * again after it, or after 50 ms. A state is used by one thread at a time, as the SDK does.
 */
final class DriverRateLimiter implements RateLimiter<DriverRateLimiter.State> {
    /** How often a resource was reconciled since when. */
    static final class State implements RateLimitState {
        private Instant since;
        private int count;

        private State(Instant since) {
            this.since = since;
        }
    }

    private final Driver driver;
    private final Duration period;
    private final int limit;

    DriverRateLimiter(Driver driver, LinearRateLimiter like) {
        this.driver = driver;
        this.period = like.getRefreshPeriod();
        this.limit = like.getLimitForPeriod();
    }

    @Override
    public Optional<Duration> isLimited(RateLimitState rateLimitState) {
        if (limit <= 0 || !(rateLimitState instanceof State state)) {
            return Optional.empty();
        }
        Instant now = driver.now();
        if (state.count >= limit) {
            if (!state.since.isBefore(now.minus(period))) {
                return Optional.of(Duration.between(state.since, now));
            }
            state.since = now;
            state.count = 0;
        }
        state.count++;
        return Optional.empty();
    }

    @Override
    public State initState() {
        return new State(driver.now());
    }
}
