package io.trimtab.controller;

import java.time.Duration;

/** The front end of a controller's queue. Safe for use by any thread. */
public interface Enqueuer {
    /** Wakes the key now; many wakes before it runs are one. */
    void add(Request request);

    /** Wakes the key after the delay; an earlier wake that is due before stands. */
    void addAfter(Request request, Duration delay);

    /** Wakes the key after its back-off, and counts a failure. */
    void addRateLimited(Request request);
}
