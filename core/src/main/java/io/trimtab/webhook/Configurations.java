package io.trimtab.webhook;

import io.fabric8.kubernetes.api.model.admissionregistration.v1.MatchCondition;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.MutatingWebhookConfigurationBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.RuleWithOperations;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.RuleWithOperationsBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfiguration;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfigurationBuilder;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.WebhookClientConfig;
import io.fabric8.kubernetes.api.model.admissionregistration.v1.WebhookClientConfigBuilder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The API objects that tell a server of webhooks, made from the code of the webhooks. Pure. */
final class Configurations {
    private final Webhooks webhooks;
    private final WebhookOptions options;
    private final String caBundle;

    /** @param bundle in PEM */
    Configurations(Webhooks webhooks, WebhookOptions options, String bundle) {
        this.webhooks = webhooks;
        this.options = options;
        this.caBundle = Base64.getEncoder().encodeToString(bundle.getBytes(StandardCharsets.UTF_8));
    }

    String caBundle() {
        return caBundle;
    }

    /** Empty if there is no such webhook. */
    Optional<ValidatingWebhookConfiguration> validating() {
        var made = webhooks.hooks(false).stream()
                .map(hook -> new ValidatingWebhookBuilder()
                        .withName(hook.name())
                        .withAdmissionReviewVersions("v1")
                        .withClientConfig(client(hook.path()))
                        .withRules(rule(hook))
                        .withFailurePolicy(hook.options().failOpen() ? "Ignore" : "Fail")
                        .withMatchPolicy("Equivalent")
                        .withSideEffects(hook.options().sideEffects() ? "NoneOnDryRun" : "None")
                        .withTimeoutSeconds((int) hook.options().timeout().toSeconds())
                        .withNamespaceSelector(hook.options().namespaceSelector())
                        .withObjectSelector(hook.options().objectSelector())
                        .withMatchConditions(conditions(hook.options()))
                        .build())
                .toList();
        return made.isEmpty()
                ? Optional.empty()
                : Optional.of(new ValidatingWebhookConfigurationBuilder()
                        .withNewMetadata()
                        .withName(webhooks.name())
                        .endMetadata()
                        .withWebhooks(made)
                        .build());
    }

    /** Empty if there is no such webhook. */
    Optional<MutatingWebhookConfiguration> mutating() {
        var made = webhooks.hooks(true).stream()
                .map(hook -> new MutatingWebhookBuilder()
                        .withName(hook.name())
                        .withAdmissionReviewVersions("v1")
                        .withClientConfig(client(hook.path()))
                        .withRules(rule(hook))
                        .withFailurePolicy(hook.options().failOpen() ? "Ignore" : "Fail")
                        .withMatchPolicy("Equivalent")
                        .withSideEffects(hook.options().sideEffects() ? "NoneOnDryRun" : "None")
                        .withTimeoutSeconds((int) hook.options().timeout().toSeconds())
                        .withNamespaceSelector(hook.options().namespaceSelector())
                        .withObjectSelector(hook.options().objectSelector())
                        .withMatchConditions(conditions(hook.options()))
                        .withReinvocationPolicy(hook.options().reinvoke() ? "IfNeeded" : "Never")
                        .build())
                .toList();
        return made.isEmpty()
                ? Optional.empty()
                : Optional.of(new MutatingWebhookConfigurationBuilder()
                        .withNewMetadata()
                        .withName(webhooks.name())
                        .endMetadata()
                        .withWebhooks(made)
                        .build());
    }

    /** How the server reaches what is served at a path. */
    WebhookClientConfig client(String path) {
        WebhookClientConfigBuilder config = new WebhookClientConfigBuilder().withCaBundle(caBundle);
        return options.service() == null
                ? config.withUrl(options.url() + path).build()
                : config.withNewService()
                        .withNamespace(options.namespace())
                        .withName(options.service())
                        .withPort(options.servicePort())
                        .withPath(path)
                        .endService()
                        .build();
    }

    private static List<MatchCondition> conditions(HookOptions options) {
        List<MatchCondition> all = new ArrayList<>();
        options.matchConditions().forEach((name, expression) -> all.add(new MatchCondition(expression, name)));
        return all;
    }

    private static RuleWithOperations rule(Webhooks.Hook<?> hook) {
        List<String> resources = hook.options().subresources().isEmpty()
                ? List.of(hook.type().plural())
                : hook.options().subresources().stream()
                        .map(sub -> hook.type().plural() + "/" + sub)
                        .toList();
        return new RuleWithOperationsBuilder()
                .withApiGroups(hook.type().group())
                .withApiVersions(hook.type().version())
                .withOperations(Stream.of(hook.options().operations())
                        .flatMap(List::stream)
                        .map(Enum::name)
                        .toList())
                .withResources(resources)
                .withScope(hook.type().namespaced() ? "Namespaced" : "Cluster")
                .build();
    }
}
