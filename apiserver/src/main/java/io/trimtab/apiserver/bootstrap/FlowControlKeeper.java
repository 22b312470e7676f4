package io.trimtab.apiserver.bootstrap;

import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the FlowSchemas and PriorityLevelConfigurations of every cluster again when they are deleted, and undoes changes to
 * those that say they are kept up to date. Looks once a minute; safe for use by any thread.
 */
public final class FlowControlKeeper implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FlowControlKeeper.class);
    private static final Duration EVERY = Duration.ofMinutes(1);

    private final Storage storage;
    private final Driver driver;
    private volatile Driver.@Nullable Timer timer;
    private volatile boolean closed;

    private FlowControlKeeper(Storage storage, Driver driver) {
        this.storage = storage;
        this.driver = driver;
    }

    /** Begins to look; the objects themselves are made by {@link Bootstrap}. */
    public static FlowControlKeeper start(Storage storage, Driver driver) {
        FlowControlKeeper keeper = new FlowControlKeeper(storage, driver);
        keeper.timer = driver.schedule(EVERY, keeper::look);
        return keeper;
    }

    private void look() {
        if (closed) {
            return;
        }
        try {
            Bootstrap.flowControl(storage, driver);
        } catch (StatusException e) {
            LOG.warn("flow control objects not maintained: why={}", e.getMessage());
        }
        timer = driver.schedule(EVERY, this::look);
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
