package io.trimtab.controller;

import io.trimtab.runtime.Driver;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A component that does something now and then: once when it is started, and then every period, counted from one beginning to the
 * next. Passes run one after another on a lane of the component's name; one that throws is reported to the log, and the next one
 * comes all the same. Safe for use by any thread.
 *
 * @since 0.1
 */
public final class Periodic implements Manager.Component {
    private final String name;
    private final Driver driver;
    private final Driver.Lane lane;
    private final Duration period;
    private final Runnable pass;

    /** On the lane. */
    private Driver.@Nullable Timer timer;
    /** On the lane. */
    private boolean closed;

    private Periodic(String name, Driver driver, Duration period, Runnable pass) {
        if (period.isZero() || period.isNegative()) {
            throw new IllegalArgumentException("component " + name + ": expected a period, found " + period);
        }
        this.name = name;
        this.driver = driver;
        this.lane = driver.lane(name);
        this.period = period;
        this.pass = pass;
    }

    /** A component that is still to be started, or handed to a manager. */
    public static Periodic of(String name, Driver driver, Duration period, Runnable pass) {
        return new Periodic(name, driver, period, pass);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void start() {
        lane.execute(this::pass);
    }

    private void pass() {
        if (closed) {
            return;
        }
        timer = driver.schedule(period, () -> lane.execute(this::pass));
        pass.run();
    }

    @Override
    public void close() {
        lane.execute(() -> {
            closed = true;
            if (timer != null) {
                timer.cancel();
            }
        });
    }
}
