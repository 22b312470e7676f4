package io.trimtab.webhook;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves webhooks over TLS with the JDK's own server: no dependency, and webhooks are called some times a second, not
 * thousands. Each new connection shows the certificate of the moment. Safe for use by any thread.
 */
final class HttpsPort implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(HttpsPort.class);
    /** Two objects of the largest size that etcd takes, and their envelope. */
    private static final int MAX_BODY = 8 << 20;

    private final HttpsServer server;
    private final Keys keys = new Keys();

    private HttpsPort(HttpsServer server) {
        this.server = server;
    }

    /**
     * Opens a port.
     *
     * @throws UncheckedIOException if it cannot
     */
    static HttpsPort open(String address, int port, Webhooks webhooks, ServingKeys first, Driver driver) {
        try {
            HttpsPort open =
                    new HttpsPort(HttpsServer.create(new InetSocketAddress(InetAddress.getByName(address), port), 0));
            open.show(first);
            SSLContext tls = SSLContext.getInstance("TLS");
            tls.init(new KeyManager[] {open.keys}, null, null);
            open.server.setHttpsConfigurator(new HttpsConfigurator(tls));
            open.server.setExecutor(driver::execute);
            open.server.createContext("/", exchange -> answer(exchange, webhooks));
            open.server.start();
            return open;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot listen on " + address + ":" + port + ": " + e.getMessage(), e);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("cannot speak TLS: " + e.getMessage(), e);
        }
    }

    int port() {
        return server.getAddress().getPort();
    }

    /** From now on connections show this certificate. */
    void show(ServingKeys now) {
        keys.current = now;
    }

    private static void answer(HttpExchange exchange, Webhooks webhooks) throws IOException {
        try (exchange) {
            Webhooks.Answer answer;
            if (!exchange.getRequestMethod().equals("POST")) {
                answer = Webhooks.Answer.failure(405, "reviews are posted");
            } else {
                byte[] body;
                try (InputStream in = exchange.getRequestBody()) {
                    body = in.readNBytes(MAX_BODY + 1);
                }
                answer = body.length > MAX_BODY
                        ? Webhooks.Answer.failure(413, "a review of more than " + MAX_BODY + " bytes")
                        : webhooks.handle(exchange.getRequestURI().getPath(), body);
            }
            exchange.getResponseHeaders().set("Content-Type", answer.contentType());
            exchange.sendResponseHeaders(answer.code(), answer.body().length == 0 ? -1 : answer.body().length);
            exchange.getResponseBody().write(answer.body());
        } catch (IOException e) {
            log.debug(
                    "Webhook call broke off: path={}", exchange.getRequestURI().getPath(), e);
        }
    }

    /** Stops listening; calls that run have a second to end. */
    @Override
    public void close() {
        server.stop(1);
    }

    /** The one key there is, whatever is asked for. */
    private static final class Keys extends X509ExtendedKeyManager {
        private static final String ALIAS = "webhook";
        private volatile @Nullable ServingKeys current; // written by whoever looks after the certificates

        @Override
        public String @Nullable [] getServerAliases(String keyType, Principal[] issuers) {
            return new String[] {ALIAS};
        }

        @Override
        public @Nullable String chooseServerAlias(String keyType, Principal[] issuers, Socket socket) {
            return keyType.startsWith("EC") ? ALIAS : null;
        }

        @Override
        public @Nullable String chooseEngineServerAlias(String keyType, Principal[] issuers, SSLEngine engine) {
            return keyType.startsWith("EC") ? ALIAS : null;
        }

        @Override
        public X509Certificate @Nullable [] getCertificateChain(String alias) {
            ServingKeys now = current;
            return now == null
                    ? null
                    : new X509Certificate[] {
                        now.server().certificate(), now.authority().certificate()
                    };
        }

        @Override
        public @Nullable PrivateKey getPrivateKey(String alias) {
            ServingKeys now = current;
            return now == null ? null : now.server().key();
        }

        @Override
        public String @Nullable [] getClientAliases(String keyType, Principal[] issuers) {
            return null;
        }

        @Override
        public @Nullable String chooseClientAlias(String[] keyType, Principal[] issuers, Socket socket) {
            return null;
        }
    }
}
