package io.trimtab.apiserver;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.trimtab.apiserver.admission.AdmissionPlugin;
import io.trimtab.apiserver.audit.Audit;
import io.trimtab.apiserver.audit.AuditRecord;
import io.trimtab.apiserver.auth.AccessDenied;
import io.trimtab.apiserver.auth.Authenticator;
import io.trimtab.apiserver.auth.AuthenticatorChain;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.AuthorizerFailure;
import io.trimtab.apiserver.auth.BearerTokens;
import io.trimtab.apiserver.auth.Impersonation;
import io.trimtab.apiserver.auth.PlainError;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.flowcontrol.FlowControl;
import io.trimtab.apiserver.flowcontrol.Ticket;
import io.trimtab.apiserver.resource.KindRegistry;
import io.trimtab.apiserver.resource.RequestTrail;
import io.trimtab.apiserver.resource.ResourceRegistry;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.rest.Authorization;
import io.trimtab.apiserver.rest.Environment;
import io.trimtab.apiserver.rest.NodeProxy;
import io.trimtab.apiserver.rest.ResourceHandler;
import io.trimtab.apiserver.rest.ResponseWriter;
import io.trimtab.apiserver.rest.TableConverter;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.store.Store;
import io.trimtab.apiserver.tokens.TokenIssuer;
import io.trimtab.encoding.GoDuration;
import io.trimtab.runtime.Driver;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kubernetes' API server as a function from request to response. Whoever carries requests (HTTP, a client in this JVM, a test)
 * calls {@link #handle}, and finds the same behaviour.
 *
 * <p>Safe for use by any thread. A call blocks until the store has answered; only watches go on after it has returned. A request
 * that must wait for its turn blocks nobody.
 *
 * @since 0.1
 */
public final class ApiServer {
    private static final Logger LOG = LoggerFactory.getLogger(ApiServer.class);
    /** All warnings of one answer together; beyond, each is cut to {@link #MAX_WARNING}. */
    private static final int MAX_WARNINGS = 4096;

    private static final int MAX_WARNING = 256;

    private final Environment env;
    private final AuthenticatorChain authentication;
    private final List<PathHandler> delegates;
    private final List<PathHandler> paths;
    private final ResourceHandler resources;
    private final RequestMetrics metrics;
    private final @Nullable FlowControl flowControl;
    private final Duration requestTimeout;
    private final @Nullable Audit audit;

    private ApiServer(
            Environment env,
            AuthenticatorChain authentication,
            List<PathHandler> delegates,
            List<PathHandler> paths,
            MeterRegistry registry,
            @Nullable FlowControl flowControl,
            Duration requestTimeout,
            @Nullable Audit audit) {
        this.audit = audit;
        this.flowControl = flowControl;
        this.requestTimeout = requestTimeout;
        this.env = env;
        this.delegates = delegates;
        this.authentication = authentication;
        this.paths = paths;
        this.resources = new ResourceHandler(env);
        this.metrics = new RequestMetrics(registry);
    }

    public static Builder builder() {
        return new Builder();
    }

    /** The objects, for parts of the server that read and write without a request. */
    public Storage storage() {
        return env.storage();
    }

    /** What is served. */
    public ResourceRegistry resources() {
        return env.resources();
    }

    /** Time and randomness. */
    public Driver driver() {
        return env.driver();
    }

    /**
     * Answers a request at once, on the caller's stack: for callers inside this JVM, which wait anyway. Priority and fairness
     * names its level, and does not hold it up. Never throws: what goes wrong becomes a Status.
     */
    public ApiResponse handle(ApiRequest request) {
        Handling handling = begin(request);
        ApiResponse refused = identify(handling);
        if (refused != null) {
            return finish(handling, refused);
        }
        FlowControl flow = flowControl;
        if (flow != null && mayWait(handling)) {
            handling.ticket = flow.pass(handling.info(), handling.user(), handling.begin);
        }
        return finish(handling, serve(handling));
    }

    /**
     * Answers a request when it is its turn: on the caller's stack if that is now, else later by a step of the driver. No thread
     * waits meanwhile.
     *
     * @param answer called once; must not throw
     */
    public void handle(ApiRequest request, Consumer<ApiResponse> answer) {
        Handling handling = begin(request);
        ApiResponse refused = identify(handling);
        if (refused != null) {
            answer.accept(finish(handling, refused));
            return;
        }
        FlowControl flow = flowControl;
        if (flow == null || !mayWait(handling)) {
            answer.accept(finish(handling, serve(handling)));
            return;
        }
        Duration timeout = Objects.requireNonNullElse(handling.timeout, requestTimeout);
        Ticket ticket = flow.enter(request, handling.info(), handling.user(), timeout, handling.begin);
        handling.ticket = ticket;
        if (ticket.isWaiting()) {
            ticket.whenDecided(decided -> answer.accept(finish(handling, decided(handling, flow, decided))));
        } else {
            answer.accept(finish(handling, decided(handling, flow, ticket)));
        }
    }

    private ApiResponse decided(Handling handling, FlowControl flow, Ticket ticket) {
        if (ticket.isRejected()) {
            metrics.dropped(handling.request);
            return tooManyRequests(flow.retryAfterSeconds(ticket));
        }
        try {
            // A watch takes its seat only until it has begun, which it has when there is an answer.
            return serve(handling);
        } finally {
            ticket.finish();
        }
    }

    /** What runs for as long as it likes has no turn; a watch has, for its beginning. */
    private static boolean mayWait(Handling handling) {
        RequestInfo info = handling.info();
        return !info.longRunning() || info.verb().equals("watch");
    }

    /** One request on its way. Used by one thread after another. */
    private static final class Handling {
        final ApiRequest request;
        final long begin;
        final List<String> warnings = new ArrayList<>(0);

        @Nullable
        RequestInfo info;

        @Nullable
        UserInfo user;

        @Nullable
        Ticket ticket;

        /** Null if nothing is kept of it. */
        @Nullable
        AuditRecord audit;

        /** Null until somebody needs it. */
        @Nullable
        String auditId;

        /** Null for what may take as long as it likes. */
        @Nullable
        Duration timeout;

        Handling(ApiRequest request, long begin) {
            this.request = request;
            this.begin = begin;
        }

        RequestInfo info() {
            return Objects.requireNonNull(info);
        }

        UserInfo user() {
            return Objects.requireNonNull(user);
        }
    }

    private Handling begin(ApiRequest request) {
        Handling handling = new Handling(request, env.driver().nanoTime());
        metrics.begin(request);
        return handling;
    }

    /** Finds out what is asked, by whom; the refusal if that cannot be, else null. */
    private @Nullable ApiResponse identify(Handling handling) {
        ApiRequest request = handling.request;
        try {
            handling.info = RequestInfo.of(request);
            RequestTimeout.check(request, handling.info());
            handling.timeout = handling.info().longRunning() ? null : Timeouts.of(request, requestTimeout);
            UserInfo asking = authenticated(handling);
            if (audit != null) {
                handling.audit = audit.begin(request, handling.info(), asking, auditId(handling));
                if (handling.audit != null) {
                    handling.audit.received();
                }
            }
            UserInfo user = Impersonation.resolve(asking, request, env.authorizer());
            handling.user = user;
            if (handling.audit != null && user != asking) {
                handling.audit.impersonates(user);
            }
            return null;
        } catch (RuntimeException e) {
            return failure(request, e);
        }
    }

    private UserInfo authenticated(Handling handling) {
        try {
            return authentication.authenticate(handling.request);
        } catch (StatusException e) {
            AuditRecord record = audit == null || e.code() != 401
                    ? null
                    : audit.begin(handling.request, handling.info(), null, auditId(handling));
            if (record != null) {
                String header = handling.request.header("authorization");
                record.unauthenticated(
                        header == null || header.isEmpty()
                                ? "no auth header found"
                                : header.substring(0, Math.max(header.indexOf(' '), 0))
                                        .toLowerCase(Locale.ROOT));
            }
            throw e;
        }
    }

    private String auditId(Handling handling) {
        String id = handling.auditId;
        if (id == null) {
            String given = handling.request.header("audit-id");
            id = given == null || given.isEmpty() ? newAuditId() : given;
            handling.auditId = id;
        }
        return id;
    }

    private static ApiResponse failure(ApiRequest request, RuntimeException failure) {
        if (failure instanceof StatusException refusal) {
            return ResponseWriter.error(request, refusal);
        }
        if (failure instanceof PlainError || failure instanceof AuthorizerFailure) {
            String line = failure instanceof PlainError
                    ? failure.getMessage()
                    : "Internal Server Error: " + FieldErrors.quote(request.target()) + ": " + failure.getMessage();
            return new ApiResponse.Whole(
                    500,
                    Map.of(
                            "Content-Type", List.of("text/plain; charset=utf-8"),
                            "X-Content-Type-Options", List.of("nosniff")),
                    (line + "\n").getBytes(StandardCharsets.UTF_8));
        }
        LOG.error("request failed: method={} path={}", request.method(), request.path(), failure);
        String why = failure.getMessage() == null ? failure.getClass().getSimpleName() : failure.getMessage();
        return ResponseWriter.error(request, Statuses.internal(why));
    }

    private static ApiResponse tooManyRequests(long retryAfterSeconds) {
        return new ApiResponse.Whole(
                429,
                Map.of(
                        "Content-Type", List.of("text/plain; charset=utf-8"),
                        "Retry-After", List.of(Long.toString(retryAfterSeconds)),
                        "X-Content-Type-Options", List.of("nosniff")),
                "Too many requests, please try again later.\n".getBytes(StandardCharsets.UTF_8));
    }

    private ApiResponse finish(Handling handling, ApiResponse made) {
        ApiRequest request = handling.request;
        long took = env.driver().nanoTime() - handling.begin;
        Duration timeout = handling.timeout;
        ApiResponse response = timeout != null && took > timeout.toNanos() ? Timeouts.over() : made;
        RequestInfo known = handling.info;
        boolean served = known != null
                && (!known.resourceRequest()
                        || env.resources().find(known.group(), known.version(), known.resource()) != null);
        metrics.end(
                request,
                known == null ? RequestInfo.of(EMPTY) : known,
                served,
                response.code(),
                took,
                request.query().containsKey("dryRun"));
        AuditRecord record = handling.audit;
        return withHeaders(record == null ? response : record.answered(response), handling);
    }

    private static final ApiRequest EMPTY = ApiRequest.local(UserInfo.SELF, "GET", "/", Map.of(), null, new byte[0]);

    /** When the answer must be there: a client may allow less than the server does. */
    private static long deadline(ApiRequest request, long begin) {
        Duration longest = RequestTrail.LONGEST_WRITE;
        String asked = request.queryParameter("timeout");
        if (asked != null && !asked.isEmpty()) {
            Duration wanted = GoDuration.parse(asked).orElse(longest);
            longest = wanted.isZero() || wanted.compareTo(longest) > 0 ? longest : wanted;
        }
        return begin + longest.toNanos();
    }

    private ApiResponse serve(Handling handling) {
        try {
            RequestTrail trail = new RequestTrail(deadline(handling.request, handling.begin));
            if (handling.audit != null) {
                handling.audit.follow(trail);
            }
            return serve(handling.request, handling.info(), handling.user(), handling.warnings, trail);
        } catch (RuntimeException e) {
            return failure(handling.request, e);
        }
    }

    private ApiResponse serve(
            ApiRequest request, RequestInfo info, UserInfo user, List<String> warnings, RequestTrail trail) {
        Authorizer.Attributes asked = Authorization.attributes(
                info,
                Objects.requireNonNullElse(request.queryParameter("fieldSelector"), ""),
                Objects.requireNonNullElse(request.queryParameter("labelSelector"), ""));
        Authorizer.Decision decision = env.authorizer().authorize(user, asked);
        boolean allowed = decision.verdict() == Authorizer.Verdict.ALLOW;
        if (trail.recorder() != null) {
            trail.annotate("authorization.k8s.io/decision", allowed ? "allow" : "forbid");
            trail.annotate("authorization.k8s.io/reason", decision.reason());
        }
        if (!allowed) {
            throw AccessDenied.atTheDoor(user, asked, decision.reason());
        }
        if (request.path().startsWith("//")) {
            return ResourceHandler.notFoundPage(); // no route begins so
        }
        for (PathHandler handler : delegates) {
            Optional<ApiResponse> answer = handler.handle(request, user);
            if (answer.isPresent()) {
                return answer.get();
            }
        }
        if (info.resourceRequest()) {
            Served served = env.resources().find(info.group(), info.version(), info.resource());
            if (served != null || env.resources().versions(info.group()).contains(info.version())) {
                return resources.handle(request, info, user, warnings, trail);
            }
        }
        for (PathHandler handler : paths) {
            Optional<ApiResponse> answer = handler.handle(request, user);
            if (answer.isPresent()) {
                return answer.get();
            }
        }
        return info.resourceRequest()
                ? resources.handle(request, info, user, warnings, trail)
                : ResourceHandler.notFoundPage();
    }

    private ApiResponse withHeaders(ApiResponse response, Handling handling) {
        List<String> warnings = handling.warnings;
        Map<String, List<String>> headers = new LinkedHashMap<>();
        headers.put("Audit-Id", List.of(auditId(handling)));
        if (handling.info != null) { // what cannot even be read is refused before this is said
            headers.put("Cache-Control", List.of("no-cache, private"));
        }
        headers.putAll(response.headers());
        Ticket ticket = handling.ticket;
        if (ticket != null) {
            headers.put("X-Kubernetes-Pf-Flowschema-Uid", ticket.schemaUid());
            headers.put("X-Kubernetes-Pf-Prioritylevel-Uid", ticket.levelUid());
        }
        if (!warnings.isEmpty()) {
            headers.put("Warning", warningHeaders(warnings));
        }
        if (response instanceof ApiResponse.Whole whole) {
            return new ApiResponse.Whole(whole.code(), headers, whole.body());
        }
        if (response instanceof ApiResponse.Pieces pieces) {
            return new ApiResponse.Pieces(pieces.code(), headers, pieces.pieces());
        }
        if (response instanceof ApiResponse.Watch watch) {
            return new ApiResponse.Watch(watch.code(), headers, watch.events(), watch.framing());
        }
        return response;
    }

    private static List<String> warningHeaders(List<String> warnings) {
        LinkedHashSet<String> distinct = new LinkedHashSet<>(warnings);
        int total = distinct.stream().mapToInt(String::length).sum();
        List<String> headers = new ArrayList<>(distinct.size());
        for (String warning : distinct) {
            String text = total > MAX_WARNINGS && warning.length() > MAX_WARNING
                    ? warning.substring(0, MAX_WARNING)
                    : warning;
            if (text.codePoints().anyMatch(Character::isISOControl)) {
                continue; // no header can say it
            }
            StringBuilder header = new StringBuilder("299 - \"");
            text.codePoints().forEach(c -> {
                if (c == '"' || c == '\\') {
                    header.append('\\').appendCodePoint(c);
                } else {
                    header.appendCodePoint(c);
                }
            });
            headers.add(header.append('"').toString());
        }
        return headers;
    }

    private String newAuditId() {
        long high = env.driver().random().nextLong() & 0xffff_ffff_ffff_0fffL | 0x4000L;
        long low = env.driver().random().nextLong() & 0x3fff_ffff_ffff_ffffL | 0x8000_0000_0000_0000L;
        return new UUID(high, low).toString();
    }

    /** Puts a server together. What is not set is as plain as it can be: no admission, only the masters may do anything. */
    public static final class Builder {
        private @Nullable Driver driver;
        private @Nullable Store store;
        private @Nullable Storage storage;
        private KindRegistry kinds = KindRegistry.PLAIN;
        private @Nullable ResourceRegistry resources;
        private final List<AdmissionPlugin> admission = new ArrayList<>();
        private final List<PathHandler> delegates = new ArrayList<>();
        private final List<PathHandler> paths = new ArrayList<>();
        private final List<Authenticator> authenticators = new ArrayList<>();
        private @Nullable BearerTokens tokens;
        private @Nullable TokenIssuer issuer;
        private Authorizer authorizer = (user, attributes) -> user.groups().contains(UserInfo.MASTERS_GROUP)
                ? new Authorizer.Decision(Authorizer.Verdict.ALLOW, "")
                : Authorizer.Decision.NO_OPINION;
        private Predicate<ApiRequest> anonymous = request -> true;
        private TableConverter tables = (resource, objects, include, version, meta, columns) -> {
            throw Statuses.notAcceptable("only the following media types are accepted: application/json,"
                    + " application/yaml, application/vnd.kubernetes.protobuf");
        };
        private NodeProxy nodes = NodeProxy.NONE;
        private MeterRegistry metrics = new SimpleMeterRegistry();
        private @Nullable FlowControl flowControl;
        private @Nullable Audit audit;
        private Duration requestTimeout = Duration.ofSeconds(60);

        private Builder() {}

        /** Time and randomness; required. */
        public Builder driver(Driver driver) {
            this.driver = driver;
            return this;
        }

        /** Where objects are kept; this or {@link #storage} is required. */
        public Builder store(Store store) {
            this.store = store;
            return this;
        }

        /** Where objects are kept, if other parts already use it. */
        public Builder storage(Storage storage) {
            this.storage = storage;
            return this;
        }

        /** The behaviour of the built-in kinds; not used if {@link #resources} is set. */
        public Builder kinds(KindRegistry kinds) {
            this.kinds = kinds;
            return this;
        }

        /** What is served, if other parts already use it. */
        public Builder resources(ResourceRegistry resources) {
            this.resources = resources;
            return this;
        }

        /** Adds plugins, in the order in which they are asked. */
        public Builder admission(List<? extends AdmissionPlugin> plugins) {
            admission.addAll(plugins);
            return this;
        }

        /** Adds what serves paths that are no resources. */
        public Builder paths(List<? extends PathHandler> handlers) {
            paths.addAll(handlers);
            return this;
        }

        /** Adds what takes requests, also for resources, before this server itself does: other servers behind it. */
        public Builder delegates(List<? extends PathHandler> handlers) {
            delegates.addAll(handlers);
            return this;
        }

        /** Adds authenticators, in the order in which they are asked. */
        public Builder authenticators(List<? extends Authenticator> more) {
            authenticators.addAll(more);
            return this;
        }

        /** Adds bearer tokens to the authenticators, and answers reviews of tokens by them. */
        public Builder tokens(BearerTokens bearerTokens) {
            this.tokens = bearerTokens;
            authenticators.add(bearerTokens);
            return this;
        }

        /** Makes tokens of service accounts. */
        public Builder tokenIssuer(TokenIssuer tokenIssuer) {
            this.issuer = tokenIssuer;
            return this;
        }

        public Builder authorizer(Authorizer authorizer) {
            this.authorizer = authorizer;
            return this;
        }

        /** Which requests without credentials are served, as {@code system:anonymous}; by default all are. */
        public Builder anonymous(Predicate<ApiRequest> allowed) {
            this.anonymous = allowed;
            return this;
        }

        /** Whether a request without credentials is served, as {@code system:anonymous}; by default it is. */
        public Builder anonymous(boolean allowed) {
            this.anonymous = request -> allowed;
            return this;
        }

        public Builder tables(TableConverter tables) {
            this.tables = tables;
            return this;
        }

        public Builder nodes(NodeProxy nodes) {
            this.nodes = nodes;
            return this;
        }

        public Builder metrics(MeterRegistry metrics) {
            this.metrics = metrics;
            return this;
        }

        /** Decides when requests are served; without it all are served as they come. */
        public Builder flowControl(FlowControl control) {
            this.flowControl = control;
            return this;
        }

        /** Keeps a log of requests; without it nothing is kept. */
        public Builder audit(Audit log) {
            this.audit = log;
            return this;
        }

        /** What a request may take that is no watch and the like; a minute by default. */
        public Builder requestTimeout(Duration timeout) {
            this.requestTimeout = timeout;
            return this;
        }

        /** @throws IllegalStateException if there is no driver, or neither a store nor a storage */
        public ApiServer build() {
            Driver time = driver;
            if (time == null) {
                throw new IllegalStateException("an API server needs a driver");
            }
            ResourceRegistry registry = resources != null ? resources : ResourceRegistry.builtIn(kinds);
            Storage objects = storage;
            if (objects == null) {
                Store keys = store;
                if (keys == null) {
                    throw new IllegalStateException("an API server needs a store or a storage");
                }
                objects = new DefaultStorage(keys, time, registry::selectableFields);
            }
            Environment env = Environment.of(
                    time, objects, registry, List.copyOf(admission), authorizer, tables, nodes, tokens, issuer);
            return new ApiServer(
                    env,
                    new AuthenticatorChain(authenticators, anonymous),
                    List.copyOf(delegates),
                    List.copyOf(paths),
                    metrics,
                    flowControl,
                    requestTimeout,
                    audit);
        }
    }
}
