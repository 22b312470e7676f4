package io.trimtab.apiserver.http;

import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.streaming.PortForward;
import io.trimtab.apiserver.streaming.RemoteCommand;
import io.trimtab.runtime.Driver;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.ServerWebSocket;
import io.vertx.core.net.NetSocket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Takes a connection out of HTTP, in the way its client asks for: a WebSocket, SPDY, or SPDY inside of a WebSocket. Belongs to
 * the request's event loop; what the other side does runs on a lane of its own.
 */
final class Upgrade {
    private static final String TUNNEL = "SPDY/3.1+portforward.k8s.io";
    private static final List<String> COMMAND_PROTOCOLS = List.of(
            "v5.channel.k8s.io",
            "v4.channel.k8s.io",
            "v3.channel.k8s.io",
            "v2.channel.k8s.io",
            "channel.k8s.io",
            "v4.base64.channel.k8s.io",
            "base64.channel.k8s.io",
            "");
    private static final List<String> SPDY_COMMAND_PROTOCOLS =
            List.of("v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io");

    private final Exchange exchange;
    private final HttpServerRequest request;
    private final Driver driver;
    private final Driver.Lane lane;

    Upgrade(Exchange exchange, HttpServerRequest request, Driver driver) {
        this.exchange = exchange;
        this.request = request;
        this.driver = driver;
        this.lane = driver.lane("upgraded connection");
    }

    void to(ApiResponse answer) {
        String kind =
                Objects.requireNonNullElse(request.getHeader("Upgrade"), "").toLowerCase(Locale.ROOT);
        if (kind.equals("websocket")) {
            exchange.withoutCredentials();
            webSocket(answer);
        } else if (kind.equals("spdy/3.1")) {
            spdy(answer);
        } else {
            refuse(400, "Upgrade request required");
        }
    }

    private void refuse(int code, String message) {
        byte[] body =
                ("{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":\""
                                + message + "\",\"reason\":\"" + (code == 403 ? "Forbidden" : "BadRequest")
                                + "\",\"code\":" + code
                                + "}")
                        .getBytes(java.nio.charset.StandardCharsets.UTF_8);
        request.resume();
        request.response()
                .setStatusCode(code)
                .putHeader("Content-Type", "application/json")
                .putHeader("Content-Length", String.valueOf(body.length))
                .end(Exchange.wrap(body));
    }

    private static List<String> list(@Nullable String header) {
        List<String> all = new ArrayList<>();
        if (header != null) {
            Arrays.stream(header.split(","))
                    .map(String::trim)
                    .filter(p -> !p.isEmpty())
                    .forEach(all::add);
        }
        return all;
    }

    // ---- WebSockets

    private void webSocket(ApiResponse answer) {
        List<String> asked = list(request.getHeader("Sec-WebSocket-Protocol"));
        List<String> known = new ArrayList<>(COMMAND_PROTOCOLS);
        if (answer instanceof ApiResponse.Forward) {
            known.clear();
            known.addAll(List.of(TUNNEL, "v4.channel.k8s.io", "v4.base64.channel.k8s.io", ""));
        }
        String chosen = asked.isEmpty()
                ? ""
                : asked.stream().filter(known::contains).findFirst().orElse(null);
        if (chosen == null) {
            refuse(400, "the requested protocols are not supported: " + String.join(", ", asked));
            return;
        }
        if (!chosen.isEmpty()) {
            request.headers().set("Sec-WebSocket-Protocol", chosen); // the first that is asked for is granted
        }
        request.toWebSocket().onComplete(upgraded -> {
            if (upgraded.failed()) {
                exchange.onGone();
                return;
            }
            ServerWebSocket socket = upgraded.result();
            socket.exceptionHandler(e -> exchange.onGone());
            socket.closeHandler(v -> exchange.onGone());
            if (chosen.equals(TUNNEL)) {
                tunnel(socket, ((ApiResponse.Forward) answer).ports());
            } else if (answer instanceof ApiResponse.Command command) {
                ChannelSocket channels = new ChannelSocket(exchange, lane, socket, chosen);
                channels.command(command.command());
                exchange.onGone(channels::gone);
            } else {
                ChannelSocket channels = new ChannelSocket(exchange, lane, socket, chosen);
                channels.forward(((ApiResponse.Forward) answer).ports());
                exchange.onGone(channels::gone);
            }
        });
    }

    /** SPDY's bytes in messages: what newer clients do to forward ports. */
    private void tunnel(ServerWebSocket socket, PortForward ports) {
        SpdyConnection connection = new SpdyConnection(
                bytes -> exchange.onLoop(() -> {
                    if (!exchange.isGone()) {
                        socket.writeBinaryMessage(Exchange.wrap(bytes));
                    }
                }),
                () -> exchange.onLoop(() -> {
                    if (!exchange.isGone()) {
                        socket.close();
                    }
                }));
        new SpdyPortForward(connection, ports);
        feed(connection);
        socket.binaryMessageHandler(message -> {
            byte[] bytes = message.getBytes();
            lane.execute(() -> connection.receive(bytes));
        });
    }

    private void feed(SpdyConnection connection) {
        exchange.onGone(() -> lane.execute(connection::gone));
    }

    // ---- SPDY

    private void spdy(ApiResponse answer) {
        List<String> asked = request.headers().getAll("X-Stream-Protocol-Version").stream()
                .flatMap(value -> list(value).stream())
                .toList();
        List<String> known =
                answer instanceof ApiResponse.Forward ? List.of("portforward.k8s.io") : SPDY_COMMAND_PROTOCOLS;
        String chosen = asked.stream().filter(known::contains).findFirst().orElse(null);
        if (chosen == null && !asked.isEmpty()) {
            refuse(
                    403,
                    "unable to upgrade: unable to negotiate protocol: client supports " + asked + ", server accepts "
                            + known);
            return;
        }
        request.response().putHeader("Connection", "Upgrade").putHeader("Upgrade", "SPDY/3.1");
        if (chosen != null) {
            request.response().putHeader("X-Stream-Protocol-Version", chosen);
        }
        request.toNetSocket().onComplete(upgraded -> {
            if (upgraded.failed()) {
                exchange.onGone();
                return;
            }
            NetSocket socket = upgraded.result();
            socket.exceptionHandler(e -> exchange.onGone());
            socket.closeHandler(v -> exchange.onGone());
            SpdyConnection connection = new SpdyConnection(
                    bytes -> exchange.onLoop(() -> {
                        if (!exchange.isGone()) {
                            socket.write(Exchange.wrap(bytes));
                        }
                    }),
                    () -> exchange.onLoop(() -> {
                        if (!exchange.isGone()) {
                            socket.end();
                        }
                    }));
            if (answer instanceof ApiResponse.Command command) {
                new SpdyCommand(connection, command.command(), driver, lane);
            } else {
                new SpdyPortForward(connection, ((ApiResponse.Forward) answer).ports());
            }
            feed(connection);
            socket.handler((Buffer buffer) -> {
                byte[] bytes = buffer.getBytes();
                lane.execute(() -> connection.receive(bytes));
            });
            socket.resume();
        });
        request.resume();
    }

    /** For those who make sessions of a command. */
    static RemoteCommand.Input nobody() {
        return new RemoteCommand.Input() {
            @Override
            public void stdin(byte[] bytes) {}

            @Override
            public void endStdin() {}

            @Override
            public void gone() {}
        };
    }
}
