package io.trimtab.client;

import io.fabric8.kubernetes.api.model.HasMetadata;
import org.jspecify.annotations.Nullable;

/** What a watch tells. */
public sealed interface WatchEvent<T extends HasMetadata> {

    /** The object is new to this watch. */
    record Added<T extends HasMetadata>(T object) implements WatchEvent<T> {}

    /** The object has changed. */
    record Modified<T extends HasMetadata>(T object) implements WatchEvent<T> {}

    /** The object is gone, or left the scope; its last state, with the revision of the change. */
    record Deleted<T extends HasMetadata>(T object) implements WatchEvent<T> {}

    /**
     * Everything up to this revision has been told.
     *
     * @param initialEventsEnd the streaming list is complete
     */
    record Bookmark<T extends HasMetadata>(String resourceVersion, boolean initialEventsEnd) implements WatchEvent<T> {}

    /**
     * The watch has ended: no event follows.
     *
     * @param cause null if the server ended it in good order; an {@link ApiException} of code 410 asks for a new list
     */
    record Closed<T extends HasMetadata>(@Nullable ApiException cause) implements WatchEvent<T> {}
}
