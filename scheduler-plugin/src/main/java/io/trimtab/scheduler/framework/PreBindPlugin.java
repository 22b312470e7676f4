package io.trimtab.scheduler.framework;

/** Prepares the node for the pod. Runs beside the scheduler's lane and may block. */
public interface PreBindPlugin extends Plugin {
    Status preBind(CycleState state, PodInfo pod, String nodeName);
}
