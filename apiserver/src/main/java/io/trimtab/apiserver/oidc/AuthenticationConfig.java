package io.trimtab.apiserver.oidc;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.auth.ConfigText;
import io.trimtab.apiserver.auth.ConfigText.Shape;
import io.trimtab.apiserver.errors.FieldErrors;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Whose tokens are believed, and whether one may come without. Immutable.
 *
 * @param issuers in the order in which they are asked
 * @param anonymous null if the configuration does not say
 */
public record AuthenticationConfig(
        List<IssuerConfig> issuers, @Nullable Anonymous anonymous) {

    /**
     * Those who show nothing.
     *
     * @param paths where they may go; empty for everywhere
     */
    public record Anonymous(boolean enabled, List<String> paths) {
        public Anonymous {
            paths = List.copyOf(paths);
        }
    }

    /** Nobody's tokens. */
    public static final AuthenticationConfig NONE = new AuthenticationConfig(List.of(), null);

    private static final int MAX_ISSUERS = 64;
    private static final Shape CLAIM = Shape.of("claim", "prefix", "expression");
    private static final Shape SHAPE = Shape.of(
            "jwt",
            Shape.of(
                    "issuer",
                    Shape.of(
                            "url",
                            "discoveryURL",
                            "certificateAuthority",
                            "audiences",
                            "audienceMatchPolicy",
                            "egressSelectorType"),
                    "claimValidationRules",
                    Shape.of("claim", "requiredValue", "expression", "message"),
                    "claimMappings",
                    Shape.of(
                            "username",
                            CLAIM,
                            "groups",
                            CLAIM,
                            "uid",
                            Shape.of("claim", "expression"),
                            "extra",
                            Shape.of("key", "valueExpression")),
                    "userValidationRules",
                    Shape.of("expression", "message")),
            "anonymous",
            Shape.of("enabled", "conditions", Shape.of("path")));

    public AuthenticationConfig {
        issuers = List.copyOf(issuers);
    }

    /**
     * Reads an AuthenticationConfiguration.
     *
     * @throws IllegalArgumentException in Kubernetes' words, if it is none
     */
    public static ObjectNode read(String text) {
        return ConfigText.read(text, "AuthenticationConfiguration", Set.of("v1", "v1beta1", "v1alpha1"), SHAPE);
    }

    /**
     * Checks and compiles a configuration.
     *
     * @param disallowed issuers that are the server's own
     * @throws IllegalArgumentException saying all that is wrong with it, as Kubernetes would
     */
    public static AuthenticationConfig of(ObjectNode config, Collection<String> disallowed) {
        FieldErrors errors = new FieldErrors();
        JsonNode list = config.path("jwt");
        if (list.size() > MAX_ISSUERS) {
            errors.tooMany("jwt", list.size(), MAX_ISSUERS);
            throw new IllegalArgumentException(ConfigText.joined(errors));
        }
        List<IssuerConfig> issuers = new ArrayList<>();
        Set<String> urls = new HashSet<>();
        Set<String> discoveries = new HashSet<>();
        for (int i = 0; i < list.size(); i++) {
            String path = "jwt[" + i + "]";
            issuers.add(IssuerConfig.of(list.get(i), path, new TreeSet<>(disallowed), errors));
            String url = list.get(i).path("issuer").path("url").asText("");
            if (!urls.add(url)) {
                errors.duplicate(path + ".issuer.url", FieldErrors.text(url));
            }
            String discovery = list.get(i).path("issuer").path("discoveryURL").asText("");
            if (!discovery.isEmpty() && !discoveries.add(discovery)) {
                errors.duplicate(path + ".issuer.discoveryURL", FieldErrors.text(discovery));
            }
        }
        Anonymous anonymous = null;
        JsonNode said = config.path("anonymous");
        if (said.isObject()) {
            List<String> paths = new ArrayList<>();
            said.path("conditions").forEach(c -> paths.add(c.path("path").asText("")));
            anonymous = new Anonymous(said.path("enabled").asBoolean(), paths);
            if (!anonymous.enabled() && !paths.isEmpty()) {
                String shown = paths.stream()
                        .map(p -> "{\"Path\":" + FieldErrors.quote(p) + "}")
                        .collect(Collectors.joining(",", "[", "]"));
                errors.invalidShown(
                        "anonymous.conditions", shown, "enabled should be set to true when conditions are defined");
            }
        }
        if (!errors.isEmpty()) {
            throw new IllegalArgumentException(ConfigText.joined(errors));
        }
        return new AuthenticationConfig(issuers, anonymous);
    }
}
