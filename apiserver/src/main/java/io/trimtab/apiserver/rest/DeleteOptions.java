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
 * @param uid the uid it must have; empty for any
 * @param version the resourceVersion it must have; empty for any
 * @param policy empty if unset
 * @param tree as admission sees it
 */
record DeleteOptions(
        boolean dryRun,
        OptionalLong gracePeriod,
        String uid,
        String version,
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
        String kind = parsed.path("kind").asText("");
        String apiVersion = parsed.path("apiVersion").asText("");
        if (!kind.isEmpty() && !kind.equals("DeleteOptions")) {
            throw Statuses.raw("no kind \"" + kind + "\" is registered for version \"" + apiVersion
                    + "\" in scheme \"pkg/runtime/scheme.go:110\"");
        }
        try {
            return BodyReader.decoder().convert(parsed, target.schema()).object();
        } catch (io.trimtab.apiserver.schema.DecodeException e) {
            throw Statuses.badRequest(
                    "DeleteOptions in version \"v1\" cannot be handled as a DeleteOptions: " + e.getMessage());
        }
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
        if (policy != null && !policy.isEmpty()) {
            tree.put("propagationPolicy", policy);
        }
        List<String> dryRun = request.query().getOrDefault("dryRun", List.of());
        if (!dryRun.isEmpty()) {
            var array = tree.putArray("dryRun");
            dryRun.forEach(array::add);
        }
        return tree;
    }

    static DeleteOptions of(ObjectNode tree) {
        FieldErrors errors = new FieldErrors();
        Boolean orphan = tree.hasNonNull("orphanDependents")
                ? tree.path("orphanDependents").asBoolean()
                : null;
        String policy = tree.path("propagationPolicy").asText("");
        if (!policy.isEmpty() && orphan != null) {
            errors.invalid("propagationPolicy", policy, "orphanDependents and deletionPropagation cannot be both set");
        } else if (!policy.isEmpty() && !POLICIES.contains(policy)) {
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
                tree.path("preconditions").path("uid").asText(""),
                tree.path("preconditions").path("resourceVersion").asText(""),
                orphan,
                policy,
                tree);
    }
}
