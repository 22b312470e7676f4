package io.trimtab.informer;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.client.WatchEvent;
import org.jspecify.annotations.Nullable;

/** Reads resource versions as the numbers that they are in every API server built on Kubernetes' own library. */
final class Revisions {
    private Revisions() {}

    /** The number, or 0 if the server uses something else: such revisions are never waited for. */
    static long parse(@Nullable String resourceVersion) {
        if (resourceVersion == null || resourceVersion.isEmpty()) {
            return 0;
        }
        long number = 0;
        for (int i = 0; i < resourceVersion.length(); i++) {
            char c = resourceVersion.charAt(i);
            if (c < '0' || c > '9' || number > (Long.MAX_VALUE - 9) / 10) {
                return 0;
            }
            number = number * 10 + (c - '0');
        }
        return number;
    }

    static long of(HasMetadata object) {
        return parse(object.getMetadata().getResourceVersion());
    }

    /** The object of an event that has one. */
    static <T extends HasMetadata> T objectOf(WatchEvent<T> event) {
        if (event instanceof WatchEvent.Added<T> added) {
            return added.object();
        }
        if (event instanceof WatchEvent.Modified<T> modified) {
            return modified.object();
        }
        if (event instanceof WatchEvent.Deleted<T> deleted) {
            return deleted.object();
        }
        throw new IllegalArgumentException("expected an event with an object, found " + event);
    }
}
