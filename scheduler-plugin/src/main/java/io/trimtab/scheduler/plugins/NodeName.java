package io.trimtab.scheduler.plugins;

import io.trimtab.scheduler.framework.ClusterEvent;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.EnqueueExtensions;
import io.trimtab.scheduler.framework.FilterPlugin;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.NodeLocal;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.RegisteredEvent;
import io.trimtab.scheduler.framework.Status;
import java.util.List;

/** Holds a pod to the node its spec names. Stateless. */
final class NodeName implements FilterPlugin, NodeLocal, EnqueueExtensions {
    static final String NAME = "NodeName";
    private static final Status REJECTED = Status.unresolvable("node(s) didn't match the requested node name");

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Status filter(CycleState state, PodInfo pod, NodeInfo node) {
        String wanted = pod.nodeName();
        return wanted.isEmpty() || wanted.equals(node.name()) ? Status.SUCCESS : REJECTED;
    }

    @Override
    public List<RegisteredEvent> eventsToRegister() {
        return List.of(RegisteredEvent.of(ClusterEvent.NODE, ClusterEvent.ADD));
    }
}
