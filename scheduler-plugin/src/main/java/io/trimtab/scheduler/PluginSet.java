package io.trimtab.scheduler;

import java.util.List;

/**
 * What a profile says of the plugins of one extension point. Immutable.
 *
 * @param enabled in order
 * @param disabled names; {@code *} for all defaults
 */
public record PluginSet(List<Enabled> enabled, List<String> disabled) {
    public static final PluginSet EMPTY = new PluginSet(List.of(), List.of());

    public PluginSet {
        enabled = List.copyOf(enabled);
        disabled = List.copyOf(disabled);
    }

    /**
     * One plugin.
     *
     * @param weight of its score; 0 for the default
     */
    public record Enabled(String name, int weight) {}

    boolean disables(String name) {
        return disabled.contains("*") || disabled.contains(name);
    }
}
