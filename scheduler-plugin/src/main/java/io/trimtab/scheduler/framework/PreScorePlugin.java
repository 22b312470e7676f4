package io.trimtab.scheduler.framework;

import java.util.List;

/** Looks at the nodes that fit, once, before they are scored. */
public interface PreScorePlugin extends Plugin {
    /** {@link Code#SKIP} leaves out this plugin's score. */
    Status preScore(CycleState state, PodInfo pod, List<NodeInfo> nodes, Snapshot snapshot);
}
