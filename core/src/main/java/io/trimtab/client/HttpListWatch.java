package io.trimtab.client;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.client.http.AsyncBody;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.trimtab.runtime.Driver;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** List and watch over HTTP: watch events are JSON documents, one a line. */
final class HttpListWatch<T extends HasMetadata> implements ListWatch<T> {
    /** How much longer than asked a watch may last before we take its connection for dead. */
    private static final Duration GRACE = Duration.ofSeconds(30);

    private final FabricClient client;
    private final ResourceType<T> type;
    private final WatchScope scope;
    private final Codec<T> codec;

    HttpListWatch(FabricClient client, ResourceType<T> type, WatchScope scope, Codec<T> codec) {
        this.client = client;
        this.type = type;
        this.scope = scope;
        this.codec = codec;
    }

    @Override
    public Client.Page<T> list(@Nullable String resourceVersion, int limit, @Nullable String continueToken) {
        ListOptions options = options();
        // A continue token holds the revision; the server refuses both.
        options.setResourceVersion(continueToken == null ? resourceVersion : null);
        if (limit > 0) {
            options.setLimit((long) limit);
        }
        options.setContinue(continueToken);
        return codec.readPage(client.listBytes(type, scope.namespace(), options), true);
    }

    private ListOptions options() {
        ListOptions options = new ListOptions();
        options.setLabelSelector(scope.labelSelector());
        options.setFieldSelector(scope.fieldSelector());
        return options;
    }

    @Override
    public AutoCloseable watch(
            @Nullable String resourceVersion,
            boolean sendInitialEvents,
            Duration timeout,
            Consumer<WatchEvent<T>> events) {
        ListOptions options = options();
        options.setWatch(true);
        options.setAllowWatchBookmarks(true);
        options.setTimeoutSeconds(Math.max(1, timeout.toSeconds()));
        options.setResourceVersion(resourceVersion);
        if (sendInitialEvents) {
            options.setSendInitialEvents(true);
            options.setResourceVersionMatch("NotOlderThan");
        }
        Stream stream = new Stream(client.collectionPath(type, scope.namespace(), options), timeout, events);
        stream.lane.execute(stream::open);
        return stream;
    }

    /**
     * One watch. The HTTP client's threads only copy bytes; a lane reads and delivers them, and asks for the next bytes when the
     * last ones are delivered, so a slow receiver slows the server down and nothing piles up here.
     */
    private final class Stream implements AutoCloseable {
        private final String pathAndQuery;
        private final Duration timeout;
        private final Consumer<WatchEvent<T>> events;
        private final Driver.Lane lane;

        // Written and read on the lane only.
        private byte[] line = new byte[4096];
        private int lineLength;
        private @Nullable HttpResponse<AsyncBody> refused;
        private boolean ended;

        private final ReentrantLock lock = new ReentrantLock();

        @GuardedBy("lock")
        private boolean closed;

        @GuardedBy("lock")
        private @Nullable AsyncBody body;

        @GuardedBy("lock")
        private @Nullable CompletableFuture<HttpResponse<AsyncBody>> opening;

        @GuardedBy("lock")
        private Driver.@Nullable Timer timer;

        Stream(String pathAndQuery, Duration timeout, Consumer<WatchEvent<T>> events) {
            this.pathAndQuery = pathAndQuery;
            this.timeout = timeout;
            this.events = events;
            this.lane = client.driver().lane("watch " + type);
        }

        void open() {
            if (isClosed()) {
                return;
            }
            client.awaitTurn();
            arm(client.options().requestTimeout(), "no answer to the watch of " + type);
            CompletableFuture<HttpResponse<AsyncBody>> future;
            try {
                future = client.http().consumeBytes(client.watchRequest(pathAndQuery), this::onBytes);
            } catch (RuntimeException e) {
                end(noAnswer(e));
                return;
            }
            lock.lock();
            try {
                opening = future;
            } finally {
                lock.unlock();
            }
            future.whenComplete((response, failure) -> lane.execute(() -> onAnswer(response, failure)));
        }

        private void onAnswer(@Nullable HttpResponse<AsyncBody> response, @Nullable Throwable failure) {
            if (response == null) {
                end(noAnswer(failure));
                return;
            }
            AsyncBody answer = response.body();
            lock.lock();
            try {
                if (closed) {
                    answer.cancel();
                    return;
                }
                body = answer;
            } finally {
                lock.unlock();
            }
            if (response.isSuccessful()) {
                arm(timeout.plus(GRACE), "the watch of " + type + " did not end when asked to");
            } else {
                refused = response;
            }
            answer.done().whenComplete((nothing, problem) -> lane.execute(() -> onEnd(problem)));
            answer.consume();
        }

        /** On a thread of the HTTP client: the buffers are its own again when this returns. */
        private void onBytes(List<ByteBuffer> buffers, AsyncBody source) {
            int size = 0;
            for (ByteBuffer buffer : buffers) {
                size += buffer.remaining();
            }
            byte[] bytes = new byte[size];
            int at = 0;
            for (ByteBuffer buffer : buffers) {
                int length = buffer.remaining();
                buffer.get(bytes, at, length);
                at += length;
            }
            lane.execute(() -> {
                take(bytes);
                if (!isClosed()) {
                    source.consume();
                }
            });
        }

        private void take(byte[] bytes) {
            int start = 0;
            if (refused == null) {
                for (int i = 0; i < bytes.length; i++) {
                    if (bytes[i] == '\n') {
                        if (lineLength == 0) {
                            deliver(bytes, start, i - start);
                        } else {
                            append(bytes, start, i - start);
                            int length = lineLength;
                            lineLength = 0;
                            deliver(line, 0, length);
                        }
                        start = i + 1;
                    }
                }
            }
            append(bytes, start, bytes.length - start);
        }

        private void append(byte[] bytes, int offset, int length) {
            if (lineLength + length > line.length) {
                line = java.util.Arrays.copyOf(line, Math.max(2 * line.length, lineLength + length));
            }
            System.arraycopy(bytes, offset, line, lineLength, length);
            lineLength += length;
        }

        private void deliver(byte[] bytes, int offset, int length) {
            if (length <= 1 || isClosed()) {
                return; // an empty line, with or without a carriage return
            }
            WatchEvent<T> event = codec.readEvent(bytes, offset, length);
            if (event instanceof WatchEvent.Closed<T> closing) {
                end(closing.cause());
            } else if (event != null) {
                events.accept(event);
            }
        }

        private void onEnd(@Nullable Throwable problem) {
            HttpResponse<AsyncBody> response = refused;
            if (response != null) {
                ByteArrayOutputStream text = new ByteArrayOutputStream(lineLength);
                text.write(line, 0, lineLength);
                end(Failures.of(response.code(), response, text.toByteArray(), "GET", type.qualifiedName(), null));
            } else if (problem != null) {
                end(noAnswer(problem));
            } else {
                deliver(line, 0, lineLength);
                end(null);
            }
        }

        private ApiException noAnswer(@Nullable Throwable failure) {
            Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
            return new ApiException("the watch of " + type + " broke off: " + cause, cause);
        }

        /** Tells the receiver that no event follows. On the lane. */
        private void end(@Nullable ApiException cause) {
            if (ended || isClosed()) {
                return;
            }
            ended = true;
            close();
            events.accept(new WatchEvent.Closed<>(cause));
        }

        private void arm(Duration after, String message) {
            lock.lock();
            try {
                if (timer != null) {
                    timer.cancel();
                }
                if (!closed) {
                    timer = client.driver()
                            .schedule(after, () -> lane.execute(() -> end(new ApiException(message, null))));
                }
            } finally {
                lock.unlock();
            }
        }

        private boolean isClosed() {
            lock.lock();
            try {
                return closed;
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void close() {
            AsyncBody open;
            CompletableFuture<HttpResponse<AsyncBody>> pending;
            lock.lock();
            try {
                if (closed) {
                    return;
                }
                closed = true;
                open = body;
                pending = opening;
                if (timer != null) {
                    timer.cancel();
                }
            } finally {
                lock.unlock();
            }
            if (open != null) {
                open.cancel();
            } else if (pending != null) {
                pending.cancel(true);
            }
        }
    }
}
