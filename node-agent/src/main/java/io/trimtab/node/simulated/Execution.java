package io.trimtab.node.simulated;

import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/** A program that runs in the driver's time: sleeps by its timers, and goes on when there is something to read. Thread-safe. */
final class Execution {
    private final Driver driver;
    private final IntConsumer whenEnded;
    /** Held while the shell runs: whoever touches the shell takes it. */
    final ReentrantLock lock = new ReentrantLock();

    final Shell shell;

    private boolean ended;
    private Driver.@Nullable Timer timer;

    /** @param whenEnded is told the status, on the thread of the last step; not if it was cancelled */
    Execution(Driver driver, Shell shell, IntConsumer whenEnded) {
        this.driver = driver;
        this.shell = shell;
        this.whenEnded = whenEnded;
        shell.onWake(() -> driver.execute(this::wake));
    }

    /** Runs until the program sleeps, waits or ends. */
    void go() {
        int status;
        lock.lock();
        try {
            if (ended) {
                return;
            }
            timer = null;
            Duration sleep = shell.run();
            if (sleep != null) {
                if (sleep.compareTo(Shell.FOREVER) < 0) {
                    timer = driver.schedule(sleep, this::go);
                }
                return;
            }
            ended = true;
            status = shell.status();
        } finally {
            lock.unlock();
        }
        whenEnded.accept(status);
    }

    private void wake() {
        boolean waits;
        lock.lock();
        try {
            waits = !ended && shell.isWaiting();
            Driver.Timer pending = timer;
            if (waits && pending != null) {
                pending.cancel();
            }
        } finally {
            lock.unlock();
        }
        if (waits) {
            go();
        }
    }

    /** Ends the command in the foreground, as Ctrl-C does; a shell that is talked to goes on. */
    void interrupt() {
        lock.lock();
        try {
            shell.interrupt();
            Driver.Timer pending = timer;
            if (pending != null) {
                pending.cancel();
            }
        } finally {
            lock.unlock();
        }
        driver.execute(this::go);
    }

    /** Lets it go no further. */
    void cancel() {
        lock.lock();
        try {
            ended = true;
            Driver.Timer pending = timer;
            if (pending != null) {
                pending.cancel();
            }
        } finally {
            lock.unlock();
        }
    }
}
