package io.trimtab.apiserver.aggregation;

import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.callout.CalloutTransport;
import io.trimtab.apiserver.storage.EventSource;
import io.trimtab.apiserver.storage.StoredObject;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The body of another server's answer as it comes, in the place of a watch's events: so whoever carries answers reads it at its
 * own pace, and closes it when the client goes. For one consumer; closed by any thread.
 */
final class RelayedStream implements EventSource {
    private final CalloutTransport.Stream stream;

    private RelayedStream(CalloutTransport.Stream stream) {
        this.stream = stream;
    }

    static ApiResponse answer(CalloutTransport.Stream stream) {
        return new ApiResponse.Watch(
                stream.code(),
                AggregatedPaths.answerHeaders(stream.headers()),
                new RelayedStream(stream),
                event -> event.object() instanceof Part part ? part.json() : null);
    }

    @Override
    public @Nullable Event poll() {
        byte[] bytes = stream.poll();
        return bytes == null ? null : new Event(Type.BOOKMARK, new Part(bytes), 0, false, null);
    }

    @Override
    public boolean isEnded() {
        return stream.isEnded();
    }

    @Override
    public void onReady(Runnable wakeUp) {
        stream.onReady(wakeUp);
    }

    @Override
    public void close() {
        stream.close();
    }

    /** Some bytes of the body; nothing is known of what they say. */
    private record Part(byte[] json) implements StoredObject {
        @Override
        public String key() {
            return "";
        }

        @Override
        public String namespace() {
            return "";
        }

        @Override
        public String name() {
            return "";
        }

        @Override
        public String uid() {
            return "";
        }

        @Override
        public long revision() {
            return 0;
        }

        @Override
        public Map<String, String> labels() {
            return Map.of();
        }

        @Override
        public com.fasterxml.jackson.databind.node.ObjectNode tree() {
            throw new IllegalStateException("bytes of another server are no object of this one");
        }
    }
}
