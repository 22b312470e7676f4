package io.trimtab.apiserver.bootstrap;

import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after objects that every cluster has, whoever deletes or changes them: does the same again and again until it is closed, and
 * says in the log when the storage refuses. Safe for use by any thread.
 */
public final class Keeper implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Keeper.class);
    private static final Duration EVERY = Duration.ofMinutes(1);

    private final Driver driver;
    private final Duration every;
    private final String failure;
    private final Runnable step;
    private volatile Driver.@Nullable Timer timer;
    private volatile boolean closed;

    private Keeper(Driver driver, Duration every, String failure, Runnable step) {
        this.driver = driver;
        this.every = every;
        this.failure = failure;
        this.step = step;
    }

    /**
     * Makes the FlowSchemas and PriorityLevelConfigurations of every cluster again when they are deleted, and undoes changes to those
     * that say they are kept up to date. {@link Bootstrap} makes them; this looks once a minute.
     */
    public static Keeper ofFlowControl(Storage storage, Driver driver) {
        return new Keeper(
                        driver,
                        EVERY,
                        "flow control objects not maintained",
                        () -> Bootstrap.flowControl(storage, driver))
                .later();
    }

    /**
     * Keeps the ConfigMap {@code extension-apiserver-authentication} as servers behind this one need it, whatever authorities come.
     * {@link Bootstrap} makes it; this looks once a minute.
     */
    public static Keeper ofClientAuthority(Storage storage, Driver driver, Supplier<Bootstrap.Settings> settings) {
        return new Keeper(
                        driver,
                        EVERY,
                        "client authorities not maintained",
                        () -> Bootstrap.clientAuthority(storage, driver, settings.get()))
                .later();
    }

    /**
     * Keeps the ConfigMap that says since when it is noted which tokens of Secrets are used. {@link Bootstrap} makes it; this looks
     * twice an hour, as seldom as Kubernetes makes it again.
     */
    public static Keeper ofTokenTracking(Storage storage, Driver driver) {
        return new Keeper(
                        driver,
                        Duration.ofMinutes(30),
                        "tracking of tokens not maintained",
                        () -> Bootstrap.tokenTracking(storage, driver))
                .later();
    }

    /** Does something now, and goes on doing it. */
    static Keeper now(Driver driver, Duration every, String failure, Runnable step) {
        Keeper keeper = new Keeper(driver, every, failure, step);
        keeper.look();
        return keeper;
    }

    private Keeper later() {
        timer = driver.schedule(every, this::look);
        return this;
    }

    private void look() {
        if (closed) {
            return;
        }
        try {
            step.run();
        } catch (StatusException e) {
            LOG.warn("{}: why={}", failure, e.getMessage());
        }
        later();
    }

    @Override
    public void close() {
        closed = true;
        Driver.Timer running = timer;
        if (running != null) {
            running.cancel();
        }
    }
}
