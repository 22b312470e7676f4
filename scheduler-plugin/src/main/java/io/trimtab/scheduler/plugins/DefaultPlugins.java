package io.trimtab.scheduler.plugins;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.scheduler.framework.Handle;
import io.trimtab.scheduler.framework.Plugin;
import io.trimtab.scheduler.framework.PluginFactory;
import io.trimtab.scheduler.framework.Resources;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;

/** The plugins that are enabled unless a profile says otherwise. */
public final class DefaultPlugins {
    private DefaultPlugins() {}

    /**
     * A plugin and the weight of its score.
     *
     * @param weight 0 for the default
     */
    public record Entry(String name, int weight) {}

    private record Factory(String name, BiFunction<JsonNode, Handle, Plugin> make) implements PluginFactory {
        @Override
        public Plugin create(JsonNode args, Handle handle) {
            return make.apply(args, handle);
        }
    }

    /** The order in which they are called. */
    public static final List<Entry> ORDER = List.of(
            new Entry(SchedulingGates.NAME, 0),
            new Entry(PrioritySort.NAME, 0),
            new Entry(NodeUnschedulable.NAME, 0),
            new Entry(NodeName.NAME, 0),
            new Entry(TaintToleration.NAME, 3),
            new Entry(NodeAffinityPlugin.NAME, 2),
            new Entry(NodePorts.NAME, 0),
            new Entry(NodeResourcesFit.NAME, 1),
            new Entry(BalancedAllocation.NAME, 1),
            new Entry(ImageLocality.NAME, 1),
            new Entry(DefaultBinder.NAME, 0));

    /** How each of them is made. */
    public static List<PluginFactory> factories() {
        return List.of(
                new Factory(SchedulingGates.NAME, (args, handle) -> new SchedulingGates()),
                new Factory(PrioritySort.NAME, (args, handle) -> new PrioritySort()),
                new Factory(NodeUnschedulable.NAME, (args, handle) -> new NodeUnschedulable()),
                new Factory(NodeName.NAME, (args, handle) -> new NodeName()),
                new Factory(TaintToleration.NAME, (args, handle) -> new TaintToleration()),
                new Factory(NodeAffinityPlugin.NAME, (args, handle) -> new NodeAffinityPlugin(null)),
                new Factory(NodePorts.NAME, (args, handle) -> new NodePorts()),
                new Factory(
                        NodeResourcesFit.NAME,
                        (args, handle) -> new NodeResourcesFit(ScoringStrategy.DEFAULT, Set.of(), Set.of())),
                new Factory(
                        BalancedAllocation.NAME,
                        (args, handle) -> new BalancedAllocation(Resources.CPU, Resources.MEMORY)),
                new Factory(ImageLocality.NAME, (args, handle) -> new ImageLocality(handle)),
                new Factory(DefaultBinder.NAME, (args, handle) -> new DefaultBinder(handle)));
    }
}
