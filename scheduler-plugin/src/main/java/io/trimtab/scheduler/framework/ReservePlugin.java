package io.trimtab.scheduler.framework;

/** Keeps books about what a pod uses on the node it is going to. */
public interface ReservePlugin extends Plugin {
    Status reserve(CycleState state, PodInfo pod, String nodeName);

    /** Undoes {@link #reserve}; may come twice, or without it, and must not fail. */
    void unreserve(CycleState state, PodInfo pod, String nodeName);
}
