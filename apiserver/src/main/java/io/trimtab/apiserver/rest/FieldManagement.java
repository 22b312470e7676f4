package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.apply.FieldManager;
import io.trimtab.apiserver.apply.FieldSet;
import io.trimtab.apiserver.apply.ResetFields;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.schema.Decoder;
import io.trimtab.apiserver.schema.SchemaRegistry;
import io.trimtab.apiserver.tokens.TokenIssuer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Keeps book of who manages which field, with one field manager for each endpoint. Safe for use by any thread. */
final class FieldManagement {
    private record Endpoint(Served served, String subresource) {}

    private final Map<Endpoint, FieldManager> managers = new ConcurrentHashMap<>();

    /** Books a create or an update in {@code metadata.managedFields} of {@code next}; {@code live} is empty on create. */
    static void recordUpdate(Call call, ObjectNode live, ObjectNode next, String manager, String subresource) {
        manager(call, subresource)
                .track(
                        live.isEmpty() ? null : live,
                        next,
                        manager,
                        call.env.driver().now());
    }

    /** Merges an applied configuration into the object. */
    static ObjectWriter.Change apply(Call call, byte[] body, WriteOptions options, String subresource) {
        ObjectNode applied = parse(call, body, options);
        FieldManager manager = manager(call, subresource);
        return old -> {
            boolean create = old.isEmpty();
            String version = Metadata.text(applied, "resourceVersion");
            ObjectNode result = manager.apply(
                    create ? null : old,
                    applied,
                    options.fieldManager(),
                    Boolean.TRUE.equals(options.force()),
                    call.env.driver().now());
            if (version.isEmpty() && !create) {
                Metadata.keep(Metadata.of(old), Metadata.of(result), "resourceVersion");
            }
            Writes.fitNamespace(call, result);
            Writes.checkName(call, result);
            call.kind().defaults(result);
            return result;
        };
    }

    /**
     * Puts a write of a Scale into the books of the object that it stands for.
     *
     * @param live the Scale before, with {@code metadata.managedFields}
     * @param wanted the Scale that an update or patch asks for, or the configuration that was applied; gets changed
     * @return the Scale with its new {@code metadata.managedFields}
     */
    static ObjectNode writeScale(
            Call call, Decoder.Target scale, ObjectNode live, ObjectNode wanted, WriteOptions options, boolean apply) {
        FieldManager manager = new FieldManager(scale, "scale", FieldSet.EMPTY, "autoscaling/v1"::equals);
        if (!apply) {
            manager.track(
                    live,
                    wanted,
                    options.managerOr(call.request),
                    call.env.driver().now());
            return wanted;
        }
        return manager.apply(
                live,
                wanted,
                options.fieldManager(),
                Boolean.TRUE.equals(options.force()),
                call.env.driver().now());
    }

    /** Books the request for a token, which nobody stores; clients see the entry in the answer. */
    static void recordToken(Call call, ObjectNode request, WriteOptions options) {
        ObjectNode spec = request.get("spec") instanceof ObjectNode s ? s : request.putObject("spec");
        if (!spec.path("expirationSeconds").isNumber()) {
            spec.put("expirationSeconds", TokenIssuer.DEFAULT_SECONDS);
        }
        Decoder.Target target = new Decoder.Target(
                "authentication.k8s.io",
                "v1",
                "TokenRequest",
                SchemaRegistry.builtin()
                        .forKind("authentication.k8s.io", "v1", "TokenRequest")
                        .orElseThrow(() -> new IllegalStateException("no type for TokenRequest")),
                false);
        new FieldManager(target, "token", FieldSet.EMPTY, "authentication.k8s.io/v1"::equals)
                .track(
                        null,
                        request,
                        options.managerOr(call.request),
                        call.env.driver().now());
    }

    /** Puts the books back that a plugin has spoilt, and tells the client (fieldmanager's admission). */
    static void restoreIfBroken(Call call, ObjectNode object, @Nullable JsonNode before) {
        ObjectNode metadata = Metadata.of(object);
        JsonNode after = metadata.get("managedFields");
        if (after == null || after == before || after.equals(before)) {
            return;
        }
        for (JsonNode entry : after) {
            String operation = entry.path("operation").asText("");
            String type = entry.path("fieldsType").asText("");
            String problem = !operation.equals("Apply") && !operation.equals("Update")
                    ? "operation must be `Apply` or `Update`"
                    : !type.equals("FieldsV1") ? "fieldsType must be `FieldsV1`" : "";
            if (!problem.isEmpty()) {
                if (before == null) {
                    metadata.remove("managedFields");
                } else {
                    metadata.set("managedFields", before);
                }
                call.warnings.add(".metadata.managedFields was in an invalid state after admission; this could be"
                        + " caused by an outdated mutating admission controller; please fix your requests: " + problem);
                return;
            }
        }
    }

    /** Whether a resource is served at an apiVersion. */
    static Predicate<String> served(Call call, ApiResource resource) {
        String prefix = resource.group().isEmpty() ? "" : resource.group() + "/";
        return apiVersion -> apiVersion.startsWith(prefix)
                && call.env.resources().versions(resource.group()).contains(apiVersion.substring(prefix.length()));
    }

    /** The body of an apply patch, as it was written. */
    static ObjectNode parse(Call call, byte[] body, WriteOptions options) {
        FieldManager.AppliedBody read = FieldManager.read(body);
        if (!read.strictErrors().isEmpty()) {
            switch (options.validation()) {
                case STRICT ->
                    throw Statuses.badRequest("error strict decoding YAML: " + String.join(", ", read.strictErrors()));
                case WARN -> read.strictErrors().forEach(e -> call.warnings.addAll(BodyReader.warnings(e)));
                case IGNORE -> {}
            }
        }
        return read.object();
    }

    private static FieldManager manager(Call call, String subresource) {
        return call.env.fields().managers.computeIfAbsent(new Endpoint(call.served, subresource), e -> create(call, e));
    }

    private static FieldManager create(Call call, Endpoint endpoint) {
        ApiResource resource = endpoint.served().resource();
        FieldSet reset = resource.custom()
                ? ResetFields.ofCustom(endpoint.served().schema(), endpoint.subresource(), resource.hasStatus())
                : ResetFields.of(resource.qualifiedName(), endpoint.subresource(), resource.hasStatus());
        return new FieldManager(
                BodyReader.target(endpoint.served()), endpoint.subresource(), reset, served(call, resource));
    }

    /** Forgets what is kept for a resource that is served no longer. */
    void forget(Served served) {
        managers.keySet().removeIf(e -> e.served().equals(served));
    }
}
