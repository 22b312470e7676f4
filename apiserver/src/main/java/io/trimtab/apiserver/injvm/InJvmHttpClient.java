package io.trimtab.apiserver.injvm;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.http.AsyncBody;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.http.StandardHttpClient;
import io.fabric8.kubernetes.client.http.StandardHttpHeaders;
import io.fabric8.kubernetes.client.http.StandardHttpRequest;
import io.fabric8.kubernetes.client.http.StandardWebSocketBuilder;
import io.fabric8.kubernetes.client.http.WebSocket;
import io.fabric8.kubernetes.client.http.WebSocketHandshakeException;
import io.fabric8.kubernetes.client.http.WebSocketResponse;
import io.fabric8.kubernetes.client.http.WebSocketUpgradeResponse;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.http.Requests;
import io.trimtab.client.DirectTransport;
import io.trimtab.client.ListWatch;
import io.trimtab.client.ListWatchSource;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Fabric8's HTTP client on the API server's function. A request is handled on the caller's stack, so its future is complete
 * when the call returns; only events of watches come later, on a lane of the driver. Safe for use by any thread.
 */
final class InJvmHttpClient extends StandardHttpClient<InJvmHttpClient, InJvmHttpClientFactory, InJvmHttpClientBuilder>
        implements ListWatchSource, DirectTransport {
    private final InJvmHttpClientFactory factory;
    private final OpenStreams streams;
    /** Somebody has put an interceptor between. */
    private final boolean intercepted;

    InJvmHttpClient(
            InJvmHttpClientBuilder builder, InJvmHttpClientFactory factory, AtomicBoolean closed, OpenStreams streams) {
        super(builder, closed);
        this.factory = factory;
        this.streams = streams;
        this.intercepted = !builder.getInterceptors().isEmpty();
    }

    OpenStreams streams() {
        return streams;
    }

    @Override
    public <T extends HasMetadata> Optional<ListWatch<T>> listWatch(
            ResourceType<T> type, WatchScope scope, String userAgent) {
        ListWatchSource source = factory.source();
        return source == null ? Optional.empty() : source.listWatch(type, scope, userAgent);
    }

    @Override
    public Optional<Answer> exchange(
            String verb, String pathAndQuery, @Nullable String contentType, byte[] body, String userAgent)
            throws IOException {
        if (intercepted) {
            return Optional.empty();
        }
        if (isClosed()) {
            throw new IOException("the client is closed");
        }
        URI uri = URI.create(pathAndQuery);
        Map<String, List<String>> headers = new LinkedHashMap<>();
        headers.put("accept", List.of("application/json"));
        headers.put("user-agent", List.of(userAgent));
        if (contentType != null) {
            headers.put("content-type", List.of(contentType));
        }
        ApiResponse response = factory.server()
                .apply(new ApiRequest(
                        verb,
                        uri.getPath(),
                        Requests.parseQuery(uri.getRawQuery()),
                        headers,
                        body,
                        new ApiRequest.Peer("127.0.0.1", List.of(), factory.user())));
        return Optional.of(new Answer(
                response.code(),
                new StandardHttpHeaders(new LinkedHashMap<>(response.headers())),
                AnswerBytes.of(response).rest()));
    }

    @Override
    public CompletableFuture<HttpResponse<AsyncBody>> consumeBytesDirect(
            StandardHttpRequest request, AsyncBody.Consumer<List<ByteBuffer>> consumer) {
        if (isClosed()) {
            return CompletableFuture.failedFuture(new IOException("the client is closed"));
        }
        try {
            ApiResponse answer = factory.server().apply(apiRequest(request, Map.of()));
            AsyncBody body = answer instanceof ApiResponse.Watch watch
                    ? new WatchBody(watch, consumer)
                    : new WholeBody(answer, consumer);
            return CompletableFuture.completedFuture(
                    new Response(request, answer.code(), new LinkedHashMap<>(answer.headers()), body));
        } catch (IOException | RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @Override
    public CompletableFuture<WebSocketResponse> buildWebSocketDirect(
            StandardWebSocketBuilder socketBuilder, WebSocket.Listener listener) {
        StandardHttpRequest request = socketBuilder.asHttpRequest();
        if (isClosed()) {
            return CompletableFuture.failedFuture(new IOException("the client is closed"));
        }
        try {
            Map<String, List<String>> upgrade = new LinkedHashMap<>();
            upgrade.put("connection", List.of("Upgrade"));
            upgrade.put("upgrade", List.of("websocket"));
            if (socketBuilder.getSubprotocol() != null) {
                upgrade.put("sec-websocket-protocol", List.of(socketBuilder.getSubprotocol()));
            }
            ApiResponse answer = factory.server().apply(apiRequest(request, upgrade));
            Map<String, List<String>> headers = new LinkedHashMap<>(answer.headers());
            if (answer instanceof ApiResponse.Watch watch) {
                Socket socket = new Socket(watch, listener);
                WebSocketUpgradeResponse upgraded = new WebSocketUpgradeResponse(request, 101, headers);
                listener.onOpen(socket);
                socket.stream.start();
                socket.request();
                return CompletableFuture.completedFuture(new WebSocketResponse(upgraded, socket));
            }
            // What is no watch is an error, or a path that knows no WebSocket: either way there is no socket.
            int code = answer.code() >= 200 && answer.code() < 300 ? 400 : answer.code();
            WebSocketUpgradeResponse refused = new WebSocketUpgradeResponse(request, code, headers);
            return CompletableFuture.completedFuture(
                    new WebSocketResponse(refused, new WebSocketHandshakeException(refused)));
        } catch (IOException | RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    @Override
    protected void doClose() {
        streams.closeAll();
    }

    private ApiRequest apiRequest(StandardHttpRequest request, Map<String, List<String>> more) throws IOException {
        URI uri = request.uri();
        Map<String, List<String>> headers = new LinkedHashMap<>();
        request.headers().forEach((name, values) -> headers.put(name.toLowerCase(Locale.ROOT), List.copyOf(values)));
        headers.putAll(more);
        if (request.getContentType() != null) {
            headers.putIfAbsent("content-type", List.of(request.getContentType()));
        }
        String path = uri.getPath() == null || uri.getPath().isEmpty() ? "/" : uri.getPath();
        // A token says who asks better than the surroundings do.
        UserInfo trusted = headers.containsKey("authorization") ? null : factory.user();
        return new ApiRequest(
                request.method(),
                path,
                Requests.parseQuery(uri.getRawQuery()),
                headers,
                body(request.body()),
                new ApiRequest.Peer("127.0.0.1", List.of(), trusted));
    }

    private static byte[] body(StandardHttpRequest.@Nullable BodyContent content) throws IOException {
        if (content instanceof StandardHttpRequest.StringBodyContent text) {
            return text.getContent().getBytes(StandardCharsets.UTF_8);
        }
        if (content instanceof StandardHttpRequest.ByteArrayBodyContent bytes) {
            return bytes.getContent();
        }
        if (content instanceof StandardHttpRequest.InputStreamBodyContent stream) {
            try (InputStream in = stream.getContent()) {
                return in.readAllBytes();
            }
        }
        return new byte[0];
    }

    private static final class Response extends StandardHttpHeaders implements HttpResponse<AsyncBody> {
        private final HttpRequest request;
        private final int code;
        private final AsyncBody body;

        Response(HttpRequest request, int code, Map<String, List<String>> headers, AsyncBody body) {
            super(headers);
            this.request = request;
            this.code = code;
            this.body = body;
        }

        @Override
        public int code() {
            return code;
        }

        @Override
        public AsyncBody body() {
            return body;
        }

        @Override
        public HttpRequest request() {
            return request;
        }

        @Override
        public Optional<HttpResponse<?>> previousResponse() {
            return Optional.empty();
        }
    }

    /** An answer that ends: pieces are handed over on the stack of whoever asks for them. */
    private static final class WholeBody implements AsyncBody {
        private final AnswerBytes pieces;
        private final Consumer<List<ByteBuffer>> consumer;
        private final CompletableFuture<Void> done = new CompletableFuture<>();
        private final Object lock = new Object();
        /** Guarded by lock: deliveries asked for and not made. */
        private int requested;
        /** Guarded by lock: someone is delivering, who will see what is asked for meanwhile. */
        private boolean delivering;

        WholeBody(ApiResponse answer, Consumer<List<ByteBuffer>> consumer) {
            this.pieces = AnswerBytes.of(answer);
            this.consumer = consumer;
        }

        @Override
        public void consume() {
            synchronized (lock) {
                requested++;
                if (delivering) {
                    return;
                }
                delivering = true;
            }
            // The consumer asks for more from inside its own call: a loop here, or a long list would nest that deep.
            while (true) {
                synchronized (lock) {
                    if (requested == 0 || done.isDone()) {
                        delivering = false;
                        return;
                    }
                    requested--;
                }
                try {
                    byte[] piece = pieces.next();
                    if (piece == null) {
                        done.complete(null);
                    } else {
                        consumer.consume(List.of(ByteBuffer.wrap(piece).asReadOnlyBuffer()), this);
                    }
                } catch (Exception e) {
                    done.completeExceptionally(e);
                }
            }
        }

        @Override
        public CompletableFuture<Void> done() {
            return done;
        }

        @Override
        public void cancel() {
            done.cancel(false);
        }
    }

    private final class WatchBody implements AsyncBody, EventStream.Receiver {
        private final Consumer<List<ByteBuffer>> consumer;
        private final CompletableFuture<Void> done = new CompletableFuture<>();
        private final EventStream stream;
        private final AtomicBoolean started = new AtomicBoolean();

        WatchBody(ApiResponse.Watch watch, Consumer<List<ByteBuffer>> consumer) {
            this.consumer = consumer;
            this.stream = new EventStream(watch, factory.driver(), false, streams, this);
        }

        @Override
        public void consume() {
            if (started.compareAndSet(false, true)) {
                stream.start();
            }
            stream.request();
        }

        @Override
        public CompletableFuture<Void> done() {
            return done;
        }

        @Override
        public void cancel() {
            stream.close();
            done.cancel(false);
        }

        @Override
        public void onFrames(List<byte[]> frames) {
            try {
                consumer.consume(
                        frames.stream()
                                .map(f -> ByteBuffer.wrap(f).asReadOnlyBuffer())
                                .toList(),
                        this);
            } catch (Exception e) {
                stream.close();
                done.completeExceptionally(e);
            }
        }

        @Override
        public void onEnd(@Nullable Throwable failure) {
            if (failure == null) {
                done.complete(null);
            } else {
                done.completeExceptionally(failure);
            }
        }
    }

    private final class Socket implements WebSocket, EventStream.Receiver {
        private final WebSocket.Listener listener;
        private final boolean binary;
        private final EventStream stream;
        private final AtomicBoolean closing = new AtomicBoolean();

        Socket(ApiResponse.Watch watch, WebSocket.Listener listener) {
            this.listener = listener;
            this.binary = watch.headers().toString().contains("protobuf");
            this.stream = new EventStream(watch, factory.driver(), true, streams, this);
        }

        @Override
        public boolean send(ByteBuffer buffer) {
            return !closing.get(); // a watch hears nothing from its client
        }

        @Override
        public boolean sendClose(int code, String reason) {
            if (!closing.compareAndSet(false, true)) {
                return false;
            }
            stream.close();
            // The other side answers a close with a close.
            factory.driver().execute(() -> listener.onClose(this, code, reason == null ? "" : reason));
            return true;
        }

        @Override
        public long queueSize() {
            return 0;
        }

        @Override
        public void request() {
            stream.request();
        }

        @Override
        public void onFrames(List<byte[]> frames) {
            for (byte[] frame : frames) {
                if (binary) {
                    listener.onMessage(this, ByteBuffer.wrap(frame));
                } else {
                    listener.onMessage(this, new String(frame, StandardCharsets.UTF_8));
                }
            }
        }

        @Override
        public void onEnd(@Nullable Throwable failure) {
            if (failure != null) {
                listener.onError(this, failure);
            } else if (closing.compareAndSet(false, true)) {
                listener.onClose(this, 1000, "");
            }
        }
    }
}
