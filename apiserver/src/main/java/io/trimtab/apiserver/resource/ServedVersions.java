package io.trimtab.apiserver.resource;

import java.util.Map;
import java.util.regex.Pattern;

/**
 * Which built-in resources are served, as {@code --runtime-config} says it: {@code api/all}, {@code api/ga}, {@code api/beta} and
 * {@code api/alpha}, then group versions, then single resources; the more special decides. Immutable.
 *
 * @param settings by name, as in the flag
 */
public record ServedVersions(Map<String, Boolean> settings) {
    /** As Kubernetes serves them when nobody says otherwise. */
    public static final ServedVersions DEFAULT = new ServedVersions(Map.of());

    private static final Pattern BETA = Pattern.compile("v\\d+beta\\d+");
    private static final Pattern ALPHA = Pattern.compile("v\\d+alpha\\d+");

    public ServedVersions {
        settings = Map.copyOf(settings);
    }

    /**
     * Whether a resource is served.
     *
     * @param byDefault if the settings do not say
     */
    boolean serves(ApiResource resource, boolean byDefault) {
        String level = BETA.matcher(resource.version()).matches()
                ? "api/beta"
                : ALPHA.matcher(resource.version()).matches() ? "api/alpha" : "api/ga";
        boolean served = settings.getOrDefault("api/all", byDefault);
        served = settings.getOrDefault(level, served);
        served = settings.getOrDefault(resource.apiVersion(), served);
        return settings.getOrDefault(resource.apiVersion() + "/" + resource.plural(), served);
    }
}
