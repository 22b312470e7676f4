package io.trimtab.apiserver.errors;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/**
 * A request is refused with this Status. Made by {@link Statuses}; caught in one place, the request chain. Carries no stack
 * trace: it is an ordinary outcome.
 */
public final class StatusException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient ObjectNode status;
    private final transient Map<String, String> headers;

    public StatusException(ObjectNode status) {
        this(status, Map.of());
    }

    /** @param headers to be sent along, such as {@code Retry-After} */
    public StatusException(ObjectNode status, Map<String, String> headers) {
        super(status.path("message").asText(), null, false, false);
        this.status = status;
        this.headers = headers;
    }

    /** The {@code v1.Status} object. */
    public ObjectNode status() {
        return status;
    }

    public Map<String, String> headers() {
        return headers;
    }

    public int code() {
        return status.path("code").asInt(500);
    }

    public String reason() {
        return status.path("reason").asText("");
    }
}
