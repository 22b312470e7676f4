package io.trimtab.josdk;

import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.Date;
import java.util.List;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A timer that runs its tasks as steps of a driver. The real timer holds each as well, for a time that never comes: only so does a
 * task know that it was cancelled. Safe for use by any thread; tasks run as the driver runs steps.
 */
final class DriverTimer extends Timer {
    private static final long NEVER = Duration.ofDays(100_000).toMillis();

    private final Driver driver;
    /** Of tasks that are repeated, one for each: what {@link Timer#purge} finds in it says whether the task was cancelled. */
    private final List<Timer> holders = new CopyOnWriteArrayList<>();

    private volatile boolean cancelled;

    DriverTimer(Driver driver) {
        super(true);
        this.driver = driver;
    }

    @Override
    public void schedule(TimerTask task, long delay) {
        super.schedule(task, NEVER);
        driver.schedule(Duration.ofMillis(delay), () -> {
            if (task.cancel()) {
                task.run();
            }
            purge();
        });
    }

    @Override
    public void schedule(TimerTask task, long delay, long period) {
        Timer holder = new Timer(true);
        holder.schedule(task, NEVER, NEVER);
        holders.add(holder);
        repeat(holder, task, delay, period);
    }

    @Override
    public void scheduleAtFixedRate(TimerTask task, long delay, long period) {
        schedule(task, delay, period);
    }

    @Override
    public void schedule(TimerTask task, Date time) {
        throw absolute();
    }

    @Override
    public void schedule(TimerTask task, Date firstTime, long period) {
        throw absolute();
    }

    @Override
    public void scheduleAtFixedRate(TimerTask task, Date firstTime, long period) {
        throw absolute();
    }

    private static UnsupportedOperationException absolute() {
        return new UnsupportedOperationException("dates are of the wall clock; schedule by a delay in virtual time");
    }

    private void repeat(Timer holder, TimerTask task, long delay, long period) {
        driver.schedule(Duration.ofMillis(delay), () -> {
            if (cancelled || holder.purge() > 0) {
                holder.cancel();
                holders.remove(holder);
            } else {
                task.run();
                repeat(holder, task, period, period);
            }
        });
    }

    @Override
    public void cancel() {
        cancelled = true;
        holders.forEach(Timer::cancel);
        super.cancel();
    }
}
