package io.trimtab.apiserver;

import io.trimtab.apiserver.storage.EventSource;
import io.trimtab.apiserver.streaming.PortForward;
import io.trimtab.apiserver.streaming.RemoteCommand;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The answer to a request: whole, in pieces, or a stream of events. */
public sealed interface ApiResponse {

    /** The HTTP code. */
    int code();

    /** Headers in order, each with all its values; names as they go on the wire. */
    Map<String, List<String>> headers();

    /** An answer that is there as a whole. */
    record Whole(int code, Map<String, List<String>> headers, byte[] body) implements ApiResponse {}

    /**
     * An answer that is written piece by piece, so that a list never stands in memory a second time.
     *
     * @param pieces taken one at a time, as fast as the client reads; may share the store's bytes
     */
    record Pieces(int code, Map<String, List<String>> headers, Iterator<byte[]> pieces) implements ApiResponse {}

    /**
     * A watch.
     *
     * @param events closed by whoever carries the response, when the client goes away
     * @param framing turns an event into the bytes of one frame; null if the event is not to be shown
     */
    record Watch(int code, Map<String, List<String>> headers, EventSource events, Framing framing)
            implements ApiResponse {}

    /**
     * A short conversation over a WebSocket: what the client sends until it says that this is all, then messages of ours, then the
     * end.
     *
     * @param readsInput whether the client sends anything; otherwise the answer is made at once
     * @param answer makes the messages out of what the client has sent on channel 0; called once, on a thread of the driver
     */
    record Conversation(
            int code, Map<String, List<String>> headers, boolean readsInput, Function<byte[], List<byte[]>> answer)
            implements ApiResponse {}

    /**
     * An answer that goes on as long as there is something to say, such as a log that is followed.
     *
     * @param start begins; called once. What it returns is called when the client has gone.
     */
    record Stream(int code, Map<String, List<String>> headers, Function<Sink, Runnable> start) implements ApiResponse {}

    /** Where a stream goes. Safe for use by any thread. */
    interface Sink {
        void write(byte[] bytes);

        void end();
    }

    /** A connection that leaves HTTP, by WebSocket or SPDY, for a command's streams. */
    record Command(int code, Map<String, List<String>> headers, RemoteCommand command) implements ApiResponse {}

    /** A connection that leaves HTTP, by WebSocket or SPDY, for forwarded ports. */
    record Forward(int code, Map<String, List<String>> headers, PortForward ports) implements ApiResponse {}

    /** Turns events into frames. Pure but for "first event" state; called by one thread at a time. */
    interface Framing {
        byte @Nullable [] frame(EventSource.Event event);
    }
}
