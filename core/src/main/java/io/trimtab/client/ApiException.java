package io.trimtab.client;

import io.fabric8.kubernetes.api.model.Status;
import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.api.model.StatusCause;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The server refused a request, and said why in its {@link Status}; code 0 when there was no answer at all. */
public class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Status status;

    public ApiException(Status status) {
        super(status.getMessage());
        this.status = status;
    }

    /** There was no answer: the connection failed, or the reply could not be read. */
    public ApiException(String message, @Nullable Throwable cause) {
        super(message, cause);
        this.status = new StatusBuilder()
                .withStatus("Failure")
                .withMessage(message)
                .withCode(0)
                .build();
    }

    public Status status() {
        return status;
    }

    /** The HTTP code, or 0 if there was no answer. */
    public int code() {
        return status.getCode() == null ? 0 : status.getCode();
    }

    /** The machine-readable reason, such as {@code AlreadyExists}; empty if the server gave none. */
    public String reason() {
        return status.getReason() == null ? "" : status.getReason();
    }

    public boolean isNotFound() {
        return code() == 404;
    }

    /** A write lost against another: read again and decide again. */
    public boolean isConflict() {
        return code() == 409 && !isAlreadyExists();
    }

    public boolean isAlreadyExists() {
        return code() == 409 && reason().equals("AlreadyExists");
    }

    /** The revision asked for is no longer kept. */
    public boolean isExpired() {
        return code() == 410;
    }

    public boolean isForbidden() {
        return code() == 403;
    }

    public boolean isInvalid() {
        return code() == 422;
    }

    public boolean isTooManyRequests() {
        return code() == 429;
    }

    /** How long the server asks to wait before the request is tried again. */
    public Optional<Duration> retryAfter() {
        if (status.getDetails() == null || status.getDetails().getRetryAfterSeconds() == null) {
            return Optional.empty();
        }
        return Optional.of(Duration.ofSeconds(status.getDetails().getRetryAfterSeconds()));
    }

    /** True if one of the Status' causes has this reason, such as {@code NamespaceTerminating}. */
    public boolean hasCause(String reason) {
        List<StatusCause> causes =
                status.getDetails() == null ? List.of() : status.getDetails().getCauses();
        return causes.stream().anyMatch(c -> reason.equals(c.getReason()));
    }
}
