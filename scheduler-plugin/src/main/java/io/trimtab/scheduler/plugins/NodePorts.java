package io.trimtab.scheduler.plugins;

import io.trimtab.scheduler.framework.ClusterEvent;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.EnqueueExtensions;
import io.trimtab.scheduler.framework.FilterPlugin;
import io.trimtab.scheduler.framework.HostPort;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.NodeLocal;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.PreFilterPlugin;
import io.trimtab.scheduler.framework.PreFilterResult;
import io.trimtab.scheduler.framework.RegisteredEvent;
import io.trimtab.scheduler.framework.Snapshot;
import io.trimtab.scheduler.framework.Status;
import java.util.List;

/** Keeps two pods that take the same port off one node. Stateless. */
final class NodePorts implements PreFilterPlugin, FilterPlugin, NodeLocal, EnqueueExtensions {
    static final String NAME = "NodePorts";
    private static final Status REJECTED =
            Status.unschedulable("node(s) didn't have free ports for the requested pod ports");

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public PreFilterResult preFilter(CycleState state, PodInfo pod, Snapshot snapshot) {
        return pod.hostPorts().isEmpty() ? PreFilterResult.SKIP : PreFilterResult.ALL;
    }

    @Override
    public Status filter(CycleState state, PodInfo pod, NodeInfo node) {
        return clash(pod.hostPorts(), node.ports()) ? REJECTED : Status.SUCCESS;
    }

    private static boolean clash(List<HostPort> wanted, List<HostPort> taken) {
        for (HostPort one : wanted) {
            for (HostPort other : taken) {
                if (one.clashes(other)) {
                    return true;
                }
            }
        }
        return false;
    }

    @Override
    public List<RegisteredEvent> eventsToRegister() {
        return List.of(
                RegisteredEvent.of(
                        ClusterEvent.POD,
                        ClusterEvent.DELETE,
                        (pod, before, after) -> before instanceof PodInfo gone
                                && (!gone.nodeName().isEmpty()
                                        || !gone.nominatedNode().isEmpty())
                                && clash(pod.hostPorts(), gone.hostPorts())),
                RegisteredEvent.of(ClusterEvent.NODE, ClusterEvent.ADD));
    }
}
