package io.trimtab.apiserver.injvm;

import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.storage.EventSource;
import io.trimtab.runtime.Driver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Takes the frames of one watch on a lane, as many as its receiver asked for. Methods may be called by any thread; the receiver
 * is called on the lane.
 */
final class EventStream {
    /** Frames that are waiting are handed over together, up to here. */
    private static final int MAX_BATCH = 256;

    /** Receives frames, on the lane. */
    interface Receiver {
        /** One delivery; uses up one request. */
        void onFrames(List<byte[]> frames);

        /** No frame follows. Not called after {@link EventStream#close}. */
        void onEnd(@Nullable Throwable failure);
    }

    private final EventSource events;
    private final ApiResponse.Framing framing;
    private final Driver.Lane lane;
    private final Receiver receiver;
    private final int batch;
    private final OpenStreams streams;
    private final AtomicLong requested = new AtomicLong();
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private volatile boolean closed;
    /** Lane only. */
    private boolean ended;

    /** @param single frames are delivered one at a time */
    EventStream(ApiResponse.Watch watch, Driver driver, boolean single, OpenStreams streams, Receiver receiver) {
        this.events = watch.events();
        this.framing = watch.framing();
        this.lane = driver.lane("in-JVM watch");
        this.batch = single ? 1 : MAX_BATCH;
        this.streams = streams;
        this.receiver = receiver;
        streams.add(this);
    }

    void start() {
        events.onReady(this::schedule);
    }

    /** Asks for one more delivery. */
    void request() {
        requested.incrementAndGet();
        schedule();
    }

    /** Ends the watch; nothing is delivered after this returns, but for a delivery that is under way. */
    void close() {
        closed = true;
        streams.remove(this);
        events.close();
    }

    private void schedule() {
        if (!closed && scheduled.compareAndSet(false, true)) {
            lane.execute(this::step);
        }
    }

    private void step() {
        scheduled.set(false);
        try {
            while (!closed && !ended && requested.get() > 0) {
                List<byte[]> frames = take();
                if (frames.isEmpty()) {
                    break;
                }
                requested.decrementAndGet();
                receiver.onFrames(frames);
            }
        } catch (RuntimeException e) {
            end(e);
            return;
        }
        if (events.isEnded()) {
            end(null);
        }
    }

    private List<byte[]> take() {
        List<byte[]> frames = new ArrayList<>();
        while (frames.size() < batch) {
            EventSource.Event event = events.poll();
            if (event == null) {
                break;
            }
            byte[] frame = framing.frame(event);
            if (frame != null) {
                frames.add(frame);
            }
        }
        return frames;
    }

    private void end(@Nullable Throwable failure) {
        if (ended || closed) {
            return;
        }
        ended = true;
        close();
        receiver.onEnd(failure);
    }
}
