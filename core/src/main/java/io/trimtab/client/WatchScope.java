package io.trimtab.client;

import org.jspecify.annotations.Nullable;

/**
 * Which objects of a resource are listed and watched. Null means no restriction.
 *
 * @param namespace one namespace
 * @param labelSelector in the text form of the API
 * @param fieldSelector in the text form of the API
 */
public record WatchScope(
        @Nullable String namespace,
        @Nullable String labelSelector,
        @Nullable String fieldSelector) {

    /** Every object of the cluster. */
    public static final WatchScope ALL = new WatchScope(null, null, null);

    public static WatchScope namespace(String namespace) {
        return new WatchScope(namespace, null, null);
    }
}
