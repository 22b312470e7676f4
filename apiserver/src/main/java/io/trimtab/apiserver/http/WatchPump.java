package io.trimtab.apiserver.http;

import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.storage.EventSource;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.ServerWebSocket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries the events of one watch to its client, on the event loop of the connection. Takes no more events while enough of them
 * have not left yet: a client that reads slowly leaves them in their source, which knows what to do about it.
 *
 * <p>What has left is known from the writes themselves. A stream's own word on whether it has room was found missing at times,
 * when many streams of a connection ran full and empty at once.
 */
final class WatchPump {
    private static final Logger log = LoggerFactory.getLogger(WatchPump.class);
    /** Events that were waiting together go out together, up to here; then it is the others' turn on this event loop. */
    private static final int TURN_BYTES = 64 * 1024;

    private static final int MAX_UNSENT_BYTES = 64 * 1024;

    /** Where events go. On the event loop. */
    interface Sink {
        /** One event's frame. */
        void add(byte[] frame);

        /**
         * Sends what was added.
         *
         * @param gone runs on the event loop when that has left, or never will
         */
        void flush(Runnable gone);

        /** The stream ends here, as it should. */
        void end();
    }

    private final ApiResponse.Watch watch;
    private final EventSource events;
    private final Sink sink;
    private final Context context;
    /** A step is on its way to the event loop: so any number of wake-ups make one step. */
    private final AtomicBoolean scheduled = new AtomicBoolean();
    /** Event loop only. */
    private int unsent;
    /** Event loop only. */
    private boolean waitingForRoom;
    /** Event loop only. */
    private boolean ended;

    WatchPump(ApiResponse.Watch watch, Sink sink, Context context) {
        this.watch = watch;
        this.events = watch.events();
        this.sink = sink;
        this.context = context;
    }

    void start() {
        events.onReady(this::schedule);
    }

    /** Closes the source; the stream then ends. Any thread. */
    void close() {
        events.close();
        schedule();
    }

    private void schedule() {
        if (scheduled.compareAndSet(false, true)) {
            context.runOnContext(v -> {
                scheduled.set(false);
                pump();
            });
        }
    }

    private void pump() {
        if (ended || waitingForRoom) {
            return;
        }
        int taken = 0;
        int bytes = 0;
        try {
            while (taken < TURN_BYTES) {
                EventSource.Event event = events.poll();
                if (event == null) {
                    break;
                }
                byte[] frame = watch.framing().frame(event);
                if (frame != null) {
                    sink.add(frame);
                    taken += frame.length;
                    bytes += frame.length;
                } else {
                    taken += 64; // an event that is not shown is some work, too
                }
            }
        } catch (RuntimeException e) {
            log.error("Watch broken off", e);
            events.close();
            finish();
            return;
        }
        int sent = bytes;
        if (sent > 0) {
            unsent += sent;
            sink.flush(() -> left(sent));
        }
        if (events.isEnded()) {
            finish();
        } else if (unsent >= MAX_UNSENT_BYTES) {
            waitingForRoom = true;
        } else if (taken >= TURN_BYTES) {
            schedule();
        }
    }

    private void left(int bytes) {
        unsent -= bytes;
        if (waitingForRoom && unsent < MAX_UNSENT_BYTES) {
            waitingForRoom = false;
            schedule();
        }
    }

    private void finish() {
        if (!ended) {
            ended = true;
            sink.end();
        }
    }

    /** One object a line, in the body of the answer. */
    static final class HttpSink implements Sink {
        private final HttpServerResponse response;
        private final List<byte[]> batch = new ArrayList<>();
        private int size;

        HttpSink(HttpServerResponse response) {
            this.response = response;
        }

        @Override
        public void add(byte[] frame) {
            batch.add(frame);
            size += frame.length;
        }

        @Override
        public void flush(Runnable gone) {
            if (response.ended() || response.closed()) {
                gone.run();
            } else {
                response.write(Exchange.wrap(joined())).onComplete(v -> gone.run());
            }
            batch.clear();
            size = 0;
        }

        /** A frame alone goes out as it is, shared with the other watchers. */
        private byte[] joined() {
            if (batch.size() == 1) {
                return batch.get(0);
            }
            byte[] all = new byte[size];
            int at = 0;
            for (byte[] frame : batch) {
                System.arraycopy(frame, 0, all, at, frame.length);
                at += frame.length;
            }
            return all;
        }

        @Override
        public void end() {
            if (!response.ended() && !response.closed()) {
                response.end();
            }
        }
    }

    /** One message an event. */
    static final class SocketSink implements Sink {
        private static final int LENGTH_BYTES = 4;

        private final ServerWebSocket socket;
        private final boolean binary;
        private Future<Void> last = Future.succeededFuture();

        SocketSink(ServerWebSocket socket, boolean binary) {
            this.socket = socket;
            this.binary = binary;
        }

        @Override
        public void add(byte[] frame) {
            if (socket.isClosed()) {
                return;
            }
            if (binary) {
                // A message has a length of its own: the one before each frame of a plain stream is left out.
                last = socket.writeBinaryMessage(Exchange.wrap(Arrays.copyOfRange(frame, LENGTH_BYTES, frame.length)));
            } else {
                last = socket.writeTextMessage(new String(frame, StandardCharsets.UTF_8));
            }
        }

        @Override
        public void flush(Runnable gone) {
            // Messages went out one by one, and leave in order.
            last.onComplete(v -> gone.run());
        }

        @Override
        public void end() {
            if (!socket.isClosed()) {
                socket.close();
            }
        }
    }
}
