package io.trimtab.scheduler.framework;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * Makes a plugin; found by {@link java.util.ServiceLoader}. Name the implementation in
 * {@code META-INF/services/io.trimtab.scheduler.framework.PluginFactory}, then enable the plugin in the configuration, or let it
 * enable itself.
 */
public interface PluginFactory {
    /** The plugin's name. */
    String name();

    /**
     * Makes the plugin for one profile.
     *
     * @param args its {@code pluginConfig} in the configuration; a missing node if there is none
     * @throws IllegalArgumentException if the arguments make no sense; the scheduler then does not start
     */
    Plugin create(JsonNode args, Handle handle);

    /** True to be enabled at all its extension points in every profile that does not disable it. */
    default boolean enabledByDefault() {
        return false;
    }
}
