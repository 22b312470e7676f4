package io.trimtab.apiserver.http;

import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.trimtab.runtime.Driver;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.ClientAuth;
import io.vertx.core.http.Http2Settings;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.net.KeyCertOptions;
import io.vertx.core.net.OpenSSLEngineOptions;
import io.vertx.core.net.TrustOptions;
import io.vertx.core.net.impl.ConnectionBase;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Serves an API server's function over HTTPS, and over plain HTTP on loopback if asked to.
 *
 * <p>Every request is handled on a thread of the driver, which may block; event loops only move bytes. What a client does not
 * read is not produced: a list waits with its next pieces, a watch leaves its events in their source, which ends when it
 * overflows. Needs a driver of real time. Closing ends all watches, lets other requests finish for a while, and frees the
 * ports.
 */
public final class HttpFrontend implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(HttpFrontend.class);

    static {
        // Read once, when Netty's allocator is loaded: see the package's text.
        setIfAbsent("io.netty.allocator.numDirectArenas", "2");
        setIfAbsent("io.netty.allocator.numHeapArenas", "1");
        setIfAbsent("io.netty.allocator.maxOrder", "5");
        // Nothing here looks up host names; the resolver would read files and keep threads for it.
        setIfAbsent("vertx.disableDnsResolver", "true");
    }

    private static final int EVENT_LOOPS = 2;
    /** As Go's server; label selectors and resource lists make long URLs. */
    private static final int MAX_HEADER_BYTES = 1024 * 1024;
    /** Go's server allows this many at once on a connection. */
    private static final int MAX_STREAMS = 250;
    /** Clients end a watch by resetting its stream, hundreds at once when they stop; that is no attack. */
    private static final int MAX_RESETS_PER_WINDOW = 100_000;

    private static final List<String> TLS13_SUITES =
            List.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256");

    /** As Go's server (rstAvoidanceDelay). */
    private static final Duration LINGER = Duration.ofMillis(500);

    private static final Duration SWEEP = Duration.ofSeconds(5);

    private final HttpOptions options;
    private final RequestHandler handler;
    private final Driver driver;
    private final ClientCertificates certificates;
    /** Null until the secure port is opened. */
    private volatile @Nullable ExchangeableIdentity identity;

    private final Vertx vertx;
    private final List<HttpServer> servers = new ArrayList<>();
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
    private final Set<Exchange> exchanges = ConcurrentHashMap.newKeySet();

    private int securePort = -1;
    private int insecurePort = -1;
    private volatile boolean closing;
    private volatile Driver.@Nullable Timer sweeper;
    private volatile DateHeader date = new DateHeader(0, "");

    private record DateHeader(long second, String text) {}

    private HttpFrontend(HttpOptions options, RequestHandler handler, Driver driver, ClientCertificates certificates) {
        this.options = options;
        this.handler = handler;
        this.driver = driver;
        this.certificates = certificates;
        this.vertx = Vertx.vertx(new VertxOptions()
                .setEventLoopPoolSize(EVENT_LOOPS)
                .setPreferNativeTransport(true)
                .setWorkerPoolSize(1)
                .setInternalBlockingPoolSize(2)
                .setFileSystemOptions(
                        new FileSystemOptions().setFileCachingEnabled(false).setClassPathResolvingEnabled(false)));
    }

    /**
     * Opens the ports, and returns when they are open.
     *
     * @param handler {@code ApiServer::handle}, the one that lets requests wait for their turn
     * @throws ListenException if a port or the certificate cannot be used
     */
    public static HttpFrontend start(HttpOptions options, RequestHandler handler, Driver driver) {
        if (driver.isVirtual()) {
            throw new IllegalArgumentException("sockets need a driver of real time");
        }
        ClientCertificates certificates;
        try {
            HttpOptions.Tls tls = options.tls();
            certificates = new ClientCertificates(tls == null ? List.of() : tls.clientAuthorities(), driver);
        } catch (CertificateException e) {
            throw new ListenException(
                    "cannot read the client CA: " + e.getMessage() + "; give certificates in PEM (--client-ca-file)",
                    e);
        }
        HttpFrontend frontend = new HttpFrontend(options, handler, driver, certificates);
        try {
            frontend.open();
            return frontend;
        } catch (RuntimeException e) {
            frontend.close();
            throw e;
        }
    }

    private void open() {
        HttpOptions.Tls tls = options.tls();
        if (options.securePort() >= 0 && tls != null) {
            HttpServerOptions secure = serverOptions(options.bindAddress(), options.securePort())
                    .setSsl(true)
                    .setUseAlpn(true)
                    .setAlpnVersions(List.of(HttpVersion.HTTP_2, HttpVersion.HTTP_1_1))
                    .setKeyCertOptions(KeyCertOptions.wrap(identify(tls)));
            if (OpenSSLEngineOptions.isAvailable()) {
                // Encrypting is most of what a list costs in the JDK's engine, and all of it until that is compiled.
                secure.setSslEngineOptions(new OpenSSLEngineOptions());
            }
            secure.setEnabledSecureTransportProtocols(Set.copyOf(tls.protocols()));
            if (!tls.cipherSuites().isEmpty()) {
                TLS13_SUITES.forEach(secure::addEnabledCipherSuite);
                tls.cipherSuites().forEach(secure::addEnabledCipherSuite);
            }
            secure.setClientAuth(ClientAuth.REQUEST);
            secure.setTrustOptions(TrustOptions.wrap(certificates.acceptingAll()));
            securePort = listen(secure, "--secure-port");
        }
        if (options.insecurePort() >= 0) {
            insecurePort = listen(serverOptions("127.0.0.1", options.insecurePort()), "--insecure-port");
        }
        sweep();
    }

    private ExchangeableIdentity identify(HttpOptions.Tls tls) {
        try {
            ExchangeableIdentity shown = new ExchangeableIdentity(tls);
            identity = shown;
            return shown;
        } catch (GeneralSecurityException e) {
            throw new ListenException(
                    "cannot listen on " + options.bindAddress() + ":" + options.securePort()
                            + ": the certificate or its key cannot be used: " + e.getMessage()
                            + "; both must be PEM, and belong to each other (--tls-cert-file, --tls-private-key-file)",
                    e);
        }
    }

    /**
     * Shows other certificates from now on, and believes what other authorities vouch for. Protocols and cipher suites stay. Who is
     * connected stays so, but each request is judged by the new authorities.
     *
     * @throws IllegalArgumentException if one cannot be used; nothing is changed then
     */
    public void exchange(HttpOptions.Tls tls) {
        ExchangeableIdentity shown = identity;
        if (shown == null) {
            return;
        }
        try {
            shown.exchange(tls);
            certificates.exchange(tls.clientAuthorities());
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    private static HttpServerOptions serverOptions(String host, int port) {
        HttpServerOptions server = new HttpServerOptions();
        server.setHost(host);
        server.setPort(port);
        server.setMaxHeaderSize(MAX_HEADER_BYTES);
        server.setMaxInitialLineLength(MAX_HEADER_BYTES);
        server.setMaxChunkSize(64 * 1024);
        server.setHandle100ContinueAutomatically(true);
        server.setTcpKeepAlive(true);
        server.setAcceptBacklog(1024);
        server.setInitialSettings(new Http2Settings()
                .setMaxConcurrentStreams(MAX_STREAMS)
                .setMaxHeaderListSize(MAX_HEADER_BYTES)
                .setInitialWindowSize(256 * 1024));
        server.setHttp2ConnectionWindowSize(1024 * 1024);
        server.setHttp2RstFloodMaxRstFramePerWindow(MAX_RESETS_PER_WINDOW);
        // The first subprotocol that is asked for is granted; Exchange takes out those that carry a credential.
        server.setWebSocketSubProtocols(List.of("*"));
        return server;
    }

    private int listen(HttpServerOptions server, String flag) {
        HttpServer http = vertx.createHttpServer(server)
                .requestHandler(this::onRequest)
                .invalidRequestHandler(this::refuse)
                .connectionHandler(this::onConnection)
                .exceptionHandler(e -> log.debug("Connection failed", e));
        try {
            http.listen().toCompletionStage().toCompletableFuture().join();
        } catch (CompletionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            String address = server.getHost() + ":" + server.getPort();
            throw new ListenException(
                    "cannot listen on " + address + ": " + cause.getMessage()
                            + "; end the process that has the port, or choose another address or port (" + flag
                            + ", 0 takes any that is free)",
                    cause);
        }
        servers.add(http);
        return http.actualPort();
    }

    /** Answers what is no HTTP, or too long, as Go's server does: and that is the end of the connection. */
    private void refuse(HttpServerRequest request) {
        Throwable cause = request.decoderResult().cause();
        boolean tooLong = cause instanceof TooLongHttpLineException || cause instanceof TooLongHttpHeaderException;
        int code = tooLong ? 431 : 400;
        String text = tooLong ? "431 Request Header Fields Too Large" : "400 Bad Request";
        Context context = Objects.requireNonNull(Vertx.currentContext(), "requests come on event loops");
        // The connection is closed on the answer. What the client still sends is read and dropped before: to close on
        // it would
        // reset the connection, and the client would not see the answer.
        driver.schedule(
                LINGER,
                () -> context.runOnContext(v -> {
                    request.response().setStatusCode(code);
                    request.response().putHeader("Content-Type", "text/plain; charset=utf-8");
                    request.response().putHeader("Connection", "close");
                    request.response()
                            .end(text)
                            .onComplete(sent -> request.connection().close());
                }));
    }

    /** The TLS port that is open, or -1. */
    public int securePort() {
        return securePort;
    }

    /** The plain HTTP port that is open, or -1. */
    public int insecurePort() {
        return insecurePort;
    }

    private void onConnection(HttpConnection http) {
        Connection connection = new Connection(http, driver.nanoTime());
        connections.add(connection);
        // Behind the codec, where the server's own flushes come by. HTTP/1 has one answer at a time.
        if (http instanceof ConnectionBase base
                && base.channel().pipeline().get(Http2ConnectionHandler.class) != null) {
            base.channel().pipeline().addLast(new LateFlush());
        }
        http.closeHandler(v -> connections.remove(connection));
        http.exceptionHandler(e -> log.debug("Connection broke", e));
    }

    private void onRequest(HttpServerRequest request) {
        Exchange exchange = new Exchange(this, request);
        exchanges.add(exchange);
        exchange.begin();
    }

    /**
     * Closes connections on which nothing is asked: clients that went away without a word, and half-open requests. Ends requests
     * that take too long, such as those whose body never comes.
     */
    private void sweep() {
        if (closing) {
            return;
        }
        long now = driver.nanoTime();
        Set<HttpConnection> busy = ConcurrentHashMap.newKeySet();
        long limit = options.requestTimeout().toNanos();
        for (Exchange exchange : exchanges) {
            busy.add(exchange.connection());
            if (now - exchange.begun() > limit) {
                exchange.expire();
            }
        }
        for (Connection connection : connections) {
            if (busy.contains(connection.http)) {
                connection.idleSince = now;
            } else if (now - connection.idleSince > options.idle().toNanos()) {
                connection.http.close();
            }
        }
        sweeper = driver.schedule(SWEEP, this::sweep);
    }

    HttpOptions options() {
        return options;
    }

    RequestHandler handler() {
        return handler;
    }

    Driver driver() {
        return driver;
    }

    ClientCertificates certificates() {
        return certificates;
    }

    boolean isClosing() {
        return closing;
    }

    void done(Exchange exchange) {
        exchanges.remove(exchange);
    }

    /** The Date header, made once a second. */
    String date() {
        Instant now = driver.now();
        DateHeader known = date;
        if (known.second() != now.getEpochSecond()) {
            known = new DateHeader(now.getEpochSecond(), HTTP_DATE.format(now));
            date = known;
        }
        return known.text();
    }

    private static final DateTimeFormatter HTTP_DATE = DateTimeFormatter.ofPattern(
                    "EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.US)
            .withZone(ZoneOffset.UTC);

    /** Ends watches, lets other requests finish for {@link HttpOptions#drain}, frees the ports. Idempotent. */
    @Override
    public void close() {
        if (closing) {
            return;
        }
        closing = true;
        Driver.Timer timer = sweeper;
        if (timer != null) {
            timer.cancel();
        }
        exchanges.forEach(Exchange::endWatch);
        long deadline = driver.nanoTime() + options.drain().toNanos();
        while (!exchanges.isEmpty() && driver.nanoTime() < deadline) {
            pause(Duration.ofMillis(5));
        }
        for (HttpServer server : servers) {
            join(server.close());
        }
        exchanges.forEach(Exchange::abandon);
        join(vertx.close());
    }

    private void pause(Duration duration) {
        var over = new java.util.concurrent.CompletableFuture<Void>();
        driver.schedule(duration, () -> over.complete(null));
        try {
            driver.await(over, duration.multipliedBy(200));
        } catch (java.util.concurrent.TimeoutException e) {
            // The driver is closed already, so no step will run: nothing to wait for.
            exchanges.clear();
        }
    }

    private static void join(io.vertx.core.Future<Void> future) {
        try {
            future.toCompletionStage().toCompletableFuture().join();
        } catch (CompletionException e) {
            log.debug("Not closed in good order", e);
        }
    }

    private static void setIfAbsent(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    private static final class Connection {
        final HttpConnection http;
        /** Written by the sweep only. */
        long idleSince;

        Connection(HttpConnection http, long now) {
            this.http = http;
            this.idleSince = now;
        }
    }
}
