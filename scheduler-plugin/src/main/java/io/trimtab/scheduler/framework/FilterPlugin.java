package io.trimtab.scheduler.framework;

/** Decides whether a pod can run on a node. */
public interface FilterPlugin extends Plugin {
    /** Must not change anything but what is its own in the state. */
    Status filter(CycleState state, PodInfo pod, NodeInfo node);
}
