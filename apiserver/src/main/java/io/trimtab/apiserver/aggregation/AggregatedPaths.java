package io.trimtab.apiserver.aggregation;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.PathHandler;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.callout.CalloutException;
import io.trimtab.apiserver.callout.CalloutTransport;
import io.trimtab.apiserver.callout.Target;
import io.trimtab.apiserver.discovery.Documents;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Hands requests for group versions of other servers on to them, in the name of whoever asks (kube-aggregator's
 * handler_proxy.go). Safe for use by any thread.
 */
public final class AggregatedPaths implements PathHandler {
    private static final Duration TIMEOUT = Duration.ofSeconds(60);
    private static final Duration HEAD_OF_STREAM = Duration.ofSeconds(60);
    private static final Set<String> HOP_BY_HOP = Set.of(
            "connection",
            "proxy-connection",
            "keep-alive",
            "proxy-authenticate",
            "proxy-authorization",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
            "host",
            "content-length",
            "accept-encoding");

    private final Aggregator aggregator;

    public AggregatedPaths(Aggregator aggregator) {
        this.aggregator = aggregator;
    }

    @Override
    public Optional<ApiResponse> handle(ApiRequest request, UserInfo user) {
        String path = request.path();
        if (path.startsWith("/openapi/v3/apis/")) {
            String[] parts = path.substring("/openapi/v3/apis/".length()).split("/", -1);
            return parts.length == 2
                    ? aggregator.remote(parts[0], parts[1]).map(r -> handOn(r, request, user))
                    : Optional.empty();
        }
        if (!path.startsWith("/apis/")) {
            return Optional.empty();
        }
        String[] parts = path.substring("/apis/".length()).split("/", 3);
        if (parts.length == 1 || parts[1].isEmpty()) {
            List<Registration> versions = aggregator.remoteVersions(parts[0]);
            return versions.isEmpty() || aggregator.servesItself(parts[0])
                    ? Optional.empty()
                    : Optional.of(Documents.negotiated(request, group(parts[0], versions)));
        }
        return aggregator.remote(parts[0], parts[1]).map(r -> handOn(r, request, user));
    }

    private static ObjectNode group(String name, List<Registration> versions) {
        ObjectNode group = JsonNodeFactory.instance
                .objectNode()
                .put("kind", "APIGroup")
                .put("apiVersion", "v1")
                .put("name", name);
        ArrayNode array = group.putArray("versions");
        for (Registration version : versions) {
            array.addObject()
                    .put("groupVersion", name + "/" + version.version())
                    .put("version", version.version());
        }
        String preferred = versions.get(0).version();
        group.putObject("preferredVersion")
                .put("groupVersion", name + "/" + preferred)
                .put("version", preferred);
        return group;
    }

    private ApiResponse handOn(Registration registration, ApiRequest request, UserInfo user) {
        Target target = registration.target();
        if (target == null || !registration.available()) {
            return unavailable("service unavailable");
        }
        boolean stream = isStream(request);
        CalloutTransport.Request outgoing = new CalloutTransport.Request(
                target,
                request.method(),
                request.target(),
                headers(request, user),
                request.body(),
                stream ? HEAD_OF_STREAM : TIMEOUT);
        try {
            if (stream) {
                return RelayedStream.answer(aggregator.transport().stream(outgoing));
            }
            CalloutTransport.Reply reply = aggregator.transport().send(outgoing);
            return new ApiResponse.Whole(reply.code(), answerHeaders(reply.headers()), reply.body());
        } catch (CalloutException e) {
            String message = e.getMessage();
            boolean unresolved = message.startsWith("no endpoints")
                    || message.startsWith("service \"")
                    || message.startsWith("no service port");
            return unavailable(unresolved ? "service unavailable" : "error trying to reach service: " + message);
        }
    }

    /** Answers that go on for as long as their server likes. */
    private static boolean isStream(ApiRequest request) {
        return isTrue(request.queryParameter("watch"))
                || isTrue(request.queryParameter("follow"))
                || request.path().contains("/watch/");
    }

    private static boolean isTrue(@org.jspecify.annotations.Nullable String value) {
        return value != null && !value.equals("0") && !value.equalsIgnoreCase("false");
    }

    private static ApiResponse unavailable(String message) {
        return new ApiResponse.Whole(
                503,
                Map.of(
                        "Content-Type", List.of("text/plain; charset=utf-8"),
                        "X-Content-Type-Options", List.of("nosniff")),
                (message + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private static Map<String, List<String>> headers(ApiRequest request, UserInfo user) {
        Map<String, List<String>> headers = new LinkedHashMap<>();
        request.headers().forEach((name, values) -> {
            if (!HOP_BY_HOP.contains(name) && !RemoteUser.isOurs(name)) {
                headers.put(name, values);
            }
        });
        headers.putAll(RemoteUser.headers(user));
        List<String> forwarded = new ArrayList<>(request.headers().getOrDefault("x-forwarded-for", List.of()));
        if (!request.peer().address().isEmpty()) {
            forwarded.add(request.peer().address());
        }
        headers.put("x-forwarded-for", List.of(String.join(", ", forwarded)));
        String host = request.header("host");
        if (host != null) {
            headers.put("x-forwarded-host", List.of(host));
        }
        headers.put("x-forwarded-proto", List.of("https"));
        headers.put("x-forwarded-uri", List.of(request.target().split("\\?", 2)[0]));
        return headers;
    }

    static Map<String, List<String>> answerHeaders(Map<String, List<String>> given) {
        Map<String, List<String>> headers = new LinkedHashMap<>();
        given.forEach((name, values) -> {
            String lower = name.toLowerCase(Locale.ROOT);
            if (!HOP_BY_HOP.contains(lower) && !lower.equals("date") && !lower.equals("content-encoding")) {
                headers.put(canonical(name), values);
            }
        });
        return headers;
    }

    /** As Go writes the names of headers. */
    private static String canonical(String name) {
        StringBuilder text = new StringBuilder(name.length());
        boolean upper = true;
        for (char c : name.toCharArray()) {
            text.append(upper ? Character.toUpperCase(c) : Character.toLowerCase(c));
            upper = c == '-';
        }
        return text.toString();
    }
}
