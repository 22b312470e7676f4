package io.trimtab.scheduler;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads a {@code KubeSchedulerConfiguration} of {@code kubescheduler.config.k8s.io/v1}. Extenders are refused: we have none. What
 * concerns only Kubernetes' own process (parallelism, profiling) is read over.
 */
public final class SchedulerConfiguration {
    private static final String API_VERSION = "kubescheduler.config.k8s.io/v1";
    private static final String KIND = "KubeSchedulerConfiguration";

    /**
     * What a file says.
     *
     * @param options how to schedule
     * @param leaderElect whether to work as one of several; null if the file does not say
     * @param kubeconfig where to find the API server; null if the file does not say
     */
    public record Parsed(
            SchedulerOptions options,
            @Nullable Boolean leaderElect,
            @Nullable String kubeconfig) {}

    private SchedulerConfiguration() {}

    /**
     * Reads the text of a file, YAML or JSON.
     *
     * @throws IllegalArgumentException if it makes no sense, with the field that does not
     */
    public static Parsed parse(String text) {
        JsonNode root = Serialization.unmarshal(text, JsonNode.class);
        if (root == null
                || !API_VERSION.equals(root.path("apiVersion").asText())
                || !KIND.equals(root.path("kind").asText())) {
            throw new IllegalArgumentException("expected " + KIND + " of " + API_VERSION + ", found "
                    + (root == null
                            ? "nothing"
                            : root.path("kind").asText() + " of "
                                    + root.path("apiVersion").asText()));
        }
        if (!root.path("extenders").isEmpty()) {
            throw new IllegalArgumentException("extenders: not supported; use a plugin");
        }
        if (root.path("parallelism").asInt(16) <= 0) {
            throw new IllegalArgumentException("parallelism: Invalid value: " + root.path("parallelism")
                    + ": should be an integer value greater than zero");
        }
        SchedulerOptions defaults = SchedulerOptions.DEFAULT;
        long initial = root.path("podInitialBackoffSeconds").asLong(1);
        long max = root.path("podMaxBackoffSeconds").asLong(10);
        if (initial <= 0) {
            throw new IllegalArgumentException(
                    "podInitialBackoffSeconds: Invalid value: " + initial + ": must be greater than 0");
        }
        if (max < initial) {
            throw new IllegalArgumentException("podMaxBackoffSeconds: Invalid value: " + max
                    + ": must be greater than or equal to PodInitialBackoffSeconds");
        }
        List<ProfileOptions> profiles = profiles(root.path("profiles"));
        PluginRegistry registry = new PluginRegistry(List.of());
        profiles.forEach(registry::check);
        SchedulerOptions options = new SchedulerOptions(
                profiles,
                percentage(root, 0),
                Duration.ofSeconds(initial),
                Duration.ofSeconds(max),
                defaults.bindings(),
                List.of(),
                null);
        JsonNode elect = root.path("leaderElection").path("leaderElect");
        JsonNode kubeconfig = root.path("clientConnection").path("kubeconfig");
        return new Parsed(
                options,
                elect.isBoolean() ? elect.asBoolean() : null,
                kubeconfig.asText("").isEmpty() ? null : kubeconfig.asText());
    }

    private static int percentage(JsonNode node, int fallback) {
        int value = node.path("percentageOfNodesToScore").asInt(fallback);
        if (value < 0 || value > 100) {
            throw new IllegalArgumentException(
                    "percentageOfNodesToScore: Invalid value: " + value + ": not in valid range [0-100]");
        }
        return value;
    }

    private static List<ProfileOptions> profiles(JsonNode list) {
        if (list.isEmpty()) {
            return List.of(ProfileOptions.DEFAULT);
        }
        List<ProfileOptions> profiles = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (JsonNode one : list) {
            String name = one.path("schedulerName").asText("");
            if (name.isEmpty() && list.size() == 1) {
                name = ProfileOptions.DEFAULT_NAME;
            }
            String at = "profiles[" + profiles.size() + "]";
            if (name.isEmpty()) {
                throw new IllegalArgumentException(at + ".schedulerName: Required value");
            }
            if (!names.add(name)) {
                throw new IllegalArgumentException(at + ".schedulerName: Duplicate value: \"" + name + "\"");
            }
            JsonNode plugins = one.path("plugins");
            Map<ExtensionPoint, PluginSet> points = new EnumMap<>(ExtensionPoint.class);
            for (ExtensionPoint point : ExtensionPoint.values()) {
                if (plugins.has(point.field())) {
                    points.put(point, pluginSet(plugins.path(point.field())));
                }
            }
            Map<String, JsonNode> args = new HashMap<>();
            for (JsonNode config : one.path("pluginConfig")) {
                if (args.put(config.path("name").asText(), config.path("args")) != null) {
                    throw new IllegalArgumentException(at + ".pluginConfig: Duplicate value: " + config.path("name"));
                }
            }
            profiles.add(new ProfileOptions(
                    name,
                    one.hasNonNull("percentageOfNodesToScore") ? percentage(one, 0) : null,
                    pluginSet(plugins.path("multiPoint")),
                    points,
                    args));
        }
        return profiles;
    }

    private static PluginSet pluginSet(JsonNode node) {
        List<PluginSet.Enabled> enabled = new ArrayList<>();
        for (JsonNode one : node.path("enabled")) {
            enabled.add(new PluginSet.Enabled(
                    one.path("name").asText(), one.path("weight").asInt(0)));
        }
        List<String> disabled = new ArrayList<>();
        node.path("disabled").forEach(one -> disabled.add(one.path("name").asText()));
        return new PluginSet(enabled, disabled);
    }
}
