package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.protobuf.MalformedProtobufException;
import io.trimtab.apiserver.protobuf.ProtobufBodies;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.resource.RequestTrail;
import io.trimtab.apiserver.resource.Served;
import io.trimtab.apiserver.schema.Canonical;
import io.trimtab.apiserver.schema.Decoded;
import io.trimtab.apiserver.schema.Decoder;
import io.trimtab.apiserver.schema.Schema;
import io.trimtab.apiserver.schema.SchemaRegistry;
import java.util.List;
import java.util.Locale;

/** Reads the bodies of requests. Stateless. */
final class BodyReader {
    static final int LIMIT_BYTES = 3 * 1024 * 1024;
    private static final String PROTOBUF = "application/vnd.kubernetes.protobuf";
    private static final Decoder DECODER = new Decoder(SchemaRegistry.builtin());

    private BodyReader() {}

    /** The decoder of all handlers. */
    static Decoder decoder() {
        return DECODER;
    }

    /** How the body is written; refuses what is neither JSON nor YAML nor protobuf. */
    static Decoder.Syntax syntax(ApiRequest request) {
        return switch (mediaType(request)) {
            case "", "application/json" -> Decoder.Syntax.JSON;
            // Built-in kinds only; text() turns it into JSON.
            case PROTOBUF -> Decoder.Syntax.JSON;
            case "application/yaml" -> Decoder.Syntax.YAML;
            default ->
                throw Statuses.unsupportedMediaType(
                        "the body of the request was in an unknown format - accepted media types include:"
                                + " application/json, application/yaml, application/vnd.kubernetes.protobuf");
        };
    }

    /** The content type without its parameters, in lower case; empty if there is none. */
    static String mediaType(ApiRequest request) {
        String type = request.header("content-type");
        if (type == null) {
            return "";
        }
        int semicolon = type.indexOf(';');
        return (semicolon < 0 ? type : type.substring(0, semicolon)).trim().toLowerCase(Locale.ROOT);
    }

    static byte[] body(ApiRequest request) {
        if (request.body().length > LIMIT_BYTES) {
            throw Statuses.entityTooLarge("Request entity too large: limit is " + LIMIT_BYTES);
        }
        return request.body();
    }

    /** The body as JSON or YAML: what is protobuf becomes JSON, which then goes the way of all. */
    private static byte[] text(ApiRequest request, Decoder.Target target) {
        byte[] body = body(request);
        if (!mediaType(request).equals(PROTOBUF)) {
            return body;
        }
        try {
            return ProtobufBodies.toJson(body, target.apiVersion(), target.kind());
        } catch (MalformedProtobufException e) {
            String why = String.valueOf(e.getMessage());
            if (e.kind() == null) {
                throw Decoder.unrecognized(why, body, target);
            }
            throw Statuses.badRequest(e.kind() + " in version \"" + e.version() + "\" cannot be handled as a "
                    + target.kind() + ": " + why);
        }
    }

    /** The body of a deletion as JSON or YAML; its errors have a form of their own. */
    static byte[] deleteOptions(ApiRequest request) {
        byte[] body = body(request);
        if (body.length == 0 || !mediaType(request).equals(PROTOBUF)) {
            return body;
        }
        try {
            return ProtobufBodies.toJson(body, "v1", "DeleteOptions");
        } catch (MalformedProtobufException e) {
            throw Statuses.raw(String.valueOf(e.getMessage()));
        }
    }

    static Decoder.Target target(Served served) {
        ApiResource r = served.resource();
        return new Decoder.Target(r.group(), r.version(), r.kind(), served.schema(), r.custom());
    }

    /** Reads an object of the served kind, defaults filled in. */
    static ObjectNode read(Call call, WriteOptions.Validation validation) {
        Decoder.Syntax syntax = syntax(call.request);
        if (call.resource().custom() && mediaType(call.request).equals(PROTOBUF)) {
            throw Statuses.unsupportedMediaType(
                    "the body of the request was in an unknown format - accepted media types include:"
                            + " application/json, application/yaml");
        }
        ObjectNode object = read(call, target(call.served), syntax, validation);
        if (call.resource().custom()) {
            // Its metadata has been through Go's type for it before anybody sees the object, so nothing empty is owned.
            Metadata.dropEmpty(object);
        }
        call.kind().defaults(object);
        record(call, object, call.served.schema());
        return object;
    }

    /** Reads an object of a built-in kind other than the resource's own: a Scale, a Binding, an Eviction. */
    static ObjectNode read(Call call, String group, String version, String kind, WriteOptions.Validation validation) {
        Schema schema = SchemaRegistry.builtin()
                .forKind(group, version, kind)
                .orElseThrow(() -> new IllegalStateException("no type for " + group + "/" + version + " " + kind));
        ObjectNode object =
                read(call, new Decoder.Target(group, version, kind, schema, false), syntax(call.request), validation);
        record(call, object, schema);
        return object;
    }

    /** Tells the audit log, if there is one that wants to know. */
    private static void record(Call call, ObjectNode object, Schema schema) {
        RequestTrail.Recorder recorder = call.trail.recorder();
        if (recorder != null) {
            ObjectNode typed = Canonical.of(object.deepCopy(), schema);
            Metadata.dropEmpty(typed);
            typed.put("kind", object.path("kind").asText())
                    .put("apiVersion", object.path("apiVersion").asText());
            recorder.request(typed);
        }
    }

    static ObjectNode read(
            Call call, Decoder.Target target, Decoder.Syntax syntax, WriteOptions.Validation validation) {
        Decoded decoded = DECODER.decode(
                text(call.request, target), syntax, target, validation == WriteOptions.Validation.IGNORE);
        report(call, target, decoded.strictErrors(), validation);
        return decoded.object();
    }

    /** What YAML says of many lines at once, line by line. */
    static List<String> warnings(String problem) {
        String yaml = "yaml: unmarshal errors:\n";
        int at = problem.indexOf(yaml);
        boolean lines = at == 0 || at > 0 && problem.startsWith("error converting YAML to JSON: ");
        return lines
                ? problem.substring(at + yaml.length())
                        .lines()
                        .map(String::trim)
                        .toList()
                : List.of(problem);
    }

    /** Deals with unknown and duplicate fields as the client asked for. */
    static void report(Call call, Decoder.Target target, List<String> problems, WriteOptions.Validation validation) {
        if (problems.isEmpty() || validation == WriteOptions.Validation.IGNORE) {
            return;
        }
        if (validation == WriteOptions.Validation.STRICT) {
            throw Decoder.strictRefusal(target, problems);
        }
        problems.forEach(problem -> call.warnings.addAll(warnings(problem)));
    }
}
