package io.trimtab.josdk;

import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** A driver's timers in the form of a scheduled executor. After its end, nothing that waits runs any more. Safe for use by any thread. */
final class DriverScheduler extends AbstractExecutorService implements ScheduledExecutorService {
    private final Driver driver;
    private volatile boolean ended;

    DriverScheduler(Driver driver) {
        this.driver = driver;
    }

    private final class Task<V> extends FutureTask<V> implements ScheduledFuture<V> {
        private final long period;
        private volatile long due;

        /** @param period in nanoseconds; zero for once */
        Task(Callable<V> call, long period) {
            super(call);
            this.period = period;
        }

        Task<V> in(long delay) {
            if (ended) {
                throw new RejectedExecutionException("the operator has stopped");
            }
            due = driver.nanoTime() + delay;
            driver.schedule(Duration.ofNanos(delay), this::fire);
            return this;
        }

        private void fire() {
            if (ended || isCancelled()) {
                return;
            }
            if (period == 0) {
                run();
            } else if (runAndReset() && !ended) {
                in(period);
            }
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return unit.convert(due - driver.nanoTime(), TimeUnit.NANOSECONDS);
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
        }
    }

    @Override
    public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
        return new Task<Object>(called(command), 0).in(unit.toNanos(Math.max(0, delay)));
    }

    @Override
    public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
        return new Task<>(callable, 0).in(unit.toNanos(Math.max(0, delay)));
    }

    @Override
    public ScheduledFuture<?> scheduleAtFixedRate(Runnable command, long initialDelay, long period, TimeUnit unit) {
        return scheduleWithFixedDelay(command, initialDelay, period, unit); // a step takes no virtual time
    }

    @Override
    public ScheduledFuture<?> scheduleWithFixedDelay(Runnable command, long initialDelay, long delay, TimeUnit unit) {
        if (delay <= 0) {
            throw new IllegalArgumentException("a period of " + delay + " would never end");
        }
        return new Task<Object>(called(command), unit.toNanos(delay)).in(unit.toNanos(Math.max(0, initialDelay)));
    }

    private static Callable<Object> called(Runnable command) {
        return () -> {
            command.run();
            return Boolean.TRUE;
        };
    }

    @Override
    public void execute(Runnable command) {
        if (ended) {
            throw new RejectedExecutionException("the operator has stopped");
        }
        driver.execute(command);
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

    /** Whether a step is still running is the driver's to know. */
    @Override
    public boolean isTerminated() {
        return ended;
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) {
        return ended;
    }
}
