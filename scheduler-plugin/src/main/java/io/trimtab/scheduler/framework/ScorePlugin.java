package io.trimtab.scheduler.framework;

import java.util.List;

/** Ranks nodes. */
public interface ScorePlugin extends Plugin {
    /** The highest score of one plugin. */
    long MAX_SCORE = 100;

    /** Any number; higher is better unless {@link #normalize} turns it round. */
    long score(CycleState state, PodInfo pod, NodeInfo node);

    /**
     * Brings the scores into 0 to {@link #MAX_SCORE}, in place.
     *
     * @param scores one for each node, in the order of nodes
     */
    default void normalize(CycleState state, PodInfo pod, List<NodeInfo> nodes, long[] scores) {}
}
