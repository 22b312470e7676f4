package io.trimtab.apiserver.admission.webhook;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.admission.AdmissionPlugin.Attributes;
import io.trimtab.apiserver.admission.AdmissionPlugin.Operation;
import io.trimtab.apiserver.auth.AccessReviews;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.schema.Base64Text;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes the questions to admission webhooks, and reads their answers (plugin/webhook/request). Stateless. */
final class AdmissionReviews {
    static final List<String> VERSIONS = List.of("v1", "v1beta1");
    private static final String GROUP = "admission.k8s.io";

    private AdmissionReviews() {}

    /** The first version that both sides know; null if there is none. */
    static @Nullable String version(Webhook hook) {
        for (JsonNode version : hook.tree().path("admissionReviewVersions")) {
            if (VERSIONS.contains(version.asText())) {
                return version.asText();
            }
        }
        return null;
    }

    /** The whole question. */
    static ObjectNode review(String version, String uid, Write write, Form seen) {
        ObjectNode review = JsonNodeFactory.instance
                .objectNode()
                .put("kind", "AdmissionReview")
                .put("apiVersion", GROUP + "/" + version);
        ObjectNode request = request(uid, write, seen);
        request.set("object", orNull(write.object(seen)));
        request.set("oldObject", orNull(write.old(seen)));
        request.put("dryRun", write.attributes.context().dryRun());
        request.set("options", options(write.attributes));
        review.set("request", request);
        return review;
    }

    /** What is asked, without the objects and options. */
    static ObjectNode request(String uid, Write write, Form seen) {
        Attributes attributes = write.attributes;
        ObjectNode request = JsonNodeFactory.instance.objectNode().put("uid", uid);
        request.set("kind", seen.shownKind());
        request.set("resource", seen.shownResource());
        putText(request, "subResource", attributes.subresource());
        request.set("requestKind", write.form.shownKind());
        request.set("requestResource", write.form.shownResource());
        putText(request, "requestSubResource", attributes.subresource());
        putText(request, "name", attributes.name());
        putText(request, "namespace", write.namespace());
        request.put("operation", attributes.operation().name());
        UserInfo user = attributes.user();
        request.set("userInfo", user == null ? JsonNodeFactory.instance.objectNode() : AccessReviews.show(user));
        return request;
    }

    private static void putText(ObjectNode object, String field, String text) {
        if (!text.isEmpty()) {
            object.put(field, text);
        }
    }

    private static JsonNode orNull(@Nullable ObjectNode object) {
        return object == null ? NullNode.getInstance() : object;
    }

    /** A patch is an update, or a create, to those who admit it. */
    static JsonNode options(Attributes attributes) {
        ObjectNode options = attributes.options();
        if (options.isEmpty() || attributes.operation() == Operation.CONNECT) {
            return NullNode.getInstance();
        }
        if (!options.path("kind").asText().equals("PatchOptions")) {
            if (attributes.operation() == Operation.DELETE && !options.has("kind")) {
                ObjectNode typed = JsonNodeFactory.instance
                        .objectNode()
                        .put("kind", "DeleteOptions")
                        .put("apiVersion", "meta.k8s.io/v1");
                typed.setAll(options);
                return typed;
            }
            return options;
        }
        ObjectNode converted = options.deepCopy();
        converted.put("kind", attributes.operation() == Operation.CREATE ? "CreateOptions" : "UpdateOptions");
        converted.remove("force");
        return converted;
    }

    /**
     * An answer.
     *
     * @param status what the webhook says about a refusal; null if nothing
     * @param patch empty if there is none
     * @param patchType empty if there is none
     */
    record Answer(
            boolean allowed,
            @Nullable ObjectNode status,
            byte[] patch,
            String patchType,
            Map<String, String> annotations,
            List<String> warnings) {}

    /** The answer does not fit the question; the message says why, in Kubernetes' words. */
    static final class BadAnswer extends RuntimeException {
        private static final long serialVersionUID = 1L;

        /** Whether the answer could not even be read. */
        final boolean unreadable;

        private BadAnswer(String message, boolean unreadable) {
            super(message, null, false, false);
            this.unreadable = unreadable;
        }
    }

    /**
     * Reads an answer.
     *
     * @throws BadAnswer if it is none to this question
     */
    static Answer answer(ObjectNode review, String version, String uid, boolean mutating) {
        JsonNode response = review.path("response");
        if (response.isMissingNode() || response.isNull()) {
            throw bad("webhook response was absent");
        }
        checkTypes(response);
        byte[] patch = patch(response);
        JsonNode type = response.path("patchType");
        boolean typed = !type.isMissingNode() && !type.isNull();
        String patchType = type.asText("");
        if (version.equals("v1")) {
            String answered = response.path("uid").asText("");
            if (!answered.equals(uid)) {
                throw bad("expected response.uid=" + FieldErrors.quote(uid) + ", got " + FieldErrors.quote(answered));
            }
            checkKind(review);
            if (mutating) {
                if (patch.length > 0 && !typed) {
                    throw bad("webhook returned response.patch but not response.patchType");
                }
                if (patch.length == 0 && typed) {
                    throw bad("webhook returned response.patchType but not response.patch");
                }
                if (typed && patchType.isEmpty()) {
                    throw bad("webhook returned invalid response.patchType of \"\"");
                }
            } else {
                if (patch.length > 0) {
                    throw bad("validating webhook may not return response.patch");
                }
                if (typed) {
                    throw bad("validating webhook may not return response.patchType");
                }
            }
        } else {
            // The older version was never so strict.
            patch = mutating ? patch : new byte[0];
            patchType = patch.length > 0 ? "JSONPatch" : "";
        }
        Map<String, String> annotations = new LinkedHashMap<>();
        response.path("auditAnnotations")
                .fields()
                .forEachRemaining(
                        note -> annotations.put(note.getKey(), note.getValue().asText()));
        List<String> warnings = new ArrayList<>();
        response.path("warnings").forEach(warning -> warnings.add(warning.asText()));
        return new Answer(
                response.path("allowed").asBoolean(false),
                response.get("status") instanceof ObjectNode status ? status : null,
                patch,
                patchType,
                annotations,
                warnings);
    }

    private static void checkKind(ObjectNode review) {
        String kind = review.path("kind").asText("");
        String apiVersion = review.path("apiVersion").asText("");
        if (!kind.equals("AdmissionReview") || !apiVersion.equals(GROUP + "/v1")) {
            int slash = apiVersion.indexOf('/');
            String shown = apiVersion.isEmpty() ? "/" : slash < 0 ? "/" + apiVersion : apiVersion;
            throw bad("expected webhook response of " + GROUP + "/v1, Kind=AdmissionReview, got " + shown + ", Kind="
                    + kind);
        }
    }

    private static byte[] patch(JsonNode response) {
        String text = response.path("patch").asText("");
        int wrong = Base64Text.firstBadByte(text);
        if (wrong >= 0) {
            throw new BadAnswer("illegal base64 data at input byte " + wrong, true);
        }
        return Base64.getMimeDecoder().decode(text);
    }

    private static void checkTypes(JsonNode response) {
        if (!response.isObject()) {
            throw mistyped(response, "AdmissionReview.response", "v1.AdmissionResponse");
        }
        String[] texts = {"uid", "patch", "patchType"};
        for (String field : texts) {
            JsonNode value = response.path(field);
            if (!value.isMissingNode() && !value.isNull() && !value.isTextual()) {
                throw mistyped(
                        value,
                        "AdmissionResponse.response." + field,
                        switch (field) {
                            case "uid" -> "types.UID";
                            case "patch" -> "[]uint8";
                            default -> "v1.PatchType";
                        });
            }
        }
        JsonNode allowed = response.path("allowed");
        if (!allowed.isMissingNode() && !allowed.isNull() && !allowed.isBoolean()) {
            throw mistyped(allowed, "AdmissionResponse.response.allowed", "bool");
        }
        JsonNode status = response.path("status");
        if (!status.isMissingNode() && !status.isNull() && !status.isObject()) {
            throw mistyped(status, "AdmissionResponse.response.status", "v1.Status");
        }
        JsonNode warnings = response.path("warnings");
        if (!warnings.isMissingNode() && !warnings.isNull() && !warnings.isArray()) {
            throw mistyped(warnings, "AdmissionResponse.response.warnings", "[]string");
        }
        JsonNode notes = response.path("auditAnnotations");
        if (!notes.isMissingNode() && !notes.isNull() && !notes.isObject()) {
            throw mistyped(notes, "AdmissionResponse.response.auditAnnotations", "map[string]string");
        }
    }

    private static BadAnswer mistyped(JsonNode value, String field, String type) {
        String kind = value.isObject()
                ? "object"
                : value.isArray() ? "array" : value.isTextual() ? "string" : value.isBoolean() ? "bool" : "number";
        return new BadAnswer(
                "json: cannot unmarshal " + kind + " into Go struct field " + field + " of type " + type, true);
    }

    private static BadAnswer bad(String why) {
        return new BadAnswer(why, false);
    }
}
