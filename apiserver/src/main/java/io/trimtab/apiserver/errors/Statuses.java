package io.trimtab.apiserver.errors;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors.FieldError;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes the Status of every refusal, with the reasons, codes and messages of Kubernetes' {@code api/errors}.
 *
 * <p>{@code resource} is the plural and {@code group} its group, empty for core; messages show {@code pods} or {@code
 * deployments.apps}.
 */
public final class Statuses {
    private Statuses() {}

    public static StatusException badRequest(String message) {
        return of(400, "BadRequest", message, null);
    }

    public static StatusException unauthorized() {
        return of(401, "Unauthorized", "Unauthorized", null);
    }

    public static StatusException forbidden(String group, String resource, String name, String why) {
        String message = resource.isEmpty() && name.isEmpty()
                ? "forbidden: " + why
                : name.isEmpty()
                        ? qualified(group, resource) + " is forbidden: " + why
                        : qualified(group, resource) + " \"" + name + "\" is forbidden: " + why;
        return of(403, "Forbidden", message, details(group, resource, name));
    }

    public static StatusException notFound(String group, String resource, String name) {
        return of(
                404,
                "NotFound",
                qualified(group, resource) + " \"" + name + "\" not found",
                details(group, resource, name));
    }

    /** The path names nothing that is served. */
    public static StatusException noSuchResource() {
        return of(404, "NotFound", "the server could not find the requested resource", empty());
    }

    public static StatusException methodNotAllowed() {
        return of(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", empty());
    }

    public static StatusException notAcceptable(String message) {
        return of(406, "NotAcceptable", message, null);
    }

    public static StatusException alreadyExists(String group, String resource, String name) {
        return of(
                409,
                "AlreadyExists",
                qualified(group, resource) + " \"" + name + "\" already exists",
                details(group, resource, name));
    }

    public static StatusException conflict(String group, String resource, String name, String why) {
        return of(
                409,
                "Conflict",
                "Operation cannot be fulfilled on " + qualified(group, resource) + " \"" + name + "\": " + why,
                details(group, resource, name));
    }

    public static StatusException gone(String message) {
        return of(410, "Expired", message, null);
    }

    public static StatusException entityTooLarge(String message) {
        return of(413, "RequestEntityTooLarge", message, null);
    }

    public static StatusException unsupportedMediaType(String message) {
        return of(415, "UnsupportedMediaType", message, null);
    }

    /**
     * The object is not valid.
     *
     * @param kind the kind (not the resource), as Kubernetes has it here
     */
    public static StatusException invalid(String group, String kind, String name, FieldErrors errors) {
        List<FieldError> list = errors.list();
        Set<String> sentences = new LinkedHashSet<>();
        list.forEach(e -> sentences.add(e.message()));
        String joined = sentences.size() == 1 ? sentences.iterator().next() : "[" + String.join(", ", sentences) + "]";
        ObjectNode details = details(group, kind, name);
        if (!list.isEmpty()) {
            ArrayNode causes = details.putArray("causes");
            for (FieldError e : list) {
                causes.addObject()
                        .put("reason", e.type().reason())
                        .put("message", e.body())
                        .put("field", e.field());
            }
        }
        return of(422, "Invalid", qualified(group, kind) + " \"" + name + "\" is invalid: " + joined, details);
    }

    public static StatusException tooManyRequests(String message, int retryAfterSeconds) {
        ObjectNode details = empty();
        if (retryAfterSeconds > 0) {
            details.put("retryAfterSeconds", retryAfterSeconds);
        }
        return new StatusException(
                status(429, "TooManyRequests", message, details),
                retryAfterSeconds > 0 ? Map.of("Retry-After", Integer.toString(retryAfterSeconds)) : Map.of());
    }

    public static StatusException internal(String why) {
        ObjectNode details = empty();
        details.putArray("causes").addObject().put("message", why);
        return of(500, "InternalError", "Internal error occurred: " + why, details);
    }

    /** An error that Kubernetes lets out raw: code 500, a message, no reason. */
    public static StatusException raw(String message) {
        return of(500, "", message, null);
    }

    public static StatusException timeout(String message, int retryAfterSeconds) {
        ObjectNode details = empty();
        if (retryAfterSeconds > 0) {
            details.put("retryAfterSeconds", retryAfterSeconds);
        }
        return of(504, "Timeout", "Timeout: " + message, details);
    }

    /** Any other refusal. */
    public static StatusException of(int code, String reason, String message, @Nullable ObjectNode details) {
        return new StatusException(status(code, reason, message, details));
    }

    /** A {@code v1.Status} of a failure; members without content are left out. */
    public static ObjectNode status(int code, String reason, String message, @Nullable ObjectNode details) {
        ObjectNode status = empty();
        status.put("kind", "Status").put("apiVersion", "v1");
        status.putObject("metadata");
        status.put("status", "Failure").put("message", message);
        if (!reason.isEmpty()) {
            status.put("reason", reason);
        }
        if (details != null) {
            status.set("details", details);
        }
        return status.put("code", code);
    }

    public static ObjectNode details(String group, String kind, String name) {
        ObjectNode details = empty();
        if (!name.isEmpty()) {
            details.put("name", name);
        }
        if (!group.isEmpty()) {
            details.put("group", group);
        }
        if (!kind.isEmpty()) {
            details.put("kind", kind);
        }
        return details;
    }

    private static String qualified(String group, String resource) {
        return group.isEmpty() ? resource : resource + "." + group;
    }

    private static ObjectNode empty() {
        return JsonNodeFactory.instance.objectNode();
    }
}
