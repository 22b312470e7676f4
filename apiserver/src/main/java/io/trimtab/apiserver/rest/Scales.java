package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.apply.ScaleManagedFields;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.schema.Decoder;
import io.trimtab.apiserver.schema.Schema;
import io.trimtab.apiserver.schema.SchemaRegistry;
import java.util.List;
import java.util.function.Predicate;
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
            case "get" -> respond(call, form, of(ResponseWriter.tree(call.served, Reads.find(call)), scale));
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
        return write(call, scale, form, options, Metadata.text(wanted, "uid"), false, old -> wanted.deepCopy());
    }

    private static ApiResponse patch(Call call, Kind.Scale scale, Representation form) {
        Patches.Type type = Patches.type(call);
        WriteOptions options = WriteOptions.patch(call.request, type == Patches.Type.APPLY);
        byte[] body = BodyReader.body(call.request);
        if (type == Patches.Type.APPLY) {
            ObjectNode applied = FieldManagement.parse(call, body, options);
            checkType(applied);
            return write(call, scale, form, options, "", true, old -> applied);
        }
        return write(call, scale, form, options, "", false, old -> {
            ObjectNode patched = Patches.patched(call, TARGET, type, body, old, options);
            Writes.checkName(call, patched);
            return patched;
        });
    }

    private static void checkType(ObjectNode applied) {
        String kind = applied.path("kind").asText("");
        String apiVersion = applied.path("apiVersion").asText("");
        if (!kind.equals("Scale") || !apiVersion.equals("autoscaling/v1")) {
            throw Statuses.badRequest(
                    "invalid object type: " + (apiVersion.indexOf('/') < 0 ? "/" : "") + apiVersion + ", Kind=" + kind);
        }
    }

    /**
     * @param uid the uid that the object must have; empty for any
     * @param change makes the wanted Scale, or the configuration to apply, out of the Scale now
     */
    private static ApiResponse write(
            Call call,
            Kind.Scale scale,
            Representation form,
            WriteOptions options,
            String uid,
            boolean apply,
            ObjectWriter.Change change) {
        ObjectWriter.Outcome outcome = ObjectWriter.update(
                call,
                new ObjectWriter.Update(
                        call.info.name(),
                        "scale",
                        old -> written(call, scale, options, apply, change, old),
                        options,
                        uid,
                        false,
                        null));
        return respond(call, form, of(outcome.tree(), scale));
    }

    private static ObjectNode written(
            Call call,
            Kind.Scale scale,
            WriteOptions options,
            boolean apply,
            ObjectWriter.Change change,
            ObjectNode old) {
        List<String> path = List.of(scale.specReplicas().substring(1).split("/"));
        Predicate<String> isServed = FieldManagement.served(call, call.resource());
        JsonNode booked = old.path("metadata").get("managedFields");
        ObjectNode live = of(old, scale);
        book(live, ScaleManagedFields.toScale(booked, path, isServed));
        ObjectNode wanted = FieldManagement.writeScale(call, TARGET, live, change.apply(live), options, apply);
        if (apply) {
            Writes.fitNamespace(call, wanted);
            Writes.checkName(call, wanted);
        }
        ObjectNode object = scaled(call, old, wanted, scale);
        book(
                object,
                ScaleManagedFields.toParent(
                        booked,
                        wanted.path("metadata").get("managedFields"),
                        path,
                        call.resource().apiVersion(),
                        isServed));
        if (apply) {
            // What was applied names no version: it takes the object as it is.
            Metadata.keep(Metadata.of(old), Metadata.of(object), "resourceVersion");
        }
        return object;
    }

    private static void book(ObjectNode object, @Nullable ArrayNode entries) {
        if (entries == null) {
            Metadata.of(object).remove("managedFields");
        } else {
            Metadata.of(object).set("managedFields", entries);
        }
    }

    private static ObjectNode scaled(Call call, ObjectNode old, ObjectNode wanted, Kind.Scale scale) {
        JsonNode replicas = wanted.path("spec").path("replicas");
        // The Scale of a custom resource has no rules but those of the object that it changes.
        if (replicas.asLong(0) < 0 && !call.resource().custom()) {
            FieldErrors errors = new FieldErrors();
            errors.invalid("spec.replicas", replicas.asLong(), "must be greater than or equal to 0");
            throw Statuses.invalid("autoscaling", "Scale", Metadata.name(wanted), errors);
        }
        ObjectNode object = old.deepCopy();
        put(object, scale.specReplicas(), replicas.asInt(0));
        String version = Metadata.text(wanted, "resourceVersion");
        ObjectNode metadata = Metadata.of(object);
        if (!version.isEmpty()) {
            metadata.put("resourceVersion", version);
        } else if (!call.resource().custom()) {
            // A custom resource is never written without a version: it keeps the one that was read.
            metadata.remove("resourceVersion");
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

    private static ApiResponse respond(Call call, Representation form, ObjectNode scale) {
        return ResponseWriter.object(call, form, 200, scale);
    }
}
