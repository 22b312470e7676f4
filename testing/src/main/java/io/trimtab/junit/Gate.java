package io.trimtab.junit;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.ApiServer;
import io.trimtab.apiserver.RequestInfo;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.storage.StoredObject;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The only way of one life of a program to the API server: here its requests are recorded, judged, and made to fail. For the
 * thread that drives the cluster.
 */
final class Gate implements Function<ApiRequest, ApiResponse> {
    static final Set<String> WRITES = Set.of("create", "update", "patch", "delete", "deletecollection");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Cluster cluster;
    private final Instance instance;
    private final ProcessDriver driver;
    private final History history;
    private final FaultPlan faults;
    private final Set<WatchGate> watches = new LinkedHashSet<>();
    /** Resources of which the next watch is told that its revision is too old. */
    private final Set<String> expired = new LinkedHashSet<>();
    /** Resources that cannot be read for a while, in nanoseconds of the driver. */
    private final Map<String, Long> unreadableUntil = new HashMap<>();
    /** The newest revision of each object, and of each collection, that this life was shown. */
    private final Map<History.Target, Long> seen = new HashMap<>();

    Gate(Cluster cluster, Instance instance, ProcessDriver driver) {
        this.cluster = cluster;
        this.instance = instance;
        this.driver = driver;
        this.history = cluster.history();
        this.faults = cluster.faults();
    }

    Instance instance() {
        return instance;
    }

    History history() {
        return history;
    }

    FaultPlan faults() {
        return faults;
    }

    ProcessDriver driver() {
        return driver;
    }

    @Override
    public ApiResponse apply(ApiRequest request) {
        driver.requireAlive();
        RequestInfo info;
        try {
            info = RequestInfo.of(request);
        } catch (StatusException malformed) {
            return server().handle(request); // says so itself
        }
        if (!info.resourceRequest()) {
            return server().handle(request);
        }
        boolean write = WRITES.contains(info.verb()) && request.queryParameter("dryRun") == null;
        cluster.beforeRequest(info, write);
        driver.requireAlive();
        FaultPlan.Action action = faults.onRequest(instance, info, write);
        switch (action) {
            case NONE, DIE_AFTER, LOSE_ANSWER -> {}
            case DIE_BEFORE -> {
                instance.dieAndComeBack("before " + describe(info));
                throw new ProcessDied();
            }
            case UNREACHABLE -> {
                record(info, 0, null, null, write, "the server cannot be reached (fault)");
                throw new UncheckedIOException(new ConnectException("Connection refused"));
            }
            case TOO_MANY_REQUESTS -> {
                record(info, 429, null, null, write, "refused (fault)");
                return refusal(Statuses.of(429, "TooManyRequests", "too many requests, please try again later", null)
                        .status());
            }
            case SERVER_ERROR -> {
                record(info, 500, null, null, write, "refused (fault)");
                return refusal(
                        Statuses.internal("etcdserver: request timed out").status());
            }
            case SLOW -> {
                history.note("fault", describe(info) + " of " + instance.name() + " is slow");
                passTime(faults.slowness());
            }
        }
        ApiResponse answer = info.verb().equals("watch") ? watch(request, info) : handle(request, info, write);
        switch (action) {
            case DIE_AFTER -> {
                instance.dieAndComeBack("after " + describe(info));
                throw new ProcessDied();
            }
            case LOSE_ANSWER -> {
                history.note("fault", "the answer to " + describe(info) + " of " + instance.name() + " is lost");
                throw new UncheckedIOException(new SocketTimeoutException("timeout"));
            }
            case SLOW -> passTime(faults.slowness());
            default -> {}
        }
        return answer;
    }

    private ApiServer server() {
        return cluster.parts().apiServer().server();
    }

    private static String describe(RequestInfo info) {
        return info.verb() + " " + History.Target.of(info);
    }

    /** Lets others act while this request is under way. */
    private void passTime(Duration time) {
        int before = history.enter(0);
        CompletableFuture<Void> over = new CompletableFuture<>();
        cluster.time().schedule(time, () -> over.complete(null));
        try {
            cluster.time().await(over, time.plusSeconds(1));
        } catch (TimeoutException e) {
            throw new IllegalStateException("a timer of " + time + " did not fire", e);
        } finally {
            history.enter(before);
        }
        driver.requireAlive();
    }

    // ---- Reads and writes ------------------------------------------------------------------------------------------

    private ApiResponse handle(ApiRequest request, RequestInfo info, boolean write) {
        if (!write) {
            return read(request, info);
        }
        StoredObject before = stored(info, info.name());
        ApiResponse answer = server().handle(request);
        String name = info.name();
        if (name.isEmpty() && info.verb().equals("create") && answer instanceof ApiResponse.Whole whole && ok(answer)) {
            name = text(whole.body(), "metadata", "name");
        }
        StoredObject after = name.isEmpty() ? null : stored(info, name);
        History.Target target = History.Target.of(info).named(name);
        History.Call call =
                history.call(instance.name(), info.verb(), target, answer.code(), before, after, true, why(answer));
        instance.roleBook().used(info, answer.code());
        // Judged by what it knew when it asked; afterwards it knows the answer.
        cluster.oracles().afterWrite(this, request, call, before, after);
        if (after != null && ok(answer)) {
            seen.merge(target.object(), after.revision(), Math::max);
        }
        return answer;
    }

    private ApiResponse read(ApiRequest request, RequestInfo info) {
        Long until = unreadableUntil.get(resource(info));
        if (until != null && driver.nanoTime() < until) {
            record(info, 503, null, null, false, "refused (fault)");
            return refusal(
                    Statuses.of(503, "ServiceUnavailable", "the server is currently unable to handle the request", null)
                            .status());
        }
        ApiRequest asked = request;
        long revision = server().storage().revision();
        if (info.verb().equals("list") && "0".equals(request.queryParameter("resourceVersion"))) {
            long behind = Math.min(faults.staleness(), revision - 1);
            if (behind > 0) {
                Map<String, List<String>> query = new LinkedHashMap<>(request.query());
                query.put("resourceVersion", List.of(Long.toString(revision - behind)));
                query.put("resourceVersionMatch", List.of("Exact"));
                asked = new ApiRequest(
                        request.method(), request.path(), query, request.headers(), request.body(), request.peer());
                revision -= behind;
            }
        }
        ApiResponse answer = whole(server().handle(asked));
        instance.roleBook().used(info, answer.code());
        History.Target target = History.Target.of(info);
        StoredObject object = info.named() ? stored(info, info.name()) : null;
        history.call(
                instance.name(),
                info.verb(),
                target,
                answer.code(),
                null,
                object,
                false,
                ok(answer) && asked != request ? "as of revision " + revision + " (fault)" : why(answer));
        if (ok(answer)) {
            seen.merge(target.object(), revision, Math::max);
            if (info.verb().equals("list")) {
                expired.remove(resource(info));
            }
        }
        cluster.oracles().afterRead(this, info, answer.code());
        return answer;
    }

    private void record(
            RequestInfo info,
            int code,
            @Nullable StoredObject before,
            @Nullable StoredObject after,
            boolean write,
            String why) {
        history.call(instance.name(), info.verb(), History.Target.of(info), code, before, after, write, why);
    }

    /** The newest revision of an object that this life has been shown; 0 if it never was. */
    long seen(History.Target object) {
        long revision = seen.getOrDefault(object, 0L);
        History.Target inNamespace = object.named("");
        revision = Math.max(revision, seen.getOrDefault(inNamespace, 0L));
        return Math.max(
                revision, seen.getOrDefault(new History.Target(object.group(), object.resource(), "", "", ""), 0L));
    }

    /** The same; the answer to a write that made this revision is not counted. */
    long seenBefore(History.Target object, long revision) {
        return Math.min(seen(object), revision - 1);
    }

    static @Nullable JsonNode tree(String json) {
        try {
            return JSON.readTree(json);
        } catch (IOException e) {
            return null;
        }
    }

    void shown(History.Target object, long revision) {
        seen.merge(object, revision, Math::max);
    }

    @Nullable
    StoredObject stored(RequestInfo info, String name) {
        return cluster.stored(info.group(), info.version(), info.resource(), info.namespace(), name);
    }

    static boolean ok(ApiResponse answer) {
        return answer.code() >= 200 && answer.code() < 300;
    }

    private static String why(ApiResponse answer) {
        return ok(answer) || !(answer instanceof ApiResponse.Whole whole) ? "" : text(whole.body(), "message");
    }

    static String text(byte[] body, String... path) {
        try {
            JsonNode node = JSON.readTree(body);
            for (String name : path) {
                node = node.path(name);
            }
            return node.asText("");
        } catch (IOException e) {
            return ""; // not JSON: nothing is known of it
        }
    }

    private static ApiResponse whole(ApiResponse answer) {
        if (!(answer instanceof ApiResponse.Pieces pieces)) {
            return answer;
        }
        // Taken at once: what the program reads later is what was true when it asked.
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        pieces.pieces().forEachRemaining(body::writeBytes);
        return new ApiResponse.Whole(answer.code(), answer.headers(), body.toByteArray());
    }

    private static ApiResponse refusal(ObjectNode status) {
        return new ApiResponse.Whole(
                status.path("code").asInt(),
                Map.of("Content-Type", List.of("application/json")),
                status.toString().getBytes(StandardCharsets.UTF_8));
    }

    // ---- Watches ---------------------------------------------------------------------------------------------------

    private static String resource(RequestInfo info) {
        return info.resource() + "." + info.group();
    }

    private ApiResponse watch(ApiRequest request, RequestInfo info) {
        Long until = unreadableUntil.get(resource(info));
        if (until != null && driver.nanoTime() < until) {
            record(info, 503, null, null, false, "refused (fault)");
            return refusal(
                    Statuses.of(503, "ServiceUnavailable", "the server is currently unable to handle the request", null)
                            .status());
        }
        String from = request.queryParameter("resourceVersion");
        boolean resumes = from != null && !from.isEmpty() && !from.equals("0");
        if (!resumes) {
            expired.remove(resource(info)); // it begins with the whole state
        } else if (expired.contains(resource(info))) {
            record(info, 410, null, null, false, "refused (fault)");
            return refusal(Statuses.gone("too old resource version: " + from).status());
        }
        ApiResponse answer = server().handle(request);
        instance.roleBook().used(info, answer.code());
        record(info, answer.code(), null, null, false, why(answer));
        if (!(answer instanceof ApiResponse.Watch watch)) {
            cluster.oracles().afterRead(this, info, answer.code());
            return answer;
        }
        if (resumes) {
            // Who watches from a revision has been shown what was there.
            shown(History.Target.of(info).object(), Long.parseLong(from));
        }
        WatchGate gate = new WatchGate(this, info, watch.events());
        watches.add(gate);
        return new ApiResponse.Watch(watch.code(), watch.headers(), gate, watch.framing());
    }

    /** From now on, watches of this resource must begin with a list. */
    void expire(RequestInfo info) {
        expired.add(resource(info));
    }

    void ended(WatchGate watch) {
        watches.remove(watch);
    }

    /** The watches that are open, such as {@code pods in default}. */
    List<String> openWatches() {
        return watches.stream().map(WatchGate::toString).toList();
    }

    /** The resource's watches break off, and come back by a new list only, after a while. */
    void breakOff(RequestInfo info, Duration outage) {
        expired.add(resource(info));
        unreadableUntil.put(resource(info), driver.nanoTime() + outage.toNanos());
        for (WatchGate watch : List.copyOf(watches)) {
            if (watch.isOf(info)) {
                watch.breakOff();
            }
        }
    }

    /** All watches break off. */
    void breakAll(boolean forgetful) {
        for (WatchGate watch : List.copyOf(watches)) {
            if (forgetful) {
                expired.add(resource(watch.info()));
            }
            watch.breakOff();
        }
    }

    /** What the faults of this life have left behind is over. */
    void heal() {
        unreadableUntil.clear();
        List.copyOf(watches).forEach(WatchGate::release);
    }

    /** The process is gone: the server notices, and ends its watches. */
    void close() {
        for (WatchGate watch : new ArrayList<>(watches)) {
            watch.close();
        }
    }
}
