package io.trimtab.scheduler.framework;

/** Looks at the pod once in each cycle, before any node; keeps what it learns in the cycle's state. */
public interface PreFilterPlugin extends Plugin {

    /** The answer: {@link Code#SKIP} leaves out this plugin's filter. May name the only nodes worth a look. */
    PreFilterResult preFilter(CycleState state, PodInfo pod, Snapshot snapshot);

    /** True if {@link #addPod} and {@link #removePod} do something. */
    default boolean tracksPods() {
        return false;
    }

    /** Accounts in the state for a pod that is assumed to run on the node. */
    default Status addPod(CycleState state, PodInfo pod, PodInfo added, NodeInfo node) {
        return Status.SUCCESS;
    }

    /** Accounts in the state for a pod that is assumed to be gone from the node. */
    default Status removePod(CycleState state, PodInfo pod, PodInfo removed, NodeInfo node) {
        return Status.SUCCESS;
    }
}
