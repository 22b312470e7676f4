package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiRequest;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.RequestTrail;
import io.trimtab.apiserver.schema.Decoder;
import io.trimtab.apiserver.schema.SchemaRegistry;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How an object is to be deleted, checked.
 *
 * @param uid the uid it must have, an empty one too; null for any
 * @param version the resourceVersion it must have; null for any
 * @param policy empty if unset
 * @param tree as admission sees it
 */
record DeleteOptions(
        boolean dryRun,
        OptionalLong gracePeriod,
        @Nullable String uid,
        @Nullable String version,
        @Nullable Boolean orphanDependents,
        String policy,
        ObjectNode tree) {

    private static final Set<String> POLICIES = Set.of("Foreground", "Background", "Orphan");

    /** The body says it all, if there is one; else the query does. */
    static DeleteOptions parse(Call call) {
        ApiRequest request = call.request;
        byte[] body = BodyReader.deleteOptions(request);
        ObjectNode tree;
        if (body.length > 0) {
            Decoder.Target target = new Decoder.Target(
                    "",
                    "v1",
                    "DeleteOptions",
                    SchemaRegistry.builtin()
                            .forName("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions")
                            .orElseThrow(),
                    true);
            tree = readOptions(request, body, target);
            RequestTrail.Recorder recorder = call.trail.recorder();
            if (recorder != null) {
                ObjectNode kept = tree.deepCopy();
                // As Kubernetes' own log has it.
                recorder.request(kept.put("kind", "DeleteOptions").put("apiVersion", "meta.k8s.io/__internal"));
            }
        } else {
            tree = fromQuery(request);
        }
        return of(tree);
    }

    private static ObjectNode readOptions(ApiRequest request, byte[] body, Decoder.Target target) {
        JsonNode parsed;
        try {
            parsed = Decoder.parse(body, BodyReader.syntax(request), new java.util.ArrayList<>());
        } catch (io.trimtab.apiserver.schema.DecodeException e) {
            throw Statuses.raw("couldn't get version/kind; json parse error: " + e.getMessage());
        }
        if (!parsed.isNull() && !parsed.isObject()) {
            throw Statuses.raw(
                    "couldn't get version/kind; json parse error: json: cannot unmarshal " + GoKinds.of(parsed)
                            + " into Go value of type struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string"
                            + " \"json:\\\"kind,omitempty\\\"\" }");
        }
        checkType(typeField(parsed, "kind"), typeField(parsed, "apiVersion"));
        try {
            return BodyReader.decoder().convert(parsed, target.schema()).object();
        } catch (io.trimtab.apiserver.schema.DecodeException e) {
            throw Statuses.raw(String.valueOf(e.getMessage()));
        }
    }

    private static String typeField(JsonNode parsed, String name) {
        JsonNode value = parsed.path(name);
        if (!value.isMissingNode() && !value.isNull() && !value.isTextual()) {
            throw Statuses.raw("couldn't get version/kind; json parse error: json: cannot unmarshal "
                    + GoKinds.of(value) + " into Go struct field ." + name + " of type string");
        }
        return value.asText("");
    }

    /** Options are known to every version; what is not said is taken to be what is expected. */
    private static void checkType(String kind, String apiVersion) {
        if (apiVersion.chars().filter(c -> c == '/').count() > 1) {
            throw Statuses.raw("unexpected GroupVersion string: " + apiVersion);
        }
        if (kind.isEmpty() || kind.equals("DeleteOptions")) {
            return;
        }
        if (kind.equals("Status") && apiVersion.equals("v1")) {
            throw Statuses.raw("converting (v1.Status) to (v1.DeleteOptions): unknown conversion");
        }
        throw Statuses.raw("no kind \"" + kind + "\" is registered for version \""
                + (apiVersion.isEmpty() ? "meta.k8s.io/v1" : apiVersion)
                + "\" in scheme \"pkg/runtime/scheme.go:110\"");
    }

    private static ObjectNode fromQuery(ApiRequest request) {
        ObjectNode tree = Json.object();
        String grace = request.queryParameter("gracePeriodSeconds");
        if (grace != null && !grace.isEmpty()) {
            try {
                tree.put("gracePeriodSeconds", Long.parseLong(grace));
            } catch (NumberFormatException e) {
                throw Statuses.badRequest("strconv.ParseInt: parsing " + FieldErrors.quote(grace) + ": invalid syntax");
            }
        }
        Boolean orphan = Query.optional(request.queryParameter("orphanDependents"));
        if (orphan != null) {
            tree.put("orphanDependents", orphan);
        }
        String policy = request.queryParameter("propagationPolicy");
        if (policy != null) {
            tree.put("propagationPolicy", policy);
        }
        List<String> dryRun = request.query().getOrDefault("dryRun", List.of());
        if (!dryRun.isEmpty()) {
            var array = tree.putArray("dryRun");
            dryRun.forEach(array::add);
        }
        return tree;
    }

    private static @Nullable String precondition(ObjectNode tree, String name) {
        JsonNode value = tree.path("preconditions").path(name);
        return value.isTextual() ? value.textValue() : null;
    }

    static DeleteOptions of(ObjectNode tree) {
        FieldErrors errors = new FieldErrors();
        Boolean orphan = tree.hasNonNull("orphanDependents")
                ? tree.path("orphanDependents").asBoolean()
                : null;
        boolean said = tree.hasNonNull("propagationPolicy");
        String policy = tree.path("propagationPolicy").asText("");
        if (said && orphan != null) {
            errors.invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set");
        } else if (said && !POLICIES.contains(policy)) {
            errors.notSupportedInOrder(
                    "propagationPolicy",
                    FieldErrors.text(policy),
                    List.of("Foreground", "Background", "Orphan", "nil"));
        }
        boolean dryRun = WriteOptions.checkDryRun(WriteOptions.texts(tree.path("dryRun")), errors);
        if (!errors.isEmpty()) {
            throw Statuses.invalid("meta.k8s.io", "DeleteOptions", "", errors);
        }
        tree.put("kind", "DeleteOptions").put("apiVersion", "meta.k8s.io/v1");
        JsonNode grace = tree.path("gracePeriodSeconds");
        return new DeleteOptions(
                dryRun,
                grace.isNumber() ? OptionalLong.of(grace.asLong() < 0 ? 1 : grace.asLong()) : OptionalLong.empty(),
                precondition(tree, "uid"),
                precondition(tree, "resourceVersion"),
                orphan,
                policy,
                tree);
    }
}
