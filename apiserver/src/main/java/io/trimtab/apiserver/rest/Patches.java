package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
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
import java.util.Map;
import org.jspecify.annotations.Nullable;

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

    /** The content type without parameters, in the case in which it was sent: patches are found by name. */
    private static String mediaType(Call call) {
        String type = call.request.header("content-type");
        return type == null ? "" : type.split(";", 2)[0].trim();
    }

    /** What the content type says; refuses what this resource does not take. */
    static Type type(Call call) {
        Type type =
                switch (mediaType(call)) {
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
        if (call.resource().custom()) {
            Metadata.dropEmpty(object);
        }
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
            decoded = target.custom()
                    ? BodyReader.decoder().convert(patched.object(), target.schema())
                    : fitted(document, patched.object(), type, target);
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
        // A custom resource of another type is refused by its validation, but its status alone has no type to look at.
        boolean kept = target.custom() && call.info.subresource().isEmpty();
        if (!kept || object.path("kind").asText("").isEmpty()) {
            object.put("kind", target.kind());
        }
        if (!kept || object.path("apiVersion").asText("").isEmpty()) {
            object.put("apiVersion", target.apiVersion());
        }
        return object;
    }

    /** The outcome fitted to its type: only what the patch went into need be, the rest is copied. */
    private static Decoded fitted(ObjectNode document, ObjectNode outcome, Type type, Decoder.Target target)
            throws DecodeException {
        ObjectNode kept = Json.object();
        ObjectNode touched = split(document, outcome, kept);
        ObjectNode metadata = Json.object();
        boolean inMetadata =
                touched.get("metadata") instanceof ObjectNode && document.get("metadata") instanceof ObjectNode;
        if (inMetadata) {
            touched.set(
                    "metadata",
                    split((ObjectNode) document.get("metadata"), (ObjectNode) touched.get("metadata"), metadata));
        }
        Decoded decoded = type == Type.STRATEGIC
                ? BodyReader.decoder().convertMerged(touched, target.schema())
                : BodyReader.decoder().convert(touched, target.schema());
        decoded.object().setAll(kept);
        if (inMetadata && decoded.object().get("metadata") instanceof ObjectNode fields) {
            fields.setAll(metadata);
        }
        return decoded;
    }

    /**
     * What differs from before.
     *
     * @param same gets copies of the rest
     */
    private static ObjectNode split(ObjectNode before, ObjectNode after, ObjectNode same) {
        ObjectNode other = Json.object();
        for (Map.Entry<String, JsonNode> field : after.properties()) {
            JsonNode value = field.getValue();
            JsonNode copy = null;
            if (value == before.get(field.getKey())) {
                // Nobody changes the books in place; that they are the same says that the client did not touch them.
                copy = field.getKey().equals("managedFields") ? value : copy(value);
            }
            if (copy == null) {
                other.set(field.getKey(), value);
            } else {
                same.set(field.getKey(), copy);
            }
        }
        return other;
    }

    /** A copy of a value that fits its type; null if there is a null in it, which fitting leaves out. */
    private static @Nullable JsonNode copy(JsonNode value) {
        if (value instanceof ObjectNode object) {
            ObjectNode copy = Json.object();
            for (Map.Entry<String, JsonNode> field : object.properties()) {
                JsonNode inner = copy(field.getValue());
                if (inner == null) {
                    return null;
                }
                copy.set(field.getKey(), inner);
            }
            return copy;
        }
        if (value instanceof ArrayNode array) {
            ArrayNode copy = array.arrayNode(array.size());
            for (int i = 0; i < array.size(); i++) {
                JsonNode inner = copy(array.get(i));
                if (inner == null) {
                    return null;
                }
                copy.add(inner);
            }
            return copy;
        }
        return value.isNull() ? null : value;
    }
}
