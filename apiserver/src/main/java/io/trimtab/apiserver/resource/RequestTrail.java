package io.trimtab.apiserver.resource;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What is noted about a request on its way: annotations for the audit log, and until when it must be answered. Safe for use by
 * any thread.
 */
public final class RequestTrail {
    /** How long a write may take in all, whatever its client allows (endpoints/handlers' requestTimeoutUpperBound). */
    public static final Duration LONGEST_WRITE = Duration.ofSeconds(34);

    private final long deadlineNanos;
    private final Map<String, String> annotations = Collections.synchronizedMap(new LinkedHashMap<>());

    private volatile @Nullable Recorder recorder;

    /** @param deadlineNanos on the driver's {@code nanoTime} */
    public RequestTrail(long deadlineNanos) {
        this.deadlineNanos = deadlineNanos;
    }

    /** A trail for what is no request, without haste. */
    public static RequestTrail none() {
        return new RequestTrail(Long.MAX_VALUE);
    }

    /** Notes something for the audit log; the first note under a key stays. */
    public void annotate(String key, String value) {
        annotations.putIfAbsent(key, value);
    }

    /** Hears what the request holds, once that is read. */
    public interface Recorder {
        /** The object that is sent, with its defaults, before anybody changed it; not to be kept as it is. */
        void request(ObjectNode object);

        /** The patch that is sent. */
        void patch(byte[] body, boolean yaml);
    }

    /** Sets who hears what the request holds. */
    public void record(Recorder who) {
        recorder = who;
    }

    /** Who wants to hear what the request holds; null if nobody does. */
    public @Nullable Recorder recorder() {
        return recorder;
    }

    /** What was noted, in order. */
    public Map<String, String> annotations() {
        synchronized (annotations) {
            return Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
        }
    }

    /** The time that is left; zero or less if it is over. */
    public Duration left(long nowNanos) {
        return deadlineNanos == Long.MAX_VALUE ? LONGEST_WRITE : Duration.ofNanos(deadlineNanos - nowNanos);
    }
}
