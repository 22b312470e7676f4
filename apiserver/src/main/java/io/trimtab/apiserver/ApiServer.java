package io.trimtab.apiserver;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.trimtab.apiserver.admission.AdmissionPlugin;
import io.trimtab.apiserver.auth.Authenticator;
import io.trimtab.apiserver.auth.AuthenticatorChain;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.BearerTokens;
import io.trimtab.apiserver.auth.Impersonation;
import io.trimtab.apiserver.auth.PlainError;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
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
import io.trimtab.apiserver.schema.GoDuration;
import io.trimtab.apiserver.storage.DefaultStorage;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.apiserver.store.Store;
import io.trimtab.apiserver.tokens.TokenIssuer;
import io.trimtab.runtime.Driver;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kubernetes' API server as a function from request to response. Whoever carries requests (HTTP, a client in this JVM, a test)
 * calls {@link #handle}, and finds the same behaviour.
 *
 * <p>Safe for use by any thread. A call blocks until the store has answered; only watches go on after it has returned.
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
    private final List<PathHandler> paths;
    private final ResourceHandler resources;
    private final RequestMetrics metrics;

    private ApiServer(
            Environment env, AuthenticatorChain authentication, List<PathHandler> paths, MeterRegistry registry) {
        this.env = env;
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

    /** Answers a request. Never throws: what goes wrong becomes a Status. */
    public ApiResponse handle(ApiRequest request) {
        long begin = env.driver().nanoTime();
        metrics.begin(request);
        String auditId = Objects.requireNonNullElse(request.header("audit-id"), "");
        List<String> warnings = new ArrayList<>(0);
        RequestInfo info = null;
        ApiResponse response;
        try {
            info = RequestInfo.of(request);
            response = serve(request, info, warnings, new RequestTrail(deadline(request, begin)));
        } catch (StatusException refusal) {
            response = ResponseWriter.error(request, refusal);
        } catch (PlainError refusal) {
            response = new ApiResponse.Whole(
                    500,
                    Map.of(
                            "Content-Type", List.of("text/plain; charset=utf-8"),
                            "X-Content-Type-Options", List.of("nosniff")),
                    (refusal.getMessage() + "\n").getBytes(StandardCharsets.UTF_8));
        } catch (RuntimeException bug) {
            LOG.error("request failed: method={} path={}", request.method(), request.path(), bug);
            String why = bug.getMessage() == null ? bug.getClass().getSimpleName() : bug.getMessage();
            response = ResponseWriter.error(request, Statuses.internal(why));
        }
        RequestInfo known = info;
        boolean served = known != null
                && (!known.resourceRequest()
                        || env.resources().find(known.group(), known.version(), known.resource()) != null);
        metrics.end(
                request,
                known == null ? RequestInfo.of(EMPTY) : known,
                served,
                response.code(),
                env.driver().nanoTime() - begin,
                request.query().containsKey("dryRun"));
        return withHeaders(response, auditId.isEmpty() ? newAuditId() : auditId, warnings);
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

    private ApiResponse serve(ApiRequest request, RequestInfo info, List<String> warnings, RequestTrail trail) {
        UserInfo user = Impersonation.resolve(authentication.authenticate(request), request, env.authorizer());
        Authorization.check(
                env.authorizer(),
                user,
                Authorization.attributes(
                        info,
                        Objects.requireNonNullElse(request.queryParameter("fieldSelector"), ""),
                        Objects.requireNonNullElse(request.queryParameter("labelSelector"), "")));
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

    private ApiResponse withHeaders(ApiResponse response, String auditId, List<String> warnings) {
        Map<String, List<String>> headers = new LinkedHashMap<>();
        headers.put("Audit-Id", List.of(auditId));
        headers.put("Cache-Control", List.of("no-cache, private"));
        headers.putAll(response.headers());
        if (response.code() == 403) {
            headers.put("X-Content-Type-Options", List.of("nosniff"));
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
            StringBuilder header = new StringBuilder("299 - \"");
            text.codePoints().forEach(c -> {
                if (c == '"' || c == '\\') {
                    header.append('\\').appendCodePoint(c);
                } else {
                    header.appendCodePoint(Character.isISOControl(c) ? ' ' : c);
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
        private final List<PathHandler> paths = new ArrayList<>();
        private final List<Authenticator> authenticators = new ArrayList<>();
        private @Nullable BearerTokens tokens;
        private @Nullable TokenIssuer issuer;
        private Authorizer authorizer = (user, attributes) -> user.groups().contains(UserInfo.MASTERS_GROUP)
                ? new Authorizer.Decision(Authorizer.Verdict.ALLOW, "")
                : Authorizer.Decision.NO_OPINION;
        private boolean anonymous = true;
        private TableConverter tables = (resource, objects, include, version, meta, columns) -> {
            throw Statuses.notAcceptable("only the following media types are accepted: application/json,"
                    + " application/yaml, application/vnd.kubernetes.protobuf");
        };
        private NodeProxy nodes = NodeProxy.NONE;
        private MeterRegistry metrics = new SimpleMeterRegistry();

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

        /** Whether a request without credentials is served, as {@code system:anonymous}; by default it is. */
        public Builder anonymous(boolean allowed) {
            this.anonymous = allowed;
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
            return new ApiServer(env, new AuthenticatorChain(authenticators, anonymous), List.copyOf(paths), metrics);
        }
    }
}
