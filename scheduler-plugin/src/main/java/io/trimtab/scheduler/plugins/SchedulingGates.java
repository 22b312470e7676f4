package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.PodSchedulingGate;
import io.trimtab.scheduler.framework.ClusterEvent;
import io.trimtab.scheduler.framework.EnqueueExtensions;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.PreEnqueuePlugin;
import io.trimtab.scheduler.framework.RegisteredEvent;
import io.trimtab.scheduler.framework.Status;
import java.util.List;
import java.util.stream.Collectors;

/** Keeps a pod out of the queue while it has scheduling gates. Stateless. */
final class SchedulingGates implements PreEnqueuePlugin, EnqueueExtensions {
    static final String NAME = "SchedulingGates";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Status preEnqueue(PodInfo pod) {
        List<PodSchedulingGate> gates = pod.spec().getSchedulingGates();
        if (gates == null || gates.isEmpty()) {
            return Status.SUCCESS;
        }
        return Status.unresolvable(gates.stream()
                .map(PodSchedulingGate::getName)
                .collect(Collectors.joining(" ", "waiting for scheduling gates: [", "]")));
    }

    @Override
    public List<RegisteredEvent> eventsToRegister() {
        return List.of(RegisteredEvent.of(
                ClusterEvent.POD,
                ClusterEvent.UPDATE_POD_GATES_ELIMINATED,
                (pod, before, after) -> after instanceof PodInfo changed
                        && changed.uid().equals(pod.uid())
                        && changed.spec().getSchedulingGates().isEmpty()));
    }
}
