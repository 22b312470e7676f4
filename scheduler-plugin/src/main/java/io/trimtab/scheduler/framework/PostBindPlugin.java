package io.trimtab.scheduler.framework;

/** Hears of a pod that was bound. Runs beside the scheduler's lane. */
public interface PostBindPlugin extends Plugin {
    void postBind(CycleState state, PodInfo pod, String nodeName);
}
