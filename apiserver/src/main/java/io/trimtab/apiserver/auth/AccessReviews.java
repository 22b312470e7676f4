package io.trimtab.apiserver.auth;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.runtime.Driver;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Answers questions about who one is and what somebody may do. Each method takes the object that was posted, which it does not
 * change, and gives it back with its status. Safe for use by any thread.
 */
public final class AccessReviews {
    private static final String AUTHORIZATION = "authorization.k8s.io";

    private final Authorizer authorizer;
    private final RuleResolver rules;
    private final BearerTokens tokens;
    private final Driver driver;

    /** @param rules lists what users may do; the same chain as the authorizer */
    public AccessReviews(Authorizer authorizer, RuleResolver rules, BearerTokens tokens, Driver driver) {
        this.authorizer = authorizer;
        this.rules = rules;
        this.tokens = tokens;
        this.driver = driver;
    }

    /** May this user, or these groups, do this? */
    public ObjectNode subjectAccessReview(ObjectNode review) {
        FieldErrors errors = new FieldErrors();
        subject(review, errors);
        mustBeEmpty(review, "must be empty", errors, false);
        refuse(errors);
        return answered(review, spokenOf(review.path("spec")));
    }

    /** The same, within a namespace. */
    public ObjectNode localSubjectAccessReview(ObjectNode review, String namespace) {
        FieldErrors errors = new FieldErrors();
        subject(review, errors);
        mustBeEmpty(review, "must be empty except for namespace", errors, true);
        JsonNode spec = review.path("spec");
        String own = review.path("metadata").path("namespace").asText("");
        if (spec.hasNonNull("resourceAttributes")
                && !text(spec.path("resourceAttributes"), "namespace").equals(own)) {
            errors.invalid(
                    "spec.resourceAttributes.namespace",
                    text(spec.path("resourceAttributes"), "namespace"),
                    "must match metadata.namespace");
        }
        if (spec.hasNonNull("nonResourceAttributes")) {
            errors.invalidShown(
                    "spec.nonResourceAttributes",
                    showPath(spec.path("nonResourceAttributes")),
                    "disallowed on this kind of request");
        }
        refuse(errors);
        if (!namespace.equals(own)) {
            throw Statuses.badRequest("spec.resourceAttributes.namespace must match namespace: " + namespace);
        }
        return answered(review, spokenOf(spec));
    }

    /** May I do this? */
    public ObjectNode selfSubjectAccessReview(ObjectNode review, UserInfo user) {
        FieldErrors errors = new FieldErrors();
        attributes(review.path("spec"), errors);
        mustBeEmpty(review, "must be empty", errors, false);
        refuse(errors);
        return answered(review, user);
    }

    /** What may I do in this namespace? */
    public ObjectNode selfSubjectRulesReview(ObjectNode review, UserInfo user) {
        String namespace = text(review.path("spec"), "namespace");
        if (namespace.isEmpty()) {
            throw Statuses.badRequest("no namespace on request");
        }
        RuleResolver.Rules found = rules.rulesFor(user, namespace);
        ObjectNode answer = JsonNodeFactory.instance.objectNode();
        answer.put("kind", "SelfSubjectRulesReview").put("apiVersion", AUTHORIZATION + "/v1");
        answer.putObject("metadata");
        answer.putObject("spec");
        ObjectNode status = answer.putObject("status");
        ArrayNode resources = status.putArray("resourceRules");
        for (PolicyRule rule : found.resource()) {
            ObjectNode one = resources.addObject();
            put(one, "verbs", rule.verbs(), true);
            put(one, "apiGroups", rule.groups(), false);
            put(one, "resources", rule.resources(), false);
            put(one, "resourceNames", rule.names(), false);
        }
        ArrayNode paths = status.putArray("nonResourceRules");
        for (PolicyRule rule : found.nonResource()) {
            ObjectNode one = paths.addObject();
            put(one, "verbs", rule.verbs(), true);
            put(one, "nonResourceURLs", rule.paths(), false);
        }
        status.put("incomplete", found.incomplete());
        if (!found.error().isEmpty()) {
            status.put("evaluationError", found.error());
        }
        return answer;
    }

    /** Whom does this token stand for? */
    public ObjectNode tokenReview(ObjectNode review) {
        JsonNode spec = review.path("spec");
        String token = text(spec, "token");
        if (token.isEmpty()) {
            throw Statuses.badRequest("token is required for TokenReview in authentication");
        }
        List<String> audiences = PolicyRule.texts(spec.path("audiences"));
        ObjectNode answer = review.deepCopy();
        ObjectNode status = answer.putObject("status");
        try {
            TokenAuthenticator.Authenticated found =
                    tokens.review(token, audiences.isEmpty() ? tokens.audiences() : audiences);
            status.put("authenticated", true);
            status.set("user", show(found.user()));
            put(status, "audiences", found.audiences(), false);
        } catch (TokenAuthenticator.BadToken e) {
            status.putObject("user");
            status.put("error", e.getMessage());
        }
        return answer;
    }

    /** Who am I? */
    public ObjectNode selfSubjectReview(UserInfo user) {
        ObjectNode answer = JsonNodeFactory.instance.objectNode();
        answer.put("kind", "SelfSubjectReview").put("apiVersion", "authentication.k8s.io/v1");
        answer.putObject("metadata")
                .put(
                        "creationTimestamp",
                        driver.now().truncatedTo(ChronoUnit.SECONDS).toString());
        answer.putObject("status").set("userInfo", show(user));
        return answer;
    }

    /** A user as it stands in reviews and in requests to webhooks; what is empty is left out. */
    public static ObjectNode show(UserInfo user) {
        ObjectNode shown = JsonNodeFactory.instance.objectNode();
        if (!user.name().isEmpty()) {
            shown.put("username", user.name());
        }
        if (!user.uid().isEmpty()) {
            shown.put("uid", user.uid());
        }
        put(shown, "groups", user.groups(), false);
        if (!user.extra().isEmpty()) {
            ObjectNode extra = shown.putObject("extra");
            new TreeMap<>(user.extra()).forEach((key, values) -> put(extra, key, values, true));
        }
        return shown;
    }

    // ---- Asking --------------------------------------------------------------------------------------------------

    private ObjectNode answered(ObjectNode review, UserInfo user) {
        JsonNode spec = review.path("spec");
        Authorizer.Decision decision;
        String problem = "";
        try {
            decision = authorizer.authorize(user, asked(spec));
        } catch (AuthorizerFailure e) {
            decision =
                    e.denies() ? new Authorizer.Decision(Authorizer.Verdict.DENY, "") : Authorizer.Decision.NO_OPINION;
            problem = e.getMessage();
        }
        ObjectNode answer = review.deepCopy();
        if (!answer.has("metadata")) {
            answer.putObject("metadata");
        }
        ObjectNode status = answer.putObject("status");
        status.put("allowed", decision.verdict() == Authorizer.Verdict.ALLOW);
        if (decision.verdict() == Authorizer.Verdict.DENY) {
            status.put("denied", true);
        }
        if (!decision.reason().isEmpty()) {
            status.put("reason", decision.reason());
        }
        if (!problem.isEmpty()) {
            status.put("evaluationError", problem);
        }
        return answer;
    }

    private static Authorizer.Attributes asked(JsonNode spec) {
        JsonNode resource = spec.path("resourceAttributes");
        if (!resource.isObject()) {
            JsonNode path = spec.path("nonResourceAttributes");
            return Authorizer.Attributes.path(text(path, "verb"), text(path, "path"));
        }
        String version = text(resource, "version");
        return new Authorizer.Attributes(
                text(resource, "verb"),
                text(resource, "group"),
                version.isEmpty() ? "*" : version,
                text(resource, "resource"),
                text(resource, "subresource"),
                text(resource, "namespace"),
                text(resource, "name"),
                true,
                "",
                selector(resource.path("fieldSelector")),
                selector(resource.path("labelSelector")));
    }

    /** What cannot be said as text is left out: fewer requirements ask for more, so that is safe. */
    private static String selector(JsonNode selector) {
        String raw = text(selector, "rawSelector");
        if (!raw.isEmpty()) {
            return raw;
        }
        List<String> parts = new ArrayList<>();
        for (JsonNode requirement : selector.path("requirements")) {
            JsonNode values = requirement.path("values");
            String key = text(requirement, "key");
            String operator = text(requirement, "operator");
            if (values.size() == 1 && operator.equals("In")) {
                parts.add(key + "=" + values.get(0).asText());
            } else if (values.size() == 1 && operator.equals("NotIn")) {
                parts.add(key + "!=" + values.get(0).asText());
            }
        }
        return String.join(",", parts);
    }

    private static UserInfo spokenOf(JsonNode spec) {
        Map<String, List<String>> extra = new LinkedHashMap<>();
        spec.path("extra").fields().forEachRemaining(e -> extra.put(e.getKey(), PolicyRule.texts(e.getValue())));
        return new UserInfo(text(spec, "user"), text(spec, "uid"), PolicyRule.texts(spec.path("groups")), extra);
    }

    // ---- Validation ------------------------------------------------------------------------------------------------

    private static void subject(ObjectNode review, FieldErrors errors) {
        JsonNode spec = review.path("spec");
        exactlyOne(spec, errors);
        if (text(spec, "user").isEmpty() && spec.path("groups").isEmpty()) {
            errors.invalid("spec.user", text(spec, "user"), "at least one of user or group must be specified");
        }
        selectors(spec.path("resourceAttributes"), errors);
    }

    private static void attributes(JsonNode spec, FieldErrors errors) {
        exactlyOne(spec, errors);
        selectors(spec.path("resourceAttributes"), errors);
    }

    private static void exactlyOne(JsonNode spec, FieldErrors errors) {
        boolean resource = spec.hasNonNull("resourceAttributes");
        boolean path = spec.hasNonNull("nonResourceAttributes");
        if (resource && path) {
            errors.invalidShown(
                    "spec.nonResourceAttributes",
                    showPath(spec.path("nonResourceAttributes")),
                    "cannot be specified in combination with resourceAttributes");
        }
        if (!resource && !path) {
            errors.invalidShown(
                    "spec.resourceAttributes",
                    "null",
                    "exactly one of nonResourceAttributes or resourceAttributes must be specified");
        }
    }

    /** As the internal struct prints, which has no JSON names. */
    private static String showPath(JsonNode path) {
        return "{\"Path\":" + FieldErrors.quote(text(path, "path")) + ",\"Verb\":"
                + FieldErrors.quote(text(path, "verb")) + "}";
    }

    private static void selectors(JsonNode attributes, FieldErrors errors) {
        for (String field : List.of("fieldSelector", "labelSelector")) {
            JsonNode selector = attributes.path(field);
            if (!selector.isObject()) {
                continue;
            }
            String path = "spec.resourceAttributes." + field;
            boolean raw = !text(selector, "rawSelector").isEmpty();
            boolean requirements = !selector.path("requirements").isEmpty();
            if (raw && requirements) {
                errors.invalid(
                        path + ".rawSelector",
                        text(selector, "rawSelector"),
                        "may not specified at the same time as requirements");
            }
            if (!raw && !requirements) {
                errors.required(
                        path + ".requirements",
                        "when " + path + " is specified, requirements or rawSelector is required");
            }
        }
    }

    private static void mustBeEmpty(ObjectNode review, String why, FieldErrors errors, boolean butNamespace) {
        ObjectNode metadata = review.path("metadata") instanceof ObjectNode found
                ? found.deepCopy()
                : JsonNodeFactory.instance.objectNode();
        metadata.remove("managedFields");
        if (butNamespace) {
            metadata.remove("namespace");
        }
        boolean empty = true;
        for (JsonNode value : metadata) {
            empty &= value.isNull()
                    || value.isContainerNode() && value.isEmpty()
                    || value.asText("x").isEmpty();
        }
        if (!empty) {
            errors.invalid("metadata", review.get("metadata"), why);
        }
    }

    private static void refuse(FieldErrors errors) {
        if (!errors.isEmpty()) {
            // Kubernetes leaves the kind empty here: the internal object does not carry it.
            throw Statuses.invalid(AUTHORIZATION, "", "", errors);
        }
    }

    private static String text(JsonNode node, String field) {
        return node.path(field).asText("");
    }

    private static void put(ObjectNode object, String field, List<String> values, boolean evenEmpty) {
        if (evenEmpty || !values.isEmpty()) {
            ArrayNode array = object.putArray(field);
            values.forEach(array::add);
        }
    }
}
