package io.trimtab.apiserver.kinds.certificates;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.certificates.Pem;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Times;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * CertificateSigningRequests. Who asks is written into them by the server; the subresource {@code approval} changes conditions
 * only. Stateless.
 */
public final class CertificateSigningRequestKind implements Kind {
    private static final String LEGACY = "kubernetes.io/legacy-unknown";
    private static final List<String> DECISIONS = List.of("Approved", "Denied");
    private static final Set<String> TRUE_ONLY = Set.of("Approved", "Denied", "Failed");
    private static final Set<String> USAGES = Set.of(
            "signing",
            "digital signature",
            "content commitment",
            "key encipherment",
            "key agreement",
            "data encipherment",
            "cert sign",
            "crl sign",
            "encipher only",
            "decipher only",
            "any",
            "server auth",
            "client auth",
            "code signing",
            "email protection",
            "s/mime",
            "ipsec end system",
            "ipsec tunnel",
            "ipsec user",
            "timestamping",
            "ocsp signing",
            "microsoft sgc",
            "netscape sgc");

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
        ObjectNode status = Trees.make(request, "status");
        for (String type : DECISIONS) {
            keep(status, old, type);
        }
        stamp(status, old, context);
    }

    /** A signer decides nothing: what conditions of this type say stays; that some came or went is found later. */
    private static void keep(ObjectNode status, ObjectNode old, String type) {
        List<JsonNode> before = find(old, type);
        List<ObjectNode> now = Trees.objects(status, "conditions").stream()
                .filter(condition -> Trees.text(condition, "type").equals(type))
                .toList();
        if (before.size() == now.size()) {
            for (int i = 0; i < now.size(); i++) {
                now.get(i).removeAll();
                now.get(i).setAll((ObjectNode) before.get(i).deepCopy());
            }
        }
    }

    private static List<JsonNode> find(JsonNode request, String type) {
        return Trees.items(Trees.child(request, "status"), "conditions").stream()
                .filter(condition -> Trees.text(condition, "type").equals(type))
                .toList();
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

    // ---- Validation ------------------------------------------------------------------------------------------------

    @Override
    public void validateCreate(ObjectNode request, FieldErrors errors, WriteContext context) {
        validate(request, null, errors);
    }

    @Override
    public void validateUpdate(ObjectNode request, ObjectNode old, FieldErrors errors, WriteContext context) {
        validate(request, old, errors);
        boolean approval = context.subresource().equals("approval");
        changes(request, old, approval, false, errors);
    }

    @Override
    public void validateStatusUpdate(ObjectNode request, ObjectNode old, FieldErrors errors, WriteContext context) {
        validate(request, old, errors);
        changes(request, old, false, true, errors);
    }

    /** @param old null at creation; what was wrong with it already is let pass */
    private static void validate(ObjectNode request, @Nullable ObjectNode old, FieldErrors errors) {
        JsonNode spec = Trees.child(request, "spec");
        String problem = requestProblem(Trees.text(spec, "request"));
        if (!problem.isEmpty()) {
            errors.invalid("spec.request", Trees.text(spec, "request"), problem);
        }
        List<String> usages = Trees.texts(spec, "usages");
        if (usages.isEmpty()) {
            errors.required("spec.usages", "");
        }
        List<String> before = old == null ? List.of() : Trees.texts(Trees.child(old, "spec"), "usages");
        if (USAGES.containsAll(before)) {
            for (int i = 0; i < usages.size(); i++) {
                if (!USAGES.contains(usages.get(i))) {
                    errors.notSupported("spec.usages[" + i + "]", Trees.textNode(usages.get(i)), USAGES);
                }
            }
        }
        if (new HashSet<>(before).size() == before.size()) {
            Set<String> seen = new HashSet<>();
            for (int i = 0; i < usages.size(); i++) {
                if (!seen.add(usages.get(i))) {
                    errors.duplicate("spec.usages[" + i + "]", Trees.textNode(usages.get(i)));
                }
            }
        }
        String signer = Trees.text(spec, "signerName");
        boolean legacy = old != null
                && Trees.text(Trees.child(old, "spec"), "signerName").equals(LEGACY);
        if (signer.equals(LEGACY) && !legacy) {
            errors.invalid("spec.signerName", signer, "the legacy signerName is not allowed via this API version");
        } else {
            SignerNames.validate("spec.signerName", signer, errors);
        }
        if (Trees.has(spec, "expirationSeconds") && Trees.number(spec, "expirationSeconds") < 600) {
            errors.invalid(
                    "spec.expirationSeconds",
                    Trees.number(spec, "expirationSeconds"),
                    "may not specify a duration less than 600 seconds (10 minutes)");
        }
        conditions(request, old, errors);
        String certificate = certificate(request);
        if (old == null
                || !certificate.equals(certificate(old))
                        && certificateProblem(certificate(old)).isEmpty()) {
            String wrong = certificateProblem(certificate);
            if (!wrong.isEmpty()) {
                errors.invalid("status.certificate", "<certificate data>", wrong);
            }
        }
    }

    private static String certificate(JsonNode request) {
        return Trees.text(Trees.child(request, "status"), "certificate");
    }

    private static String requestProblem(String encoded) {
        try {
            String pem = new String(Base64.getDecoder().decode(encoded), StandardCharsets.ISO_8859_1);
            return Pem.requestProblem(pem);
        } catch (IllegalArgumentException e) {
            return "PEM block type must be CERTIFICATE REQUEST";
        }
    }

    private static String certificateProblem(String encoded) {
        if (encoded.isEmpty()) {
            return "";
        }
        try {
            return Pem.certificatesProblem(
                    new String(Base64.getDecoder().decode(encoded), StandardCharsets.ISO_8859_1));
        } catch (IllegalArgumentException e) {
            return "must contain at least one CERTIFICATE PEM block";
        }
    }

    private static void conditions(ObjectNode request, @Nullable ObjectNode old, FieldErrors errors) {
        List<String> before = new ArrayList<>();
        if (old != null) {
            Trees.items(Trees.child(old, "status"), "conditions").forEach(c -> before.add(Trees.text(c, "type")));
        }
        boolean bothAllowed = before.contains("Approved") && before.contains("Denied");
        boolean twiceAllowed = new HashSet<>(before).size() != before.size();
        boolean approved = false;
        boolean denied = false;
        Set<String> now = new HashSet<>();
        int i = 0;
        for (JsonNode condition : Trees.items(Trees.child(request, "status"), "conditions")) {
            String path = "status.conditions[" + i++ + "]";
            String type = Trees.text(condition, "type");
            if (type.isEmpty() && !before.contains("")) {
                errors.required(path + ".type", "");
            }
            String status = Trees.text(condition, "status");
            Set<String> allowed = TRUE_ONLY.contains(type) ? Set.of("True") : Set.of("True", "False", "Unknown");
            if (status.isEmpty()) {
                errors.required(path + ".status", "");
            } else if (!allowed.contains(status)) {
                errors.notSupported(path + ".status", Trees.textNode(status), allowed);
            }
            approved |= type.equals("Approved");
            denied |= type.equals("Denied");
            if (!bothAllowed && DECISIONS.contains(type) && approved && denied) {
                errors.invalid("status.conditions", type, "Approved and Denied conditions are mutually exclusive");
            }
            if (!now.add(type) && !twiceAllowed) {
                errors.duplicate(path + ".type", Trees.textNode(type));
            }
        }
    }

    private static void changes(
            ObjectNode request, ObjectNode old, boolean mayDecide, boolean maySign, FieldErrors errors) {
        for (String type : List.of("Approved", "Denied", "Failed")) {
            if (find(request, type).size() < find(old, type).size()) {
                errors.forbidden(
                        "status.conditions", "updates may not remove a condition of type " + FieldErrors.quote(type));
            }
        }
        if (!mayDecide) {
            for (String type : DECISIONS) {
                if (find(request, type).size() > find(old, type).size()) {
                    errors.forbidden(
                            "status.conditions", "updates may not add a condition of type " + FieldErrors.quote(type));
                }
            }
        }
        if (!certificate(request).equals(certificate(old))) {
            if (!maySign) {
                errors.forbidden("status.certificate", "updates may not set certificate content");
            } else if (!certificate(old).isEmpty()) {
                errors.forbidden("status.certificate", "updates may not modify existing certificate content");
            }
        }
    }

    @Override
    public Map<String, Function<JsonNode, String>> selectableFields() {
        return Map.of("spec.signerName", request -> Trees.text(Trees.child(request, "spec"), "signerName"));
    }
}
