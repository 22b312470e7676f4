package io.trimtab.scheduler.framework;

/** Writes the decision. Runs beside the scheduler's lane and may block. */
public interface BindPlugin extends Plugin {
    /** {@link Code#SKIP} passes the pod on to the next plugin. */
    Status bind(CycleState state, PodInfo pod, String nodeName);
}
