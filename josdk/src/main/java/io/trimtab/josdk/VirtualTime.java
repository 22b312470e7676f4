package io.trimtab.josdk;

import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.RegisteredController;
import io.javaoperatorsdk.operator.api.config.ExecutorServiceManager;
import io.javaoperatorsdk.operator.processing.dependent.workflow.CRDPresentActivationCondition;
import io.javaoperatorsdk.operator.processing.dependent.workflow.DependentResourceNode;
import io.javaoperatorsdk.operator.processing.dependent.workflow.Workflow;
import io.javaoperatorsdk.operator.processing.event.rate.LinearRateLimiter;
import io.javaoperatorsdk.operator.processing.event.rate.RateLimiter;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.polling.PerResourcePollingEventSource;
import io.javaoperatorsdk.operator.processing.event.source.polling.PollingEventSource;
import io.javaoperatorsdk.operator.processing.event.source.timer.TimerEventSource;
import io.javaoperatorsdk.operator.processing.expectation.ExpectationManager;
import io.trimtab.runtime.Driver;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Timer;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * Puts our threads and our time in the places where the SDK cannot be told to take them: the pools that start its event sources and
 * look for lost events, the timers of retries, pollers and the users' own timer sources, and rate limiters. By reflection, so a
 * version of the SDK that has moved them is told apart by name. What cannot be reached is refused, not left to the wall clock.
 */
final class VirtualTime {
    private final Operator operator;
    private final Driver driver;
    private boolean running;

    private VirtualTime(Operator operator, Driver driver) {
        this.operator = operator;
        this.driver = driver;
    }

    /**
     * Starts an operator in virtual time.
     *
     * @throws IllegalStateException if it uses something that would follow the wall clock
     */
    static void start(Operator operator, Driver driver) {
        new VirtualTime(operator, driver).start();
    }

    private void start() {
        if (operator.getConfigurationService().getLeaderElectionConfiguration().isPresent()) {
            throw new IllegalStateException(
                    "the SDK's leader election follows the wall clock and cannot run in virtual time:"
                            + " leave it out of the configuration, or let the manager elect the leader");
        }
        lendExecutors();
        // What other clusters of this JVM had is not to be remembered here.
        known(get(CRDPresentActivationCondition.class, "crdPresenceCache", null))
                .clear();
        for (RegisteredController<?> registered : operator.getRegisteredControllers()) {
            refuseExpectations(get(registered.getClass(), "reconciler", registered));
            lookEachTime((Workflow<?>) get(registered.getClass(), "managedWorkflow", registered));
            lendBeforeStart(registered);
        }
        operator.start();
        for (RegisteredController<?> registered : operator.getRegisteredControllers()) {
            lendAfterStart(registered);
        }
        running = true;
    }

    private void lendExecutors() {
        ExecutorServiceManager manager = operator.getConfigurationService().getExecutorServiceManager();
        replace(ExecutorServiceManager.class, "cachingExecutorService", manager, DriverExecutor.inline());
        replace(ExecutorServiceManager.class, "scheduledExecutorService", manager, new DriverScheduler(driver));
    }

    private static void replace(Class<?> owner, String name, Object object, ExecutorService ours) {
        ((ExecutorService) get(owner, name, object)).shutdown();
        set(owner, name, object, ours);
    }

    /** Sources that are there, and those that a workflow or a reconciler adds while it runs. */
    private void lendBeforeStart(RegisteredController<?> registered) {
        Object sources = sources(registered);
        Map<String, Object> byName = new Sources();
        byName.putAll(known(get(sources.getClass(), "sourceByName", sources)));
        byName.values().forEach(this::lend);
        set(sources.getClass(), "sourceByName", sources, byName);
        Object processor = get(registered.getClass(), "eventProcessor", registered);
        RateLimiter<?> limiter = (RateLimiter<?>) get(processor.getClass(), "rateLimiter", processor);
        if (limiter instanceof LinearRateLimiter linear) {
            if (limiter.getClass() != LinearRateLimiter.class) {
                throw new IllegalStateException(
                        "the rate limiter " + limiter.getClass().getName()
                                + " counts by the wall clock, as the class that it extends does: implement RateLimiter with the"
                                + " driver's clock to use it in virtual time");
            }
            set(processor.getClass(), "rateLimiter", processor, new DriverRateLimiter(driver, linear));
        }
    }

    /** Timers that are made when their source starts. No step of the driver has run since. */
    private void lendAfterStart(RegisteredController<?> registered) {
        Object sources = sources(registered);
        lendTimer(get(sources.getClass(), "retryAndRescheduleTimerEventSource", sources));
        for (Object source :
                known(get(sources.getClass(), "sourceByName", sources)).values()) {
            if (source instanceof TimerEventSource) {
                lendTimer(source);
            }
        }
    }

    private void lendTimer(Object source) {
        ((Timer) get(TimerEventSource.class, "timer", source)).cancel();
        set(TimerEventSource.class, "timer", source, new DriverTimer(driver));
    }

    /** What a source has from its making on. */
    private void lend(Object source) {
        if (source instanceof PollingEventSource) {
            Timer own = (Timer) get(PollingEventSource.class, "timer", source);
            if (!(own instanceof DriverTimer)) {
                own.cancel();
                set(PollingEventSource.class, "timer", source, new DriverTimer(driver));
            }
        } else if (source instanceof PerResourcePollingEventSource) {
            // Perhaps a pool of the user's, which others may use: it is not ended. Without tasks it has no thread.
            ScheduledExecutorService own =
                    (ScheduledExecutorService) get(PerResourcePollingEventSource.class, "executorService", source);
            if (!(own instanceof DriverScheduler)) {
                set(PerResourcePollingEventSource.class, "executorService", source, new DriverScheduler(driver));
            }
        } else if (running && source instanceof TimerEventSource) {
            throw new IllegalStateException(
                    "the timer source " + ((EventSource<?, ?>) source).name()
                            + " would follow the wall clock: in virtual time, sources with timers must be there when the operator starts");
        }
    }

    /** The SDK takes the time of an expectation from the wall clock, in a method that nobody can replace. */
    private static void refuseExpectations(Object reconciler) {
        for (Class<?> type = reconciler.getClass(); type != null && type != Object.class; type = type.getSuperclass()) {
            for (Field field : type.getDeclaredFields()) {
                if (ExpectationManager.class.isAssignableFrom(field.getType())) {
                    throw new IllegalStateException(reconciler.getClass().getName() + "." + field.getName()
                            + ": expectations time out by the wall clock and cannot be used in virtual time");
                }
            }
        }
    }

    /**
     * The condition that a definition is there looks again after ten seconds of the wall clock, and ten times at the most. Here it
     * looks at each reconcile until it is there: that costs little, and is the same in each run.
     */
    private static void lookEachTime(Workflow<?> workflow) {
        if (workflow.isEmpty()) {
            return;
        }
        for (Object node : known(get(workflow.getClass(), "dependentResourceNodes", workflow))
                .values()) {
            Object typed = get(DependentResourceNode.class, "activationCondition", node);
            Object condition = typed == null ? null : get(typed.getClass(), "condition", typed);
            if (condition instanceof CRDPresentActivationCondition) {
                set(CRDPresentActivationCondition.class, "crdCheckInterval", condition, Duration.ofDays(-1));
                set(CRDPresentActivationCondition.class, "checkLimit", condition, Integer.MAX_VALUE);
            }
        }
    }

    /** Lends time to each source that is added. */
    private final class Sources extends HashMap<String, Object> {
        private static final long serialVersionUID = 1L;

        @Override
        public Object put(String name, Object source) {
            lend(source);
            return super.put(name, source);
        }
    }

    private static Object sources(RegisteredController<?> registered) {
        Object manager = get(registered.getClass(), "eventSourceManager", registered);
        return get(manager.getClass(), "eventSources", manager);
    }

    @SuppressWarnings("unchecked") // as the SDK has it
    private static Map<String, Object> known(Object sources) {
        return (Map<String, Object>) sources;
    }

    @SuppressWarnings("NullAway") // where it may be null, it is looked at
    private static Object get(Class<?> owner, String name, @Nullable Object object) {
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
}
