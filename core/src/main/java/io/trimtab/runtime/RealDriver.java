package io.trimtab.runtime;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs steps on real threads in real time: virtual threads where the JVM has them, else a pool of daemon threads. One thread
 * serves all timers and only hands their steps on. Safe for use by any thread; whoever made it closes it.
 */
public final class RealDriver implements Driver {
    /** Steps that a lane runs before it goes to the back of the line, so that a busy lane cannot keep a pool thread for ever. */
    private static final int LANE_BATCH = 256;

    private static final RandomGenerator RANDOM = new SharedRandom();

    private final ExecutorService threads;
    private final ScheduledThreadPoolExecutor timers;
    private final Background background;
    /** Steps that were handed to the threads and are not over. */
    private final AtomicInteger underWay = new AtomicInteger();

    private volatile boolean closed;

    private RealDriver(String name) {
        this.timers = StepThreads.newTimerThread(name);
        this.threads = StepThreads.newExecutor(name, timers);
        this.background = new Background(this, timers);
    }

    /** A driver with threads of its own. */
    public static RealDriver create() {
        return create("trimtab");
    }

    /**
     * A driver with threads of its own.
     *
     * @param name the beginning of its threads' names
     */
    public static RealDriver create(String name) {
        return new RealDriver(Objects.requireNonNull(name));
    }

    @Override
    public Instant now() {
        return Instant.now();
    }

    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public RandomGenerator random() {
        return RANDOM;
    }

    @Override
    public void execute(Runnable step) {
        Objects.requireNonNull(step);
        handOver(() -> run(step, null));
    }

    /** @param guarded throws nothing */
    void handOver(Runnable guarded) {
        underWay.incrementAndGet();
        try {
            threads.execute(() -> {
                try {
                    guarded.run();
                } finally {
                    underWay.decrementAndGet();
                }
            });
        } catch (RejectedExecutionException e) {
            underWay.decrementAndGet();
            if (!closed) {
                throw e;
            }
            // A closed driver drops steps: nobody is left to run them.
        }
    }

    /** Whether the calling step is the only one, and all others are over. */
    boolean isElseIdle() {
        return underWay.get() <= 1;
    }

    private static void run(Runnable step, @Nullable String lane) {
        try {
            step.run();
        } catch (Throwable e) {
            // The step's owner did not catch it; the thread and the other steps of the lane must live on.
            Failures.log.error("Step failed: lane={} step={}", lane == null ? "-" : lane, StepNames.of(step), e);
        }
    }

    @Override
    public Timer schedule(Duration delay, Runnable step) {
        Objects.requireNonNull(step);
        RealTimer timer = new RealTimer(step);
        if (delay.isZero() || delay.isNegative()) {
            handOver(timer);
            return timer;
        }
        try {
            timer.scheduled = timers.schedule(() -> handOver(timer), nanos(delay), TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            if (!closed) {
                throw e;
            }
        }
        return timer;
    }

    private static long nanos(Duration delay) {
        // ScheduledThreadPoolExecutor compares delays by subtraction; half the range is 146 years.
        return delay.getSeconds() > Long.MAX_VALUE / 2_000_000_000L ? Long.MAX_VALUE / 2 : delay.toNanos();
    }

    @Override
    public Lane lane(String name) {
        return new RealLane(name);
    }

    @Override
    public Lane backgroundLane(String name) {
        return step -> background.execute(() -> {
            if (!closed) {
                run(step, name);
            }
        });
    }

    @Override
    public <T> T await(CompletableFuture<T> future, Duration timeout) throws TimeoutException {
        boolean waits = !future.isDone();
        if (waits) {
            StepPool.beginWait();
        }
        try {
            return future.get(nanos(timeout), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            throw new CompletionException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CompletionException("interrupted while waiting", e);
        } catch (TimeoutException e) {
            throw new TimeoutException("not complete after " + timeout);
        } finally {
            if (waits) {
                StepPool.endWait();
            }
        }
    }

    @Override
    public boolean isVirtual() {
        return false;
    }

    @Override
    public void close() {
        closed = true;
        timers.shutdownNow();
        threads.shutdownNow();
    }

    /** The step may have left the timer thread and still wait for a thread of its own: cancel reaches it there too. */
    private static final class RealTimer extends AtomicInteger implements Timer, Runnable {
        private static final long serialVersionUID = 1L;
        private static final int WAITING = 0;
        private static final int OVER = 1;

        private final transient Runnable step;
        private transient volatile @Nullable ScheduledFuture<?> scheduled;

        RealTimer(Runnable step) {
            super(WAITING);
            this.step = step;
        }

        @Override
        public void run() {
            if (compareAndSet(WAITING, OVER)) {
                RealDriver.run(step, null);
            }
        }

        @Override
        public boolean cancel() {
            if (!compareAndSet(WAITING, OVER)) {
                return false;
            }
            ScheduledFuture<?> future = scheduled;
            if (future != null) {
                future.cancel(false);
            }
            return true;
        }
    }

    /** A queue that hands itself to the threads while it has steps. */
    private final class RealLane implements Lane, Runnable {
        private final String name;
        private final ReentrantLock lock = new ReentrantLock();
        /** Guarded by lock. */
        private final ArrayDeque<Runnable> steps = new ArrayDeque<>();
        /** Guarded by lock: true from hand-over until the queue was seen empty. */
        private boolean active;

        RealLane(String name) {
            this.name = Objects.requireNonNull(name);
        }

        @Override
        public void execute(Runnable step) {
            Objects.requireNonNull(step);
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
                handOver(this);
            }
        }

        @Override
        public void run() {
            for (int i = 0; i < LANE_BATCH; i++) {
                Runnable step;
                lock.lock();
                try {
                    step = closed ? null : steps.poll();
                    if (step == null) {
                        active = false;
                        return;
                    }
                } finally {
                    lock.unlock();
                }
                RealDriver.run(step, name);
            }
            handOver(this);
        }

        @Override
        public String toString() {
            return "lane " + name;
        }
    }

    /** Loaded when it is needed: setting up logging takes longer than a driver, which is what a program makes first. */
    private static final class Failures {
        static final Logger log = LoggerFactory.getLogger(RealDriver.class);
    }

    /** Thread-local generators behind one object, so that it can be shared. */
    private static final class SharedRandom implements RandomGenerator {
        @Override
        public long nextLong() {
            return ThreadLocalRandom.current().nextLong();
        }
    }
}
