package io.trimtab.client;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.api.model.StatusDetails;
import io.fabric8.kubernetes.client.http.HttpHeaders;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Turns an answer that is no success into an {@link ApiException}. */
final class Failures {
    /** As much of a text that is no Status as goes into a message; client-go's number. */
    private static final int MAX_TEXT = 2048;

    private Failures() {}

    /**
     * What went wrong.
     *
     * @param verb the HTTP method
     * @param resource such as {@code pods} or {@code deployments.apps}; empty for paths that are no resources
     * @param name null for collections
     */
    static ApiException of(
            int code,
            HttpHeaders headers,
            byte @Nullable [] body,
            String verb,
            String resource,
            @Nullable String name) {
        byte[] bytes = body == null ? new byte[0] : body;
        Status status = parse(bytes);
        if (status == null) {
            status = generic(code, verb, resource, name, text(bytes));
        }
        if (status.getCode() == null) {
            status.setCode(code);
        }
        OptionalInt retryAfter = retryAfterSeconds(headers);
        if (retryAfter.isPresent()) {
            if (status.getDetails() == null) {
                status.setDetails(new StatusDetails());
            }
            if (status.getDetails().getRetryAfterSeconds() == null) {
                status.getDetails().setRetryAfterSeconds(retryAfter.getAsInt());
            }
        }
        return new ApiException(status);
    }

    /** The Retry-After header in seconds; its date form is not used by Kubernetes and counts as absent. */
    static OptionalInt retryAfterSeconds(HttpHeaders headers) {
        String value = headers.header("Retry-After");
        if (value == null) {
            return OptionalInt.empty();
        }
        try {
            return OptionalInt.of(Math.max(0, Integer.parseInt(value.trim())));
        } catch (NumberFormatException e) {
            return OptionalInt.empty();
        }
    }

    private static @Nullable Status parse(byte[] body) {
        int start = 0;
        while (start < body.length && Character.isWhitespace(body[start])) {
            start++;
        }
        if (start == body.length || body[start] != '{') {
            return null;
        }
        try {
            JsonNode tree = KubernetesJson.mapper().readTree(body);
            if (!"Status".equals(tree.path("kind").asText())) {
                return null;
            }
            return KubernetesJson.mapper().treeToValue(tree, Status.class);
        } catch (IOException e) {
            return null; // not the JSON it looked like: the text goes into the message
        }
    }

    private static String text(byte[] body) {
        String text = new String(body, 0, Math.min(body.length, MAX_TEXT), StandardCharsets.UTF_8).strip();
        return text.isEmpty() ? "unknown" : text;
    }

    /** What client-go makes of an answer without a Status: apimachinery/pkg/api/errors/errors.go. */
    private static Status generic(int code, String verb, String resource, @Nullable String name, String text) {
        String reason = "";
        String message = "the server responded with the status code " + code + " but did not return more information";
        switch (code) {
            case 400 -> {
                reason = "BadRequest";
                message = "the server rejected our request for an unknown reason";
            }
            case 401 -> {
                reason = "Unauthorized";
                message = "the server has asked for the client to provide credentials";
            }
            case 403 -> {
                reason = "Forbidden";
                message = text;
            }
            case 404 -> {
                reason = "NotFound";
                message = "the server could not find the requested resource";
            }
            case 405 -> {
                reason = "MethodNotAllowed";
                message = "the server does not allow this method on the requested resource";
            }
            case 406 -> {
                reason = "NotAcceptable";
                message = text.equals("unknown")
                        ? "the server was unable to respond with a content type that the client supports"
                        : text;
            }
            case 409 -> {
                reason = verb.equals("POST") ? "AlreadyExists" : "Conflict";
                message = "the server reported a conflict";
            }
            case 415 -> {
                reason = "UnsupportedMediaType";
                message = text;
            }
            case 422 -> {
                reason = "Invalid";
                message = "the server rejected our request due to an error in our request";
            }
            case 429 -> {
                reason = "TooManyRequests";
                message = "the server has received too many requests and has asked us to try again later";
            }
            case 503 -> {
                reason = "ServiceUnavailable";
                message = "the server is currently unable to handle the request";
            }
            case 504 -> {
                reason = "Timeout";
                message =
                        "the server was unable to return a response in the time allotted, but may still be processing the request";
            }
            default -> {
                if (code >= 500) {
                    reason = "InternalError";
                    message = "an error on the server (\"" + text + "\") has prevented the request from succeeding";
                }
            }
        }
        String about = resource;
        if (!resource.isEmpty()) {
            about = " (" + verb.toLowerCase(Locale.ROOT) + " " + resource + (name == null ? "" : " " + name) + ")";
        }
        return new StatusBuilder()
                .withStatus("Failure")
                .withCode(code)
                .withReason(reason.isEmpty() ? null : reason)
                .withMessage(message + about)
                .withNewDetails()
                .withKind(resource.isEmpty() ? null : resource)
                .withName(name)
                .addNewCause(null, text, "UnexpectedServerResponse")
                .endDetails()
                .build();
    }
}
