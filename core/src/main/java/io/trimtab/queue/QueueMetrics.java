package io.trimtab.queue;

import java.util.function.LongSupplier;

/** Hears what a queue does. Called without a lock; must be quick. */
public interface QueueMetrics {

    /** Measures nothing; the queue then does not read the clock either. */
    QueueMetrics NONE = new QueueMetrics() {};

    /**
     * Called once, by the queue that is measured.
     *
     * @param depth keys that wait
     * @param unfinishedNanos how long the keys now in work have been, in sum
     * @param longestNanos how long the key longest in work has been
     */
    default void bind(LongSupplier depth, LongSupplier unfinishedNanos, LongSupplier longestNanos) {}

    /** A key was added that did not want work yet. */
    default void added() {}

    /** A key was handed to a worker, after it had waited so long. */
    default void started(long waitedNanos) {}

    /** A worker has ended its work on a key, after so long. */
    default void finished(long workedNanos) {}

    /** A key was added with a delay. */
    default void retried() {}
}
