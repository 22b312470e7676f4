package io.trimtab.junit;

import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;

/**
 * The driver as one process has it: when the process dies, none of its steps runs any more; while it is paused, they wait; its
 * clock may be wrong. Each step works on behalf of what was going on when it was handed in. Safe for use by any thread.
 */
final class ProcessDriver implements Driver {
    private final Driver driver;
    private final History history;
    private volatile boolean dead;
    private volatile Duration skew = Duration.ZERO;
    /** Guarded by held. */
    private boolean paused;
    /** Guarded by itself. */
    private final List<Runnable> held = new ArrayList<>();

    ProcessDriver(Driver driver, History history) {
        this.driver = driver;
        this.history = history;
    }

    void die() {
        dead = true;
    }

    boolean isDead() {
        return dead;
    }

    /** @throws ProcessDied if this process is no more */
    void requireAlive() {
        if (dead) {
            throw new ProcessDied();
        }
    }

    void skew(Duration by) {
        skew = by;
    }

    void pause() {
        synchronized (held) {
            paused = true;
        }
    }

    void resume() {
        List<Runnable> due;
        synchronized (held) {
            paused = false;
            due = List.copyOf(held);
            held.clear();
        }
        due.forEach(Runnable::run);
    }

    @Override
    public Instant now() {
        return driver.now().plus(skew);
    }

    @Override
    public long nanoTime() {
        return driver.nanoTime();
    }

    @Override
    public RandomGenerator random() {
        return driver.random();
    }

    @Override
    public void execute(Runnable step) {
        if (!dead) {
            driver.execute(new Step(step, driver::execute));
        }
    }

    @Override
    public Timer schedule(Duration delay, Runnable step) {
        return driver.schedule(delay, new Step(step, driver::execute));
    }

    @Override
    public Lane lane(String name) {
        Lane lane = driver.lane(name);
        return step -> {
            if (!dead) {
                lane.execute(new Step(step, lane::execute));
            }
        };
    }

    @Override
    public <T> T await(CompletableFuture<T> future, Duration timeout) throws TimeoutException {
        requireAlive();
        T value = driver.await(future, timeout);
        requireAlive();
        return value;
    }

    @Override
    public boolean isVirtual() {
        return driver.isVirtual();
    }

    /** The process ends; the driver goes on. */
    @Override
    public void close() {
        dead = true;
    }

    private final class Step implements Runnable, io.trimtab.runtime.NamedStep {
        private final Runnable step;
        private final java.util.function.Consumer<Runnable> again;
        private final int cause = history.current();

        Step(Runnable step, java.util.function.Consumer<Runnable> again) {
            this.step = step;
            this.again = again;
        }

        @Override
        public Runnable named() {
            return step;
        }

        @Override
        public void run() {
            if (dead) {
                return;
            }
            synchronized (held) {
                if (paused) {
                    held.add(() -> again.accept(this));
                    return;
                }
            }
            int before = history.enter(cause);
            try {
                step.run();
            } catch (ProcessDied end) {
                // The process died in this very step: that is no failure of the step.
            } finally {
                history.enter(before);
            }
        }
    }
}
