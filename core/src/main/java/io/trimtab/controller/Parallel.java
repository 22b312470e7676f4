package io.trimtab.controller;

import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Runs several requests of one reconcile at the same time. In virtual time they run one after another, in their order.
 */
public final class Parallel {
    /** Requests have time-outs of their own; this one only keeps a lost task from holding its caller for ever. */
    private static final Duration FOREVER = Duration.ofDays(1);

    private Parallel() {}

    /**
     * What came of a task: exactly one of the two, or neither if the task returned null.
     *
     * @param value null if it failed
     * @param failure what it threw
     */
    public record Outcome<R>(@Nullable R value, @Nullable Throwable failure) {
        public boolean isSuccess() {
            return failure == null;
        }
    }

    /**
     * Runs all tasks and returns when each has ended; one that fails does not keep the others from running. The caller's thread
     * takes part, so nothing is waited for that no thread works on. What the tasks write counts as written by the caller's
     * reconcile.
     *
     * @return one outcome for each task, in the order of the tasks
     */
    public static <R> List<Outcome<R>> run(Driver driver, List<? extends Callable<R>> tasks) {
        AtomicReferenceArray<@Nullable Outcome<R>> outcomes = new AtomicReferenceArray<>(tasks.size());
        AtomicInteger next = new AtomicInteger();
        AtomicInteger running = new AtomicInteger(tasks.size());
        CompletableFuture<Void> all = new CompletableFuture<>();
        ReconcileScope scope = ReconcileScope.current();
        Runnable worker = () -> {
            for (int i = next.getAndIncrement(); i < tasks.size(); i = next.getAndIncrement()) {
                outcomes.set(i, runOne(scope, tasks.get(i)));
                if (running.decrementAndGet() == 0) {
                    all.complete(null);
                }
            }
        };
        if (!driver.isVirtual()) {
            for (int i = 1; i < tasks.size(); i++) {
                driver.execute(worker);
            }
        }
        worker.run();
        if (!tasks.isEmpty() && !all.isDone()) {
            try {
                driver.await(all, FOREVER);
            } catch (TimeoutException e) {
                throw new IllegalStateException(running.get() + " of " + tasks.size() + " tasks did not end", e);
            }
        }
        List<Outcome<R>> results = new ArrayList<>(tasks.size());
        for (int i = 0; i < tasks.size(); i++) {
            Outcome<R> outcome = outcomes.get(i);
            results.add(outcome == null ? new Outcome<>(null, new IllegalStateException("task did not run")) : outcome);
        }
        return results;
    }

    private static <R> Outcome<R> runOne(@Nullable ReconcileScope scope, Callable<R> task) {
        try {
            return new Outcome<>(scope == null ? task.call() : scope.call(task), null);
        } catch (Throwable e) {
            return new Outcome<>(null, e);
        }
    }
}
