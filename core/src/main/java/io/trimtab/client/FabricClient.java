package io.trimtab.client;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.http.Interceptor;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.TokenBucket;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * The {@link Client} over Fabric8's HTTP abstraction: any transport Fabric8 has (and any that implements its
 * {@code HttpClient}, such as one inside the JVM), its authentication and TLS, but none of its DSL, so that a call costs a
 * path, a body and an answer.
 *
 * <p>A request that the server answers with 429 or 5xx <em>and</em> a Retry-After is repeated after that time, as client-go
 * does; a read whose connection broke is repeated once. Everything else is the caller's decision.
 *
 * <p>{@link #clientFor} gives the same connection under another component's name. Close the one that {@link Clients} returned;
 * closing one from {@code clientFor} does nothing.
 */
public final class FabricClient implements Client, AutoCloseable {
    private static final String JSON = "application/json";
    private static final String VERSION = Optional.ofNullable(
                    FabricClient.class.getPackage().getImplementationVersion())
            .orElse("dev");

    /** What all components of one connection share. */
    private record Connection(
            HttpClient http,
            String baseUrl,
            Driver driver,
            ClientOptions options,
            @Nullable ListWatchSource source,
            boolean agentByInterceptor,
            LongAdder unreadable,
            Map<ResourceType<?>, Codec<?>> codecs) {}

    private final Connection connection;
    private final boolean owner;
    private final HttpClient http;
    private final String userAgent;
    private final @Nullable TokenBucket limiter;
    /** Null if requests go over HTTP, or something on the way wants to see them there. */
    private final @Nullable DirectTransport direct;

    private FabricClient(Connection connection, String component, boolean owner, @Nullable TokenSource token) {
        this.connection = connection;
        this.owner = owner;
        this.userAgent = component.contains("/") ? component : component + "/" + VERSION + " (trimtab)";
        HttpClient base = connection.agentByInterceptor ? withAgent(connection.http, userAgent) : connection.http;
        this.http = token == null ? base : withToken(base, token);
        this.direct = token == null && !connection.agentByInterceptor && base instanceof DirectTransport d ? d : null;
        ClientOptions options = connection.options;
        this.limiter = options.queriesPerSecond() > 0
                ? new TokenBucket(connection.driver, options.queriesPerSecond(), options.burst())
                : null;
    }

    /**
     * A client over a transport.
     *
     * @param baseUrl such as {@code https://10.0.0.1:6443}
     * @param source null to list and watch over HTTP
     * @param agentByInterceptor the transport sets a user agent of its own after the request's, so set ours after that
     */
    static FabricClient create(
            HttpClient http,
            String baseUrl,
            Driver driver,
            ClientOptions options,
            @Nullable ListWatchSource source,
            boolean agentByInterceptor) {
        String base = baseUrl.endsWith("/") ? baseUrl.substring(0, baseUrl.length() - 1) : baseUrl;
        return new FabricClient(
                new Connection(
                        http,
                        base,
                        driver,
                        options,
                        source,
                        agentByInterceptor,
                        new LongAdder(),
                        new ConcurrentHashMap<>()),
                "trimtab",
                true,
                null);
    }

    private static HttpClient withAgent(HttpClient http, String userAgent) {
        return http.newBuilder()
                .addOrReplaceInterceptor("TRIMTAB_USER_AGENT", new Interceptor() {
                    @Override
                    public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
                        builder.setHeader("User-Agent", userAgent);
                    }
                })
                .build();
    }

    /**
     * The same connection for another component.
     *
     * @param component becomes the first word of the user agent, hence the default field manager of what it writes; a text
     *     with a slash is taken for the whole user agent
     */
    public FabricClient clientFor(String component) {
        return new FabricClient(connection, component, false, null);
    }

    /** Where a client has its bearer token from. Safe for use by several threads. */
    interface TokenSource {
        /**
         * The token to be sent now; may ask a server for it.
         *
         * @throws ApiException if there is none
         */
        String token();

        /** The server did not accept the token. Must not block. */
        void refused(String token);
    }

    /** The same connection for a component that shows its own token. */
    FabricClient clientFor(String component, TokenSource token) {
        return new FabricClient(connection, component, false, token);
    }

    private static HttpClient withToken(HttpClient http, TokenSource source) {
        return http.newBuilder()
                .addOrReplaceInterceptor("TRIMTAB_TOKEN", new Interceptor() {
                    @Override
                    public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
                        builder.setHeader("Authorization", "Bearer " + source.token());
                    }

                    @Override
                    public CompletableFuture<Boolean> afterFailure(
                            BasicBuilder builder, HttpResponse<?> response, RequestTags tags) {
                        if (response.code() == 401) {
                            response.request().headers("Authorization").stream()
                                    .filter(value -> value.startsWith("Bearer "))
                                    .forEach(value -> source.refused(value.substring("Bearer ".length())));
                        }
                        return CompletableFuture.completedFuture(false);
                    }
                })
                .build();
    }

    /** What this client calls itself towards the server. */
    public String userAgent() {
        return userAgent;
    }

    /** How many objects list and watch skipped because they could not be read as their type. */
    public long unreadableObjects() {
        return connection.unreadable.sum();
    }

    @Override
    public <T extends HasMetadata> Optional<T> get(ResourceType<T> type, @Nullable String namespace, String name) {
        try {
            byte[] body = send("GET", type.path(namespace, name), null, null, type, name);
            return Optional.of(codec(type).readObject(body));
        } catch (ApiException e) {
            if (e.isNotFound()) {
                return Optional.empty();
            }
            throw e;
        }
    }

    @Override
    public <T extends HasMetadata> Page<T> list(ResourceType<T> type, @Nullable String namespace, ListOptions options) {
        return codec(type).readPage(listBytes(type, namespace, options), false);
    }

    byte[] listBytes(ResourceType<?> type, @Nullable String namespace, ListOptions options) {
        return send("GET", collectionPath(type, namespace, options), null, null, type, null);
    }

    String collectionPath(ResourceType<?> type, @Nullable String namespace, ListOptions options) {
        StringBuilder path = new StringBuilder(type.path(namespace, null));
        query(path, "labelSelector", options.getLabelSelector());
        query(path, "fieldSelector", options.getFieldSelector());
        query(path, "resourceVersion", options.getResourceVersion());
        query(path, "resourceVersionMatch", options.getResourceVersionMatch());
        query(path, "limit", options.getLimit());
        query(path, "continue", options.getContinue());
        query(path, "watch", options.getWatch());
        query(path, "allowWatchBookmarks", options.getAllowWatchBookmarks());
        query(path, "sendInitialEvents", options.getSendInitialEvents());
        query(path, "timeoutSeconds", options.getTimeoutSeconds());
        return path.toString();
    }

    private static void query(StringBuilder path, String key, @Nullable Object value) {
        if (value == null || "".equals(value)) {
            return;
        }
        path.append(path.indexOf("?") < 0 ? '?' : '&')
                .append(key)
                .append('=')
                .append(URLEncoder.encode(value.toString(), StandardCharsets.UTF_8));
    }

    @Override
    public <T extends HasMetadata> T create(ResourceType<T> type, T object) {
        String path = type.path(object.getMetadata().getNamespace(), null);
        return write(
                "POST",
                path,
                JSON,
                KubernetesJson.write(object),
                type,
                object.getMetadata().getName());
    }

    @Override
    public <T extends HasMetadata> Written createOnly(ResourceType<T> type, T object) {
        String path = type.path(object.getMetadata().getNamespace(), null);
        String name = object.getMetadata().getName();
        return Written.read(send("POST", path, JSON, KubernetesJson.write(object), type, name));
    }

    @Override
    public <T extends HasMetadata> T update(ResourceType<T> type, T object) {
        String name = object.getMetadata().getName();
        String path = type.path(object.getMetadata().getNamespace(), name);
        return write("PUT", path, JSON, KubernetesJson.write(object), type, name);
    }

    @Override
    public <T extends HasMetadata> T updateStatus(ResourceType<T> type, T object) {
        String name = object.getMetadata().getName();
        return write("PUT", statusPath(type, object), JSON, KubernetesJson.write(object), type, name);
    }

    @Override
    public <T extends HasMetadata> Written updateStatusOnly(ResourceType<T> type, T object) {
        String name = object.getMetadata().getName();
        return Written.read(send("PUT", statusPath(type, object), JSON, KubernetesJson.write(object), type, name));
    }

    private static <T extends HasMetadata> String statusPath(ResourceType<T> type, T object) {
        return type.path(
                        object.getMetadata().getNamespace(),
                        object.getMetadata().getName()) + "/status";
    }

    @Override
    public <T extends HasMetadata> T patch(ResourceType<T> type, @Nullable String namespace, String name, Patch patch) {
        String path = patchPath(type, namespace, name, patch);
        return write("PATCH", path, patch.kind().contentType(), patch.body(), type, name);
    }

    @Override
    public <T extends HasMetadata> Written patchOnly(
            ResourceType<T> type, @Nullable String namespace, String name, Patch patch) {
        String path = patchPath(type, namespace, name, patch);
        return Written.read(send("PATCH", path, patch.kind().contentType(), patch.body(), type, name));
    }

    private static String patchPath(ResourceType<?> type, @Nullable String namespace, String name, Patch patch) {
        StringBuilder path = new StringBuilder(type.path(namespace, name));
        if (patch.subresource() != null) {
            path.append('/').append(patch.subresource());
        }
        query(path, "fieldManager", patch.fieldManager());
        if (patch.force()) {
            query(path, "force", "true");
        }
        return path.toString();
    }

    private <T extends HasMetadata> T write(
            String verb, String path, String contentType, String body, ResourceType<T> type, @Nullable String name) {
        return codec(type).readObject(send(verb, path, contentType, body, type, name));
    }

    @Override
    public void delete(ResourceType<?> type, @Nullable String namespace, String name, DeleteOptions options) {
        send("DELETE", type.path(namespace, name), JSON, body(options), type, name);
    }

    @Override
    public void deleteCollection(
            ResourceType<?> type, @Nullable String namespace, DeleteOptions options, ListOptions list) {
        send("DELETE", collectionPath(type, namespace, list), JSON, body(options), type, null);
    }

    @Override
    public <R> R createSubresource(
            ResourceType<?> type,
            @Nullable String namespace,
            String name,
            String subresource,
            Object body,
            Class<R> answer) {
        return subresource("POST", type, namespace, name, subresource, body, answer);
    }

    @Override
    public <R> R updateSubresource(
            ResourceType<?> type,
            @Nullable String namespace,
            String name,
            String subresource,
            Object body,
            Class<R> answer) {
        return subresource("PUT", type, namespace, name, subresource, body, answer);
    }

    private <R> R subresource(
            String verb,
            ResourceType<?> type,
            @Nullable String namespace,
            String name,
            String subresource,
            Object body,
            Class<R> answer) {
        String path = type.path(namespace, name) + "/" + subresource;
        String json = body instanceof String text ? text : KubernetesJson.write(body);
        byte[] bytes = send(verb, path, JSON, json, type, name);
        try {
            return KubernetesJson.mapper().readValue(bytes, answer);
        } catch (IOException e) {
            throw new ApiException("cannot read the answer as " + answer.getSimpleName() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public byte[] raw(String method, String pathAndQuery, byte @Nullable [] body) {
        String text = body == null ? null : new String(body, StandardCharsets.UTF_8);
        return send(method, pathAndQuery, text == null ? null : JSON, text, null, null);
    }

    @Override
    public <T extends HasMetadata> ListWatch<T> listWatch(ResourceType<T> type, WatchScope scope) {
        ListWatchSource source = connection.source;
        if (source != null) {
            Optional<ListWatch<T>> shortcut = source.listWatch(type, scope, userAgent);
            if (shortcut.isPresent()) {
                return shortcut.get();
            }
        }
        var mapper = connection.options.keepManagedFields() ? KubernetesJson.mapper() : KubernetesJson.cacheMapper();
        return new HttpListWatch<>(
                this,
                type,
                scope,
                new Codec<>(type, mapper, connection.unreadable, connection.options.compactCaches()));
    }

    @SuppressWarnings("unchecked") // keyed by the type
    private <T extends HasMetadata> Codec<T> codec(ResourceType<T> type) {
        return (Codec<T>) connection.codecs.computeIfAbsent(
                type, t -> new Codec<>(t, KubernetesJson.mapper(), connection.unreadable));
    }

    HttpClient http() {
        return http;
    }

    Driver driver() {
        return connection.driver;
    }

    ClientOptions options() {
        return connection.options;
    }

    HttpRequest watchRequest(String pathAndQuery) {
        return http.newHttpRequestBuilder()
                .uri(connection.baseUrl + pathAndQuery)
                .setHeader("Accept", JSON)
                .setHeader("User-Agent", userAgent)
                .forStreaming()
                .build();
    }

    /** Waits until the client-side limiter lets a request through. */
    void awaitTurn() {
        if (limiter != null) {
            pause(limiter.reserve());
        }
    }

    /** The one way out: sends, waits, repeats where that is safe, and turns every failure into an ApiException. */
    private byte[] send(
            String verb,
            String pathAndQuery,
            @Nullable String contentType,
            @Nullable String body,
            @Nullable ResourceType<?> type,
            @Nullable String name) {
        String path = verb.equals("GET") ? pathAndQuery : write(verb, pathAndQuery);
        boolean reconnected = false;
        for (int attempt = 0; ; attempt++) {
            awaitTurn();
            DirectTransport.Answer answer;
            try {
                answer = exchange(verb, path, contentType, body);
            } catch (ApiException e) {
                // An idle connection that the server closed shows only when it is used. A read can simply be read
                // again.
                boolean broken = e.getCause() instanceof IOException && !(e.getCause() instanceof ConnectException);
                if (broken && verb.equals("GET") && !reconnected) {
                    reconnected = true;
                    continue;
                }
                throw e;
            }
            int code = answer.code();
            if (code >= 200 && code < 300) {
                return answer.body();
            }
            OptionalInt retryAfter = Failures.retryAfterSeconds(answer.headers());
            boolean repeatable = code == 429 || code >= 500;
            if (repeatable && retryAfter.isPresent() && attempt < connection.options.maxRetries()) {
                pause(Duration.ofSeconds(retryAfter.getAsInt()));
                continue;
            }
            throw Failures.of(
                    code, answer.headers(), answer.body(), verb, type == null ? "" : type.qualifiedName(), name);
        }
    }

    /** Where a write goes, if it may go. */
    private String write(String verb, String pathAndQuery) {
        return switch (connection.options.writes()) {
            case STORED -> pathAndQuery;
            case DRY_RUN -> pathAndQuery + (pathAndQuery.indexOf('?') < 0 ? '?' : '&') + "dryRun=All";
            case READ_ONLY ->
                throw new ApiException(new StatusBuilder()
                        .withStatus("Failure")
                        .withCode(405)
                        .withReason("MethodNotAllowed")
                        .withMessage("this client only reads, not sent: " + verb + " " + pathAndQuery)
                        .build());
        };
    }

    @Override
    public WriteMode writes() {
        return connection.options.writes();
    }

    /** A server that is sent options in the body does not look for them in the URL. */
    private String body(DeleteOptions options) {
        if (connection.options.writes() != WriteMode.DRY_RUN) {
            return KubernetesJson.write(options);
        }
        DeleteOptions dry = KubernetesJson.copy(options);
        dry.setDryRun(List.of("All"));
        return KubernetesJson.write(dry);
    }

    private DirectTransport.Answer exchange(
            String verb, String pathAndQuery, @Nullable String contentType, @Nullable String body) {
        DirectTransport near = direct;
        if (near != null) {
            byte[] bytes = body == null ? new byte[0] : body.getBytes(StandardCharsets.UTF_8);
            try {
                Optional<DirectTransport.Answer> answer =
                        near.exchange(verb, pathAndQuery, contentType, bytes, userAgent);
                if (answer.isPresent()) {
                    return answer.get();
                }
            } catch (IOException | RuntimeException e) {
                throw new ApiException(verb + " " + pathAndQuery + ": no answer: " + e, e);
            }
        }
        HttpRequest.Builder builder = http.newHttpRequestBuilder()
                .uri(connection.baseUrl + pathAndQuery)
                .setHeader("Accept", JSON)
                .setHeader("User-Agent", userAgent)
                .timeout(connection.options.requestTimeout().toMillis(), TimeUnit.MILLISECONDS);
        if (body != null) {
            builder.method(verb, contentType, body);
        } else if (!verb.equals("GET")) {
            builder.method(verb, null, null);
        }
        HttpResponse<byte[]> response = await(http.sendAsync(builder.build(), byte[].class), verb, pathAndQuery);
        return new DirectTransport.Answer(
                response.code(), response, response.body() == null ? new byte[0] : response.body());
    }

    private <R> R await(CompletableFuture<R> answer, String verb, String path) {
        try {
            return answer.isDone()
                    ? answer.join()
                    : connection.driver.await(answer, connection.options.requestTimeout());
        } catch (TimeoutException e) {
            answer.cancel(true);
            throw new ApiException(verb + " " + path + ": no answer within " + connection.options.requestTimeout(), e);
        } catch (CompletionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new ApiException(verb + " " + path + ": no answer: " + cause, cause);
        }
    }

    private void pause(Duration time) {
        if (time.isZero()) {
            return;
        }
        try {
            connection.driver.await(new CompletableFuture<>(), time);
        } catch (TimeoutException expected) {
            // that is how one waits for nothing but time
        } catch (CompletionException e) {
            throw new ApiException("interrupted while waiting to send a request", e);
        }
    }

    @Override
    public void close() {
        if (owner) {
            connection.http.close();
        }
    }
}
