package io.trimtab.apiserver.callout;

import io.trimtab.runtime.Driver;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpConnection;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.net.PemKeyCertOptions;
import io.vertx.core.net.SocketAddress;
import io.vertx.core.net.TrustOptions;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls over sockets, HTTP/1.1 with or without TLS. Connections are kept and used again, in a pool for each server and way to
 * trust it; the pools that were used last are kept. Nothing is started before the first call.
 *
 * <p>A call blocks its thread in real time, whatever the driver's time: a server outside does not know ours. Timeouts hold from
 * the resolution of the name to the last byte. Safe for use by any thread.
 */
public final class HttpsTransport implements CalloutTransport {
    private static final Logger LOG = LoggerFactory.getLogger(HttpsTransport.class);

    /** As many as Kubernetes keeps clients of webhooks. */
    private static final int MAX_POOLS = 200;
    /** Connections to one server: Go opens any number, but keeps few; beyond these, calls wait for one. */
    private static final int MAX_CONNECTIONS = 64;

    private static final int MAX_WAITING = 1024;
    /** More than any object that the store takes, with room for a list of them. */
    static final int MAX_ANSWER_BYTES = 64 * 1024 * 1024;

    private static final Duration IDLE = Duration.ofSeconds(60);
    private static final Duration HANDSHAKE = Duration.ofSeconds(10);

    private final Driver driver;
    private final @Nullable ServiceResolver services;
    private final ReentrantLock lock = new ReentrantLock();
    /** Guarded by lock; least recently used first. */
    private final Map<PoolKey, Pool> pools = new LinkedHashMap<>(16, 0.75f, true);
    /** Guarded by lock. */
    private @Nullable Vertx vertx;
    /** Guarded by lock. */
    private boolean closed;

    private record PoolKey(boolean tls, String host, int port, Target.Trust trust) {}

    /** Connections that no request has used are fresh: if one breaks, its request is not sent again. */
    private record Pool(HttpClient client, Set<HttpConnection> fresh) {}

    /** @param services finds Services; null if only URLs are called */
    public HttpsTransport(Driver driver, @Nullable ServiceResolver services) {
        this.driver = driver;
        this.services = services;
    }

    @Override
    public Pending start(Request request) {
        CompletableFuture<Reply> answer = new CompletableFuture<>();
        InFlight inFlight = new InFlight();
        SocketAddress address;
        try {
            address = resolve(request.target());
        } catch (CalloutException e) {
            return () -> {
                throw e;
            };
        }
        Vertx loops = loops();
        long timer = loops.setTimer(Math.max(1, request.timeout().toMillis()), t -> {
            answer.completeExceptionally(CalloutException.timeout());
            inFlight.cancel();
        });
        answer.whenComplete((reply, failure) -> loops.cancelTimer(timer));
        attempt(request, address, inFlight, answer, true);
        return () -> await(answer, inFlight, address);
    }

    @Override
    public Stream stream(Request request) {
        SocketAddress address = resolve(request.target());
        Vertx loops = loops();
        InFlight inFlight = new InFlight();
        CompletableFuture<Stream> head = new CompletableFuture<>();
        long timer = loops.setTimer(Math.max(1, request.timeout().toMillis()), t -> {
            head.completeExceptionally(CalloutException.timeout());
            inFlight.cancel();
        });
        head.whenComplete((reply, failure) -> loops.cancelTimer(timer));
        Pool pool = pool(request.target());
        pool.client()
                .request(options(request, address))
                .onFailure(head::completeExceptionally)
                .onSuccess(outgoing -> {
                    pool.fresh().remove(outgoing.connection());
                    if (!inFlight.begin(outgoing)) {
                        return;
                    }
                    request.headers().forEach(outgoing::putHeader);
                    (request.body().length == 0 ? outgoing.send() : outgoing.send(Buffer.buffer(request.body())))
                            .onSuccess(response -> head.complete(new HttpStream(outgoing, response)))
                            .onFailure(head::completeExceptionally);
                });
        try {
            return head.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            inFlight.cancel();
            throw new CalloutException("context canceled");
        } catch (ExecutionException e) {
            throw translate(e.getCause() == null ? e : e.getCause(), address);
        }
    }

    private static Reply await(CompletableFuture<Reply> answer, InFlight inFlight, SocketAddress address) {
        try {
            return answer.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            inFlight.cancel();
            throw new CalloutException("context canceled");
        } catch (ExecutionException e) {
            throw translate(e.getCause() == null ? e : e.getCause(), address);
        }
    }

    private void attempt(
            Request request,
            SocketAddress address,
            InFlight inFlight,
            CompletableFuture<Reply> answer,
            boolean mayRetry) {
        Pool pool = pool(request.target());
        pool.client()
                .request(options(request, address))
                .onFailure(answer::completeExceptionally)
                .onSuccess(outgoing -> {
                    boolean reused = !pool.fresh().remove(outgoing.connection());
                    if (!inFlight.begin(outgoing)) {
                        return;
                    }
                    exchange(outgoing, request).onSuccess(answer::complete).onFailure(e -> {
                        // The server had closed the connection before it could know of this request.
                        if (reused && mayRetry && e instanceof io.vertx.core.http.HttpClosedException) {
                            attempt(request, address, inFlight, answer, false);
                        } else {
                            answer.completeExceptionally(e);
                        }
                    });
                });
    }

    private static Future<Reply> exchange(HttpClientRequest outgoing, Request request) {
        request.headers().forEach(outgoing::putHeader);
        Future<HttpClientResponse> sent =
                request.body().length == 0 ? outgoing.send() : outgoing.send(Buffer.buffer(request.body()));
        return sent.compose(response -> {
            Buffer body = Buffer.buffer();
            io.vertx.core.Promise<Reply> done = io.vertx.core.Promise.promise();
            response.exceptionHandler(done::tryFail);
            response.handler(part -> {
                if (body.length() + part.length() > MAX_ANSWER_BYTES) {
                    outgoing.reset();
                    done.tryFail(new CalloutException(
                            "the response is larger than " + MAX_ANSWER_BYTES + " bytes, which is too much"));
                } else {
                    body.appendBuffer(part);
                }
            });
            response.endHandler(v -> {
                Map<String, List<String>> headers = new HashMap<>();
                response.headers()
                        .forEach((name, value) -> headers.computeIfAbsent(
                                        name.toLowerCase(Locale.ROOT), n -> new ArrayList<>(1))
                                .add(value));
                done.tryComplete(new Reply(response.statusCode(), headers, body.getBytes()));
            });
            return done.future();
        });
    }

    private static RequestOptions options(Request request, SocketAddress address) {
        Target target = request.target();
        String path = target.path() + request.pathAndQuery();
        RequestOptions options = new RequestOptions()
                .setMethod(HttpMethod.valueOf(request.method()))
                .setServer(address)
                .setHost(target.serverName())
                .setPort(target.port())
                .setSsl(target.tls())
                .setURI(path.startsWith("/") ? path : "/" + path);
        options.putHeader("Host", target.authority());
        return options;
    }

    @Override
    public String located(Target target) {
        Target.Service service = target.service();
        if (service == null || services == null) {
            return target.url("");
        }
        try {
            ServiceResolver.Address address = services.resolve(service);
            String host = address.host().indexOf(':') >= 0 ? "[" + address.host() + "]" : address.host();
            return (target.tls() ? "https://" : "http://") + host + ":" + address.port() + target.path();
        } catch (CalloutException e) {
            return target.url("");
        }
    }

    // ---- Addresses -----------------------------------------------------------------------------------------------

    private SocketAddress resolve(Target target) {
        String host = target.host();
        int port = target.port();
        Target.Service service = target.service();
        if (service != null && services != null) {
            ServiceResolver.Address found = services.resolve(service);
            host = found.host();
            port = found.port();
        }
        try {
            InetAddress[] all = InetAddress.getAllByName(host);
            return SocketAddress.inetSocketAddress(port, all[0].getHostAddress());
        } catch (UnknownHostException e) {
            throw new CalloutException("dial tcp: lookup " + host + ": no such host");
        }
    }

    // ---- Pools ---------------------------------------------------------------------------------------------------

    private Pool pool(Target target) {
        PoolKey key = new PoolKey(target.tls(), target.serverName(), target.port(), target.trust());
        List<HttpClient> evicted = new ArrayList<>(0);
        Vertx loops = loops();
        lock.lock();
        try {
            Pool pool = pools.get(key);
            if (pool == null) {
                pool = open(loops, target);
                pools.put(key, pool);
                for (Iterator<Pool> oldest = pools.values().iterator();
                        pools.size() > MAX_POOLS && oldest.hasNext(); ) {
                    evicted.add(oldest.next().client());
                    oldest.remove();
                }
            }
            return pool;
        } finally {
            lock.unlock();
            evicted.forEach(HttpClient::close);
        }
    }

    /** The event loop, started when it is needed first. */
    private Vertx loops() {
        lock.lock();
        try {
            if (closed) {
                throw new CalloutException("the server is shutting down");
            }
            Vertx loops = vertx;
            if (loops == null) {
                loops = Vertx.vertx(new VertxOptions()
                        .setEventLoopPoolSize(1)
                        .setWorkerPoolSize(1)
                        .setInternalBlockingPoolSize(1)
                        .setFileSystemOptions(new FileSystemOptions()
                                .setFileCachingEnabled(false)
                                .setClassPathResolvingEnabled(false)));
                vertx = loops;
            }
            return loops;
        } finally {
            lock.unlock();
        }
    }

    private Pool open(Vertx loops, Target target) {
        HttpClientOptions options = new HttpClientOptions()
                .setProtocolVersion(HttpVersion.HTTP_1_1)
                .setKeepAlive(true)
                .setKeepAliveTimeout((int) IDLE.toSeconds())
                .setDecompressionSupported(true)
                .setMaxWaitQueueSize(MAX_WAITING);
        options.setSsl(target.tls());
        options.setConnectTimeout(30_000);
        options.setSslHandshakeTimeout(HANDSHAKE.toSeconds());
        options.setTcpKeepAlive(true);
        if (target.tls()) {
            options.setForceSni(true);
            options.setVerifyHost(false); // the verifier does, in Go's words
            options.setTrustOptions(
                    TrustOptions.wrap(new ServerVerifier(target.trust(), target.serverName(), driver::now)));
            options.setEnabledSecureTransportProtocols(Set.of("TLSv1.2", "TLSv1.3"));
            var client = target.trust().client();
            if (client != null) {
                options.setKeyCertOptions(new PemKeyCertOptions()
                        .addCertValue(Buffer.buffer(client.chainPem().getBytes(StandardCharsets.US_ASCII)))
                        .addKeyValue(Buffer.buffer(client.privateKeyPem().getBytes(StandardCharsets.US_ASCII))));
            }
        }
        Set<HttpConnection> fresh = ConcurrentHashMap.newKeySet();
        HttpClient client = loops.httpClientBuilder()
                .with(options)
                .with(new PoolOptions().setHttp1MaxSize(MAX_CONNECTIONS))
                .withConnectHandler(connection -> {
                    fresh.add(connection);
                    connection.closeHandler(v -> fresh.remove(connection));
                    // Whoever asked is told; nobody else needs to know.
                    connection.exceptionHandler(e -> LOG.debug("connection broke: host={}", target.host(), e));
                })
                .build();
        return new Pool(client, fresh);
    }

    /** Ends all calls. Idempotent. */
    @Override
    public void close() {
        Vertx loops;
        lock.lock();
        try {
            closed = true;
            loops = vertx;
            vertx = null;
            pools.clear();
        } finally {
            lock.unlock();
        }
        if (loops != null) {
            loops.close();
        }
    }

    // ---- Errors --------------------------------------------------------------------------------------------------

    /** Says in Go's words what Netty found. */
    static CalloutException translate(Throwable failure, SocketAddress address) {
        if (failure instanceof CalloutException known) {
            return known;
        }
        String dial = "dial tcp " + show(address) + ": ";
        for (Throwable e = failure; e != null; e = e.getCause()) {
            String text = String.valueOf(e.getMessage());
            if (e instanceof UntrustedServerException) {
                return new CalloutException(text);
            }
            if (e instanceof io.netty.handler.ssl.NotSslRecordException) {
                return new CalloutException(
                        text.contains("485454502f") // "HTTP/"
                                ? "http: server gave HTTP response to HTTPS client"
                                : "tls: first record does not look like a TLS handshake");
            }
            if (e instanceof java.net.NoRouteToHostException) {
                return new CalloutException(dial + "connect: no route to host");
            }
            if (e instanceof io.netty.channel.ConnectTimeoutException) {
                return new CalloutException(dial + "i/o timeout");
            }
            if (e instanceof java.net.ConnectException) {
                return new CalloutException(dial
                        + (text.contains("unreachable")
                                ? "connect: network is unreachable"
                                : "connect: connection refused"));
            }
            if (e instanceof io.netty.handler.ssl.SslHandshakeTimeoutException) {
                return new CalloutException("net/http: TLS handshake timeout");
            }
            if (e instanceof javax.net.ssl.SSLException && text.startsWith("Received fatal alert: ")) {
                return new CalloutException("remote error: tls: "
                        + text.substring("Received fatal alert: ".length()).replace('_', ' '));
            }
            if (e instanceof io.vertx.core.http.HttpClosedException
                    || e instanceof java.nio.channels.ClosedChannelException) {
                return new CalloutException("EOF");
            }
            if (e instanceof java.io.IOException && text.contains("reset")) {
                return new CalloutException("read tcp " + show(address) + ": read: connection reset by peer");
            }
        }
        return new CalloutException(String.valueOf(failure.getMessage()));
    }

    private static String show(SocketAddress address) {
        String host = String.valueOf(address.hostAddress());
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + address.port();
    }

    /** The request that is under way, so that it can be ended from outside. */
    private static final class InFlight {
        private final ReentrantLock lock = new ReentrantLock();
        /** Guarded by lock. */
        private @Nullable HttpClientRequest request;
        /** Guarded by lock. */
        private boolean cancelled;

        /** False if nobody waits any more; the request is reset then. */
        boolean begin(HttpClientRequest outgoing) {
            boolean over;
            lock.lock();
            try {
                over = cancelled;
                request = outgoing;
            } finally {
                lock.unlock();
            }
            if (over) {
                outgoing.reset();
            }
            return !over;
        }

        void cancel() {
            HttpClientRequest outgoing;
            lock.lock();
            try {
                cancelled = true;
                outgoing = request;
            } finally {
                lock.unlock();
            }
            if (outgoing != null) {
                outgoing.reset();
            }
        }
    }
}
