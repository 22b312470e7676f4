package io.trimtab.controller;

import org.jspecify.annotations.Nullable;

/**
 * What an informer told a controller: exactly one of created, updated, deleted.
 *
 * @param old the state before; null when created
 * @param object the state now; null when deleted
 * @param initial the object was there before the controller began to watch
 */
public record Change<T>(@Nullable T old, @Nullable T object, boolean initial) {

    public boolean isCreated() {
        return old == null;
    }

    public boolean isUpdated() {
        return old != null && object != null;
    }

    public boolean isDeleted() {
        return object == null;
    }

    /** The newest state known, whatever happened. */
    public T latest() {
        if (object != null) {
            return object;
        }
        if (old != null) {
            return old;
        }
        throw new IllegalStateException("a change has an old state, a new state, or both");
    }
}
