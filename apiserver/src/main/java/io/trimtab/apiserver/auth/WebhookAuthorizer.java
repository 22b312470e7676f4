package io.trimtab.apiserver.auth;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.callout.WebhookClient;
import io.trimtab.apiserver.callout.WebhookServer;
import io.trimtab.runtime.Driver;
import io.trimtab.selector.FieldSelector;
import io.trimtab.selector.InvalidSelectorException;
import io.trimtab.selector.LabelSelectors;
import io.trimtab.selector.Requirement;
import java.time.Duration;
import java.util.List;
import java.util.TreeMap;

/**
 * Asks another server whether a user may do something, by SubjectAccessReviews; remembers its answers for a while. If it cannot
 * be asked, it has no opinion, or says no. Safe for use by any thread.
 */
public final class WebhookAuthorizer implements Authorizer, RuleResolver {
    private static final String GROUP = "authorization.k8s.io";
    private static final List<String> VERSIONS = List.of("v1", "v1beta1");
    /** What is asked about larger things is not worth remembering (plugin/authorizer/webhook). */
    private static final int MAX_REMEMBERED_LENGTH = 10_000;

    private final WebhookClient client;
    private final WebhookServer server;
    private final String version;
    private final Settings settings;
    private final Remembered<String, Decision> answers;

    /**
     * How it is asked.
     *
     * @param version of SubjectAccessReview: v1 or v1beta1
     * @param keepAllowed how long a yes holds
     * @param keepRefused how long a no holds
     * @param timeout of one question
     * @param denies whether a failure is a no; else it is no opinion
     * @param matcher which requests it is asked about
     */
    public record Settings(
            String version,
            Duration keepAllowed,
            Duration keepRefused,
            Duration timeout,
            boolean denies,
            RequestMatcher matcher) {

        /** Asked about all, and a failure is no opinion. */
        public static Settings of(String version, Duration keepAllowed, Duration keepRefused) {
            return new Settings(
                    version, keepAllowed, keepRefused, Duration.ofSeconds(30), false, RequestMatcher.EVERYTHING);
        }
    }

    public WebhookAuthorizer(WebhookClient client, WebhookServer server, Settings settings, Driver driver) {
        this.client = client;
        this.server = server;
        this.version = settings.version();
        this.settings = settings;
        this.answers = new Remembered<>(driver);
    }

    @Override
    public Decision authorize(UserInfo user, Attributes attributes) {
        if (settings.matcher() != RequestMatcher.EVERYTHING) {
            try {
                if (!settings.matcher().matches(whole(user, attributes))) {
                    return Decision.NO_OPINION;
                }
            } catch (AuthorizerFailure e) {
                throw new AuthorizerFailure(e.getMessage(), settings.denies());
            }
        }
        ObjectNode spec = spec(user, attributes);
        String key = spec.toString();
        Decision known = answers.get(key).orElse(null);
        if (known != null) {
            return known;
        }
        ObjectNode review = JsonNodeFactory.instance
                .objectNode()
                .put("kind", "SubjectAccessReview")
                .put("apiVersion", GROUP + "/" + version);
        review.putObject("metadata");
        review.set("spec", spec);
        review.putObject("status").put("allowed", false);
        JsonNode status;
        try {
            status = client.await(client.ask(server.target(), server.headers(), review, VERSIONS, settings.timeout()))
                    .path("status");
        } catch (WebhookClient.WebhookFailure e) {
            throw new AuthorizerFailure(e.getMessage(), settings.denies());
        }
        boolean allowed = status.path("allowed").asBoolean();
        boolean denied = status.path("denied").asBoolean();
        if (allowed && denied) {
            throw new AuthorizerFailure("webhook subject access review returned both allow and deny response", true);
        }
        Decision decision = new Decision(
                allowed ? Verdict.ALLOW : denied ? Verdict.DENY : Verdict.NO_OPINION,
                status.path("reason").asText(""));
        if (key.length() < MAX_REMEMBERED_LENGTH) {
            answers.put(key, decision, allowed ? settings.keepAllowed() : settings.keepRefused());
        }
        return decision;
    }

    /** The request as conditions see it: nothing is left out for being empty. */
    private static ObjectNode whole(UserInfo user, Attributes attributes) {
        ObjectNode spec =
                JsonNodeFactory.instance.objectNode().put("user", user.name()).put("uid", user.uid());
        texts(spec.putArray("groups"), user.groups());
        ObjectNode extra = spec.putObject("extra");
        user.extra().forEach((key, values) -> texts(extra.putArray(key), values));
        if (attributes.resourceRequest()) {
            ObjectNode resource = spec.putObject("resourceAttributes")
                    .put("namespace", attributes.namespace())
                    .put("verb", attributes.verb())
                    .put("group", attributes.group())
                    .put("version", attributes.version())
                    .put("resource", attributes.resource())
                    .put("subresource", attributes.subresource())
                    .put("name", attributes.name());
            selectors(resource, attributes);
        } else {
            spec.putObject("nonResourceAttributes")
                    .put("path", attributes.path())
                    .put("verb", attributes.verb());
        }
        return spec;
    }

    private ObjectNode spec(UserInfo user, Attributes attributes) {
        ObjectNode spec = JsonNodeFactory.instance.objectNode();
        if (attributes.resourceRequest()) {
            ObjectNode resource = spec.putObject("resourceAttributes");
            put(resource, "namespace", attributes.namespace());
            put(resource, "verb", attributes.verb());
            put(resource, "group", attributes.group());
            put(resource, "version", attributes.version());
            put(resource, "resource", attributes.resource());
            put(resource, "subresource", attributes.subresource());
            put(resource, "name", attributes.name());
            if (version.equals("v1")) {
                selectors(resource, attributes);
            }
        } else {
            ObjectNode path = spec.putObject("nonResourceAttributes");
            put(path, "path", attributes.path());
            put(path, "verb", attributes.verb());
        }
        put(spec, "user", user.name());
        if (!user.groups().isEmpty()) {
            texts(spec.putArray(version.equals("v1") ? "groups" : "group"), user.groups());
        }
        if (!user.extra().isEmpty()) {
            ObjectNode extra = spec.putObject("extra");
            new TreeMap<>(user.extra()).forEach((key, values) -> texts(extra.putArray(key), values));
        }
        put(spec, "uid", user.uid());
        return spec;
    }

    /** A selector that cannot be read is left out: fewer requirements ask for more, so that is safe. */
    private static void selectors(ObjectNode resource, Attributes attributes) {
        try {
            if (!attributes.fieldSelector().isEmpty()) {
                ArrayNode requirements = resource.putObject("fieldSelector").putArray("requirements");
                for (FieldSelector.Term term :
                        FieldSelector.parse(attributes.fieldSelector()).requirements()) {
                    ObjectNode one = requirements.addObject().put("key", term.field());
                    one.put("operator", term.negated() ? "NotIn" : "In");
                    one.putArray("values").add(term.value());
                }
            }
            if (!attributes.labelSelector().isEmpty()) {
                ArrayNode requirements = resource.putObject("labelSelector").putArray("requirements");
                for (Requirement requirement :
                        LabelSelectors.parse(attributes.labelSelector()).requirements()) {
                    String operator =
                            switch (requirement.operator()) {
                                case EQUALS, DOUBLE_EQUALS, IN -> "In";
                                case NOT_EQUALS, NOT_IN -> "NotIn";
                                case EXISTS -> "Exists";
                                case DOES_NOT_EXIST -> "DoesNotExist";
                                case GREATER_THAN, LESS_THAN -> "";
                            };
                    if (!operator.isEmpty()) {
                        ObjectNode one = requirements.addObject().put("key", requirement.key());
                        one.put("operator", operator);
                        if (!requirement.values().isEmpty()) {
                            texts(one.putArray("values"), requirement.values());
                        }
                    }
                }
            }
        } catch (InvalidSelectorException e) {
            resource.remove(List.of("fieldSelector", "labelSelector"));
        }
    }

    private static void put(ObjectNode object, String field, String value) {
        if (!value.isEmpty()) {
            object.put(field, value);
        }
    }

    private static void texts(ArrayNode array, List<String> values) {
        values.forEach(array::add);
    }

    @Override
    public Rules rulesFor(UserInfo user, String namespace) {
        return new Rules(List.of(), List.of(), true, "webhook authorizer does not support user rule resolution");
    }
}
