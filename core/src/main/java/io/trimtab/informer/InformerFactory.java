package io.trimtab.informer;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import java.util.Optional;

/** Makes informers, one for each resource and scope, and starts and stops them. Safe for use by any thread. */
public interface InformerFactory extends AutoCloseable {

    /** The informer of a resource in a scope: the same one to everybody who asks. Starts it if the factory has started. */
    <T extends HasMetadata> SharedInformer<T> informer(ResourceType<T> type, WatchScope scope);

    /** The informer of all objects of a resource. */
    default <T extends HasMetadata> SharedInformer<T> informer(Class<T> type) {
        return informer(ResourceType.of(type), WatchScope.ALL);
    }

    /** The informer of all objects of a resource. */
    default <T extends HasMetadata> SharedInformer<T> informer(ResourceType<T> type) {
        return informer(type, WatchScope.ALL);
    }

    /** The informer of a resource in a scope, if somebody has asked for it before; never makes one. */
    <T extends HasMetadata> Optional<SharedInformer<T>> existing(ResourceType<T> type, WatchScope scope);

    /** All informers made so far. */
    default java.util.List<SharedInformer<?>> all() {
        return java.util.List.of();
    }

    /** Starts all informers made so far, and each later one as it is made. Returns at once. */
    void start();

    /** True if every informer made so far {@link SharedInformer#isSynced is synced}. */
    boolean isSynced();

    /** Runs the action once, as soon as every informer made before this call is synced; on any thread, perhaps the caller's. */
    void whenSynced(Runnable action);

    /** Ends all watches. */
    @Override
    void close();
}
