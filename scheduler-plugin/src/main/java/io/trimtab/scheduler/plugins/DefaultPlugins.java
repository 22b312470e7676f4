package io.trimtab.scheduler.plugins;

import com.fasterxml.jackson.databind.JsonNode;
import io.fabric8.kubernetes.api.model.TopologySpreadConstraint;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.trimtab.informer.Lister;
import io.trimtab.scheduler.framework.Handle;
import io.trimtab.scheduler.framework.Plugin;
import io.trimtab.scheduler.framework.PluginFactory;
import java.time.Duration;
import java.util.List;
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
            new Entry(VolumeRestrictions.NAME, 0),
            new Entry(NodeVolumeLimits.NAME, 0),
            new Entry(VolumeBinding.NAME, 0),
            new Entry(VolumeZone.NAME, 0),
            new Entry(PodTopologySpread.NAME, 2),
            new Entry(InterPodAffinity.NAME, 2),
            new Entry(DefaultPreemption.NAME, 0),
            new Entry(BalancedAllocation.NAME, 1),
            new Entry(ImageLocality.NAME, 1),
            new Entry(DefaultBinder.NAME, 0));

    private static final List<PluginFactory> FACTORIES = List.of(
            new Factory(SchedulingGates.NAME, (args, handle) -> new SchedulingGates()),
            new Factory(PrioritySort.NAME, (args, handle) -> new PrioritySort()),
            new Factory(NodeUnschedulable.NAME, (args, handle) -> new NodeUnschedulable()),
            new Factory(NodeName.NAME, (args, handle) -> new NodeName()),
            new Factory(TaintToleration.NAME, (args, handle) -> new TaintToleration()),
            new Factory(
                    NodeAffinityPlugin.NAME, (args, handle) -> new NodeAffinityPlugin(PluginArgs.addedAffinity(args))),
            new Factory(NodePorts.NAME, (args, handle) -> new NodePorts()),
            new Factory(
                    NodeResourcesFit.NAME,
                    (args, handle) -> new NodeResourcesFit(
                            PluginArgs.strategy(args),
                            PluginArgs.texts(args.path("ignoredResources")),
                            PluginArgs.texts(args.path("ignoredResourceGroups")))),
            new Factory(VolumeRestrictions.NAME, (args, handle) -> new VolumeRestrictions(handle)),
            new Factory(NodeVolumeLimits.NAME, (args, handle) -> new NodeVolumeLimits(handle)),
            new Factory(VolumeBinding.NAME, DefaultPlugins::binding),
            new Factory(VolumeZone.NAME, (args, handle) -> new VolumeZone(handle)),
            new Factory(PodTopologySpread.NAME, DefaultPlugins::spread),
            new Factory(InterPodAffinity.NAME, DefaultPlugins::affinity),
            new Factory(DefaultPreemption.NAME, DefaultPlugins::preemption),
            new Factory(BalancedAllocation.NAME, (args, handle) -> new BalancedAllocation(PluginArgs.balanced(args))),
            new Factory(ImageLocality.NAME, (args, handle) -> new ImageLocality(handle)),
            new Factory(DefaultBinder.NAME, (args, handle) -> new DefaultBinder(handle)));

    /** How each of them is made. */
    public static List<PluginFactory> factories() {
        return FACTORIES;
    }

    private static Plugin spread(JsonNode args, Handle handle) {
        List<TopologySpreadConstraint> own = PluginArgs.defaultConstraints(args);
        return new PodTopologySpread(
                new WorkloadSelectors(handle.informers()),
                own == null ? PodTopologySpread.SYSTEM_DEFAULTS : own,
                own == null);
    }

    private static Plugin binding(JsonNode args, Handle handle) {
        PluginArgs.expectKind(args, "VolumeBindingArgs");
        return new VolumeBinding(
                handle, Duration.ofSeconds(PluginArgs.number(args, "bindTimeoutSeconds", 600, 0, Integer.MAX_VALUE)));
    }

    private static Plugin affinity(JsonNode args, Handle handle) {
        PluginArgs.expectKind(args, "InterPodAffinityArgs");
        return new InterPodAffinity(
                handle,
                PluginArgs.number(args, "hardPodAffinityWeight", 1, 0, 100),
                args.path("ignorePreferredTermsOfExistingPods").asBoolean(false));
    }

    private static Plugin preemption(JsonNode args, Handle handle) {
        PluginArgs.expectKind(args, "DefaultPreemptionArgs");
        Lister<PodDisruptionBudget> budgets =
                handle.informers().informer(PodDisruptionBudget.class).lister();
        return new DefaultPreemption(
                handle,
                budgets::list,
                PluginArgs.number(args, "minCandidateNodesPercentage", 10, 0, 100),
                PluginArgs.number(args, "minCandidateNodesAbsolute", 100, 0, Integer.MAX_VALUE));
    }
}
