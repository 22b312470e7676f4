package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.errors.Statuses;
import org.jspecify.annotations.Nullable;

/** Create and update of whole objects. Stateless. */
final class Writes {
    private Writes() {}

    static ApiResponse create(Call call) {
        Representation form = Representation.negotiate(call, Representation.Endpoint.OBJECT);
        WriteOptions options = WriteOptions.create(call.request);
        ObjectNode object = BodyReader.read(call, options.validation());
        fitNamespace(call, object);
        ObjectWriter.Outcome outcome = ObjectWriter.create(call, object, options, options.managerOr(call.request));
        return respond(call, form, outcome, 201);
    }

    /** PUT of the object or of its status. */
    static ApiResponse update(Call call, String subresource) {
        Representation form = Representation.negotiate(call, Representation.Endpoint.OBJECT);
        WriteOptions options = WriteOptions.update(call.request);
        ObjectNode object = BodyReader.read(call, options.validation());
        fitNamespace(call, object);
        checkName(call, object);
        // Without a version another write may come between, and all is done again from the start.
        boolean once = !Metadata.text(object, "resourceVersion").isEmpty();
        ObjectWriter.Outcome outcome = ObjectWriter.update(
                call,
                new ObjectWriter.Update(
                        call.info.name(),
                        subresource,
                        old -> once ? object : object.deepCopy(),
                        options,
                        Metadata.text(object, "uid"),
                        subresource.isEmpty() && call.kind().allowsCreateOnUpdate(),
                        options.managerOr(call.request)));
        return respond(call, form, outcome, outcome.created() ? 201 : 200);
    }

    static ApiResponse respond(Call call, Representation form, ObjectWriter.Outcome outcome, int code) {
        return outcome.stored() == null
                ? ResponseWriter.object(call, form, code, outcome.tree())
                : ResponseWriter.stored(call, form, code, outcome.stored());
    }

    /** The object is in the request's namespace, whether it says so or not; saying otherwise is an error. */
    static void fitNamespace(Call call, ObjectNode object) {
        ObjectNode metadata = Metadata.of(object);
        @Nullable String namespace = call.namespace();
        String own = metadata.path("namespace").asText("");
        if (namespace == null) {
            metadata.remove("namespace");
        } else if (own.isEmpty()) {
            metadata.put("namespace", namespace);
        } else if (!own.equals(namespace)) {
            throw Statuses.badRequest(
                    "the namespace of the provided object does not match the namespace sent on the request");
        }
    }

    static void checkName(Call call, ObjectNode object) {
        String name = Metadata.name(object);
        String asked = call.info.name();
        if (name.isEmpty()) {
            throw Statuses.badRequest(
                    "the name of the object (" + asked + " based on URL) was undeterminable: name must be provided");
        }
        if (!name.equals(asked)) {
            throw Statuses.badRequest(
                    "the name of the object (" + name + ") does not match the name on the URL (" + asked + ")");
        }
        @Nullable String namespace = call.namespace();
        String own = Metadata.text(object, "namespace");
        if (namespace != null && !own.isEmpty() && !own.equals(namespace)) {
            throw Statuses.badRequest("the namespace of the object (" + own
                    + ") does not match the namespace on the request (" + namespace + ")");
        }
    }
}
