package io.trimtab.scheduler;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One way to schedule, which pods ask for by {@code spec.schedulerName}. Immutable.
 *
 * @param schedulerName the name
 * @param percentageOfNodesToScore null to leave it to the scheduler's own
 * @param multiPoint plugins that are enabled, or not, wherever they have something to do
 * @param plugins what is different at single extension points
 * @param args the arguments of plugins, by name
 */
public record ProfileOptions(
        String schedulerName,
        @Nullable Integer percentageOfNodesToScore,
        PluginSet multiPoint,
        Map<ExtensionPoint, PluginSet> plugins,
        Map<String, JsonNode> args) {

    /** The name of the profile that pods have unless they say otherwise. */
    public static final String DEFAULT_NAME = "default-scheduler";

    /** All defaults. */
    public static final ProfileOptions DEFAULT =
            new ProfileOptions(DEFAULT_NAME, null, PluginSet.EMPTY, Map.of(), Map.of());

    public ProfileOptions {
        plugins = Map.copyOf(plugins);
        args = Map.copyOf(args);
    }
}
