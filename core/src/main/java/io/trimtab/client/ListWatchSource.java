package io.trimtab.client;

import io.fabric8.kubernetes.api.model.HasMetadata;
import java.util.Optional;

/**
 * A way to list and watch that is shorter than the wire: an API server in the same JVM can hand out its own immutable objects,
 * parsed once and shared by all caches.
 *
 * <p>A {@link FabricClient} asks the source that it was given or, if it was given none, its {@code HttpClient} when that
 * implements this interface. Authorization is the source's business, as it is the server's. Safe for use by any thread.
 */
public interface ListWatchSource {

    /**
     * The list and watch of a resource.
     *
     * @param userAgent of the component that asks
     * @return empty if this resource is to be listed and watched over HTTP
     */
    <T extends HasMetadata> Optional<ListWatch<T>> listWatch(ResourceType<T> type, WatchScope scope, String userAgent);
}
