package io.trimtab.health;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;

/**
 * Tells a program's health, and its metrics, on a port without TLS or passwords: nothing secret is said there, and the kubelet has
 * neither. Served by the JDK's own server. Safe for use by any thread.
 *
 * @since 0.1
 */
public final class HealthPort implements AutoCloseable {
    private final HttpServer server;

    private HealthPort(HttpServer server) {
        this.server = server;
    }

    /**
     * Opens a port.
     *
     * @param address what it listens on: {@code 127.0.0.1}, or {@code 0.0.0.0} in a pod
     * @param port 0 for any
     * @param metrics the text of {@code /metrics}, in Prometheus' format, such as a registry's {@code scrape()}
     * @throws UncheckedIOException if it cannot
     */
    public static HealthPort open(String address, int port, Health health, Supplier<String> metrics, Driver driver) {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getByName(address), port), 0);
            server.setExecutor(driver::execute);
            server.createContext("/", exchange -> {
                String query = exchange.getRequestURI().getQuery();
                Health.Answer answer =
                        health.answer(exchange.getRequestURI().getPath(), query != null && query.contains("verbose"));
                send(exchange, answer.code(), "text/plain; charset=utf-8", answer.text());
            });
            server.createContext(
                    "/metrics", exchange -> send(exchange, 200, "text/plain; version=0.0.4", metrics.get()));
            server.start();
            return new HealthPort(server);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot listen on " + address + ":" + port + ": " + e.getMessage(), e);
        }
    }

    private static void send(HttpExchange exchange, int code, String type, String text) throws IOException {
        try (exchange) {
            byte[] body = text.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", type);
            exchange.sendResponseHeaders(code, body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        }
    }

    /** The port it listens on. */
    public int port() {
        return server.getAddress().getPort();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
