package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeAffinity;
import io.fabric8.kubernetes.api.model.NodeSelector;
import io.fabric8.kubernetes.api.model.NodeSelectorRequirement;
import io.fabric8.kubernetes.api.model.NodeSelectorTerm;
import io.fabric8.kubernetes.api.model.PreferredSchedulingTerm;
import io.trimtab.scheduler.framework.ClusterEvent;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.EnqueueExtensions;
import io.trimtab.scheduler.framework.FilterPlugin;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.NodeLocal;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.PreFilterPlugin;
import io.trimtab.scheduler.framework.PreFilterResult;
import io.trimtab.scheduler.framework.PreScorePlugin;
import io.trimtab.scheduler.framework.RegisteredEvent;
import io.trimtab.scheduler.framework.ScorePlugin;
import io.trimtab.scheduler.framework.Snapshot;
import io.trimtab.scheduler.framework.Status;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Holds pods to the nodes that their node selector and affinity name, and prefers those they like. Immutable. */
final class NodeAffinityPlugin
        implements PreFilterPlugin, FilterPlugin, PreScorePlugin, ScorePlugin, NodeLocal, EnqueueExtensions {
    static final String NAME = "NodeAffinity";
    private static final Status MISMATCH = Status.unresolvable("node(s) didn't match Pod's node affinity/selector");
    private static final Status ENFORCED = Status.unresolvable("node(s) didn't match scheduler-enforced node affinity");

    private final @Nullable NodeSelector addedRequired;
    private final List<PreferredSchedulingTerm> addedPreferred;

    /**
     * The plugin.
     *
     * @param added affinity that every pod of the profile has; null for none
     */
    NodeAffinityPlugin(@Nullable NodeAffinity added) {
        this.addedRequired = added == null ? null : added.getRequiredDuringSchedulingIgnoredDuringExecution();
        this.addedPreferred =
                added == null ? List.of() : List.copyOf(added.getPreferredDuringSchedulingIgnoredDuringExecution());
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public PreFilterResult preFilter(CycleState state, PodInfo pod, Snapshot snapshot) {
        NodeSelector required = required(pod);
        if (required == null) {
            return addedRequired == null && pod.nodeSelector().isEmpty() ? PreFilterResult.SKIP : PreFilterResult.ALL;
        }
        if (required.getNodeSelectorTerms().isEmpty()) {
            return PreFilterResult.ALL;
        }
        Set<String> names = new HashSet<>();
        for (NodeSelectorTerm term : required.getNodeSelectorTerms()) {
            Set<String> ofTerm = names(term);
            if (ofTerm == null) {
                return PreFilterResult.ALL;
            }
            names.addAll(ofTerm);
        }
        return names.isEmpty()
                ? PreFilterResult.of(Status.unresolvable("pod affinity terms conflict"))
                : PreFilterResult.only(names);
    }

    /** The only nodes that a term can match by name; null if it does not say. */
    private static @Nullable Set<String> names(NodeSelectorTerm term) {
        Set<String> names = null;
        for (NodeSelectorRequirement field : term.getMatchFields()) {
            if ("metadata.name".equals(field.getKey()) && "In".equals(field.getOperator())) {
                if (names == null) {
                    names = new HashSet<>(field.getValues());
                } else {
                    names.retainAll(field.getValues());
                }
            }
        }
        return names;
    }

    private static @Nullable NodeSelector required(PodInfo pod) {
        NodeAffinity affinity = pod.nodeAffinity();
        return affinity == null ? null : affinity.getRequiredDuringSchedulingIgnoredDuringExecution();
    }

    @Override
    public Status filter(CycleState state, PodInfo pod, NodeInfo node) {
        if (addedRequired != null && !NodeSelectors.matches(addedRequired, node.name(), node.labels())) {
            return ENFORCED;
        }
        return NodeSelectors.requiredMatch(pod, node.name(), node.labels()) ? Status.SUCCESS : MISMATCH;
    }

    @Override
    public Status preScore(CycleState state, PodInfo pod, List<NodeInfo> nodes, Snapshot snapshot) {
        return preferred(pod).isEmpty() && addedPreferred.isEmpty() ? Status.SKIP : Status.SUCCESS;
    }

    private static List<PreferredSchedulingTerm> preferred(PodInfo pod) {
        NodeAffinity affinity = pod.nodeAffinity();
        return affinity == null ? List.of() : affinity.getPreferredDuringSchedulingIgnoredDuringExecution();
    }

    @Override
    public long score(CycleState state, PodInfo pod, NodeInfo node) {
        return weights(addedPreferred, node) + weights(preferred(pod), node);
    }

    private static long weights(List<PreferredSchedulingTerm> terms, NodeInfo node) {
        long sum = 0;
        for (PreferredSchedulingTerm term : terms) {
            if (term.getWeight() != null && NodeSelectors.matches(term.getPreference(), node.name(), node.labels())) {
                sum += term.getWeight();
            }
        }
        return sum;
    }

    @Override
    public void normalize(CycleState state, PodInfo pod, List<NodeInfo> nodes, long[] scores) {
        Normalize.byMax(scores, false);
    }

    @Override
    public List<RegisteredEvent> eventsToRegister() {
        return List.of(RegisteredEvent.of(
                ClusterEvent.NODE,
                ClusterEvent.ADD | ClusterEvent.UPDATE_NODE_LABEL,
                (pod, before, after) -> admits(pod, after) && (before == null || !admits(pod, before))));
    }

    private boolean admits(PodInfo pod, @Nullable Object object) {
        if (!(object instanceof Node node)) {
            return false;
        }
        Map<String, String> labels = node.getMetadata().getLabels() == null
                ? Map.of()
                : node.getMetadata().getLabels();
        String name = node.getMetadata().getName();
        return (addedRequired == null || NodeSelectors.matches(addedRequired, name, labels))
                && NodeSelectors.requiredMatch(pod, name, labels);
    }
}
