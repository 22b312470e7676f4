package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Taint;
import io.trimtab.scheduler.framework.ClusterEvent;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.EnqueueExtensions;
import io.trimtab.scheduler.framework.FilterPlugin;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.NodeLocal;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.RegisteredEvent;
import io.trimtab.scheduler.framework.ScorePlugin;
import io.trimtab.scheduler.framework.Status;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Keeps pods off nodes with taints they do not tolerate, and prefers nodes with fewer soft ones. Stateless. */
final class TaintToleration implements FilterPlugin, ScorePlugin, NodeLocal, EnqueueExtensions {
    static final String NAME = "TaintToleration";
    private static final Status REJECTED = Status.unresolvable("node(s) had untolerated taint(s)");

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Status filter(CycleState state, PodInfo pod, NodeInfo node) {
        return Taints.firstForbidding(node.taints(), pod.tolerations()) == null ? Status.SUCCESS : REJECTED;
    }

    @Override
    public long score(CycleState state, PodInfo pod, NodeInfo node) {
        long untolerated = 0;
        for (Taint taint : node.taints()) {
            if ("PreferNoSchedule".equals(taint.getEffect()) && !Taints.isTolerated(taint, pod.tolerations())) {
                untolerated++;
            }
        }
        return untolerated;
    }

    @Override
    public void normalize(CycleState state, PodInfo pod, List<NodeInfo> nodes, long[] scores) {
        Normalize.byMax(scores, true);
    }

    @Override
    public List<RegisteredEvent> eventsToRegister() {
        return List.of(
                RegisteredEvent.of(
                        ClusterEvent.NODE,
                        ClusterEvent.ADD | ClusterEvent.UPDATE_NODE_TAINT,
                        (pod, before, after) -> admits(pod, after) && (before == null || !admits(pod, before))),
                RegisteredEvent.of(
                        ClusterEvent.POD,
                        ClusterEvent.UPDATE_POD_TOLERATION,
                        (pod, before, after) -> after instanceof PodInfo changed
                                && changed.uid().equals(pod.uid())));
    }

    private static boolean admits(PodInfo pod, @Nullable Object object) {
        return object instanceof Node node
                && (node.getSpec() == null
                        || Taints.firstForbidding(node.getSpec().getTaints(), pod.tolerations()) == null);
    }
}
