package io.trimtab.client;

import java.time.Duration;
import java.util.Objects;

/**
 * How a client behaves towards its server. Immutable.
 *
 * @param requestTimeout how long one request may take, its retries not counted; watches have their own time-outs
 * @param maxRetries how often a request is repeated when the server answers 429 or 5xx and names a Retry-After; 0 for never
 * @param queriesPerSecond the sustained rate of the client-side limiter; 0 for no limiter
 * @param burst how many requests the limiter lets through at once
 * @param keepManagedFields whether list and watch keep {@code metadata.managedFields}: about a third of a typical object, and
 *     read by almost no controller, so caches do without them unless told. Single reads always have them
 * @param compactCaches whether list and watch make objects small: parts that equal parts of other objects are shared with
 *     them, and lists and maps are immutable. Costs a little time for each event, and saves more than half of the memory
 * @param writes whether writes are stored, only checked by the server, or refused here
 */
public record ClientOptions(
        Duration requestTimeout,
        int maxRetries,
        double queriesPerSecond,
        int burst,
        boolean keepManagedFields,
        boolean compactCaches,
        WriteMode writes) {

    /**
     * No limiter, up to 10 retries (client-go's number), no managed fields in caches. 70 s because the server itself gives up
     * a request after 60 s and then says so: we would rather hear that than guess.
     */
    public static final ClientOptions DEFAULT =
            new ClientOptions(Duration.ofSeconds(70), 10, 0, 0, false, true, WriteMode.STORED);

    public ClientOptions {
        Objects.requireNonNull(requestTimeout, "requestTimeout");
        if (queriesPerSecond > 0 && burst < 1) {
            throw new IllegalArgumentException("a rate limit needs a burst of 1 or more, not " + burst);
        }
    }

    /** The same with a time-out of single requests. */
    public ClientOptions withRequestTimeout(Duration timeout) {
        return new ClientOptions(
                timeout, maxRetries, queriesPerSecond, burst, keepManagedFields, compactCaches, writes);
    }

    /** The same with another bound of retries. */
    public ClientOptions withMaxRetries(int count) {
        return new ClientOptions(
                requestTimeout, count, queriesPerSecond, burst, keepManagedFields, compactCaches, writes);
    }

    /** The same with a client-side rate limit, one for each component. */
    public ClientOptions withRateLimit(double perSecond, int burstCount) {
        return new ClientOptions(
                requestTimeout, maxRetries, perSecond, burstCount, keepManagedFields, compactCaches, writes);
    }

    /** The same with managed fields kept, or not, by list and watch. */
    public ClientOptions withManagedFields(boolean keep) {
        return new ClientOptions(requestTimeout, maxRetries, queriesPerSecond, burst, keep, compactCaches, writes);
    }

    /** The same with small, immutable objects in caches, or with ordinary ones. */
    public ClientOptions withCompactCaches(boolean compact) {
        return new ClientOptions(
                requestTimeout, maxRetries, queriesPerSecond, burst, keepManagedFields, compact, writes);
    }

    /** The same with writes that are only checked by the server, or refused here. */
    public ClientOptions withWrites(WriteMode mode) {
        return new ClientOptions(
                requestTimeout, maxRetries, queriesPerSecond, burst, keepManagedFields, compactCaches, mode);
    }
}
