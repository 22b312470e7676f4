package io.trimtab.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.http.AsyncBody;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.http.StandardHttpRequest;
import io.fabric8.kubernetes.client.http.WebSocket;
import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URLDecoder;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;

/**
 * The far side of the wire, scripted: keeps objects as trees, lists in pages, watches with bookmarks and streaming lists, and
 * misbehaves when told. No validation, no defaults: what a client does is under test here, not what a server does.
 */
public final class FakeApi implements HttpClient {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A request that came in. */
    public record Seen(String method, String pathAndQuery, String userAgent, String contentType, String body) {
        public String path() {
            int query = pathAndQuery.indexOf('?');
            return query < 0 ? pathAndQuery : pathAndQuery.substring(0, query);
        }

        public boolean isWatch() {
            return pathAndQuery.contains("watch=true");
        }
    }

    /** An answer that is given instead of the right one. */
    public record Canned(int code, Map<String, String> headers, String body) {}

    private record Logged(long revision, String resource, String type, ObjectNode object) {}

    private record Fault(Predicate<Seen> when, Canned answer, IOException failure) {}

    private final Map<String, TreeMap<String, ObjectNode>> objects = new HashMap<>();
    private final List<Logged> log = new ArrayList<>();
    private final List<Stream> streams = new ArrayList<>();
    private final Deque<Fault> faults = new ArrayDeque<>();
    private final Set<String> notServed = new HashSet<>();
    private final List<Seen> seen = new ArrayList<>();
    private long revision = 100;
    private long compacted;
    private long uids;
    private boolean streamingLists = true;
    private boolean paused;
    private int chunkSize = Integer.MAX_VALUE;
    private boolean closed;

    // ---- the script ------------------------------------------------------------------------------------------------

    public FabricClient client(Driver driver) {
        return Clients.over(this, "http://fake", driver, ClientOptions.DEFAULT);
    }

    public synchronized List<Seen> seen() {
        return List.copyOf(seen);
    }

    public synchronized void forget() {
        seen.clear();
    }

    public synchronized long revision() {
        return revision;
    }

    public synchronized int openWatches() {
        return streams.size();
    }

    /** The server does or does not know {@code sendInitialEvents}. */
    public synchronized FakeApi streamingLists(boolean on) {
        streamingLists = on;
        return this;
    }

    /** Watch events arrive in pieces of this size. */
    public synchronized FakeApi chunkSize(int bytes) {
        chunkSize = bytes;
        return this;
    }

    public synchronized void serve(String resource, boolean served) {
        if (served) {
            notServed.remove(resource);
        } else {
            notServed.add(resource);
        }
    }

    /** Answers the next request that matches with this. */
    public synchronized void failNext(Predicate<Seen> when, int code, Map<String, String> headers, String body) {
        faults.add(new Fault(when, new Canned(code, headers, body), null));
    }

    /** Breaks the connection of the next request that matches. */
    public synchronized void breakNext(Predicate<Seen> when, IOException failure) {
        faults.add(new Fault(when, null, failure));
    }

    /** Events are held back from now on, or all told. */
    public void pauseWatches(boolean on) {
        List<Stream> open;
        synchronized (this) {
            paused = on;
            open = List.copyOf(streams);
        }
        open.forEach(Stream::flush);
    }

    /** Ends all watches, in good order if there is no failure. */
    public void endWatches(IOException failure) {
        List<Stream> open;
        synchronized (this) {
            open = List.copyOf(streams);
            streams.clear();
        }
        open.forEach(s -> s.finish(failure));
    }

    /** Sends a line to all watches. */
    public void sendLine(String json) {
        List<Stream> open;
        synchronized (this) {
            open = List.copyOf(streams);
        }
        open.forEach(s -> s.send(json));
    }

    /** Tells all watches the current revision. */
    public void bookmark() {
        sendLine("{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"X\",\"metadata\":{\"resourceVersion\":\"" + revision()
                + "\",\"creationTimestamp\":null}}}");
    }

    /** Events before now can no longer be watched from. */
    public synchronized void compact() {
        compacted = ++revision;
    }

    /** Puts an object as if another client had written it; returns its revision. */
    public long put(HasMetadata object) {
        ResourceType<?> type = ResourceType.of(object.getClass());
        ObjectNode tree = JSON.createObjectNode();
        try {
            tree = (ObjectNode) JSON.readTree(KubernetesJson.write(object));
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
        tree.put("apiVersion", type.apiVersion()).put("kind", type.kind());
        return store(type.path(null, null), tree);
    }

    public long remove(Class<? extends HasMetadata> type, String namespace, String name) {
        return removeKey(ResourceType.of(type).path(null, null), key(namespace, name));
    }

    public synchronized Optional<JsonNode> find(Class<? extends HasMetadata> type, String namespace, String name) {
        var byKey = objects.get(ResourceType.of(type).path(null, null));
        return Optional.ofNullable(byKey == null ? null : byKey.get(key(namespace, name)));
    }

    private static String key(String namespace, String name) {
        return (namespace == null ? "" : namespace) + "/" + name;
    }

    private static String keyOf(ObjectNode object) {
        return key(
                object.path("metadata").path("namespace").asText(""),
                object.path("metadata").path("name").asText());
    }

    private long store(String resource, ObjectNode object) {
        synchronized (this) {
            var byKey = objects.computeIfAbsent(resource, r -> new TreeMap<>());
            ObjectNode old = byKey.get(keyOf(object));
            revision++;
            ObjectNode metadata = (ObjectNode) object.get("metadata");
            metadata.put("resourceVersion", Long.toString(revision));
            metadata.put(
                    "uid",
                    old == null
                            ? "uid-" + ++uids
                            : old.get("metadata").get("uid").asText());
            byKey.put(keyOf(object), object);
            log.add(new Logged(revision, resource, old == null ? "ADDED" : "MODIFIED", object.deepCopy()));
        }
        flushAll();
        return revision();
    }

    private long removeKey(String resource, String key) {
        synchronized (this) {
            var byKey = objects.get(resource);
            ObjectNode old = byKey == null ? null : byKey.remove(key);
            if (old == null) {
                return revision;
            }
            revision++;
            ObjectNode last = old.deepCopy();
            ((ObjectNode) last.get("metadata")).put("resourceVersion", Long.toString(revision));
            log.add(new Logged(revision, resource, "DELETED", last));
        }
        flushAll();
        return revision();
    }

    private void flushAll() {
        List<Stream> open;
        synchronized (this) {
            open = List.copyOf(streams);
        }
        open.forEach(Stream::flush);
    }

    // ---- the wire --------------------------------------------------------------------------------------------------

    @Override
    public <V> CompletableFuture<HttpResponse<V>> sendAsync(HttpRequest request, Class<V> type) {
        if (type != byte[].class) {
            throw new IllegalArgumentException("the fake answers with bytes, not " + type);
        }
        Seen call = record(request);
        Fault fault = takeFault(call);
        if (fault != null && fault.failure != null) {
            return CompletableFuture.failedFuture(fault.failure);
        }
        Canned answer = fault != null ? fault.answer : answer(call);
        return CompletableFuture.completedFuture(new Answer<>(
                request, answer.code, answer.headers, type.cast(answer.body.getBytes(StandardCharsets.UTF_8))));
    }

    @Override
    public CompletableFuture<HttpResponse<AsyncBody>> consumeBytes(
            HttpRequest request, AsyncBody.Consumer<List<ByteBuffer>> consumer) {
        Seen call = record(request);
        Fault fault = takeFault(call);
        if (fault != null && fault.failure != null) {
            return CompletableFuture.failedFuture(fault.failure);
        }
        Map<String, String> query = query(call.pathAndQuery);
        Target target = target(call.path());
        Stream stream = new Stream(consumer, target, query);
        Canned refusal = fault != null ? fault.answer : refuseWatch(target, query);
        if (refusal != null) {
            stream.send(refusal.body);
            stream.finish(null);
            return CompletableFuture.completedFuture(new Answer<>(request, refusal.code, refusal.headers, stream));
        }
        stream.begin();
        return CompletableFuture.completedFuture(new Answer<>(request, 200, Map.of(), stream));
    }

    private synchronized Seen record(HttpRequest request) {
        String body = request.bodyString();
        Seen call = new Seen(
                request.method(),
                request.uri().getRawPath()
                        + (request.uri().getRawQuery() == null
                                ? ""
                                : "?" + request.uri().getRawQuery()),
                request.header("User-Agent"),
                ((StandardHttpRequest) request).getContentType(),
                body == null ? "" : body);
        seen.add(call);
        return call;
    }

    private synchronized Fault takeFault(Seen call) {
        Fault next = faults.peek();
        return next != null && next.when.test(call) ? faults.poll() : null;
    }

    private synchronized Canned refuseWatch(Target target, Map<String, String> query) {
        if (notServed.contains(target.resource)) {
            return status(404, "NotFound", "the server could not find the requested resource");
        }
        if (query.containsKey("sendInitialEvents") && !streamingLists) {
            return status(
                    422,
                    "Invalid",
                    "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled");
        }
        return null;
    }

    private record Target(String resource, String namespace, String name, String sub) {}

    private static Target target(String path) {
        String[] parts = path.substring(1).split("/");
        int at = parts[0].equals("api") ? 2 : 3;
        StringBuilder prefix = new StringBuilder();
        for (int i = 0; i < at; i++) {
            prefix.append('/').append(parts[i]);
        }
        String namespace = null;
        if (parts.length > at + 2 && parts[at].equals("namespaces")) {
            namespace = parts[at + 1];
            at += 2;
        }
        String resource = prefix + "/" + parts[at];
        String name = parts.length > at + 1 ? URLDecoder.decode(parts[at + 1], StandardCharsets.UTF_8) : null;
        return new Target(resource, namespace, name, parts.length > at + 2 ? parts[at + 2] : null);
    }

    private static Map<String, String> query(String pathAndQuery) {
        Map<String, String> query = new LinkedHashMap<>();
        int start = pathAndQuery.indexOf('?');
        if (start >= 0) {
            for (String pair : pathAndQuery.substring(start + 1).split("&")) {
                int eq = pair.indexOf('=');
                query.put(pair.substring(0, eq), URLDecoder.decode(pair.substring(eq + 1), StandardCharsets.UTF_8));
            }
        }
        return query;
    }

    private Canned answer(Seen call) {
        Target target = target(call.path());
        try {
            if (notServed.contains(target.resource)) {
                return new Canned(404, Map.of("Content-Type", "text/plain"), "404 page not found\n");
            }
            switch (call.method) {
                case "GET":
                    return target.name == null ? list(target, query(call.pathAndQuery)) : get(target);
                case "POST":
                    return create(target, (ObjectNode) JSON.readTree(call.body));
                case "PUT":
                    return update(target, (ObjectNode) JSON.readTree(call.body));
                case "PATCH":
                    return patch(target, call);
                case "DELETE":
                    return delete(target);
                default:
                    return status(405, "MethodNotAllowed", "the fake does not " + call.method);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private synchronized ObjectNode current(Target target) {
        var byKey = objects.get(target.resource);
        return byKey == null ? null : byKey.get(key(target.namespace, target.name));
    }

    private Canned get(Target target) {
        ObjectNode found = current(target);
        return found == null ? notFound(target) : new Canned(200, Map.of(), found.toString());
    }

    private static Canned notFound(Target target) {
        String plural = target.resource.substring(target.resource.lastIndexOf('/') + 1);
        return status(404, "NotFound", plural + " \"" + target.name + "\" not found");
    }

    private synchronized Canned list(Target target, Map<String, String> query) {
        String token = query.get("continue");
        int limit = Integer.parseInt(query.getOrDefault("limit", "0"));
        long at = revision;
        String after = "";
        if (token != null) {
            String[] parts = token.split("\\|", 2);
            at = Long.parseLong(parts[0]);
            after = parts[1];
            if (at < compacted) {
                return status(410, "Expired", "The provided continue parameter is too old");
            }
        }
        ObjectNode list = JSON.createObjectNode().put("kind", "List").put("apiVersion", "v1");
        ObjectNode metadata = list.putObject("metadata").put("resourceVersion", Long.toString(at));
        ArrayNode items = list.putArray("items");
        for (var entry : objects.getOrDefault(target.resource, new TreeMap<>())
                .tailMap(after, false)
                .entrySet()) {
            if (!inNamespace(entry.getValue(), target.namespace)) {
                continue;
            }
            if (limit > 0 && items.size() == limit) {
                metadata.put("continue", at + "|" + keyOf((ObjectNode) items.get(items.size() - 1)));
                break;
            }
            ObjectNode item = entry.getValue().deepCopy();
            items.add(item);
        }
        items.forEach(i -> ((ObjectNode) i).remove(List.of("kind", "apiVersion")));
        return new Canned(200, Map.of(), list.toString());
    }

    private static boolean inNamespace(JsonNode object, String namespace) {
        return namespace == null
                || namespace.equals(object.path("metadata").path("namespace").asText());
    }

    private Canned create(Target target, ObjectNode body) {
        if (target.sub != null) {
            return status(201, "", "");
        }
        if (current(new Target(
                        target.resource,
                        target.namespace,
                        body.path("metadata").path("name").asText(),
                        null))
                != null) {
            return status(
                    409, "AlreadyExists", body.path("metadata").path("name").asText() + " already exists");
        }
        store(target.resource, body);
        return new Canned(201, Map.of(), body.toString());
    }

    private Canned update(Target target, ObjectNode body) {
        ObjectNode old = current(target);
        if (old == null) {
            return notFound(target);
        }
        String expected = body.path("metadata").path("resourceVersion").asText("");
        if (!expected.isEmpty()
                && !expected.equals(old.path("metadata").path("resourceVersion").asText())) {
            return status(409, "Conflict", "the object has been modified");
        }
        ObjectNode next = body;
        if ("status".equals(target.sub)) {
            next = old.deepCopy();
            next.set("status", body.get("status"));
        }
        store(target.resource, next);
        return new Canned(200, Map.of(), next.toString());
    }

    /** Merges the top level of metadata.labels and of data: enough for what is tested here. */
    private Canned patch(Target target, Seen call) throws IOException {
        ObjectNode old = current(target);
        if (old == null) {
            return notFound(target);
        }
        ObjectNode next = old.deepCopy();
        JSON.readerForUpdating(next).readValue(call.body);
        store(target.resource, next);
        return new Canned(200, Map.of(), next.toString());
    }

    private Canned delete(Target target) {
        if (target.name == null) {
            List<String> keys;
            synchronized (this) {
                keys = List.copyOf(
                        objects.getOrDefault(target.resource, new TreeMap<>()).keySet());
            }
            keys.forEach(k -> removeKey(target.resource, k));
            return new Canned(200, Map.of(), "{\"kind\":\"Status\",\"status\":\"Success\"}");
        }
        if (current(target) == null) {
            return notFound(target);
        }
        removeKey(target.resource, key(target.namespace, target.name));
        return new Canned(200, Map.of(), "{\"kind\":\"Status\",\"status\":\"Success\"}");
    }

    /** A Status, as the server would write it. */
    public static Canned status(int code, String reason, String message) {
        ObjectNode status = JSON.createObjectNode()
                .put("kind", "Status")
                .put("apiVersion", "v1")
                .put("status", code < 300 ? "Success" : "Failure")
                .put("message", message)
                .put("reason", reason)
                .put("code", code);
        return new Canned(code, Map.of("Content-Type", "application/json"), status.toString());
    }

    /** One open response body; hands out a piece for each call of consume. */
    private final class Stream implements AsyncBody {
        private final Consumer<List<ByteBuffer>> consumer;
        private final Target target;
        private final Map<String, String> query;
        private final Deque<byte[]> pending = new ArrayDeque<>();
        private final CompletableFuture<Void> done = new CompletableFuture<>();
        private int demand;
        private boolean delivering;
        private boolean finishing;
        private IOException failure;
        private int told;

        Stream(Consumer<List<ByteBuffer>> consumer, Target target, Map<String, String> query) {
            this.consumer = consumer;
            this.target = target;
            this.query = query;
        }

        void begin() {
            String from = query.get("resourceVersion");
            synchronized (FakeApi.this) {
                if (query.containsKey("sendInitialEvents")) {
                    objects.getOrDefault(target.resource, new TreeMap<>()).values().stream()
                            .filter(o -> inNamespace(o, target.namespace))
                            .forEach(o -> send(event("ADDED", o)));
                    send("{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"X\",\"metadata\":{\"resourceVersion\":\""
                            + revision + "\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}");
                    told = log.size();
                } else {
                    long after = Long.parseLong(from);
                    if (after < compacted) {
                        send("{\"type\":\"ERROR\",\"object\":"
                                + status(410, "Expired", "too old resource version: " + after + " (" + compacted + ")")
                                        .body
                                + "}");
                        finishing = true;
                        return;
                    }
                    while (told < log.size() && log.get(told).revision <= after) {
                        told++;
                    }
                }
                streams.add(this);
            }
            flush();
        }

        void flush() {
            synchronized (FakeApi.this) {
                while (!paused && told < log.size()) {
                    Logged next = log.get(told++);
                    if (next.resource.equals(target.resource) && inNamespace(next.object, target.namespace)) {
                        send(event(next.type, next.object));
                    }
                }
            }
            deliver();
        }

        private static String event(String type, JsonNode object) {
            return "{\"type\":\"" + type + "\",\"object\":" + object + "}";
        }

        void send(String line) {
            byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
            synchronized (FakeApi.this) {
                for (int at = 0; at < bytes.length; ) {
                    int length = Math.min(chunkSize, bytes.length - at);
                    pending.add(java.util.Arrays.copyOfRange(bytes, at, at + length));
                    at += length;
                }
            }
            deliver();
        }

        void finish(IOException problem) {
            synchronized (FakeApi.this) {
                finishing = true;
                failure = problem;
            }
            deliver();
        }

        private void deliver() {
            while (true) {
                byte[] next;
                synchronized (FakeApi.this) {
                    if (delivering || demand == 0 || done.isDone()) {
                        return;
                    }
                    next = pending.poll();
                    if (next == null && !finishing) {
                        return;
                    }
                    demand--;
                    delivering = true;
                }
                try {
                    if (next != null) {
                        consumer.consume(List.of(ByteBuffer.wrap(next)), this);
                    } else if (failure != null) {
                        done.completeExceptionally(failure);
                    } else {
                        done.complete(null);
                    }
                } catch (Exception e) {
                    done.completeExceptionally(e);
                } finally {
                    synchronized (FakeApi.this) {
                        delivering = false;
                    }
                }
            }
        }

        @Override
        public void consume() {
            synchronized (FakeApi.this) {
                demand++;
            }
            deliver();
        }

        @Override
        public CompletableFuture<Void> done() {
            return done;
        }

        @Override
        public void cancel() {
            synchronized (FakeApi.this) {
                streams.remove(this);
            }
            done.cancel(false);
        }
    }

    private record Answer<B>(HttpRequest request, int code, Map<String, String> fields, B body)
            implements HttpResponse<B> {
        @Override
        public Optional<HttpResponse<?>> previousResponse() {
            return Optional.empty();
        }

        @Override
        public List<String> headers(String key) {
            return fields.entrySet().stream()
                    .filter(e -> e.getKey().equalsIgnoreCase(key))
                    .map(Map.Entry::getValue)
                    .toList();
        }

        @Override
        public Map<String, List<String>> headers() {
            Map<String, List<String>> all = new HashMap<>();
            fields.forEach((k, v) -> all.put(k, List.of(v)));
            return all;
        }
    }

    @Override
    public HttpRequest.Builder newHttpRequestBuilder() {
        return new StandardHttpRequest.Builder();
    }

    @Override
    public DerivedClientBuilder newBuilder() {
        throw new UnsupportedOperationException("the fake has no interceptors");
    }

    @Override
    public WebSocket.Builder newWebSocketBuilder() {
        throw new UnsupportedOperationException("the fake has no web sockets");
    }

    @Override
    public void close() {
        closed = true;
    }

    @Override
    public boolean isClosed() {
        return closed;
    }
}
