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
 * Keeps the ConfigMap {@code extension-apiserver-authentication} as servers behind this one need it, whoever deletes or changes it,
 * and whatever authorities come. Looks once a minute; safe for use by any thread.
 */
public final class ClientAuthorityKeeper implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ClientAuthorityKeeper.class);
    private static final Duration EVERY = Duration.ofMinutes(1);

    private final Storage storage;
    private final Driver driver;
    private final Supplier<Bootstrap.Settings> settings;
    private volatile Driver.@Nullable Timer timer;
    private volatile boolean closed;

    private ClientAuthorityKeeper(Storage storage, Driver driver, Supplier<Bootstrap.Settings> settings) {
        this.storage = storage;
        this.driver = driver;
        this.settings = settings;
    }

    /** Begins to look; the object itself is made by {@link Bootstrap}. */
    public static ClientAuthorityKeeper start(Storage storage, Driver driver, Supplier<Bootstrap.Settings> settings) {
        ClientAuthorityKeeper keeper = new ClientAuthorityKeeper(storage, driver, settings);
        keeper.timer = driver.schedule(EVERY, keeper::look);
        return keeper;
    }

    private void look() {
        if (closed) {
            return;
        }
        try {
            Bootstrap.clientAuthority(storage, driver, settings.get());
        } catch (StatusException e) {
            LOG.warn("client authorities not maintained: why={}", e.getMessage());
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
