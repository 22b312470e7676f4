package io.trimtab.queue;

import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Keys that want work. A key waits at most once, however often it was added; it is handed to one worker at a time; added while
 * a worker has it, it waits again once that worker is {@link #done}. Higher priorities come first, equal ones in the order in
 * which they began to wait.
 *
 * <p>Nobody blocks: a worker is a step that polls until there is nothing, and {@link #onReady} tells when there is something
 * again. What a queue holds is bounded by the number of distinct keys: each at most once waiting, once in work, once
 * delayed. Safe for use by any thread.
 *
 * @param <K> immutable, with equals and hashCode
 */
public interface WorkQueue<K> extends AutoCloseable {

    /** What users and events ask for. */
    int NORMAL_PRIORITY = 0;

    /** What nobody waits for: the objects found at start-up, periodic resyncs. */
    int LOW_PRIORITY = -100;

    /** A queue with the default back-off and no metrics. */
    static <K> WorkQueue<K> create(Driver driver) {
        return create(driver, RateLimiters.controllerDefault(driver), QueueMetrics.NONE);
    }

    /**
     * A queue.
     *
     * @param limiter decides the delays of {@link #addRateLimited}
     */
    static <K> WorkQueue<K> create(Driver driver, RateLimiter<K> limiter, QueueMetrics metrics) {
        return new KeyedWorkQueue<>(driver, limiter, metrics, null);
    }

    /**
     * A queue that is fair between tenants: within a priority they take turns, one key each, so that one who asks for much makes
     * the others wait for no more than their number. A tenant who comes has its turn after all who are there. Costs no more per
     * key than a queue without, but a look-up.
     *
     * @param limiter decides the delays of {@link #addRateLimited}
     * @param tenants whose key it is; quick and pure
     */
    static <K> WorkQueue<K> fair(
            Driver driver, RateLimiter<K> limiter, QueueMetrics metrics, Function<? super K, String> tenants) {
        return new KeyedWorkQueue<>(driver, limiter, metrics, tenants);
    }

    /** The key wants work, at normal priority. Ignored once the queue is shut down. */
    default void add(K key) {
        add(key, NORMAL_PRIORITY);
    }

    /** The key wants work; if it waits already, it keeps its place unless this priority is higher. */
    void add(K key, int priority);

    /**
     * The key wants work after the delay, at the priority it is being worked on at (normal if it is not). Of several delayed
     * adds of a key the earliest counts; an {@link #add} meanwhile does not cancel it. At once if the delay is zero or less.
     */
    void addAfter(K key, Duration delay);

    /** The key wants work after the delay. */
    void addAfter(K key, Duration delay, int priority);

    /** Counts a failure of the key, and adds it after the delay that the rate limiter says. */
    void addRateLimited(K key);

    /** Forgets the failures of the key. Does not touch a key that waits or is delayed. */
    void forget(K key);

    /** How many failures of the key the rate limiter remembers. */
    int numRequeues(K key);

    /**
     * The next key, which is now in the caller's work until it calls {@link #done}; null if none waits. A queue that is shut
     * down still hands out what waits.
     */
    @Nullable
    K poll();

    /**
     * The caller has ended its work on the key.
     *
     * @throws IllegalStateException if the key is not in work
     */
    void done(K key);

    /**
     * Sets who is told, each time a key begins to wait, and once now if keys wait already. Called without a lock, on the thread
     * that added the key; must be quick and must not poll. Replaces the one before.
     */
    void onReady(Runnable wakeUp);

    /** How many keys wait. */
    int depth();

    /** How many keys are in work. */
    int inWork();

    /** How many keys are delayed. */
    int delayed();

    boolean isShutDown();

    /** Ignores adds from now on and drops delayed keys; what waits may still be polled. */
    void shutDown();

    /** Shuts down; the future completes when nothing waits and nothing is in work. */
    CompletableFuture<Void> shutDownWithDrain();

    /** The same as {@link #shutDown}. */
    @Override
    default void close() {
        shutDown();
    }
}
