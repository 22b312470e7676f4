package io.trimtab.apiserver.callout;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Carries calls to other servers. {@link HttpsTransport} opens sockets; {@link LocalCallouts} answers inside this JVM, which is
 * how webhooks run in virtual time. Safe for use by any thread; whoever made it closes it.
 */
public interface CalloutTransport extends AutoCloseable {

    /** Nothing can be reached. */
    CalloutTransport NONE = request -> () -> {
        throw new CalloutException("dial tcp: lookup " + request.target().host() + ": no such host");
    };

    /** Sends a request, and does not wait for the answer. */
    Pending start(Request request);

    /**
     * Sends a request and waits for the whole answer, whatever its code.
     *
     * @throws CalloutException if there is none
     */
    default Reply send(Request request) {
        return start(request).await();
    }

    /**
     * Sends a request, waits for the head of the answer, and gives its body as it comes.
     *
     * @throws CalloutException if there is no answer
     */
    default Stream stream(Request request) {
        return new WholeStream(send(request));
    }

    /** Whether calls to this server are answered inside this JVM, so that its Service need not exist. */
    default boolean isLocal(Target target) {
        return false;
    }

    /** The URL of the place that calls to this server go to now, without a path; the server's own if that is not known. */
    default String located(Target target) {
        return target.url("");
    }

    /** The body of an answer, taken by one consumer at its own pace; {@link #close} is for any thread. */
    interface Stream extends AutoCloseable {
        int code();

        /** Names in lower case. */
        Map<String, List<String>> headers();

        /** The next part, or null if there is none now. */
        byte @Nullable [] poll();

        /** True once all was polled, or the stream broke. */
        boolean isEnded();

        /** Sets who is told that there may be something to poll; must only schedule. */
        void onReady(Runnable wakeUp);

        @Override
        void close();
    }

    /** An answer that came as a whole, seen as a stream. */
    final class WholeStream implements Stream {
        private final Reply reply;
        private boolean polled;

        WholeStream(Reply reply) {
            this.reply = reply;
        }

        @Override
        public int code() {
            return reply.code();
        }

        @Override
        public Map<String, List<String>> headers() {
            return reply.headers();
        }

        @Override
        public byte @Nullable [] poll() {
            if (polled) {
                return null;
            }
            polled = true;
            return reply.body();
        }

        @Override
        public boolean isEnded() {
            return polled;
        }

        @Override
        public void onReady(Runnable wakeUp) {
            wakeUp.run();
        }

        @Override
        public void close() {
            polled = true;
        }
    }

    /** An answer that is to come. */
    interface Pending {
        /**
         * Waits for it.
         *
         * @throws CalloutException if there is none
         */
        Reply await();
    }

    @Override
    default void close() {}

    /**
     * A request.
     *
     * @param pathAndQuery follows the target's own path
     * @param headers names as they go on the wire; Host and Content-Length are not among them
     * @param timeout from now until the answer's last byte
     */
    record Request(
            Target target,
            String method,
            String pathAndQuery,
            Map<String, List<String>> headers,
            byte[] body,
            Duration timeout) {
        /** As it stands in messages. */
        public String url() {
            return target.url(pathAndQuery);
        }
    }

    /**
     * An answer.
     *
     * @param headers names in lower case
     */
    record Reply(int code, Map<String, List<String>> headers, byte[] body) {
        /** The first value of a header, or null. */
        public @Nullable String header(String name) {
            List<String> values = headers.get(name);
            return values == null || values.isEmpty() ? null : values.get(0);
        }
    }
}
