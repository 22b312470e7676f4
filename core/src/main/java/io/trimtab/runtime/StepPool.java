package io.trimtab.runtime;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Platform threads that run steps in the order in which they came: as many at a time as keep the processors busy, and one more
 * for each that waits for something. A thread for each step there is would do the same work and spend a tenth of it on
 * switching: hundreds of requests that wait for the disk come back in one moment.
 *
 * <p>A step that waits says so by {@link #beginWait} ({@link RealDriver#await} does). One that blocks without saying so keeps its
 * place; if for that reason nothing moves for {@link #STALLED_MILLIS}, others are let in. Safe for use by any thread.
 */
final class StepPool extends AbstractExecutorService {
    /** A thread holds a stack: there must be an end, beyond which steps wait, and those they wait for are ahead of them. */
    static final int MAX_THREADS = 256;

    private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(20);
    private static final long STALLED_MILLIS = 50;

    private final int atATime;
    private final Supplier<String> names;
    private final ScheduledExecutorService watch;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition wanted = lock.newCondition();
    private final Condition over = lock.newCondition();

    @GuardedBy("lock")
    private final ArrayDeque<Runnable> queue = new ArrayDeque<>();

    @GuardedBy("lock")
    private final Set<Thread> threads = new HashSet<>();
    /** Threads that have nothing to do and have not been called. */
    @GuardedBy("lock")
    private int idle;
    /** Threads that have been called and are not awake yet. */
    @GuardedBy("lock")
    private int called;
    /** Threads that run a step, or are about to, and do not wait. */
    @GuardedBy("lock")
    private int running;
    /** How many may run: {@code atATime}, and more while those that run do not move. */
    @GuardedBy("lock")
    private int limit;
    /** Steps begun since the pool was made. */
    @GuardedBy("lock")
    private long begun;

    @GuardedBy("lock")
    private boolean watching;

    @GuardedBy("lock")
    private boolean shutdown;

    /**
     * @param atATime how many steps run at a time, those that wait not counted
     * @param names of threads
     * @param watch notices when nothing moves; its steps are short
     */
    StepPool(int atATime, Supplier<String> names, ScheduledExecutorService watch) {
        this.atATime = atATime;
        this.limit = atATime;
        this.names = names;
        this.watch = watch;
    }

    @Override
    public void execute(Runnable step) {
        lock.lock();
        try {
            if (shutdown) {
                throw new RejectedExecutionException("the pool is shut down");
            }
            queue.add(step);
            lockedAdmit();
            if (running >= limit) {
                lockedWatch();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Lets one more thread run if there is work for it and fewer run than may. */
    @GuardedBy("lock")
    private void lockedAdmit() {
        // Those that were called or started and are not there yet will take a step each.
        if (running >= limit || queue.size() <= called) {
            return;
        }
        if (idle > 0) {
            idle--;
            called++;
            running++;
            wanted.signal();
        } else if (threads.size() < MAX_THREADS) {
            called++;
            running++;
            StepThread thread = new StepThread(this, names.get());
            threads.add(thread);
            thread.start();
        }
    }

    @GuardedBy("lock")
    private void lockedWatch() {
        if (watching || shutdown) {
            return;
        }
        watching = true;
        long then = begun;
        try {
            watch.schedule(() -> look(then), STALLED_MILLIS, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            watching = false; // everything is being closed
        }
    }

    private void look(long then) {
        lock.lock();
        try {
            watching = false;
            if (queue.isEmpty()) {
                limit = atATime;
                return;
            }
            limit = begun == then ? Math.min(limit + atATime, MAX_THREADS) : atATime;
            for (int i = 0; i < atATime; i++) {
                lockedAdmit();
            }
            lockedWatch();
        } finally {
            lock.unlock();
        }
    }

    private void work() {
        lock.lock();
        try {
            try {
                lockedWork();
            } finally {
                threads.remove(Thread.currentThread());
                if (threads.isEmpty()) {
                    over.signalAll();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Runs steps until there is nothing to do for long; gives the lock back while it does. */
    @GuardedBy("lock")
    private void lockedWork() {
        if (called > 0) {
            called--;
        } else {
            // Somebody who had just become idle has taken the call, and is still counted as idle in this thread's
            // place.
            idle--;
            if (!lockedAwaitCall()) {
                return;
            }
        }
        while (true) {
            // Of many that have waited for the same, only a few go on to other steps.
            Runnable step = shutdown || running > limit ? null : queue.poll();
            if (step != null) {
                begun++;
                lock.unlock();
                try {
                    step.run();
                } finally {
                    lock.lock();
                }
                continue;
            }
            running--;
            if (shutdown || !lockedAwaitCall()) {
                return;
            }
        }
    }

    /** False if nobody called for long, or the pool was shut down. */
    @GuardedBy("lock")
    private boolean lockedAwaitCall() {
        idle++;
        long left = IDLE_NANOS;
        while (called == 0) {
            if (shutdown || left <= 0) {
                idle--;
                return false;
            }
            try {
                left = wanted.awaitNanos(left);
            } catch (InterruptedException e) {
                // A step's interrupt that came late; a shutdown is seen above.
            }
        }
        called--;
        return true;
    }

    /** The calling thread will wait, and another may run meanwhile; nothing if it belongs to no pool. {@link #endWait} follows. */
    static void beginWait() {
        if (Thread.currentThread() instanceof StepThread thread) {
            thread.pool.waiting();
        }
    }

    static void endWait() {
        if (Thread.currentThread() instanceof StepThread thread) {
            thread.pool.waited();
        }
    }

    private void waiting() {
        lock.lock();
        try {
            running--;
            lockedAdmit();
        } finally {
            lock.unlock();
        }
    }

    private void waited() {
        lock.lock();
        try {
            running++;
        } finally {
            lock.unlock();
        }
    }

    /** A thread that knows where it belongs. */
    private static final class StepThread extends Thread {
        private final StepPool pool;

        StepThread(StepPool pool, String name) {
            super(null, pool::work, name, 0, false);
            this.pool = pool;
            setDaemon(true);
        }
    }

    // ---- the rest of an executor
    // ---------------------------------------------------------------------------------------

    @Override
    public void shutdown() {
        shutdownNow();
    }

    @Override
    public List<Runnable> shutdownNow() {
        lock.lock();
        try {
            shutdown = true;
            List<Runnable> left = new ArrayList<>(queue);
            queue.clear();
            wanted.signalAll();
            threads.forEach(Thread::interrupt);
            return left;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean isShutdown() {
        lock.lock();
        try {
            return shutdown;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean isTerminated() {
        lock.lock();
        try {
            return shutdown && threads.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
        long left = unit.toNanos(timeout);
        lock.lock();
        try {
            while (!shutdown || !threads.isEmpty()) {
                if (left <= 0) {
                    return false;
                }
                left = over.awaitNanos(left);
            }
            return true;
        } finally {
            lock.unlock();
        }
    }
}
