package io.trimtab.runtime;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** The one place that makes threads: virtual ones where the JVM has them (21 and newer), pooled daemon threads elsewhere. */
final class StepThreads {

    /** Twice the processors, so that a step that waits for a page or a lock leaves none idle. */
    private static final int AT_A_TIME = Math.max(4, 2 * Runtime.getRuntime().availableProcessors());

    private StepThreads() {}

    /** @param timers may be used for short steps */
    static ExecutorService newExecutor(String name, ScheduledExecutorService timers) {
        ExecutorService virtual = newVirtualExecutor(name);
        return virtual != null ? virtual : newPlatformExecutor(name, timers);
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

    private static ExecutorService newPlatformExecutor(String name, ScheduledExecutorService timers) {
        AtomicLong counter = new AtomicLong();
        return new StepPool(AT_A_TIME, () -> name + "-" + counter.getAndIncrement(), timers);
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
