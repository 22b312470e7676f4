package io.trimtab.standalone.extensions;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.trimtab.apiserver.certificates.CertificateAuthority;
import io.trimtab.apiserver.certificates.Credential;
import io.trimtab.runtime.RealDriver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.function.BiFunction;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** A webhook on loopback, over real HTTPS. */
final class HookServer implements AutoCloseable {
    private final HttpServer server;

    /** What to answer. */
    record Answer(int code, String type, String body) {
        static Answer json(String body) {
            return new Answer(200, "application/json", body);
        }
    }

    private HookServer(HttpServer server, BiFunction<String, String, Answer> handler) {
        this.server = server;
        server.setExecutor(Executors.newCachedThreadPool(step -> {
            Thread thread = new Thread(step, "hook");
            thread.setDaemon(true);
            return thread;
        }));
        server.createContext("/", exchange -> answer(exchange, handler));
        server.start();
    }

    private static void answer(HttpExchange exchange, BiFunction<String, String, Answer> handler) throws IOException {
        try (exchange) {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            Answer answer = handler.apply(exchange.getRequestURI().getPath().substring(1), body);
            byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", answer.type());
            exchange.sendResponseHeaders(answer.code(), bytes.length == 0 ? -1 : bytes.length);
            if (bytes.length > 0) {
                exchange.getResponseBody().write(bytes);
            }
        }
    }

    /**
     * Listens on any free port.
     *
     * @param handler gets the path without its first slash, and the body
     */
    static HookServer start(Credential credential, BiFunction<String, String, Answer> handler) {
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, new char[0]);
            store.setKeyEntry(
                    "key",
                    credential.privateKey(),
                    new char[0],
                    credential.chain().toArray(Certificate[]::new));
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, new char[0]);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(keys.getKeyManagers(), null, null);
            HttpsServer https = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            https.setHttpsConfigurator(new HttpsConfigurator(context));
            return new HookServer(https, handler);
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The same without TLS. */
    static HookServer plain(BiFunction<String, String, Answer> handler) {
        try {
            return new HookServer(
                    HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0), handler);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** An authority for one test. */
    static CertificateAuthority authority() {
        return CertificateAuthority.create(RealDriver.create("hook-ca"));
    }

    static Credential credential(CertificateAuthority authority, String... names) {
        return authority.issueServer("hook", List.of(names));
    }

    /** The authority's certificate as a configuration has it. */
    static String bundle(CertificateAuthority authority) {
        return Base64.getEncoder().encodeToString(authority.certificatePem().getBytes(StandardCharsets.US_ASCII));
    }

    int port() {
        return server.getAddress().getPort();
    }

    String url(String path) {
        return "https://127.0.0.1:" + port() + "/" + path;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
