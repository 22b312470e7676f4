package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Taint;
import io.fabric8.kubernetes.api.model.TaintBuilder;
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
import org.jspecify.annotations.Nullable;

/** Keeps pods off cordoned nodes, unless they tolerate it. Stateless. */
final class NodeUnschedulable implements FilterPlugin, NodeLocal, EnqueueExtensions {
    static final String NAME = "NodeUnschedulable";
    private static final Taint TAINT = new TaintBuilder()
            .withKey("node.kubernetes.io/unschedulable")
            .withEffect("NoSchedule")
            .build();
    private static final Status REJECTED = Status.unresolvable("node(s) were unschedulable");

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Status filter(CycleState state, PodInfo pod, NodeInfo node) {
        return !node.isUnschedulable() || Taints.isTolerated(TAINT, pod.tolerations()) ? Status.SUCCESS : REJECTED;
    }

    @Override
    public List<RegisteredEvent> eventsToRegister() {
        return List.of(
                RegisteredEvent.of(
                        ClusterEvent.NODE,
                        ClusterEvent.ADD | ClusterEvent.UPDATE_NODE_TAINT,
                        (pod, before, after) -> !isCordoned(after) && (before == null || isCordoned(before))),
                RegisteredEvent.of(
                        ClusterEvent.POD,
                        ClusterEvent.UPDATE_POD_TOLERATION,
                        (pod, before, after) -> after instanceof PodInfo changed
                                && changed.uid().equals(pod.uid())
                                && Taints.isTolerated(TAINT, changed.tolerations())));
    }

    private static boolean isCordoned(@Nullable Object object) {
        return object instanceof Node node
                && node.getSpec() != null
                && Boolean.TRUE.equals(node.getSpec().getUnschedulable());
    }
}
