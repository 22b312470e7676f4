package io.trimtab.josdk;

import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;

/**
 * A driver's threads in the form that the SDK wants threads in. Ending it keeps new tasks out; those handed in run to their end,
 * as the driver decides. Safe for use by any thread.
 */
final class DriverExecutor extends AbstractExecutorService implements AutoCloseable {
    private final Executor tasks;
    private final Runnable release;
    private volatile boolean ended;

    private DriverExecutor(Executor tasks, Runnable release) {
        this.tasks = tasks;
        this.release = release;
    }

    /** Tasks are steps of the driver. */
    static DriverExecutor of(Driver driver) {
        return new DriverExecutor(driver::execute, () -> {});
    }

    /** Tasks run when they are handed in, on the caller's stack. */
    static DriverExecutor inline() {
        return new DriverExecutor(Runnable::run, () -> {});
    }

    /** Tasks run one after another on a thread of their own: for those whose end a driver's only thread waits for. */
    static DriverExecutor aside(String name) {
        Driver beside = RealDriver.create(name);
        return new DriverExecutor(beside.lane(name)::execute, beside::close);
    }

    @Override
    public void execute(Runnable task) {
        if (ended) {
            throw new RejectedExecutionException("the operator has stopped");
        }
        tasks.execute(task);
    }

    @Override
    public void shutdown() {
        ended = true;
    }

    @Override
    public List<Runnable> shutdownNow() {
        ended = true;
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        return ended;
    }

    /** Whether tasks are still running is the driver's to know: it waits for them when it closes. */
    @Override
    public boolean isTerminated() {
        return ended;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return ended;
    }

    @Override
    public void close() {
        ended = true;
        release.run();
    }
}
