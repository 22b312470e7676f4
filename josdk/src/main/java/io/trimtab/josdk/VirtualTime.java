package io.trimtab.josdk;

import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.RegisteredController;
import io.javaoperatorsdk.operator.api.config.ExecutorServiceManager;
import io.trimtab.runtime.Driver;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.ExecutorService;

/**
 * Puts our threads and our time in the two places where the SDK cannot be told to take them: the pool that starts its event
 * sources side by side, and the timer of each controller that retries and reschedules. By reflection, so a version of the SDK that
 * has moved them is told apart by name. Stateless.
 */
final class VirtualTime {
    private VirtualTime() {}

    /** Call before the operator starts. */
    static void lendExecutors(Operator operator, ExecutorService starting) {
        ExecutorServiceManager manager = operator.getConfigurationService().getExecutorServiceManager();
        ((ExecutorService) get(ExecutorServiceManager.class, "cachingExecutorService", manager)).shutdown();
        set(ExecutorServiceManager.class, "cachingExecutorService", manager, starting);
    }

    /** Call after the operator has started, before the driver runs another step. */
    static void lendTimers(Operator operator, Driver driver) {
        for (RegisteredController<?> registered : operator.getRegisteredControllers()) {
            Object manager = get(registered.getClass(), "eventSourceManager", registered);
            Object sources = get(manager.getClass(), "eventSources", manager);
            Object retries = get(sources.getClass(), "retryAndRescheduleTimerEventSource", sources);
            ((Timer) get(retries.getClass(), "timer", retries)).cancel();
            set(retries.getClass(), "timer", retries, new DriverTimer(driver));
        }
    }

    private static Object get(Class<?> owner, String name, Object object) {
        try {
            return field(owner, name).get(object);
        } catch (IllegalAccessException e) {
            throw unknown(owner, name, e);
        }
    }

    private static void set(Class<?> owner, String name, Object object, Object value) {
        try {
            field(owner, name).set(object, value);
        } catch (IllegalAccessException e) {
            throw unknown(owner, name, e);
        }
    }

    private static Field field(Class<?> owner, String name) {
        try {
            Field field = owner.getDeclaredField(name);
            field.setAccessible(true);
            return field;
        } catch (NoSuchFieldException e) {
            throw unknown(owner, name, e);
        }
    }

    private static IllegalStateException unknown(Class<?> owner, String name, Exception cause) {
        return new IllegalStateException(
                "this version of Java Operator SDK has no field " + owner.getSimpleName() + "." + name
                        + ": use the version that trimtab-bom names, or a driver in real time",
                cause);
    }

    /**
     * A timer that runs its tasks as steps of the driver. The real timer holds each as well, for a time that never comes: only so
     * does a task know that it was cancelled.
     */
    private static final class DriverTimer extends Timer {
        private static final long NEVER = Duration.ofDays(100_000).toMillis();

        private final Driver driver;

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
    }
}
