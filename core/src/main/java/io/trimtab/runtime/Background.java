package io.trimtab.runtime;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Runs what can wait, one step at a time and in the order in which it came: one after another while nothing else is under way,
 * else one in each {@link #PACE_MILLIS}, so that it never waits for ever. Safe for use by any thread.
 */
final class Background implements Runnable {
    /** The pace that Kubernetes' components keep in writing events (50 a second), which is what this is for. */
    private static final long PACE_MILLIS = 20;

    private final RealDriver driver;
    private final ScheduledExecutorService timers;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final ArrayDeque<Runnable> steps = new ArrayDeque<>();

    /** True from hand-over until the queue was seen empty. */
    @GuardedBy("lock")
    private boolean active;

    Background(RealDriver driver, ScheduledExecutorService timers) {
        this.driver = driver;
        this.timers = timers;
    }

    void execute(Runnable step) {
        boolean wake;
        lock.lock();
        try {
            steps.add(step);
            wake = !active;
            active = true;
        } finally {
            lock.unlock();
        }
        if (wake) {
            driver.handOver(this);
        }
    }

    @Override
    public void run() {
        do {
            Runnable step = next();
            if (step == null) {
                return;
            }
            step.run();
        } while (driver.isElseIdle());
        try {
            timers.schedule(() -> driver.handOver(this), PACE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            // The driver was closed: steps that have not begun are dropped.
        }
    }

    private @Nullable Runnable next() {
        lock.lock();
        try {
            Runnable step = steps.poll();
            active = step != null;
            return step;
        } finally {
            lock.unlock();
        }
    }
}
