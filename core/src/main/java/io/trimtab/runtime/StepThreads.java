package io.trimtab.runtime;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** The one place that makes threads: virtual ones where the JVM has them (21 and newer), pooled daemon threads elsewhere. */
final class StepThreads {

    /**
     * Steps may block on I/O, so the pool must be far larger than the processors; it must still end somewhere, because each
     * platform thread holds a stack. Steps beyond it wait in a queue.
     */
    private static final int MAX_PLATFORM_THREADS = 256;

    private static final long IDLE_SECONDS = 20;

    private StepThreads() {}

    static ExecutorService newExecutor(String name) {
        ExecutorService virtual = newVirtualExecutor(name);
        return virtual != null ? virtual : newPlatformExecutor(name);
    }

    static ScheduledThreadPoolExecutor newTimerThread(String name) {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1, daemons(name + "-timer"));
        timer.setRemoveOnCancelPolicy(true);
        timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        return timer;
    }

    /** By method handle, because the bytecode must load on Java 17. Null if this JVM has no virtual threads. */
    private static @Nullable ExecutorService newVirtualExecutor(String name) {
        if (Runtime.version().feature() < 21) {
            return null;
        }
        try {
            MethodHandles.Lookup lookup = MethodHandles.publicLookup();
            Class<?> builder = Class.forName("java.lang.Thread$Builder");
            Class<?> virtualBuilder = Class.forName("java.lang.Thread$Builder$OfVirtual");
            MethodHandle ofVirtual =
                    lookup.findStatic(Thread.class, "ofVirtual", MethodType.methodType(virtualBuilder));
            MethodHandle named = lookup.findVirtual(
                    virtualBuilder, "name", MethodType.methodType(virtualBuilder, String.class, long.class));
            MethodHandle factory = lookup.findVirtual(builder, "factory", MethodType.methodType(ThreadFactory.class));
            MethodHandle perTask = lookup.findStatic(
                    Executors.class,
                    "newThreadPerTaskExecutor",
                    MethodType.methodType(ExecutorService.class, ThreadFactory.class));
            Object threads = named.invoke(ofVirtual.invoke(), name + "-", 0L);
            return (ExecutorService) perTask.invoke((ThreadFactory) factory.invoke(threads));
        } catch (Throwable e) {
            throw new LinkageError("this JVM is 21 or newer but its virtual threads cannot be reached", e);
        }
    }

    private static ExecutorService newPlatformExecutor(String name) {
        HandOver queue = new HandOver();
        return new ThreadPoolExecutor(
                0, MAX_PLATFORM_THREADS, IDLE_SECONDS, TimeUnit.SECONDS, queue, daemons(name), (step, pool) -> {
                    if (!pool.isShutdown()) {
                        queue.put(step);
                    }
                });
    }

    /**
     * Offers a step only to a thread that is idle now. A refused offer makes the pool start a thread, and once it may not
     * start any more, queue the step: a plain queue would never let the pool grow.
     */
    private static final class HandOver extends LinkedTransferQueue<Runnable> {
        private static final long serialVersionUID = 1L;

        @Override
        public boolean offer(Runnable step) {
            return tryTransfer(step);
        }
    }

    private static ThreadFactory daemons(String name) {
        AtomicLong counter = new AtomicLong();
        return step -> {
            Thread thread = new Thread(null, step, name + "-" + counter.getAndIncrement(), 0, false);
            thread.setDaemon(true);
            return thread;
        };
    }
}
