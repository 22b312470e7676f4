package io.trimtab.scheduler.framework;

/** Tries to make room when no node fits. */
public interface PostFilterPlugin extends Plugin {
    PostFilterResult postFilter(CycleState state, PodInfo pod, NodeStatuses statuses);
}
