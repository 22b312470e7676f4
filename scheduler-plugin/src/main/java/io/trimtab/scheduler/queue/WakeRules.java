package io.trimtab.scheduler.queue;

import io.trimtab.scheduler.framework.ClusterEvent;
import io.trimtab.scheduler.framework.EnqueueExtensions;
import io.trimtab.scheduler.framework.Plugin;
import io.trimtab.scheduler.framework.RegisteredEvent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which events the plugins of one profile wait for, by plugin. Immutable after it is made. */
public final class WakeRules {
    private final Map<String, List<RegisteredEvent>> byPlugin = new HashMap<>();

    private WakeRules() {}

    /** The rules of these plugins. */
    public static WakeRules of(Collection<? extends Plugin> plugins) {
        WakeRules rules = new WakeRules();
        for (Plugin plugin : plugins) {
            rules.byPlugin.put(plugin.name(), eventsOf(plugin));
        }
        return rules;
    }

    private static List<RegisteredEvent> eventsOf(Plugin plugin) {
        if (!(plugin instanceof EnqueueExtensions extensions)) {
            return List.of(new RegisteredEvent(ClusterEvent.WILDCARD, null));
        }
        List<RegisteredEvent> events = new ArrayList<>(extensions.eventsToRegister());
        boolean add = events.stream().anyMatch(e -> isNode(e, ClusterEvent.ADD));
        boolean taint = events.stream().anyMatch(e -> isNode(e, ClusterEvent.UPDATE_NODE_TAINT));
        if (add && !taint) {
            // A node joins with taints that are taken away later: who waits for the node must hear of that too.
            events.add(RegisteredEvent.of(ClusterEvent.NODE, ClusterEvent.UPDATE_NODE_TAINT));
        }
        return List.copyOf(events);
    }

    private static boolean isNode(RegisteredEvent registered, int action) {
        return registered.event().resource().equals(ClusterEvent.NODE)
                && (registered.event().actions() & action) != 0;
    }

    /** The resources whose events some plugin waits for. */
    public Set<String> resources() {
        Set<String> resources = new HashSet<>();
        byPlugin.values()
                .forEach(events -> events.forEach(e -> resources.add(e.event().resource())));
        return resources;
    }

    List<RegisteredEvent> of(String plugin) {
        return byPlugin.getOrDefault(plugin, List.of());
    }
}
