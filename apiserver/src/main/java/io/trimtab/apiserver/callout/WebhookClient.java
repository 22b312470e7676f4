package io.trimtab.apiserver.callout;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.schema.DecodeException;
import io.trimtab.apiserver.schema.Decoder;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Posts reviews to webhooks and reads their answers, as client-go's REST client does it for the API server; failures have its
 * messages. Safe for use by any thread.
 */
public final class WebhookClient {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Of Go's client. */
    private static final int MAX_REDIRECTS = 10;

    private final CalloutTransport transport;
    private final Map<String, List<String>> headers;

    /** @param userAgent what we call ourselves */
    public WebhookClient(CalloutTransport transport, String userAgent) {
        this.transport = transport;
        Map<String, List<String>> all = new LinkedHashMap<>();
        all.put("User-Agent", List.of(userAgent));
        all.put("Accept", List.of("application/json, */*"));
        all.put("Content-Type", List.of("application/json"));
        this.headers = all;
    }

    /** A webhook that was asked. The answer is waited for by {@link #await}. */
    public static final class Asked {
        private final CalloutTransport.Request request;
        private final CalloutTransport.Pending answer;
        private final String review;
        private final String group;
        private final List<String> versions;

        private Asked(
                CalloutTransport.Request request,
                CalloutTransport.Pending answer,
                String review,
                String group,
                List<String> versions) {
            this.request = request;
            this.answer = answer;
            this.review = review;
            this.group = group;
            this.versions = versions;
        }
    }

    /** No usable answer came. */
    public static final class WebhookFailure extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final int code;

        WebhookFailure(int code, String message) {
            super(message, null, false, false);
            this.code = code;
        }

        /** What the server answered, or 503 if it did not. */
        public int code() {
            return code;
        }

        @Override
        public String getMessage() {
            return String.valueOf(super.getMessage());
        }
    }

    /**
     * Sends a review.
     *
     * @param review of one of the versions
     * @param known the versions of the review's kind that we know, of one group
     * @param timeout for the answer; told to the server in whole seconds
     */
    public Asked ask(
            Target target, Map<String, List<String>> more, ObjectNode review, List<String> known, Duration timeout) {
        String apiVersion = review.path("apiVersion").asText();
        int slash = apiVersion.indexOf('/');
        Map<String, List<String>> all = headers;
        if (!more.isEmpty()) {
            all = new LinkedHashMap<>(headers);
            all.putAll(more);
        }
        byte[] body;
        try {
            body = JSON.writeValueAsBytes(review);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
        String query = "?timeout=" + seconds(timeout) + "s";
        CalloutTransport.Request request = new CalloutTransport.Request(target, "POST", query, all, body, timeout);
        return new Asked(
                request,
                transport.start(request),
                review.path("kind").asText(),
                slash < 0 ? "" : apiVersion.substring(0, slash),
                prefer(known, slash < 0 ? apiVersion : apiVersion.substring(slash + 1)));
    }

    private static List<String> prefer(List<String> known, String sent) {
        List<String> versions = new ArrayList<>(known);
        versions.remove(sent);
        versions.add(0, sent);
        return versions;
    }

    private static long seconds(Duration timeout) {
        return timeout.toSeconds() + (timeout.toNanosPart() > 0 ? 1 : 0);
    }

    /**
     * Waits for the answer: a review of the kind that was sent, in the version that was sent, or without a word of either.
     *
     * @throws WebhookFailure if none came
     */
    public ObjectNode await(Asked asked) {
        CalloutTransport.Request request = asked.request;
        CalloutTransport.Reply reply;
        try {
            reply = asked.answer.await();
            for (int redirects = 1; ; redirects++) {
                CalloutTransport.Request next = redirected(request, reply);
                if (next == null) {
                    break;
                }
                request = next;
                if (redirects == MAX_REDIRECTS) {
                    throw new CalloutException("stopped after " + MAX_REDIRECTS + " redirects");
                }
                reply = transport.send(request);
            }
        } catch (CalloutException e) {
            String verb =
                    request.method().charAt(0) + request.method().substring(1).toLowerCase(Locale.ROOT);
            throw new WebhookFailure(503, verb + " \"" + request.url() + "\": " + e.getMessage());
        }
        if (reply.code() < 200 || reply.code() > 206) {
            throw refused(reply);
        }
        return decode(asked, reply);
    }

    /** Where the answer sends us, as Go's client goes there: with the review if the code keeps the method; null if nowhere. */
    private static CalloutTransport.@Nullable Request redirected(
            CalloutTransport.Request request, CalloutTransport.Reply reply) {
        boolean keeps = reply.code() == 307 || reply.code() == 308;
        String location = reply.header("location");
        if (!(keeps || reply.code() >= 301 && reply.code() <= 303) || location == null || location.isEmpty()) {
            return null;
        }
        URI to;
        Target target;
        try {
            to = URI.create(request.url()).resolve(location);
            Target known = request.target();
            Target found = Target.of(to.toString(), known.trust());
            boolean same = found.authority().equals(known.authority()) && found.tls() == known.tls();
            target = (same ? known : found).at(to.getRawPath() == null ? "" : to.getRawPath());
        } catch (IllegalArgumentException e) {
            throw new CalloutException(
                    "failed to parse Location header " + FieldErrors.quote(location) + ": " + e.getMessage());
        }
        return new CalloutTransport.Request(
                target,
                keeps ? request.method() : "GET",
                to.getRawQuery() == null ? "" : "?" + to.getRawQuery(),
                request.headers(),
                keeps ? request.body() : new byte[0],
                request.timeout());
    }

    /** What client-go makes of an answer that says no (api/errors' NewGenericServerResponse). */
    private static WebhookFailure refused(CalloutTransport.Reply reply) {
        ObjectNode status = status(reply.body());
        if (status != null) {
            return new WebhookFailure(
                    status.path("code").asInt(reply.code()),
                    status.path("message").asText("unknown"));
        }
        // Only text is for people to read.
        String type = reply.header("content-type");
        boolean readable = type == null || type.isEmpty() || type.startsWith("text/");
        String body = readable ? new String(reply.body(), StandardCharsets.UTF_8).strip() : "";
        int code = reply.code();
        String message =
                switch (code) {
                    case 400 -> "the server rejected our request for an unknown reason";
                    case 401 -> "the server has asked for the client to provide credentials";
                    case 403, 406, 415 -> body;
                    case 404 -> "the server could not find the requested resource";
                    case 405 -> "the server does not allow this method on the requested resource";
                    case 409 -> "the server reported a conflict";
                    case 422 -> "the server rejected our request due to an error in our request";
                    case 429 -> "the server has received too many requests and has asked us to try again later";
                    case 503 -> "the server is currently unable to handle the request";
                    case 504 ->
                        "the server was unable to return a response in the time allotted, but may still be processing"
                                + " the request";
                    default ->
                        code >= 500
                                ? "an error on the server (" + FieldErrors.quote(body.isEmpty() ? "unknown" : body)
                                        + ") has prevented the request from succeeding"
                                : "the server responded with the status code " + code
                                        + " but did not return more information";
                };
        return new WebhookFailure(code, message.isEmpty() ? "unknown" : message);
    }

    private static @Nullable ObjectNode status(byte[] body) {
        if (body.length == 0 || body[0] != '{') {
            return null;
        }
        try {
            JsonNode tree = JSON.readTree(body);
            return tree instanceof ObjectNode object
                            && object.path("kind").asText().equals("Status")
                            && !object.path("status").asText().equals("Success")
                    ? object
                    : null;
        } catch (java.io.IOException e) {
            return null;
        }
    }

    private static ObjectNode decode(Asked asked, CalloutTransport.Reply reply) {
        byte[] body = reply.body();
        if (body.length == 0) {
            String type = reply.header("content-type");
            throw unreadable("0-length response with status code: " + reply.code() + " and content type: "
                    + (type == null ? "" : type));
        }
        JsonNode tree;
        try {
            int first = 0;
            while (first < body.length && Character.isWhitespace(body[first])) {
                first++;
            }
            // Whatever is no object is read as YAML, and then is text.
            tree = first < body.length && body[first] == '{'
                    ? Decoder.parse(body, Decoder.Syntax.JSON, new ArrayList<>())
                    : JsonNodeFactory.instance.textNode("");
        } catch (DecodeException e) {
            throw unreadable("couldn't get version/kind; json parse error: " + e.getMessage());
        }
        if (!(tree instanceof ObjectNode object)) {
            throw unreadable("couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value"
                    + " of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string"
                    + " \"json:\\\"kind,omitempty\\\"\" }");
        }
        String apiVersion = object.path("apiVersion").asText("");
        String kind = object.path("kind").asText("");
        String sent = asked.versions.get(0);
        int slash = apiVersion.indexOf('/');
        String group = apiVersion.isEmpty() ? asked.group : slash < 0 ? "" : apiVersion.substring(0, slash);
        String version = apiVersion.isEmpty() ? sent : apiVersion.substring(slash + 1);
        boolean review = group.equals(asked.group)
                && (kind.isEmpty() || kind.equals(asked.review))
                && asked.versions.contains(version);
        boolean status = apiVersion.equals("v1") && kind.equals("Status");
        if (!review && !status) {
            throw unreadable("no kind \"" + (kind.isEmpty() ? asked.review : kind) + "\" is registered for version \""
                    + apiVersion + "\" in scheme \"pkg/runtime/scheme.go:110\"");
        }
        if (status || !version.equals(sent)) {
            throw unreadable("converting (" + version + "." + kind + ") to (" + sent + "." + asked.review
                    + "): unknown conversion");
        }
        return object;
    }

    private static WebhookFailure unreadable(String why) {
        return new WebhookFailure(503, why);
    }
}
