package io.trimtab.apiserver.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.ApiResponse;
import io.trimtab.apiserver.auth.Authorizer;
import io.trimtab.apiserver.auth.BearerTokens;
import io.trimtab.apiserver.auth.PolicyRule;
import io.trimtab.apiserver.auth.RuleResolver;
import io.trimtab.apiserver.auth.TokenAuthenticator;
import io.trimtab.apiserver.auth.UserInfo;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.schema.Canonical;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Questions about tokens and permissions: answered, not stored (registry/authentication, registry/authorization). Stateless. */
final class Reviews {
    private Reviews() {}

    static ApiResponse create(Call call) {
        Representation form = Representation.negotiate(call.request, Representation.Endpoint.VIRTUAL);
        WriteOptions options = WriteOptions.create(call.request);
        ObjectNode review = BodyReader.read(call, options.validation());
        Writes.fitNamespace(call, review);
        FieldManagement.recordUpdate(call, Json.object(), review, options.managerOr(call.request), "");
        Admission.create(call, "", Metadata.name(review), review, options, () -> {});
        ObjectNode spec = review.get("spec") instanceof ObjectNode s ? s : review.putObject("spec");
        ObjectNode status = review.putObject("status");
        switch (call.resource().plural()) {
            case "selfsubjectreviews" -> {
                review.remove("spec");
                checkMetadata(call, review, false);
                status.set("userInfo", user(call.user));
                Metadata.of(review)
                        .put(
                                "creationTimestamp",
                                Metadata.time(call.env.driver().now()));
            }
            case "tokenreviews" -> token(call, spec, status);
            case "selfsubjectrulesreviews" -> rules(call, spec, status);
            case "selfsubjectaccessreviews" -> {
                FieldErrors errors = new FieldErrors();
                checkAttributes(spec, errors);
                refuse(call, errors);
                checkMetadata(call, review, false);
                access(call, call.user, spec, status);
            }
            case "subjectaccessreviews" -> {
                checkSubject(call, spec);
                checkMetadata(call, review, false);
                access(call, subject(spec), spec, status);
            }
            case "localsubjectaccessreviews" -> {
                checkSubject(call, spec);
                checkMetadata(call, review, true);
                checkLocal(call, review, spec);
                access(call, subject(spec), spec, status);
            }
            default -> throw Statuses.noSuchResource();
        }
        return ResponseWriter.tree(form, 201, Canonical.of(review, call.served.schema()));
    }

    private static void token(Call call, ObjectNode spec, ObjectNode status) {
        String token = spec.path("token").asText("");
        if (token.isEmpty()) {
            throw Statuses.badRequest("token is required for TokenReview in authentication");
        }
        BearerTokens tokens = call.env.tokens();
        if (tokens == null) {
            status.putObject("user");
            status.put("error", "invalid bearer token");
            return;
        }
        List<String> audiences = WriteOptions.texts(spec.path("audiences"));
        try {
            TokenAuthenticator.Authenticated who =
                    tokens.review(token, audiences.isEmpty() ? tokens.audiences() : audiences);
            status.put("authenticated", true);
            status.set("user", user(who.user()));
            if (!who.audiences().isEmpty()) {
                ArrayNode array = status.putArray("audiences");
                who.audiences().forEach(array::add);
            }
        } catch (TokenAuthenticator.BadToken bad) {
            status.putObject("user");
            status.put("error", bad.getMessage());
        }
    }

    private static ObjectNode user(UserInfo user) {
        ObjectNode info = Json.object().put("username", user.name());
        if (!user.uid().isEmpty()) {
            info.put("uid", user.uid());
        }
        if (!user.groups().isEmpty()) {
            ArrayNode groups = info.putArray("groups");
            user.groups().forEach(groups::add);
        }
        if (!user.extra().isEmpty()) {
            ObjectNode extra = info.putObject("extra");
            user.extra().forEach((key, values) -> {
                ArrayNode array = extra.putArray(key);
                values.forEach(array::add);
            });
        }
        return info;
    }

    private static void rules(Call call, ObjectNode spec, ObjectNode status) {
        String namespace = spec.path("namespace").asText("");
        if (namespace.isEmpty()) {
            throw Statuses.badRequest("no namespace on request");
        }
        RuleResolver.Rules rules = call.env.authorizer() instanceof RuleResolver resolver
                ? resolver.rulesFor(call.user, namespace)
                : new RuleResolver.Rules(List.of(), List.of(), true, "");
        ArrayNode resources = status.putArray("resourceRules");
        for (PolicyRule rule : rules.resource()) {
            ObjectNode node = resources.addObject();
            put(node, "verbs", rule.verbs(), true);
            put(node, "apiGroups", rule.groups(), false);
            put(node, "resources", rule.resources(), false);
            put(node, "resourceNames", rule.names(), false);
        }
        ArrayNode paths = status.putArray("nonResourceRules");
        for (PolicyRule rule : rules.nonResource()) {
            ObjectNode node = paths.addObject();
            put(node, "verbs", rule.verbs(), true);
            put(node, "nonResourceURLs", rule.paths(), false);
        }
        status.put("incomplete", rules.incomplete());
        if (!rules.error().isEmpty()) {
            status.put("evaluationError", rules.error());
        }
    }

    private static void put(ObjectNode node, String field, List<String> values, boolean always) {
        if (always || !values.isEmpty()) {
            ArrayNode array = node.putArray(field);
            values.forEach(array::add);
        }
    }

    private static void access(Call call, UserInfo who, ObjectNode spec, ObjectNode status) {
        JsonNode resource = spec.path("resourceAttributes");
        Authorizer.Attributes asked = resource.isObject()
                ? new Authorizer.Attributes(
                        resource.path("verb").asText(""),
                        resource.path("group").asText(""),
                        resource.path("version").asText(""),
                        resource.path("resource").asText(""),
                        resource.path("subresource").asText(""),
                        resource.path("namespace").asText(""),
                        resource.path("name").asText(""),
                        true,
                        "",
                        resource.path("fieldSelector").path("rawSelector").asText(""),
                        resource.path("labelSelector").path("rawSelector").asText(""))
                : Authorizer.Attributes.path(
                        spec.path("nonResourceAttributes").path("verb").asText(""),
                        spec.path("nonResourceAttributes").path("path").asText(""));
        Authorizer.Decision decision = call.env.authorizer().authorize(who, asked);
        status.put("allowed", decision.verdict() == Authorizer.Verdict.ALLOW);
        if (decision.verdict() == Authorizer.Verdict.DENY) {
            status.put("denied", true);
        }
        if (!decision.reason().isEmpty()) {
            status.put("reason", decision.reason());
        }
    }

    private static UserInfo subject(ObjectNode spec) {
        Map<String, List<String>> extra = new LinkedHashMap<>();
        spec.path("extra").fields().forEachRemaining(e -> extra.put(e.getKey(), WriteOptions.texts(e.getValue())));
        return new UserInfo(
                spec.path("user").asText(""),
                spec.path("uid").asText(""),
                WriteOptions.texts(spec.path("groups")),
                extra);
    }

    private static void checkSubject(Call call, ObjectNode spec) {
        FieldErrors errors = new FieldErrors();
        checkAttributes(spec, errors);
        if (spec.path("user").asText("").isEmpty() && spec.path("groups").isEmpty()) {
            errors.invalid("spec.user", "", "at least one of user or group must be specified");
        }
        refuse(call, errors);
    }

    private static void checkAttributes(ObjectNode spec, FieldErrors errors) {
        boolean resource = spec.path("resourceAttributes").isObject();
        boolean path = spec.path("nonResourceAttributes").isObject();
        if (resource && path) {
            errors.invalid(
                    "spec.nonResourceAttributes",
                    spec.get("nonResourceAttributes"),
                    "cannot be specified in combination with resourceAttributes");
        } else if (!resource && !path) {
            errors.invalid(
                    "spec.resourceAttributes",
                    (JsonNode) null,
                    "exactly one of nonResourceAttributes or resourceAttributes must be specified");
        }
    }

    private static void checkMetadata(Call call, ObjectNode review, boolean namespaced) {
        ObjectNode rest = Metadata.of(review).deepCopy();
        rest.remove("managedFields");
        if (namespaced) {
            rest.remove("namespace");
        }
        if (!rest.isEmpty()) {
            FieldErrors errors = new FieldErrors();
            errors.invalid("metadata", rest, namespaced ? "must be empty except for namespace" : "must be empty");
            refuse(call, errors);
        }
    }

    private static void checkLocal(Call call, ObjectNode review, ObjectNode spec) {
        FieldErrors errors = new FieldErrors();
        String namespace = Metadata.text(review, "namespace");
        if (spec.path("nonResourceAttributes").isObject()) {
            errors.invalid(
                    "spec.nonResourceAttributes",
                    spec.get("nonResourceAttributes"),
                    "disallowed on this kind of request");
        } else if (!spec.path("resourceAttributes").path("namespace").asText("").equals(namespace)) {
            errors.invalid(
                    "spec.resourceAttributes.namespace",
                    spec.path("resourceAttributes").path("namespace").asText(""),
                    "must match metadata.namespace");
        }
        refuse(call, errors);
    }

    private static void refuse(Call call, FieldErrors errors) {
        if (!errors.isEmpty()) {
            throw Statuses.invalid(call.resource().group(), call.resource().kind(), "", errors);
        }
    }
}
