package io.trimtab.webhook;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What somebody asks the API server to do, and on which a webhook may have its say. The objects belong to the handler: nobody
 * else sees them. For one thread.
 *
 * @param <T> what the objects are read as
 * @since 0.1
 */
public final class Admission<T extends HasMetadata> {

    /** What is to be done with the object. */
    public enum Operation {
        CREATE,
        UPDATE,
        DELETE,
        CONNECT
    }

    /**
     * Who asks.
     *
     * @param uid empty if the authenticator gave none
     */
    public record Caller(String name, String uid, List<String> groups, Map<String, List<String>> extra) {}

    private final JsonNode request;
    private final Operation operation;
    private final @Nullable T object;
    private final @Nullable T old;
    private final Caller caller;

    Admission(JsonNode request, Operation operation, @Nullable T object, @Nullable T old, Caller caller) {
        this.request = request;
        this.operation = operation;
        this.object = object;
        this.old = old;
        this.caller = caller;
    }

    /** Names this one call. */
    public String uid() {
        return request.path("uid").asText("");
    }

    public Operation operation() {
        return operation;
    }

    /** Empty for cluster-scoped objects. */
    public String namespace() {
        return request.path("namespace").asText("");
    }

    /** Empty where the server has yet to make a name. */
    public String name() {
        return request.path("name").asText("");
    }

    /** Empty for the object itself, else for instance {@code status}. */
    public String subresource() {
        return request.path("subResource").asText("");
    }

    /** Nothing will be stored: a handler must have no effects elsewhere. */
    public boolean isDryRun() {
        return request.path("dryRun").asBoolean(false);
    }

    public Caller caller() {
        return caller;
    }

    /**
     * The object as it would be stored; when it is deleted, the one that goes.
     *
     * @throws IllegalStateException if the call carries none, as some CONNECT calls do
     */
    public T object() {
        T found = object != null ? object : old;
        if (found == null) {
            throw new IllegalStateException(operation + " of " + namespace() + "/" + name() + " carries no object");
        }
        return found;
    }

    /** The object as it is stored now; empty when it is being created. */
    public Optional<T> old() {
        return Optional.ofNullable(old);
    }

    /** The whole request as it came, with all that the types do not show. Must not be changed. */
    public JsonNode request() {
        return request;
    }

    @Override
    public String toString() {
        return operation + " " + request.path("resource").path("resource").asText("") + " " + namespace() + "/"
                + name();
    }
}
