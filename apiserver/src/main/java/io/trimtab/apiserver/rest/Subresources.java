package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.schema.SchemaRegistry;
import io.trimtab.apiserver.tokens.TokenIssuer;

/** Finds what serves a subresource. Stateless. */
final class Subresources {
    private Subresources() {}

    static ApiResponse handle(Call call) {
        return switch (call.info.subresource()) {
            case "status", "ephemeralcontainers", "resize", "approval", "finalize" -> plain(call);
            case "scale" -> Scales.handle(call);
            case "binding" -> Bindings.create(call, call.served);
            case "eviction" -> Evictions.create(call);
            case "token" -> token(call);
            case "log", "exec", "attach", "portforward", "proxy" -> PodConnections.handle(call);
            default -> throw Statuses.noSuchResource();
        };
    }

    /** Those that are another view of the object itself. */
    private static ApiResponse plain(Call call) {
        String subresource = call.info.subresource();
        return switch (call.info.verb()) {
            case "get" -> Reads.get(call);
            case "update" -> Writes.update(call, subresource);
            case "patch" -> Patches.patch(call, subresource);
            default -> throw Statuses.methodNotAllowed();
        };
    }

    private static ApiResponse token(Call call) {
        Representation form = Representation.negotiate(call, Representation.Endpoint.VIRTUAL);
        TokenIssuer issuer = call.env.issuer();
        String namespace = call.namespace();
        if (issuer == null || namespace == null) {
            throw Statuses.noSuchResource();
        }
        WriteOptions options = WriteOptions.create(call.request);
        ObjectNode request = BodyReader.read(call, "authentication.k8s.io", "v1", "TokenRequest", options.validation());
        Writes.fitNamespace(call, request);
        FieldManagement.recordToken(call, request, options);
        ObjectNode answer = issuer.issue(
                request,
                namespace,
                call.info.name(),
                call.warnings,
                completed -> Admission.create(call, "token", call.info.name(), completed, options, () -> {}));
        ObjectNode canonical = SchemaRegistry.builtin()
                .forKind("authentication.k8s.io", "v1", "TokenRequest")
                .map(schema -> Canonical.of(answer, schema))
                .orElse(answer);
        return ResponseWriter.tree(form, 201, canonical);
    }
}
