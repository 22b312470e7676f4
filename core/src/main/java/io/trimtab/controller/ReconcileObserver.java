package io.trimtab.controller;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Hears of every reconcile of a manager, for tests, oracles and traces. Called by the worker; must not block or throw. */
public interface ReconcileObserver {

    /** A reconcile is about to run, with a queue's key that nobody else has now. */
    default void before(String controller, Request request) {}

    /**
     * A reconcile has ended.
     *
     * @param result null if it failed
     * @param failure what it threw, or why its result does not count; null if it ended well
     */
    default void after(
            String controller, Request request, @Nullable Result result, @Nullable Throwable failure, Duration took) {}
}
