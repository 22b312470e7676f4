package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.Node;
import io.trimtab.scheduler.framework.ClusterEvent;
import io.trimtab.scheduler.framework.Code;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.EnqueueExtensions;
import io.trimtab.scheduler.framework.FilterPlugin;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.NodeLocal;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.RegisteredEvent;
import io.trimtab.scheduler.framework.Resources;
import io.trimtab.scheduler.framework.ScorePlugin;
import io.trimtab.scheduler.framework.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Keeps pods off nodes without room for them, and ranks the others by how full they are. Immutable. */
final class NodeResourcesFit implements FilterPlugin, ScorePlugin, NodeLocal, EnqueueExtensions {
    static final String NAME = "NodeResourcesFit";

    private final ScoringStrategy strategy;
    private final Set<String> ignored;
    private final Set<String> ignoredGroups;

    /**
     * The plugin.
     *
     * @param ignored extended resources that are not checked
     * @param ignoredGroups groups (what stands before the slash) of extended resources that are not checked
     */
    NodeResourcesFit(ScoringStrategy strategy, Set<String> ignored, Set<String> ignoredGroups) {
        this.strategy = strategy;
        this.ignored = Set.copyOf(ignored);
        this.ignoredGroups = Set.copyOf(ignoredGroups);
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Status filter(CycleState state, PodInfo pod, NodeInfo node) {
        long[] wanted = pod.requests();
        long[] offered = node.allocatable();
        long[] used = node.requested();
        List<String> reasons = null;
        boolean never = false;
        if (node.pods().size() + 1 > node.allowedPods()) {
            reasons = new ArrayList<>();
            reasons.add("Too many pods");
        }
        for (int i = 0; i < wanted.length; i++) {
            if (wanted[i] == 0) {
                continue;
            }
            long capacity = Resources.amount(offered, i);
            if (wanted[i] > capacity - Resources.amount(used, i) && !isIgnored(i)) {
                if (reasons == null) {
                    reasons = new ArrayList<>();
                }
                reasons.add("Insufficient " + Resources.name(i));
                never |= wanted[i] > capacity;
            }
        }
        if (reasons == null) {
            return Status.SUCCESS;
        }
        return new Status(never ? Code.UNSCHEDULABLE_AND_UNRESOLVABLE : Code.UNSCHEDULABLE, reasons, null, null);
    }

    private boolean isIgnored(int number) {
        if (number <= Resources.EPHEMERAL_STORAGE || ignored.isEmpty() && ignoredGroups.isEmpty()) {
            return false;
        }
        String name = Resources.name(number);
        int slash = name.indexOf('/');
        return ignored.contains(name) || slash > 0 && ignoredGroups.contains(name.substring(0, slash));
    }

    @Override
    public long score(CycleState state, PodInfo pod, NodeInfo node) {
        return strategy.score(pod, node);
    }

    @Override
    public List<RegisteredEvent> eventsToRegister() {
        return List.of(
                RegisteredEvent.of(
                        ClusterEvent.POD, ClusterEvent.DELETE | ClusterEvent.UPDATE_POD_SCALE_DOWN, this::freesRoom),
                RegisteredEvent.of(
                        ClusterEvent.NODE,
                        ClusterEvent.ADD | ClusterEvent.UPDATE_NODE_ALLOCATABLE,
                        this::nodeOffersRoom));
    }

    private boolean freesRoom(PodInfo pod, @Nullable Object before, @Nullable Object after) {
        if (!(before instanceof PodInfo old)) {
            return true;
        }
        if (!(after instanceof PodInfo changed)) {
            return !old.nodeName().isEmpty() || !old.nominatedNode().isEmpty();
        }
        if (changed.uid().equals(pod.uid())) {
            return true;
        }
        if (changed.nodeName().isEmpty()) {
            return false;
        }
        for (int i = 0; i < pod.requests().length; i++) {
            if (pod.requests()[i] > 0
                    && Resources.amount(changed.requests(), i) < Resources.amount(old.requests(), i)) {
                return true;
            }
        }
        return false;
    }

    private boolean nodeOffersRoom(PodInfo pod, @Nullable Object before, @Nullable Object after) {
        if (!(after instanceof Node node)) {
            return true;
        }
        NodeInfo now = new NodeInfo(node.getMetadata().getName(), 0);
        now.setNode(node);
        if (!filter(new CycleState(), pod, now).isSuccess()) {
            return false;
        }
        if (!(before instanceof Node older)) {
            return true;
        }
        NodeInfo then = new NodeInfo(node.getMetadata().getName(), 0);
        then.setNode(older);
        if (now.allowedPods() > then.allowedPods()) {
            return true;
        }
        for (int i = 0; i < pod.requests().length; i++) {
            if (pod.requests()[i] > 0
                    && Resources.amount(now.allocatable(), i) > Resources.amount(then.allocatable(), i)) {
                return true;
            }
        }
        return false;
    }
}
