package io.trimtab.apiserver.storage;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/**
 * The events of one watch, taken by its consumer at its own pace out of a bounded buffer; a consumer that falls too far behind
 * finds the stream ended and lists anew. {@link #poll} and {@link #onReady} are for one consumer; {@link #close} for any thread.
 */
public interface EventSource extends AutoCloseable {

    /** The next event, or null if there is none now. */
    @Nullable
    Event poll();

    /** True once no further event will come and all were polled. */
    boolean isEnded();

    /**
     * Sets who is told that {@link #poll} may have something, or that the stream has ended. Told at once if that is so
     * already; afterwards once for each time the buffer turns non-empty. Runs on the writer's thread: must only schedule.
     */
    void onReady(Runnable wakeUp);

    /** Ends the watch. Idempotent. */
    @Override
    void close();

    /** What happened. */
    enum Type {
        ADDED,
        MODIFIED,
        DELETED,
        BOOKMARK,
        ERROR
    }

    /**
     * One event.
     *
     * @param object for ADDED and MODIFIED the new state; for DELETED the last state, carrying the revision of the deletion;
     *     null for BOOKMARK and ERROR
     * @param revision everything up to here has been told
     * @param initialEventsEnd on a BOOKMARK: the initial list is complete
     * @param error on ERROR: the Status
     */
    record Event(
            Type type,
            @Nullable StoredObject object,
            long revision,
            boolean initialEventsEnd,
            @Nullable ObjectNode error) {}
}
