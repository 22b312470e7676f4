package io.trimtab.apiserver.authorization;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.trimtab.apiserver.auth.ConfigText;
import io.trimtab.apiserver.auth.ConfigText.Shape;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.encoding.GoDuration;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Who decides what users may do, in order. Immutable.
 *
 * @param authorizers the first with an opinion decides
 */
public record AuthorizationConfig(List<Entry> authorizers) {

    /**
     * One who decides.
     *
     * @param type such as {@code RBAC}
     * @param webhook of the type {@code Webhook}; null for others
     */
    public record Entry(String type, String name, @Nullable Webhook webhook) {}

    /**
     * Another server that decides.
     *
     * @param keepAllowed how long a yes holds; zero for not at all
     * @param keepRefused how long a no holds; zero for not at all
     * @param version of SubjectAccessReview
     * @param denies whether a failure is a no; else it is no opinion
     * @param kubeconfig that leads to it
     * @param conditions which requests it is asked about
     */
    public record Webhook(
            Duration keepAllowed,
            Duration keepRefused,
            Duration timeout,
            String version,
            boolean denies,
            Path kubeconfig,
            RequestConditions conditions) {}

    private static final Duration MAX_TIMEOUT = Duration.ofSeconds(30);
    /** Of those who decide, by the names that configurations and flags give them. */
    public static final Set<String> TYPES = Set.of("ABAC", "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook");

    private static final Shape SHAPE = Shape.of(
            "authorizers",
            Shape.of(
                    "type",
                    "name",
                    "webhook",
                    Shape.of(
                            "authorizedTTL",
                            "cacheAuthorizedRequests",
                            "unauthorizedTTL",
                            "cacheUnauthorizedRequests",
                            "timeout",
                            "subjectAccessReviewVersion",
                            "matchConditionSubjectAccessReviewVersion",
                            "failurePolicy",
                            "connectionInfo",
                            Shape.of("type", "kubeConfigFile"),
                            "matchConditions",
                            Shape.of("expression"))));

    public AuthorizationConfig {
        authorizers = List.copyOf(authorizers);
    }

    /**
     * Reads an AuthorizationConfiguration.
     *
     * @param required types that must be among them, because they were when the server started
     * @throws IllegalArgumentException in Kubernetes' words, if it is none
     */
    public static AuthorizationConfig read(String text, Collection<String> required) {
        JsonNode config;
        try {
            config = ConfigText.read(text, "AuthorizationConfiguration", Set.of("v1", "v1beta1", "v1alpha1"), SHAPE);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "failed to load AuthorizationConfiguration from file: " + e.getMessage(), e);
        }
        FieldErrors errors = new FieldErrors();
        List<Entry> entries = entries(config.path("authorizers"), errors);
        if (!errors.isEmpty()) {
            throw new IllegalArgumentException(ConfigText.joined(errors));
        }
        List<String> wrong = new ArrayList<>();
        Set<String> missing = new TreeSet<>(required);
        for (Entry entry : entries) {
            String expected = entry.type().toLowerCase(Locale.ROOT);
            if (entry.webhook() == null && !entry.name().equals(expected)) {
                wrong.add("expected name " + expected + " for authorizer " + entry.type() + " instead of "
                        + entry.name());
            }
            missing.remove(entry.type());
        }
        if (!missing.isEmpty()) {
            wrong.add("missing required types: [" + String.join(" ", missing) + "]");
        }
        if (!wrong.isEmpty()) {
            throw new IllegalArgumentException(wrong.size() == 1 ? wrong.get(0) : "[" + String.join(", ", wrong) + "]");
        }
        return new AuthorizationConfig(entries);
    }

    /** The types of those who are no webhooks. */
    public Set<String> ownTypes() {
        Set<String> types = new TreeSet<>();
        authorizers.stream().filter(entry -> entry.webhook() == null).forEach(entry -> types.add(entry.type()));
        return types;
    }

    private static List<Entry> entries(JsonNode list, FieldErrors errors) {
        List<Entry> entries = new ArrayList<>();
        if (list.isEmpty()) {
            errors.required("authorizers", "at least one authorization mode must be defined");
        }
        Set<String> types = new HashSet<>();
        Set<String> names = new HashSet<>();
        for (int i = 0; i < list.size(); i++) {
            String path = "authorizers[" + i + "]";
            String type = text(list.get(i), "type");
            String name = text(list.get(i), "name");
            if (type.isEmpty()) {
                errors.required(path + ".type", "");
                continue;
            }
            if (!TYPES.contains(type)) {
                errors.notSupported(path + ".type", FieldErrors.text(type), TYPES);
                continue;
            }
            if (!types.add(type) && !type.equals("Webhook")) {
                errors.duplicate(path + ".type", FieldErrors.text(type));
                continue;
            }
            if (name.isEmpty()) {
                errors.required(path + ".name", "");
            } else if (names.contains(name)) {
                errors.duplicate(path + ".name", FieldErrors.text(name));
            } else {
                List<String> wrong = Names.subdomain(name);
                if (!wrong.isEmpty()) {
                    errors.invalid(path + ".name", name, "authorizer name is invalid: " + String.join(", ", wrong));
                }
            }
            names.add(name);
            JsonNode webhook = list.get(i).path("webhook");
            if (!type.equals("Webhook")) {
                if (webhook.isObject()) {
                    errors.invalid(path + ".webhook", "non-null", "may only be specified when type=Webhook");
                }
                entries.add(new Entry(type, name, null));
            } else if (!webhook.isObject()) {
                errors.required(path + ".webhook", "required when type=Webhook");
            } else {
                entries.add(new Entry(type, name, webhook(webhook, path, errors)));
            }
        }
        return entries;
    }

    private static Webhook webhook(JsonNode webhook, String path, FieldErrors errors) {
        Duration timeout = duration(webhook, "timeout", path, Duration.ZERO, errors);
        if (timeout.isZero()) {
            errors.required(path + ".timeout", "");
        } else if (timeout.isNegative() || timeout.compareTo(MAX_TIMEOUT) > 0) {
            errors.invalid(path + ".timeout", GoDuration.format(timeout), "must be > 0s and <= 30s");
        }
        Duration keepAllowed = duration(webhook, "authorizedTTL", path, Duration.ofMinutes(5), errors);
        if (keepAllowed.isNegative()) {
            errors.invalid(path + ".authorizedTTL", GoDuration.format(keepAllowed), "must be > 0s");
        }
        Duration keepRefused = duration(webhook, "unauthorizedTTL", path, Duration.ofSeconds(30), errors);
        if (keepRefused.isNegative()) {
            errors.invalid(path + ".unauthorizedTTL", GoDuration.format(keepRefused), "must be > 0s");
        }
        String version = text(webhook, "subjectAccessReviewVersion");
        oneOf(version, path + ".subjectAccessReviewVersion", List.of("v1", "v1beta1"), "", errors);
        String shown = text(webhook, "matchConditionSubjectAccessReviewVersion");
        JsonNode conditions = webhook.path("matchConditions");
        if (!shown.isEmpty() || !conditions.isEmpty()) {
            oneOf(
                    shown,
                    path + ".matchConditionSubjectAccessReviewVersion",
                    List.of("v1"),
                    "required if match conditions are specified",
                    errors);
        }
        String policy = text(webhook, "failurePolicy");
        oneOf(policy, path + ".failurePolicy", List.of("NoOpinion", "Deny"), "", errors);
        Path kubeconfig = connection(webhook.path("connectionInfo"), path + ".connectionInfo", errors);
        return new Webhook(
                webhook.path("cacheAuthorizedRequests").asBoolean(true) ? keepAllowed : Duration.ZERO,
                webhook.path("cacheUnauthorizedRequests").asBoolean(true) ? keepRefused : Duration.ZERO,
                timeout,
                version,
                policy.equals("Deny"),
                kubeconfig,
                RequestConditions.of(conditions, path + ".matchConditions", errors));
    }

    private static void oneOf(
            String value, String path, List<String> supported, String whenMissing, FieldErrors errors) {
        if (value.isEmpty()) {
            errors.required(path, whenMissing);
        } else if (!supported.contains(value)) {
            errors.notSupportedInOrder(path, FieldErrors.text(value), supported);
        }
    }

    private static Path connection(JsonNode info, String path, FieldErrors errors) {
        String type = text(info, "type");
        String file = text(info, "kubeConfigFile");
        boolean said = info.hasNonNull("kubeConfigFile");
        Path kubeconfig = Path.of(file);
        switch (type) {
            case "" -> errors.required(path + ".type", "");
            case "InClusterConfig" -> {
                if (said) {
                    errors.invalid(path + ".kubeConfigFile", file, "can only be set when type=KubeConfigFile");
                } else {
                    // Kubernetes' own server has no such configuration of itself either.
                    errors.invalid(
                            path + ".type",
                            type,
                            "this server does not run in a cluster: give type=KubeConfigFile and the file");
                }
            }
            case "KubeConfigFile" -> {
                if (file.isEmpty()) {
                    errors.required(path + ".kubeConfigFile", "");
                } else if (!kubeconfig.isAbsolute()) {
                    errors.invalid(path + ".kubeConfigFile", file, "must be an absolute path");
                } else if (!Files.exists(kubeconfig)) {
                    errors.invalid(
                            path + ".kubeConfigFile",
                            file,
                            "error loading file: stat " + file + ": no such file or directory");
                } else if (!Files.isRegularFile(kubeconfig)) {
                    errors.invalid(path + ".kubeConfigFile", file, "must be a regular file");
                }
            }
            default ->
                errors.notSupportedInOrder(
                        path + ".type",
                        JsonNodeFactory.instance
                                .objectNode()
                                .put("Type", type)
                                .put("KubeConfigFile", said ? file : null),
                        List.of("InClusterConfig", "KubeConfigFile"));
        }
        return kubeconfig;
    }

    private static Duration duration(
            JsonNode webhook, String field, String path, Duration otherwise, FieldErrors errors) {
        String text = text(webhook, field);
        if (text.isEmpty()) {
            return otherwise;
        }
        Duration found = GoDuration.parse(text).orElse(null);
        if (found == null) {
            errors.invalid(path + "." + field, text, "time: invalid duration " + FieldErrors.quote(text));
            return Duration.ofSeconds(1);
        }
        return found.isZero() ? otherwise : found;
    }

    private static String text(JsonNode node, String field) {
        return node.path(field).asText("");
    }
}
