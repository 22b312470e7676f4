package io.trimtab.apiserver.kinds.certificates;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Times;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * CertificateSigningRequests. Who asks is written into them by the server; the subresource {@code approval} changes conditions
 * only. Stateless.
 */
public final class CertificateSigningRequestKind implements Kind {

    @Override
    public void defaults(ObjectNode request) {
        Trees.make(request, "spec");
        Trees.make(request, "status");
    }

    @Override
    public void prepareCreate(ObjectNode request, WriteContext context) {
        request.putObject("status");
        ObjectNode spec = Trees.make(request, "spec");
        for (String field : List.of("username", "uid", "groups", "extra")) {
            spec.remove(field);
        }
        var user = context.user();
        if (user == null) {
            return;
        }
        spec.put("username", user.name());
        if (!user.uid().isEmpty()) {
            spec.put("uid", user.uid());
        }
        if (!user.groups().isEmpty()) {
            var groups = spec.putArray("groups");
            user.groups().forEach(groups::add);
        }
        if (!user.extra().isEmpty()) {
            ObjectNode extra = spec.putObject("extra");
            user.extra().forEach((key, values) -> {
                var list = extra.putArray(key);
                values.forEach(list::add);
            });
        }
    }

    @Override
    public void prepareUpdate(ObjectNode request, ObjectNode old, WriteContext context) {
        Trees.carry(request, old, "spec");
        if (context.subresource().equals("approval")) {
            JsonNode conditions = Trees.child(Trees.child(request, "status"), "conditions");
            ObjectNode status = Trees.make(request, "status");
            Trees.carry(status, Trees.child(old, "status"), "certificate");
            if (!conditions.isMissingNode()) {
                stamp(status, old, context);
            }
        } else {
            Trees.carry(request, old, "status");
        }
    }

    @Override
    public void prepareStatusUpdate(ObjectNode request, ObjectNode old, WriteContext context) {
        Trees.carry(request, old, "spec");
        stamp(Trees.make(request, "status"), old, context);
    }

    private static void stamp(ObjectNode status, ObjectNode old, WriteContext context) {
        String now = Times.seconds(context.driver().now());
        Map<String, JsonNode> before = new HashMap<>();
        Trees.items(Trees.child(old, "status"), "conditions")
                .forEach(condition -> before.put(Trees.text(condition, "type"), condition));
        for (ObjectNode condition : Trees.objects(status, "conditions")) {
            JsonNode had = before.get(Trees.text(condition, "type"));
            Trees.fill(condition, "status", "True");
            Trees.fill(condition, "lastUpdateTime", now);
            if (!Trees.has(condition, "lastTransitionTime")) {
                boolean same = had != null && Trees.same(had, condition, "status");
                condition.put("lastTransitionTime", same ? Trees.text(had, "lastTransitionTime") : now);
            }
        }
    }

    @Override
    public void validateCreate(ObjectNode request, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(request, "spec");
        if (Trees.text(spec, "request").isEmpty()) {
            errors.invalidShown("spec.request", "\"\"", "PEM block type must be CERTIFICATE REQUEST");
        } else {
            String pem;
            try {
                pem = new String(
                        Base64.getDecoder().decode(Trees.text(spec, "request")),
                        java.nio.charset.StandardCharsets.UTF_8);
            } catch (IllegalArgumentException e) {
                pem = "";
            }
            if (!pem.contains("-----BEGIN CERTIFICATE REQUEST-----")) {
                errors.invalid("spec.request", spec.get("request"), "PEM block type must be CERTIFICATE REQUEST");
            }
        }
        if (!Trees.hasContent(spec, "usages")) {
            errors.required("spec.usages", "usages must be provided");
        }
        String signer = Trees.text(spec, "signerName");
        if (signer.isEmpty()) {
            errors.required("spec.signerName", "");
        } else if (signer.equals("kubernetes.io/legacy-unknown")) {
            errors.invalid("spec.signerName", signer, "the legacy signerName is not allowed via this API version");
        } else {
            int slash = signer.indexOf('/');
            if (slash <= 0 || slash == signer.length() - 1) {
                errors.invalid(
                        "spec.signerName",
                        signer,
                        "must be a fully qualified domain and path of the form 'example.com/signer-name'");
            }
        }
        if (Trees.has(spec, "expirationSeconds") && Trees.number(spec, "expirationSeconds") < 600) {
            errors.invalid(
                    "spec.expirationSeconds",
                    Trees.number(spec, "expirationSeconds"),
                    "may not specify a duration less than 600 seconds (10 minutes)");
        }
    }

    @Override
    public void validateUpdate(ObjectNode request, ObjectNode old, FieldErrors errors, WriteContext context) {
        conditions(request, old, errors);
    }

    @Override
    public void validateStatusUpdate(ObjectNode request, ObjectNode old, FieldErrors errors, WriteContext context) {
        conditions(request, old, errors);
    }

    private static void conditions(ObjectNode request, ObjectNode old, FieldErrors errors) {
        Set<String> now = new HashSet<>();
        int i = 0;
        for (JsonNode condition : Trees.items(Trees.child(request, "status"), "conditions")) {
            String path = "status.conditions[" + i++ + "]";
            String type = Trees.text(condition, "type");
            if (type.isEmpty()) {
                errors.required(path + ".type", "");
            } else if (!now.add(type)) {
                errors.duplicate(path + ".type", Trees.textNode(type));
            }
        }
        if (now.contains("Approved") && now.contains("Denied")) {
            errors.invalid("status.conditions", "Denied", "Approved and Denied conditions are mutually exclusive");
        }
        for (JsonNode condition : Trees.items(Trees.child(old, "status"), "conditions")) {
            String type = Trees.text(condition, "type");
            if (Set.of("Approved", "Denied", "Failed").contains(type) && !now.contains(type)) {
                errors.forbidden(
                        "status.conditions", "updates may not remove a condition of type " + FieldErrors.quote(type));
            }
        }
    }

    @Override
    public Map<String, Function<JsonNode, String>> selectableFields() {
        return Map.of("spec.signerName", request -> Trees.text(Trees.child(request, "spec"), "signerName"));
    }
}
