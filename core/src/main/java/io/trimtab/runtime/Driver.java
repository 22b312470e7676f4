package io.trimtab.runtime;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;

/**
 * Decides when, on which thread and in which order the steps of a program run, and what time it is meanwhile.
 *
 * <p>No other class of Trimtab reads the clock, sleeps, starts a thread or draws a random number. That is what lets a whole
 * cluster run on one thread in virtual time, and the same seed give the same run.
 *
 * <p>All methods may be called from any thread. A step that throws is reported to the log and does not disturb others.
 */
public interface Driver extends AutoCloseable {

    /** The wall clock. */
    Instant now();

    /** A clock that only moves forward, in nanoseconds from an arbitrary origin. */
    long nanoTime();

    /** The source of randomness; seeded in virtual time. Safe for use by several threads. */
    RandomGenerator random();

    /**
     * Runs the step as soon as possible, never on the caller's stack. The step may block on I/O in real time (a virtual
     * thread where the JVM has them, else a pooled thread carries it); it must not wait for another step.
     */
    void execute(Runnable step);

    /** Runs the step once, after the delay; a delay of zero or less is {@link #execute}. */
    Timer schedule(Duration delay, Runnable step);

    /**
     * Returns a lane that runs its steps one after another, in the order they were handed in, each seeing the effects of
     * those before it.
     *
     * @param name shows in thread names and failure messages
     */
    Lane lane(String name);

    /**
     * As {@link #lane}, for what can wait. Of all such lanes together one step runs at a time: as soon as nothing else is under
     * way, and while something always is, 50 a second. In virtual time, where nothing gets in another's way, it is a lane like
     * any other.
     */
    default Lane backgroundLane(String name) {
        return lane(name);
    }

    /**
     * Waits until the future completes. In virtual time, due steps run on the caller's stack meanwhile, and time moves on if
     * nothing is due; so this is for the edges of a program, never for a step's ordinary path.
     *
     * @return the future's value
     * @throws TimeoutException if the future is not complete when the timeout has passed
     * @throws java.util.concurrent.CompletionException if the future failed
     */
    <T> T await(CompletableFuture<T> future, Duration timeout) throws TimeoutException;

    /** True if one thread runs everything in virtual time. */
    boolean isVirtual();

    /** Drops steps that have not begun and stops the threads; steps that are running are interrupted. */
    @Override
    void close();

    /** A step that is to run later. */
    interface Timer {
        /**
         * Keeps the step from running.
         *
         * @return false if it has run, is running or was cancelled before
         */
        boolean cancel();
    }

    /** Runs steps one after another; unbounded by itself, so the caller bounds what it hands in. */
    interface Lane {
        /** Runs the step after all handed in before it. */
        void execute(Runnable step);
    }
}
