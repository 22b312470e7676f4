package io.trimtab.client;

import io.fabric8.kubernetes.api.model.HasMetadata;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Where a reflector gets its objects from: a server's list and watch of one resource in one scope, over a wire or inside the
 * JVM. Objects handed out are shared and must never be changed.
 */
public interface ListWatch<T extends HasMetadata> {

    /**
     * One page.
     *
     * @param resourceVersion null for the most recent state, {@code "0"} for any
     * @param limit objects, 0 for all
     * @param continueToken null for the first page
     * @throws ApiException as the server refuses; 410 when the token has expired
     */
    Client.Page<T> list(@Nullable String resourceVersion, int limit, @Nullable String continueToken);

    /**
     * Opens a watch and returns at once. Events come in order and one at a time, on a thread of the source, never before this
     * method has returned; {@link WatchEvent.Closed} is the last one.
     *
     * @param resourceVersion changes after this revision
     * @param sendInitialEvents ask for a streaming list: the state as Added events, then a bookmark that says it is complete
     * @param timeout when the server is asked to end the watch
     * @return closes the watch; idempotent; no event comes after it returns, except one that is being delivered
     */
    AutoCloseable watch(
            @Nullable String resourceVersion,
            boolean sendInitialEvents,
            Duration timeout,
            Consumer<WatchEvent<T>> events);
}
