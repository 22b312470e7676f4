package io.trimtab.client;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ListOptions;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads and writes objects of one API server under one identity.
 *
 * <p>Every call goes to the server (caches are {@link io.trimtab.informer.Lister}s), runs on the caller's thread and blocks
 * until the answer is there. Objects handed in are never changed or kept; objects handed out belong to the caller. Safe for
 * use by several threads. Where the server refuses, an {@link ApiException} carries its Status; where there was no answer, an
 * {@link ApiException} of code 0 has the cause.
 */
public interface Client {

    /** The object as it is now, or empty if there is none. */
    <T extends HasMetadata> Optional<T> get(ResourceType<T> type, @Nullable String namespace, String name);

    /**
     * One page of a list (all of it if the options set no limit).
     *
     * @param namespace null for all namespaces
     */
    <T extends HasMetadata> Page<T> list(ResourceType<T> type, @Nullable String namespace, ListOptions options);

    /** Creates the object in its own {@code metadata.namespace}; returns it as stored. */
    <T extends HasMetadata> T create(ResourceType<T> type, T object);

    /** Replaces the object, if its resourceVersion is unset or current; returns it as stored. */
    <T extends HasMetadata> T update(ResourceType<T> type, T object);

    /** Replaces the object's status; the server keeps the rest. */
    <T extends HasMetadata> T updateStatus(ResourceType<T> type, T object);

    /** Changes one object; returns it as stored. */
    <T extends HasMetadata> T patch(ResourceType<T> type, @Nullable String namespace, String name, Patch patch);

    /** As {@link #create}, for callers that need no copy of what was stored. */
    default <T extends HasMetadata> Written createOnly(ResourceType<T> type, T object) {
        return Written.of(create(type, object));
    }

    /** As {@link #updateStatus}, for callers that need no copy of what was stored. */
    default <T extends HasMetadata> Written updateStatusOnly(ResourceType<T> type, T object) {
        return Written.of(updateStatus(type, object));
    }

    /** As {@link #patch}, for callers that need no copy of what was stored. */
    default <T extends HasMetadata> Written patchOnly(
            ResourceType<T> type, @Nullable String namespace, String name, Patch patch) {
        return Written.of(patch(type, namespace, name, patch));
    }

    /** Deletes one object, or begins its graceful deletion. Use {@code new DeleteOptions()} for the defaults. */
    void delete(ResourceType<?> type, @Nullable String namespace, String name, DeleteOptions options);

    /** Deletes all objects of a namespace that the list options select. */
    void deleteCollection(ResourceType<?> type, @Nullable String namespace, DeleteOptions options, ListOptions list);

    /**
     * Posts to a subresource: {@code binding}, {@code eviction}, {@code token}.
     *
     * @param answer what the reply is read as
     */
    <R> R createSubresource(
            ResourceType<?> type,
            @Nullable String namespace,
            String name,
            String subresource,
            Object body,
            Class<R> answer);

    /** Puts to a subresource: {@code finalize}, {@code scale}, {@code approval}. */
    <R> R updateSubresource(
            ResourceType<?> type,
            @Nullable String namespace,
            String name,
            String subresource,
            Object body,
            Class<R> answer);

    /** What becomes of this client's writes. */
    default WriteMode writes() {
        return WriteMode.STORED;
    }

    /**
     * Any request, for paths that are no resources (discovery, health).
     *
     * @param pathAndQuery begins with a slash
     * @param body null for none
     * @return the body of a 2xx reply
     */
    byte[] raw(String method, String pathAndQuery, byte @Nullable [] body);

    /**
     * The server's list and watch of a resource, for a reflector.
     *
     * @param scope which objects
     */
    <T extends HasMetadata> ListWatch<T> listWatch(ResourceType<T> type, WatchScope scope);

    /**
     * One page of a list.
     *
     * @param items in key order
     * @param resourceVersion the revision of the snapshot
     * @param continueToken null on the last page
     */
    record Page<T>(
            List<T> items, String resourceVersion, @Nullable String continueToken) {}
}
