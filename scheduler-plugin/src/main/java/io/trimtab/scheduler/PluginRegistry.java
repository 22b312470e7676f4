package io.trimtab.scheduler;

import io.trimtab.scheduler.framework.PluginFactory;
import io.trimtab.scheduler.plugins.DefaultPlugins;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;

/** The plugins that a configuration can name: the default ones, those on the class path, those handed in. Immutable. */
final class PluginRegistry {
    private final Map<String, PluginFactory> byName = new LinkedHashMap<>();

    PluginRegistry(List<PluginFactory> more) {
        DefaultPlugins.factories().forEach(factory -> byName.put(factory.name(), factory));
        for (PluginFactory factory : ServiceLoader.load(PluginFactory.class)) {
            add(factory);
        }
        more.forEach(this::add);
    }

    private void add(PluginFactory factory) {
        if (byName.putIfAbsent(factory.name(), factory) != null) {
            throw new IllegalArgumentException("there are two plugins named " + factory.name());
        }
    }

    /**
     * Looks whether a profile names only plugins that are there.
     *
     * @throws IllegalArgumentException if it does not
     */
    void check(ProfileOptions profile) {
        profile.multiPoint().enabled().forEach(enabled -> of(enabled.name()));
        profile.plugins().values().forEach(set -> set.enabled().forEach(enabled -> of(enabled.name())));
        profile.args().keySet().forEach(this::of);
    }

    PluginFactory of(String name) {
        PluginFactory factory = byName.get(name);
        if (factory == null) {
            throw new IllegalArgumentException(
                    "there is no plugin named " + name + "; there are " + String.join(", ", byName.keySet()));
        }
        return factory;
    }

    /** What is enabled everywhere in a profile that says nothing, in order. */
    List<PluginSet.Enabled> defaults() {
        List<PluginSet.Enabled> defaults = new ArrayList<>(DefaultPlugins.ORDER.stream()
                .map(entry -> new PluginSet.Enabled(entry.name(), entry.weight()))
                .toList());
        for (PluginFactory factory : byName.values()) {
            if (factory.enabledByDefault()
                    && defaults.stream().noneMatch(enabled -> enabled.name().equals(factory.name()))) {
                defaults.add(new PluginSet.Enabled(factory.name(), 0));
            }
        }
        return defaults;
    }
}
