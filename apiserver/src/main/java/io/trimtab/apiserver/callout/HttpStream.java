package io.trimtab.apiserver.callout;

import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The body of an answer that is still coming. The event loop fills a buffer, and stops reading while the consumer leaves it
 * full; the consumer empties it on its own thread.
 */
final class HttpStream implements CalloutTransport.Stream {
    private static final int FULL = 64;

    private final HttpClientRequest request;
    private final HttpClientResponse response;
    private final Map<String, List<String>> headers = new HashMap<>();
    private final ReentrantLock lock = new ReentrantLock();
    /** Guarded by lock. */
    private final ArrayDeque<byte[]> parts = new ArrayDeque<>();
    /** Guarded by lock. */
    private boolean ended;
    /** Guarded by lock. */
    private boolean paused;
    /** Guarded by lock. */
    private @Nullable Runnable wakeUp;

    /** On the event loop, before any part of the body has come. */
    HttpStream(HttpClientRequest request, HttpClientResponse response) {
        this.request = request;
        this.response = response;
        response.headers()
                .forEach(
                        (name, value) -> headers.computeIfAbsent(name.toLowerCase(Locale.ROOT), n -> new ArrayList<>(1))
                                .add(value));
        response.handler(part -> add(part.getBytes()));
        response.endHandler(v -> end());
        response.exceptionHandler(e -> end());
    }

    private void add(byte[] part) {
        Runnable wake;
        boolean full;
        lock.lock();
        try {
            parts.add(part);
            full = parts.size() >= FULL && !paused;
            paused |= full;
            wake = wakeUp;
        } finally {
            lock.unlock();
        }
        if (full) {
            response.pause();
        }
        if (wake != null) {
            wake.run();
        }
    }

    private void end() {
        Runnable wake;
        lock.lock();
        try {
            ended = true;
            wake = wakeUp;
        } finally {
            lock.unlock();
        }
        if (wake != null) {
            wake.run();
        }
    }

    @Override
    public int code() {
        return response.statusCode();
    }

    @Override
    public Map<String, List<String>> headers() {
        return headers;
    }

    @Override
    public byte @Nullable [] poll() {
        byte[] part;
        boolean resume;
        lock.lock();
        try {
            part = parts.poll();
            resume = paused && parts.size() < FULL / 2;
            paused &= !resume;
        } finally {
            lock.unlock();
        }
        if (resume) {
            response.resume();
        }
        return part;
    }

    @Override
    public boolean isEnded() {
        lock.lock();
        try {
            return ended && parts.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void onReady(Runnable wake) {
        boolean now;
        lock.lock();
        try {
            wakeUp = wake;
            now = ended || !parts.isEmpty();
        } finally {
            lock.unlock();
        }
        if (now) {
            wake.run();
        }
    }

    @Override
    public void close() {
        request.reset();
        end();
    }
}
