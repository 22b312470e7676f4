package io.trimtab.scheduler;

import io.trimtab.scheduler.framework.Plugin;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Works out which plugins run at each point and in which order: those named at the point and for all points come first, as the
 * point orders them, then the others that are enabled for all points, then the rest of the point's own. Made once.
 */
final class PluginOrder {
    private final ProfileOptions options;
    private final Function<String, Plugin> plugins;
    private final List<PluginSet.Enabled> everywhere;
    private final Map<String, Integer> weights = new HashMap<>();

    PluginOrder(ProfileOptions options, PluginRegistry registry, Function<String, Plugin> plugins) {
        this.options = options;
        this.plugins = plugins;
        this.everywhere = merged(registry.defaults(), options.multiPoint());
    }

    /** The defaults that are not disabled, each replaced by its namesake in the profile; then the profile's others. */
    private static List<PluginSet.Enabled> merged(List<PluginSet.Enabled> defaults, PluginSet own) {
        List<PluginSet.Enabled> merged = new ArrayList<>();
        List<PluginSet.Enabled> left = new ArrayList<>(own.enabled());
        for (PluginSet.Enabled one : defaults) {
            if (own.disables(one.name())) {
                continue;
            }
            PluginSet.Enabled replacement = one;
            for (PluginSet.Enabled other : own.enabled()) {
                if (other.name().equals(one.name())) {
                    replacement = other;
                    left.remove(other);
                }
            }
            merged.add(replacement);
        }
        merged.addAll(left);
        return merged;
    }

    <T extends Plugin> List<T> at(ExtensionPoint point, Class<T> type) {
        PluginSet own = options.plugins().getOrDefault(point, PluginSet.EMPTY);
        List<T> overriding = new ArrayList<>();
        List<T> general = new ArrayList<>();
        List<T> rest = new ArrayList<>();
        for (PluginSet.Enabled enabled : own.enabled()) {
            Plugin plugin = plugins.apply(enabled.name());
            if (!type.isInstance(plugin)) {
                throw new IllegalArgumentException("profile " + options.schedulerName() + ": plugin " + enabled.name()
                        + " has nothing to do at " + point.field());
            }
            boolean named = everywhere.stream().anyMatch(e -> e.name().equals(enabled.name()));
            (named ? overriding : rest).add(type.cast(plugin));
            if (point == ExtensionPoint.SCORE && enabled.weight() != 0) {
                weights.put(enabled.name(), enabled.weight());
            }
        }
        for (PluginSet.Enabled enabled : everywhere) {
            Plugin plugin = plugins.apply(enabled.name());
            if (!type.isInstance(plugin)
                    || own.disables(enabled.name())
                    || own.enabled().stream().anyMatch(e -> e.name().equals(enabled.name()))) {
                continue;
            }
            general.add(type.cast(plugin));
        }
        overriding.addAll(general);
        overriding.addAll(rest);
        return List.copyOf(overriding);
    }

    int weight(String plugin) {
        Integer own = weights.get(plugin);
        if (own != null) {
            return own;
        }
        for (PluginSet.Enabled enabled : everywhere) {
            if (enabled.name().equals(plugin) && enabled.weight() != 0) {
                return enabled.weight();
            }
        }
        return 1;
    }
}
