package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.apply.FieldManager;
import io.trimtab.apiserver.apply.FieldSet;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.schema.DecodeException;
import io.trimtab.apiserver.schema.Decoder;
import java.util.ArrayList;
import java.util.List;
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
        List<String> problems = new ArrayList<>(0);
        JsonNode parsed;
        try {
            parsed = Decoder.parse(body, Decoder.Syntax.YAML, problems);
        } catch (DecodeException e) {
            String why = e.getMessage() == null ? "" : e.getMessage();
            throw Statuses.badRequest("error decoding YAML: "
                    + (why.startsWith("yaml: ") ? "error converting YAML to JSON: " : "") + why);
        }
        if (!problems.isEmpty()) {
            switch (options.validation()) {
                case STRICT -> throw Statuses.badRequest("error strict decoding YAML: " + String.join(", ", problems));
                case WARN -> call.warnings.addAll(problems);
                case IGNORE -> {}
            }
        }
        if (!(parsed instanceof ObjectNode applied)) {
            throw Statuses.badRequest(
                    "error decoding YAML: json: cannot unmarshal into Go value of type" + " map[string]interface {}");
        }
        return applied;
    }

    private static FieldManager manager(Call call, String subresource) {
        return call.env.fields().managers.computeIfAbsent(new Endpoint(call.served, subresource), e -> create(call, e));
    }

    private static FieldManager create(Call call, Endpoint endpoint) {
        ApiResource resource = endpoint.served().resource();
        List<List<String>> reset = new ArrayList<>();
        if (endpoint.subresource().equals("status")) {
            endpoint.served().schema().properties().keySet().forEach(field -> {
                switch (field) {
                    case "kind", "apiVersion", "metadata", "status" -> {}
                    default -> reset.add(List.of(field));
                }
            });
            // Some kinds keep more than their spec from the status' writers (their strategies' reset fields).
            switch (resource.qualifiedName()) {
                case "deployments.apps" -> reset.add(List.of("metadata", "labels"));
                case "pods" -> reset.add(List.of("metadata", "ownerReferences"));
                default -> {}
            }
        } else if (resource.hasStatus()) {
            reset.add(List.of("status"));
        }
        String prefix = resource.group().isEmpty() ? "" : resource.group() + "/";
        return new FieldManager(
                BodyReader.target(endpoint.served()),
                endpoint.subresource(),
                FieldSet.ofFields(reset),
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
