package io.trimtab.apiserver.storage;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.function.Function;
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

    /** One event. Immutable but for the frames made of it, which its watchers share. Safe for use by any thread. */
    final class Event {
        private record Frame(
                Object form, byte[] bytes, @Nullable Frame next) {}

        private final Type type;
        private final @Nullable StoredObject object;
        private final long revision;
        private final boolean initialEventsEnd;
        private final @Nullable ObjectNode error;
        /** Those who race make equal frames, of which one may be forgotten. */
        private volatile @Nullable Frame frames;

        /**
         * @param object for ADDED and MODIFIED the new state; for DELETED the last state, carrying the revision of the deletion;
         *     null for BOOKMARK and ERROR
         * @param revision everything up to here has been told
         * @param initialEventsEnd on a BOOKMARK: the initial list is complete
         * @param error on ERROR: the Status
         */
        public Event(
                Type type,
                @Nullable StoredObject object,
                long revision,
                boolean initialEventsEnd,
                @Nullable ObjectNode error) {
            this.type = type;
            this.object = object;
            this.revision = revision;
            this.initialEventsEnd = initialEventsEnd;
            this.error = error;
        }

        public Type type() {
            return type;
        }

        public @Nullable StoredObject object() {
            return object;
        }

        public long revision() {
            return revision;
        }

        public boolean initialEventsEnd() {
            return initialEventsEnd;
        }

        public @Nullable ObjectNode error() {
            return error;
        }

        /**
         * The event as it goes on the wire, encoded for the first watcher that asks and not for the others.
         *
         * @param form what the frame depends on beside the event; compared by {@code equals}
         * @return shared: not to be changed
         */
        public byte[] frame(Object form, Function<Event, byte[]> encoding) {
            Frame known = frames;
            for (Frame frame = known; frame != null; frame = frame.next()) {
                if (frame.form().equals(form)) {
                    return frame.bytes();
                }
            }
            byte[] bytes = encoding.apply(this);
            frames = new Frame(form, bytes, known);
            return bytes;
        }

        @Override
        public String toString() {
            return type + " " + object + " " + revision;
        }
    }
}
