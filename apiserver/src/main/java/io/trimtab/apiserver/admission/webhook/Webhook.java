package io.trimtab.apiserver.admission.webhook;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.callout.Target;
import io.trimtab.apiserver.cel.MatchConditions;
import io.trimtab.apiserver.certificates.Pem;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One webhook of a configuration, ready to be asked. Immutable.
 *
 * @param configuration the name of the object it stands in
 * @param id tells it from all others of its sort: a name may stand in a configuration once only, but need not
 * @param tree the webhook as it was written, defaults filled in
 * @param target null if the configuration names none that can be reached
 * @param problem why there is no target
 */
public record Webhook(
        String configuration,
        String name,
        String id,
        JsonNode tree,
        List<Rule> rules,
        MatchConditions conditions,
        boolean failsOpen,
        boolean equivalent,
        boolean reinvoked,
        Duration timeout,
        @Nullable Target target,
        String problem) {

    /** What a webhook is for. */
    record Rule(
            List<String> groups, List<String> versions, List<String> resources, List<String> operations, String scope) {
        static Rule of(JsonNode tree) {
            return new Rule(
                    texts(tree.path("apiGroups")),
                    texts(tree.path("apiVersions")),
                    texts(tree.path("resources")),
                    texts(tree.path("operations")),
                    tree.path("scope").asText("*"));
        }
    }

    /** The webhooks of a configuration, in order. */
    static List<Webhook> of(String configuration, JsonNode tree) {
        List<Webhook> all = new ArrayList<>();
        Map<String, Integer> seen = new HashMap<>();
        for (JsonNode hook : tree.path("webhooks")) {
            String name = hook.path("name").asText();
            int before = seen.merge(name, 1, Integer::sum) - 1;
            all.add(one(configuration, name, configuration + "/" + name + "/" + before, hook));
        }
        return all;
    }

    private static Webhook one(String configuration, String name, String id, JsonNode hook) {
        List<Rule> rules = new ArrayList<>();
        hook.path("rules").forEach(rule -> rules.add(Rule.of(rule)));
        Target target = null;
        String problem = "";
        try {
            target = target(hook.path("clientConfig"));
        } catch (IllegalArgumentException e) {
            problem = String.valueOf(e.getMessage());
        }
        return new Webhook(
                configuration,
                name,
                id,
                hook,
                List.copyOf(rules),
                MatchConditions.of(hook.path("matchConditions")),
                hook.path("failurePolicy").asText("Fail").equals("Ignore"),
                hook.path("matchPolicy").asText("Equivalent").equals("Equivalent"),
                hook.path("reinvocationPolicy").asText("Never").equals("IfNeeded"),
                Duration.ofSeconds(hook.path("timeoutSeconds").asInt(10)),
                target,
                problem);
    }

    /**
     * Where a client configuration leads to: a URL or a Service, and a bundle of authorities.
     *
     * @throws IllegalArgumentException if it cannot be used; the message says why, in Kubernetes' words
     */
    public static Target target(JsonNode config) {
        Target.Trust trust = Target.Trust.SYSTEM;
        String bundle = config.path("caBundle").asText("");
        if (!bundle.isEmpty()) {
            List<X509Certificate> authorities;
            try {
                authorities = Pem.certificates(
                        new String(Base64.getMimeDecoder().decode(bundle), StandardCharsets.ISO_8859_1));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        "unable to load root certificates: unable to parse bytes as PEM block", e);
            }
            trust = Target.Trust.of(authorities);
        }
        JsonNode service = config.path("service");
        if (service.isObject()) {
            return Target.of(
                    new Target.Service(
                            service.path("namespace").asText(),
                            service.path("name").asText(),
                            service.path("port").asInt(443)),
                    service.path("path").asText(""),
                    trust);
        }
        return Target.of(config.path("url").asText(), trust);
    }

    /** Whether the selector of this field selects these labels; one without requirements selects everything. */
    boolean selects(String field, Map<String, String> labels) {
        JsonNode selector = tree.path(field);
        return LabelSelectorRules.isEmpty(selector) || LabelSelectorRules.matches(selector, labels);
    }

    /** Whether the selector of this field says anything. */
    boolean hasSelector(String field) {
        return !LabelSelectorRules.isEmpty(tree.path(field));
    }

    /** Whether nothing but the answer comes of asking it, so that it may be asked on a dry run. */
    boolean toleratesDryRun() {
        String effects = tree.path("sideEffects").asText("");
        return effects.equals("None") || effects.equals("NoneOnDryRun");
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        return List.copyOf(texts);
    }
}
