package io.trimtab.scheduler.framework;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The cluster as the scheduler sees it, assumed pods included. Does not change while a plugin runs on the scheduler's lane; not
 * to be read elsewhere or kept.
 */
public interface Snapshot {
    /** All nodes, one of each zone in turn. */
    List<NodeInfo> nodes();

    @Nullable
    NodeInfo node(String name);

    /** One more than the highest {@link NodeInfo#slot}. */
    int slots();

    /** The number of nodes with pods that have required anti-affinity. */
    int nodesWithRequiredAntiAffinity();

    /** How many pods match on each node, by {@link NodeInfo#slot}. Kept up to date from pod to pod; not to be changed. */
    int[] counts(PodMatcher matcher);

    /** Every distinct affinity term of the pods on nodes, and how many pods on each node have it. */
    Collection<? extends TermCount> terms();

    /** How many nodes have each image, by name. */
    Map<String, Integer> imageNodes();

    /** Changes when {@link #imageNodes} or the number of nodes does. */
    long imagesEpoch();

    /** The labels of a namespace; empty if it is not known. */
    Map<String, String> namespaceLabels(String namespace);

    /** The names of the known namespaces. */
    Collection<String> namespaces();

    /** An affinity term that pods on nodes have, and the pods that have it on each node, by {@link NodeInfo#slot}. */
    interface TermCount {
        AffinityTerm term();

        int[] counts();
    }
}
