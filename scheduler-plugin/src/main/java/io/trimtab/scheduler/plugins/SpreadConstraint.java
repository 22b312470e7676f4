package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.TopologySpreadConstraint;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.PodMatcher;
import io.trimtab.scheduler.framework.Snapshot;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.model.ModelSelectors;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A topology spread constraint, compiled for one pod. Immutable.
 *
 * @param maxSkew by how much domains may differ
 * @param minDomains fewer domains than this count as if one of them were empty
 * @param key the node label whose value makes a domain
 * @param selector the pods that count
 * @param honorAffinity whether nodes that the pod's node affinity excludes are left out
 * @param honorTaints whether nodes whose taints the pod does not tolerate are left out
 */
record SpreadConstraint(
        int maxSkew, int minDomains, String key, LabelSelector selector, boolean honorAffinity, boolean honorTaints) {

    static final String HOSTNAME = "kubernetes.io/hostname";
    static final String ZONE = "topology.kubernetes.io/zone";

    /** The pod's own constraints of one kind. */
    static List<SpreadConstraint> of(PodInfo pod, String whenUnsatisfiable) {
        List<SpreadConstraint> compiled = new ArrayList<>();
        for (TopologySpreadConstraint constraint : pod.spec().getTopologySpreadConstraints()) {
            if (whenUnsatisfiable.equals(constraint.getWhenUnsatisfiable())) {
                LabelSelector selector = PodInfo.withLabelKeys(
                        ModelSelectors.of(constraint.getLabelSelector()), constraint.getMatchLabelKeys(), pod.labels());
                compiled.add(compiled(constraint, selector));
            }
        }
        return compiled;
    }

    static SpreadConstraint compiled(TopologySpreadConstraint constraint, LabelSelector selector) {
        Integer minDomains = constraint.getMinDomains();
        return new SpreadConstraint(
                constraint.getMaxSkew(),
                minDomains == null ? 1 : minDomains,
                constraint.getTopologyKey(),
                selector,
                !"Ignore".equals(constraint.getNodeAffinityPolicy()),
                "Honor".equals(constraint.getNodeTaintsPolicy()));
    }

    /** True if the pod counts, given that it is of the same namespace. */
    boolean counts(PodInfo pod) {
        return !selector.isEverything() && selector.matches(pod.labels());
    }

    /** How many pods count on each node, by slot. */
    int[] counts(Snapshot snapshot, String namespace) {
        if (selector.isEverything() || selector.isNothing()) {
            return new int[snapshot.slots()];
        }
        return snapshot.counts(new PodMatcher(Set.of(namespace), List.of(selector), false));
    }

    /** True if the node is one of those the constraint is about. */
    boolean includes(PodInfo pod, NodeInfo node) {
        return (!honorAffinity || NodeSelectors.requiredMatch(pod, node.name(), node.labels()))
                && (!honorTaints || Taints.firstForbidding(node.taints(), pod.tolerations()) == null);
    }

    static boolean hasAllKeys(List<SpreadConstraint> constraints, Map<String, String> labels) {
        for (SpreadConstraint constraint : constraints) {
            if (!labels.containsKey(constraint.key)) {
                return false;
            }
        }
        return true;
    }
}
