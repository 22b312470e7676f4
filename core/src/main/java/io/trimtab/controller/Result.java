package io.trimtab.controller;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a reconcile ended, when it did not throw.
 *
 * @param requeue run the same key again with the queue's back-off, as after an error
 * @param after run the same key again after this time, without back-off; null for not
 */
public record Result(boolean requeue, @Nullable Duration after) {
    private static final Result DONE = new Result(false, null);

    /** Nothing more to do until something changes. Forgets earlier failures of the key. */
    public static Result done() {
        return DONE;
    }

    /** Look again, after the back-off of a failure. */
    public static Result again() {
        return new Result(true, null);
    }

    /** Look again after this time at the latest. Forgets earlier failures of the key. */
    public static Result after(Duration delay) {
        return new Result(false, delay);
    }
}
