package io.trimtab.scheduler.framework;

import java.util.function.Consumer;

/**
 * A PreBind plugin that has to wait for somebody else, as for a volume. It waits without holding a thread; the binding goes on when
 * it says so.
 */
public interface AwaitingPreBindPlugin extends PreBindPlugin {
    /**
     * Begins to wait. Called on the scheduler's lane.
     *
     * @param done to be called once, on the lane: now or later
     */
    void await(CycleState state, PodInfo pod, String nodeName, Consumer<Status> done);

    @Override
    default Status preBind(CycleState state, PodInfo pod, String nodeName) {
        return Status.SUCCESS;
    }
}
