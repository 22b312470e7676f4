package io.trimtab.runtime;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Lets a program run until it is asked to end (Ctrl-C, {@code kill}), and then end in good order. One for each process; here
 * because the JVM asks by way of a thread.
 */
public final class Shutdown {
    /** Longer than anything that is closed in good order takes; a program that hangs is not kept alive for ever. */
    private static final long PATIENCE_SECONDS = 60;

    private final CountDownLatch asked = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);

    private Shutdown() {}

    /** Listens for the request to end, from now on. */
    public static Shutdown listen() {
        Shutdown shutdown = new Shutdown();
        Runtime.getRuntime().addShutdownHook(new Thread(shutdown::hold, "shutdown"));
        return shutdown;
    }

    private void hold() {
        asked.countDown();
        try {
            ended.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends the wait from within the program. */
    public void request() {
        asked.countDown();
    }

    /** Blocks until the process is asked to end. What is closed afterwards is waited for, until {@link #done}. */
    public void await() {
        try {
            asked.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Everything is closed: the process may end now. */
    public void done() {
        ended.countDown();
    }
}
