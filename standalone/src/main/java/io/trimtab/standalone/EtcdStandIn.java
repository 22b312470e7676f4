package io.trimtab.standalone;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Stands where envtest wants an etcd: answers {@code /health}, and tells the API server's launcher by {@code /trimtab/data-dir}
 * where the objects of this "etcd" are kept. It keeps none itself: the server opens a store of its own in that directory, so that it
 * finds its objects again when it is started anew over the same address. Ends with its process.
 */
public final class EtcdStandIn {
    private EtcdStandIn() {}

    /** @param args where it listens, as {@code http://127.0.0.1:2379}, and the directory */
    public static void main(String[] args) throws IOException {
        if (args.length != 2) {
            throw new IllegalArgumentException("expected a URL and a directory");
        }
        URI url = URI.create(args[0]);
        Path directory = Path.of(args[1]).toAbsolutePath();
        Files.createDirectories(directory);
        HttpServer server = HttpServer.create(new InetSocketAddress(url.getHost(), url.getPort()), 0);
        server.createContext(
                "/health", exchange -> answer(exchange, "application/json", "{\"health\":\"true\",\"reason\":\"\"}"));
        server.createContext("/trimtab/data-dir", exchange -> answer(exchange, "text/plain", directory + "\n"));
        server.start();
    }

    private static void answer(HttpExchange exchange, String type, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(200, body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }
}
