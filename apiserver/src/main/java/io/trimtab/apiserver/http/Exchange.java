package io.trimtab.apiserver.http;

import io.netty.buffer.Unpooled;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.Timeouts;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.StatusException;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.ServerWebSocket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One request and its answer. Fields belong to the request's event loop, but for those that say otherwise; the handler, and the
 * making of pieces, run on the driver's threads, one step at a time.
 */
final class Exchange {
    private static final Logger log = LoggerFactory.getLogger(Exchange.class);
    private static final byte[] PANIC =
            "This request caused apiserver to panic. Look in the logs for details.\n".getBytes(StandardCharsets.UTF_8);
    private static final String TEXT = "text/plain; charset=utf-8";
    private static final String BEARER_PROTOCOL = "base64url.bearer.authorization.k8s.io.";

    private final HttpFrontend frontend;
    private final HttpServerRequest request;
    private final HttpServerResponse response;
    private final Context context;
    private final HttpConnection connection;

    private final long begun;
    private byte[] body = new byte[0];
    private int bodyLength;
    private boolean finished;
    /** The answer has begun: another would come too late. */
    private boolean headWritten;
    /** What is to be told when the client has gone. */
    private @Nullable Runnable whenGone;
    /** Written on the event loop, read by whoever closes the server. */
    private volatile @Nullable WatchPump watch;
    /** Set on the event loop when the client has gone; read by the step that makes pieces. */
    private volatile boolean gone;

    Exchange(HttpFrontend frontend, HttpServerRequest request) {
        this.frontend = frontend;
        this.request = request;
        this.response = request.response();
        this.context = Objects.requireNonNull(Vertx.currentContext(), "requests come on event loops");
        this.connection = request.connection();
        this.begun = frontend.driver().nanoTime();
    }

    /** When the head of the request was there. */
    long begun() {
        return begun;
    }

    /** Answers with 504 what is not answered yet, and should be. Any thread. */
    void expire() {
        onLoop(() -> {
            if (finished || gone || headWritten || watch != null || isLongRunning()) {
                return;
            }
            // The body may still be on its way: nobody will read it.
            if (request.version() != HttpVersion.HTTP_2) {
                response.putHeader("Connection", "close");
                response.endHandler(v -> {
                    finish();
                    connection.close();
                });
            }
            write(Timeouts.over());
        });
    }

    private boolean isLongRunning() {
        String path = Requests.decodePath(request.path() == null ? "/" : request.path());
        if (path == null) {
            return false;
        }
        try {
            return RequestInfo.of(new ApiRequest(
                            request.method().name(),
                            path,
                            Requests.parseQuery(request.query()),
                            Map.of(),
                            new byte[0],
                            new ApiRequest.Peer("", List.of(), null)))
                    .longRunning();
        } catch (StatusException e) {
            return false;
        }
    }

    HttpConnection connection() {
        return connection;
    }

    /** Reads the body, then hands the request on. */
    void begin() {
        response.exceptionHandler(e -> onGone());
        response.closeHandler(v -> onGone());
        response.endHandler(v -> finish());
        request.exceptionHandler(e -> onGone());
        if (isWebSocket() || isSpdy()) {
            // The upgrade happens later, when the answer is known; until then the connection must not be read.
            request.pause();
            dispatch(new byte[0]);
            return;
        }
        if (mayHaveBody()) {
            request.handler(this::onBody);
            request.endHandler(v -> dispatch(bodyLength == body.length ? body : Arrays.copyOf(body, bodyLength)));
        } else {
            dispatch(new byte[0]);
        }
    }

    private boolean mayHaveBody() {
        if (request.version() == HttpVersion.HTTP_2) {
            return !request.isEnded();
        }
        String length = request.getHeader("content-length");
        return length != null ? !length.equals("0") : request.headers().contains("transfer-encoding");
    }

    /** What goes beyond the limit is read and forgotten, so that the client comes to read the refusal. */
    private void onBody(Buffer part) {
        int limit = frontend.options().maxBodyBytes() + 1;
        int length = Math.min(part.length(), limit - bodyLength);
        if (length <= 0) {
            return;
        }
        if (bodyLength + length > body.length) {
            int wanted = bodyLength == 0 ? expectedLength(length) : Math.max(2 * body.length, bodyLength + length);
            body = Arrays.copyOf(body, Math.min(Math.max(wanted, bodyLength + length), limit));
        }
        part.getBytes(0, length, body, bodyLength);
        bodyLength += length;
    }

    private int expectedLength(int atLeast) {
        try {
            String length = request.getHeader("content-length");
            return length == null ? atLeast : (int) Math.max(atLeast, Math.min(Long.parseLong(length), 1 << 20));
        } catch (NumberFormatException e) {
            return atLeast;
        }
    }

    /** Who comes by the plain port: on this machine, told of it by whoever opened it, and so an administrator. */
    private static final UserInfo UNSECURED =
            UserInfo.of("system:unsecured", UserInfo.MASTERS_GROUP, UserInfo.AUTHENTICATED_GROUP);

    private void dispatch(byte[] body) {
        if (headWritten) {
            return;
        }
        String path = Requests.decodePath(request.path() == null ? "/" : request.path());
        if (path == null) {
            write(new ApiResponse.Whole(
                    400,
                    Map.of("Content-Type", List.of(TEXT), "Connection", List.of("close")),
                    "400 Bad Request".getBytes(StandardCharsets.UTF_8)));
            return;
        }
        ClientCertificates.Verified verified =
                frontend.certificates().verify(request.isSSL() ? request.sslSession() : null);
        String address =
                request.remoteAddress() == null ? "" : request.remoteAddress().hostAddress();
        ApiRequest api = new ApiRequest(
                request.method().name(),
                path,
                Requests.parseQuery(request.query()),
                Requests.headers(request.headers()),
                body,
                new ApiRequest.Peer(
                        address == null ? "" : address,
                        verified.chain(),
                        request.isSSL() ? null : UNSECURED,
                        verified.rejected(),
                        request.uri()));
        frontend.driver().execute(() -> handle(api));
    }

    /** On a thread of the driver. */
    private void handle(ApiRequest api) {
        try {
            frontend.handler().handle(api, answer -> answered(api, answer));
        } catch (Throwable e) {
            failed(api, e);
        }
    }

    /** On a thread of the driver. */
    private void answered(ApiRequest api, ApiResponse answer) {
        ApiResponse result = answer;
        try {
            if (answer instanceof ApiResponse.Pieces pieces) {
                new PieceWriter(this, pieces, acceptsGzip(api)).first();
                return;
            }
            if (answer instanceof ApiResponse.Whole whole && acceptsGzip(api) && Gzip.isWorthIt(whole)) {
                result = Gzip.whole(whole);
            }
        } catch (Throwable e) {
            failed(api, e);
            return;
        }
        ApiResponse last = result;
        context.runOnContext(v -> write(last));
    }

    private void failed(ApiRequest api, Throwable e) {
        log.error("Request failed: method={} path={}", api.method(), api.path(), e);
        ApiResponse answer = new ApiResponse.Whole(500, Map.of("Content-Type", List.of(TEXT)), PANIC);
        context.runOnContext(v -> write(answer));
        if (e instanceof VirtualMachineError error) {
            throw error;
        }
    }

    private static boolean acceptsGzip(ApiRequest api) {
        List<String> values = api.headers().get("accept-encoding");
        if (values == null) {
            return false;
        }
        for (String value : values) {
            for (String encoding : value.split(",")) {
                if (encoding.trim().equals("gzip")) {
                    return true;
                }
            }
        }
        return false;
    }

    private void write(ApiResponse answer) {
        if (headWritten) {
            if (answer instanceof ApiResponse.Watch events) {
                events.events().close();
            }
            return; // it was told already that this takes too long
        }
        if (answer instanceof ApiResponse.Watch events) {
            if (gone) {
                events.events().close();
                finish();
            } else if (isWebSocket()) {
                upgrade(events);
            } else {
                head(events.code(), events.headers());
                response.setChunked(true);
                // Clients wait for the head of the answer before they believe in the watch.
                response.writeHead();
                WatchPump pump = new WatchPump(events, new WatchPump.HttpSink(response), context);
                watch = pump;
                pump.start();
                if (frontend.isClosing()) {
                    pump.close();
                }
            }
            return;
        }
        if (gone) {
            finish();
            return;
        }
        if (answer instanceof ApiResponse.Conversation conversation) {
            converse(conversation);
            return;
        }
        if (answer instanceof ApiResponse.Stream stream) {
            head(stream.code(), stream.headers());
            response.setChunked(true);
            response.writeHead();
            stream(stream);
            return;
        }
        if (answer instanceof ApiResponse.Command || answer instanceof ApiResponse.Forward) {
            headWritten = true;
            new Upgrade(this, request, frontend.driver()).to(answer);
            return;
        }
        ApiResponse.Whole whole = (ApiResponse.Whole) answer;
        if (isWebSocket() || isSpdy()) {
            request.resume();
        }
        head(whole.code(), whole.headers());
        boolean empty = whole.code() == 304 || whole.code() == 204;
        if (!empty) {
            response.putHeader("Content-Length", Integer.toString(whole.body().length));
        }
        if (empty || isHead()) {
            response.end();
        } else {
            response.end(wrap(whole.body()));
        }
    }

    /** Sets code and headers; adds the date. */
    void head(int code, Map<String, List<String>> headers) {
        headWritten = true;
        response.setStatusCode(code);
        boolean dated = false;
        for (Map.Entry<String, List<String>> header : headers.entrySet()) {
            String name = header.getKey();
            if (request.version() == HttpVersion.HTTP_2 && isConnectionHeader(name)) {
                continue;
            }
            dated |= name.equalsIgnoreCase("Date");
            response.putHeader(name, header.getValue());
        }
        if (!dated) {
            response.putHeader("Date", frontend.date());
        }
        if (frontend.isClosing() && request.version() != HttpVersion.HTTP_2) {
            response.putHeader("Connection", "close");
        }
    }

    private static boolean isConnectionHeader(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection" -> true;
            default -> false;
        };
    }

    boolean isHead() {
        return request.method().name().equals("HEAD");
    }

    /** Hands on what comes, in its order; the client's going ends it. */
    private void stream(ApiResponse.Stream stream) {
        frontend.driver().execute(() -> {
            Runnable cancel = stream.start().apply(new ApiResponse.Sink() {
                @Override
                public void write(byte[] bytes) {
                    onLoop(() -> {
                        if (!gone && !response.ended()) {
                            response.write(wrap(bytes));
                        }
                    });
                }

                @Override
                public void end() {
                    onLoop(() -> {
                        if (!gone && !response.ended()) {
                            response.end();
                        }
                    });
                }
            });
            onLoop(() -> {
                whenGone = cancel;
                if (gone) {
                    cancel.run();
                }
            });
        });
    }

    /** Sets what is called when the client has gone. */
    void onGone(Runnable action) {
        whenGone = action;
    }

    private boolean isSpdy() {
        String upgrade = request.version() == HttpVersion.HTTP_1_1 ? request.getHeader("Upgrade") : null;
        return "SPDY/3.1".equalsIgnoreCase(upgrade);
    }

    private boolean isWebSocket() {
        String upgrade = request.version() == HttpVersion.HTTP_1_1 ? request.getHeader("Upgrade") : null;
        return "websocket".equalsIgnoreCase(upgrade);
    }

    /** Channel 0 carries what the client has to say; a message on channel 255 closes one of the others (protocol v5). */
    private void converse(ApiResponse.Conversation conversation) {
        withoutCredentials();
        request.toWebSocket().onComplete(upgraded -> {
            if (upgraded.failed()) {
                finish();
                return;
            }
            ServerWebSocket socket = upgraded.result();
            socket.closeHandler(v -> onGone());
            socket.exceptionHandler(e -> onGone());
            if (!conversation.readsInput()) {
                socket.handler(b -> {});
                answer(conversation, socket, new byte[0]);
                return;
            }
            Buffer input = Buffer.buffer();
            socket.binaryMessageHandler(message -> {
                if (message.length() > 1 && message.getByte(0) == 0) {
                    input.appendBuffer(message.slice(1, message.length()));
                } else if (message.length() == 2 && (message.getByte(0) & 0xff) == 255 && message.getByte(1) == 0) {
                    socket.binaryMessageHandler(more -> {});
                    answer(conversation, socket, input.getBytes());
                }
                if (input.length() > frontend.options().maxBodyBytes()) {
                    socket.close();
                }
            });
        });
    }

    private void answer(ApiResponse.Conversation conversation, ServerWebSocket socket, byte[] input) {
        frontend.driver().execute(() -> {
            List<byte[]> messages = conversation.answer().apply(input);
            context.runOnContext(v -> {
                if (!gone) {
                    messages.forEach(message -> socket.writeBinaryMessage(wrap(message)));
                    socket.close();
                }
            });
        });
    }

    /** Takes bearer tokens out of the subprotocols: they are not to be granted. */
    void withoutCredentials() {
        String protocols = request.getHeader("Sec-WebSocket-Protocol");
        if (protocols != null && protocols.contains(BEARER_PROTOCOL)) {
            String rest = Arrays.stream(protocols.split(","))
                    .map(String::trim)
                    .filter(p -> !p.startsWith(BEARER_PROTOCOL))
                    .collect(Collectors.joining(", "));
            if (rest.isEmpty()) {
                request.headers().remove("Sec-WebSocket-Protocol");
            } else {
                request.headers().set("Sec-WebSocket-Protocol", rest);
            }
        }
    }

    private void upgrade(ApiResponse.Watch events) {
        withoutCredentials();
        boolean binary = events.headers().entrySet().stream()
                .anyMatch(h -> h.getKey().equalsIgnoreCase("Content-Type")
                        && h.getValue().toString().contains("protobuf"));
        request.toWebSocket().onComplete(upgraded -> {
            if (upgraded.failed()) {
                events.events().close();
                finish();
                return;
            }
            ServerWebSocket socket = upgraded.result();
            WatchPump pump = new WatchPump(events, new WatchPump.SocketSink(socket, binary), context);
            watch = pump;
            socket.closeHandler(v -> onGone());
            socket.exceptionHandler(e -> onGone());
            socket.handler(b -> {}); // a watch hears nothing from its client but that it goes
            pump.start();
        });
    }

    void onGone() {
        gone = true;
        Runnable told = whenGone;
        whenGone = null;
        if (told != null) {
            told.run();
        }
        WatchPump pump = watch;
        if (pump != null) {
            pump.close();
        }
        finish();
    }

    private void finish() {
        if (!finished) {
            finished = true;
            frontend.done(this);
        }
    }

    /** Ends the watch, if this is one, in good order; for the server's end. Any thread. */
    void endWatch() {
        WatchPump pump = watch;
        if (pump != null) {
            pump.close();
        }
    }

    /** Frees what the exchange holds; its connection is closed. Any thread. */
    void abandon() {
        gone = true;
        endWatch();
    }

    HttpServerResponse response() {
        return response;
    }

    HttpFrontend frontend() {
        return frontend;
    }

    /** True if an answer has begun; on the event loop. */
    boolean isAnswered() {
        return headWritten;
    }

    boolean isGone() {
        return gone;
    }

    void onLoop(Runnable step) {
        context.runOnContext(v -> step.run());
    }

    /** A buffer on the array itself. */
    @SuppressWarnings("deprecation") // the only way to a buffer that does not copy
    static Buffer wrap(byte[] bytes) {
        return Buffer.buffer(Unpooled.wrappedBuffer(bytes));
    }
}
