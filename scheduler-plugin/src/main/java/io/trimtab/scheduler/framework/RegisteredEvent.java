package io.trimtab.scheduler.framework;

import org.jspecify.annotations.Nullable;

/**
 * An event a plugin waits for.
 *
 * @param event which
 * @param hint tells whether one such event helps one pod; null if it always may
 */
public record RegisteredEvent(ClusterEvent event, @Nullable Hint hint) {

    /** Tells whether an event may make a pod schedulable. Must be quick and pure. */
    @FunctionalInterface
    public interface Hint {
        /**
         * Asks about one event.
         *
         * @param pod the pod that was rejected
         * @param before the object before; null when it was added
         * @param after the object after; null when it was deleted
         * @return true to try the pod again
         */
        boolean wakes(PodInfo pod, @Nullable Object before, @Nullable Object after);
    }

    public static RegisteredEvent of(String resource, int actions) {
        return new RegisteredEvent(new ClusterEvent(resource, actions), null);
    }

    public static RegisteredEvent of(String resource, int actions, Hint hint) {
        return new RegisteredEvent(new ClusterEvent(resource, actions), hint);
    }
}
