package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.patch.MergePatch;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.schema.Decoder;
import io.trimtab.apiserver.schema.Schema;
import io.trimtab.apiserver.schema.SchemaRegistry;
import org.jspecify.annotations.Nullable;

/** The scale subresource: a small object that stands for the replicas of a large one. Stateless. */
final class Scales {
    private static final Schema SCHEMA = SchemaRegistry.builtin()
            .forKind("autoscaling", "v1", "Scale")
            .orElseThrow(() -> new IllegalStateException("no type for Scale"));
    private static final Decoder.Target TARGET = new Decoder.Target("autoscaling", "v1", "Scale", SCHEMA, false);

    private Scales() {}

    static ApiResponse handle(Call call) {
        Kind.Scale scale = call.kind().scale();
        if (scale == null) {
            throw Statuses.noSuchResource();
        }
        Representation form = Representation.negotiate(call, Representation.Endpoint.OBJECT);
        return switch (call.info.verb()) {
            case "get" -> respond(form, of(ResponseWriter.tree(call.served, Reads.find(call)), scale));
            case "update" -> update(call, scale, form);
            case "patch" -> patch(call, scale, form);
            default -> throw Statuses.methodNotAllowed();
        };
    }

    private static ApiResponse update(Call call, Kind.Scale scale, Representation form) {
        WriteOptions options = WriteOptions.update(call.request);
        ObjectNode wanted = BodyReader.read(call, TARGET, BodyReader.syntax(call.request), options.validation());
        Writes.fitNamespace(call, wanted);
        Writes.checkName(call, wanted);
        return write(call, scale, form, options, old -> wanted);
    }

    private static ApiResponse patch(Call call, Kind.Scale scale, Representation form) {
        Patches.Type type = Patches.type(call);
        WriteOptions options = WriteOptions.patch(call.request, type == Patches.Type.APPLY);
        byte[] body = BodyReader.body(call.request);
        if (type == Patches.Type.APPLY) {
            ObjectNode applied = FieldManagement.parse(call, body, options);
            return write(call, scale, form, options, old -> applied(call, applied, of(old, scale)));
        }
        return write(call, scale, form, options, old -> {
            ObjectNode patched = Patches.patched(call, TARGET, type, body, of(old, scale), options);
            Writes.checkName(call, patched);
            return patched;
        });
    }

    /** A Scale has one field that can be applied, so merging is all there is to it; who owns it is booked as an update. */
    private static ObjectNode applied(Call call, ObjectNode applied, ObjectNode live) {
        String kind = applied.path("kind").asText("");
        String apiVersion = applied.path("apiVersion").asText("");
        if (!kind.equals("Scale") || !apiVersion.equals("autoscaling/v1")) {
            throw Statuses.badRequest(
                    "invalid object type: " + (apiVersion.indexOf('/') < 0 ? "/" : "") + apiVersion + ", Kind=" + kind);
        }
        ObjectNode merged = MergePatch.merge(live, applied);
        Writes.checkName(call, merged);
        return merged;
    }

    /** @param change makes the wanted Scale out of the object it stands for */
    private static ApiResponse write(
            Call call, Kind.Scale scale, Representation form, WriteOptions options, ObjectWriter.Change change) {
        ObjectWriter.Outcome outcome = ObjectWriter.update(
                call,
                new ObjectWriter.Update(
                        call.info.name(),
                        "scale",
                        old -> scaled(old, change.apply(old), scale),
                        options,
                        "",
                        false,
                        options.managerOr(call.request)));
        return respond(form, of(outcome.tree(), scale));
    }

    private static ObjectNode scaled(ObjectNode old, ObjectNode wanted, Kind.Scale scale) {
        JsonNode replicas = wanted.path("spec").path("replicas");
        if (replicas.asLong(0) < 0) {
            FieldErrors errors = new FieldErrors();
            errors.invalid("spec.replicas", replicas.asLong(), "must be greater than or equal to 0");
            throw Statuses.invalid("autoscaling", "Scale", Metadata.name(wanted), errors);
        }
        ObjectNode object = old.deepCopy();
        put(object, scale.specReplicas(), replicas.asInt(0));
        String version = Metadata.text(wanted, "resourceVersion");
        ObjectNode metadata = Metadata.of(object);
        if (version.isEmpty()) {
            metadata.remove("resourceVersion");
        } else {
            metadata.put("resourceVersion", version);
        }
        String uid = Metadata.text(wanted, "uid");
        if (!uid.isEmpty()) {
            metadata.put("uid", uid);
        }
        return object;
    }

    private static void put(ObjectNode object, String pointer, int replicas) {
        JsonPointer path = JsonPointer.compile(pointer);
        ObjectNode parent = object;
        JsonPointer at = path;
        while (at.tail() != null && !at.tail().matches()) {
            String name = at.getMatchingProperty();
            parent = parent.get(name) instanceof ObjectNode child ? child : parent.putObject(name);
            at = at.tail();
        }
        parent.put(at.getMatchingProperty(), replicas);
    }

    /** The Scale of an object. */
    static ObjectNode of(JsonNode object, Kind.Scale scale) {
        ObjectNode result = Json.object().put("kind", "Scale").put("apiVersion", "autoscaling/v1");
        ObjectNode metadata = result.putObject("metadata");
        for (String field : new String[] {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
            JsonNode value = object.path("metadata").get(field);
            if (value != null) {
                metadata.set(field, value);
            }
        }
        result.putObject("spec").put("replicas", object.at(scale.specReplicas()).asInt(0));
        ObjectNode status = result.putObject("status");
        status.put("replicas", object.at(scale.statusReplicas()).asInt(0));
        @Nullable String selector = scale.selectorText().apply(object);
        if (selector != null && !selector.isEmpty()) {
            status.put("selector", selector);
        }
        return Canonical.of(result, SCHEMA);
    }

    private static ApiResponse respond(Representation form, ObjectNode scale) {
        return form.as() == Representation.As.PARTIAL
                ? ResponseWriter.tree(form, 200, ResponseWriter.partial(scale, form.metaVersion()))
                : ResponseWriter.tree(form, 200, scale);
    }
}
