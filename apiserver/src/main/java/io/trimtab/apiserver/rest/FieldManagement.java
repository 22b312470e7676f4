package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.apply.FieldManager;
import io.trimtab.apiserver.apply.FieldSet;
import io.trimtab.apiserver.apply.ResetFields;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.Served;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

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

    /** The body of an apply patch, as it was written. */
    static ObjectNode parse(Call call, byte[] body, WriteOptions options) {
        FieldManager.AppliedBody read = FieldManager.read(body);
        if (!read.strictErrors().isEmpty()) {
            switch (options.validation()) {
                case STRICT ->
                    throw Statuses.badRequest("error strict decoding YAML: " + String.join(", ", read.strictErrors()));
                case WARN -> call.warnings.addAll(read.strictErrors());
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
        String prefix = resource.group().isEmpty() ? "" : resource.group() + "/";
        return new FieldManager(
                BodyReader.target(endpoint.served()),
                endpoint.subresource(),
                reset,
                apiVersion -> apiVersion.startsWith(prefix)
                        && call.env
                                .resources()
                                .versions(resource.group())
                                .contains(apiVersion.substring(prefix.length())));
    }

    /** Forgets what is kept for a resource that is served no longer. */
    void forget(Served served) {
        managers.keySet().removeIf(e -> e.served().equals(served));
    }
}
