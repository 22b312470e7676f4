package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.patch.JsonPatch;
import io.trimtab.apiserver.patch.MergePatch;
import io.trimtab.apiserver.patch.Patched;
import io.trimtab.apiserver.patch.StrategicMergePatch;
import io.trimtab.apiserver.resource.RequestTrail;
import io.trimtab.apiserver.schema.DecodeException;
import io.trimtab.apiserver.schema.Decoded;
import io.trimtab.apiserver.schema.Decoder;
import java.util.ArrayList;
import java.util.List;

/** The four kinds of PATCH. Stateless. */
final class Patches {

    /** How a patch is written. */
    enum Type {
        JSON,
        MERGE,
        STRATEGIC,
        APPLY
    }

    private Patches() {}

    static ApiResponse patch(Call call, String subresource) {
        Representation form = Representation.negotiate(call, Representation.Endpoint.OBJECT);
        Type type = type(call);
        WriteOptions options = WriteOptions.patch(call.request, type == Type.APPLY);
        byte[] body = BodyReader.body(call.request);
        boolean apply = type == Type.APPLY;
        RequestTrail.Recorder recorder = call.trail.recorder();
        if (recorder != null) {
            recorder.patch(body, apply);
        }
        ObjectWriter.Change change = apply
                ? FieldManagement.apply(call, body, options, subresource)
                : old -> patched(call, type, body, old, options);
        ObjectWriter.Outcome outcome = ObjectWriter.update(
                call,
                new ObjectWriter.Update(
                        call.info.name(),
                        subresource,
                        change,
                        options,
                        "",
                        apply && subresource.isEmpty(),
                        apply ? null : options.managerOr(call.request)));
        return Writes.respond(call, form, outcome, outcome.created() ? 201 : 200);
    }

    /** What the content type says; refuses what this resource does not take. */
    static Type type(Call call) {
        Type type =
                switch (BodyReader.mediaType(call.request)) {
                    case "application/json-patch+json" -> Type.JSON;
                    case "application/merge-patch+json" -> Type.MERGE;
                    case "application/strategic-merge-patch+json" ->
                        call.resource().custom() ? null : Type.STRATEGIC;
                    case "application/apply-patch+yaml" -> Type.APPLY;
                    default -> null;
                };
        if (type == null && call.resource().custom()) {
            throw Statuses.unsupportedMediaType(
                    "the body of the request was in an unknown format - accepted media types include:"
                            + " application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
        }
        if (type == null) {
            throw Statuses.of(415, "UnsupportedMediaType", "415: Unsupported Media Type", Json.object());
        }
        return type;
    }

    /** The new state of the resource's own object. */
    private static ObjectNode patched(Call call, Type type, byte[] body, ObjectNode old, WriteOptions options) {
        ObjectNode object = patched(call, BodyReader.target(call.served), type, body, old, options);
        Writes.checkName(call, object);
        call.kind().defaults(object);
        return object;
    }

    /** The document with the patch applied, fitted to its type. */
    static ObjectNode patched(
            Call call, Decoder.Target target, Type type, byte[] body, ObjectNode document, WriteOptions options) {
        Patched patched =
                switch (type) {
                    case JSON -> JsonPatch.apply(document, body);
                    case MERGE -> MergePatch.apply(document, body);
                    case STRATEGIC -> StrategicMergePatch.apply(document, body, target.schema());
                    case APPLY -> throw new IllegalStateException("apply is no patch of a document");
                };
        Decoded decoded;
        try {
            decoded = type == Type.STRATEGIC
                    ? BodyReader.decoder().convertMerged(patched.object(), target.schema())
                    : BodyReader.decoder().convert(patched.object(), target.schema());
        } catch (DecodeException e) {
            throw patched.refusal(e.getMessage() == null ? "" : e.getMessage());
        }
        List<String> problems = new ArrayList<>(patched.strictErrors());
        problems.addAll(decoded.strictErrors());
        if (!problems.isEmpty()) {
            switch (options.validation()) {
                case STRICT -> throw patched.strictRefusal(problems);
                case WARN -> call.warnings.addAll(problems);
                case IGNORE -> {}
            }
        }
        ObjectNode object = decoded.object();
        object.put("kind", target.kind());
        object.put("apiVersion", target.group().isEmpty() ? target.version() : target.group() + "/" + target.version());
        return object;
    }
}
