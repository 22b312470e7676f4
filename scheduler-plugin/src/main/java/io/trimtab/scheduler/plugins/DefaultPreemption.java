package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.trimtab.client.ApiException;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.events.EventRecorder;
import io.trimtab.scheduler.FitText;
import io.trimtab.scheduler.PodStatusPatch;
import io.trimtab.scheduler.framework.ClusterEvent;
import io.trimtab.scheduler.framework.Code;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.EnqueueExtensions;
import io.trimtab.scheduler.framework.Handle;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.NodeStatuses;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.PostFilterPlugin;
import io.trimtab.scheduler.framework.PostFilterResult;
import io.trimtab.scheduler.framework.PreEnqueuePlugin;
import io.trimtab.scheduler.framework.RegisteredEvent;
import io.trimtab.scheduler.framework.Snapshot;
import io.trimtab.scheduler.framework.Status;
import io.trimtab.scheduler.framework.WaitingPod;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes room for a pod by removing pods of lower priority from the node where that hurts least.
 *
 * <p>Which pods go is decided on the scheduler's lane; they are deleted beside it, the last one after all others, and until the
 * last deletion is on its way the pod stays out of the queue.
 */
final class DefaultPreemption implements PostFilterPlugin, PreEnqueuePlugin, EnqueueExtensions {
    static final String NAME = "DefaultPreemption";

    private static final Logger log = LoggerFactory.getLogger(DefaultPreemption.class);
    private static final ResourceType<Pod> PODS = ResourceType.of(Pod.class);
    private static final String REASON = "PreemptionByScheduler";

    private final Handle handle;
    private final Supplier<List<PodDisruptionBudget>> budgets;
    private final int minPercentage;
    private final int minAbsolute;
    /** Pods whose victims are being deleted, by uid. On the lane only. */
    private final Set<String> preempting = new HashSet<>();

    /**
     * The plugin.
     *
     * @param budgets the disruption budgets there are
     * @param minPercentage of the nodes are examined before one is chosen
     * @param minAbsolute nodes are examined at least
     */
    DefaultPreemption(Handle handle, Supplier<List<PodDisruptionBudget>> budgets, int minPercentage, int minAbsolute) {
        this.handle = handle;
        this.budgets = budgets;
        this.minPercentage = minPercentage;
        this.minAbsolute = minAbsolute;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Status preEnqueue(PodInfo pod) {
        return preempting.contains(pod.uid())
                ? Status.unresolvable("waiting for the preemption for this pod to be finished")
                : Status.SUCCESS;
    }

    @Override
    public List<RegisteredEvent> eventsToRegister() {
        // Deletions only re-run the gate; what wakes the pod are the plugins that rejected it.
        return List.of(
                RegisteredEvent.of(ClusterEvent.ASSIGNED_POD, ClusterEvent.DELETE, (pod, before, after) -> false));
    }

    @Override
    public PostFilterResult postFilter(CycleState state, PodInfo pod, NodeStatuses statuses) {
        PostFilterResult result = preempt(state, pod, statuses);
        Status status = result.status();
        return status.message().isEmpty()
                ? result
                : new PostFilterResult(
                        new Status(status.code(), List.of("preemption: " + status.message()), null, status.cause()),
                        result.nominatedNode());
    }

    private PostFilterResult preempt(CycleState state, PodInfo pod, NodeStatuses statuses) {
        String refusal = refusal(pod, statuses);
        if (refusal != null) {
            return new PostFilterResult(Status.unschedulable(refusal), null);
        }
        Snapshot snapshot = handle.snapshot();
        NodeStatuses why = new NodeStatuses();
        List<Victims> candidates = candidates(state, pod, statuses, why);
        if (candidates.isEmpty()) {
            why.setAbsent(Status.unresolvable("Preemption is not helpful for scheduling"));
            return new PostFilterResult(
                    Status.unschedulable(FitText.of(snapshot.nodes().size(), why, null, "")), "");
        }
        Victims chosen = Victims.leastHarm(candidates);
        evict(pod, chosen);
        return new PostFilterResult(Status.SUCCESS, chosen.node());
    }

    /** Why the pod may not preempt; null if it may. */
    private @Nullable String refusal(PodInfo pod, NodeStatuses statuses) {
        if ("Never".equals(pod.spec().getPreemptionPolicy())) {
            return "not eligible due to preemptionPolicy=Never.";
        }
        if (pod.nominatedNode().isEmpty()
                || statuses.get(pod.nominatedNode()).code() == Code.UNSCHEDULABLE_AND_UNRESOLVABLE) {
            return null;
        }
        NodeInfo nominated = handle.snapshot().node(pod.nominatedNode());
        if (nominated != null) {
            for (PodInfo other : nominated.pods()) {
                if (other.priority() < pod.priority() && isBeingPreempted(other)) {
                    return "not eligible due to a terminating pod on the nominated node.";
                }
            }
        }
        return null;
    }

    private static boolean isBeingPreempted(PodInfo pod) {
        if (!pod.isTerminating() || pod.pod().getStatus() == null) {
            return false;
        }
        for (PodCondition condition : pod.pod().getStatus().getConditions()) {
            if ("DisruptionTarget".equals(condition.getType())) {
                return "True".equals(condition.getStatus()) && REASON.equals(condition.getReason());
            }
        }
        return false;
    }

    /** Nodes where the pod would fit, and what it takes; enough of them, beginning anywhere. */
    private List<Victims> candidates(CycleState state, PodInfo pod, NodeStatuses statuses, NodeStatuses why) {
        List<NodeInfo> potential = new ArrayList<>();
        for (NodeInfo node : handle.snapshot().nodes()) {
            if (statuses.get(node.name()).code() == Code.UNSCHEDULABLE) {
                potential.add(node);
            }
        }
        if (potential.isEmpty()) {
            return List.of();
        }
        int size = potential.size();
        int enough = enough(size);
        int offset = handle.driver().random().nextInt(size);
        List<PodDisruptionBudget> known = budgets.get();
        List<Victims> harmless = new ArrayList<>();
        List<Victims> harmful = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            NodeInfo node = potential.get((offset + i) % size);
            List<PodInfo> victims = new ArrayList<>();
            int[] violations = new int[1];
            Status status = dryRun(state.copy(), pod, node.copy(), known, victims, violations);
            if (!status.isSuccess()) {
                why.set(node.name(), status);
                continue;
            }
            Victims found = new Victims(node.name(), List.copyOf(victims), violations[0]);
            (found.violations() == 0 ? harmless : harmful).add(found);
            if (!harmless.isEmpty() && harmless.size() + harmful.size() >= enough) {
                break;
            }
        }
        harmless.addAll(harmful);
        return harmless;
    }

    /** How many candidates are enough among so many nodes. */
    int enough(int nodes) {
        return Math.min(nodes, Math.max(nodes * minPercentage / 100, minAbsolute));
    }

    /** Removes all lesser pods, then puts back as many as fit, the most important first. */
    private Status dryRun(
            CycleState state,
            PodInfo pod,
            NodeInfo node,
            List<PodDisruptionBudget> known,
            List<PodInfo> victims,
            int[] violations) {
        List<PodInfo> lesser = new ArrayList<>();
        for (PodInfo other : node.pods()) {
            if (other.priority() < pod.priority()) {
                lesser.add(other);
            }
        }
        if (lesser.isEmpty()) {
            return Status.unresolvable("No preemption victims found for incoming pod");
        }
        for (PodInfo other : lesser) {
            Status removed = remove(state, pod, other, node);
            if (!removed.isSuccess()) {
                return removed;
            }
        }
        Status fits = handle.filterWithNominatedPods(state, pod, node);
        if (!fits.isSuccess()) {
            return fits;
        }
        lesser.sort(Victims.IMPORTANCE);
        Victims.Split split = Victims.split(lesser, known);
        for (PodInfo other : split.violating()) {
            if (!stays(state, pod, other, node)) {
                victims.add(other);
                violations[0]++;
            }
        }
        for (PodInfo other : split.others()) {
            if (!stays(state, pod, other, node)) {
                victims.add(other);
            }
        }
        victims.sort(Victims.IMPORTANCE);
        return victims.isEmpty()
                ? Status.error("expected at least one victim pod on node \"" + node.name() + "\"")
                : Status.SUCCESS;
    }

    private boolean stays(CycleState state, PodInfo pod, PodInfo other, NodeInfo node) {
        node.addPod(other);
        handle.addPod(state, pod, other, node);
        if (handle.filterWithNominatedPods(state, pod, node).isSuccess()) {
            return true;
        }
        remove(state, pod, other, node);
        return false;
    }

    private Status remove(CycleState state, PodInfo pod, PodInfo other, NodeInfo node) {
        node.removePod(other);
        return handle.removePod(state, pod, other, node);
    }

    // ---- making room ----

    private void evict(PodInfo pod, Victims chosen) {
        // Pods of lower priority that were nominated there no longer fit: they look elsewhere.
        for (PodInfo other : handle.nominatedPods(chosen.node())) {
            if (other.priority() < pod.priority()) {
                handle.clearNomination(other);
            }
        }
        List<PodInfo> victims = chosen.pods();
        preempting.add(pod.uid());
        new Eviction(pod, chosen.node(), victims).begin();
    }

    /** The deletion of the victims, all but the last beside each other, then the last. On the lane, but for the writes. */
    private final class Eviction {
        private final PodInfo pod;
        private final String node;
        private final List<PodInfo> victims;
        private int left;
        private boolean failed;

        Eviction(PodInfo pod, String node, List<PodInfo> victims) {
            this.pod = pod;
            this.node = node;
            this.victims = victims;
            this.left = victims.size() - 1;
        }

        void begin() {
            if (left == 0) {
                last();
                return;
            }
            for (PodInfo victim : victims.subList(0, victims.size() - 1)) {
                run(victim, () -> {
                    left--;
                    if (left == 0) {
                        last();
                    }
                });
            }
        }

        private void last() {
            if (failed) {
                ended();
                return;
            }
            // The deletion's own event must find the gate open.
            preempting.remove(pod.uid());
            run(victims.get(victims.size() - 1), this::ended);
        }

        private void ended() {
            preempting.remove(pod.uid());
            if (failed) {
                handle.activate(List.of(pod.key()));
            }
        }

        private void run(PodInfo victim, Runnable then) {
            WaitingPod held = handle.waitingPod(victim.uid());
            if (held != null) {
                held.reject(NAME, "preempted");
                announce(victim);
                handle.onLane(then);
                return;
            }
            handle.write(victim, () -> {
                boolean gone = delete(victim);
                if (gone) {
                    announce(victim);
                }
                handle.onLane(() -> {
                    failed |= !gone;
                    then.run();
                });
            });
        }

        private void announce(PodInfo victim) {
            handle.events()
                    .record(
                            EventRecorder.referenceTo(victim.pod()),
                            EventRecorder.referenceTo(pod.pod()),
                            "Normal",
                            "Preempted",
                            "Preempting",
                            "Preempted by pod " + pod.pod().getMetadata().getUid() + " on node " + node);
        }

        private boolean delete(PodInfo victim) {
            try {
                String patch = PodStatusPatch.of(
                        victim.pod(),
                        "DisruptionTarget",
                        "True",
                        REASON,
                        pod.schedulerName() + ": preempting to accommodate a higher priority pod",
                        null,
                        handle.driver().now());
                if (patch != null) {
                    handle.client()
                            .patch(
                                    PODS,
                                    victim.namespace(),
                                    victim.name(),
                                    Patch.strategic(patch).on("status"));
                }
                handle.client()
                        .delete(
                                PODS,
                                victim.namespace(),
                                victim.name(),
                                new DeleteOptionsBuilder()
                                        .withNewPreconditions()
                                        .withUid(victim.pod().getMetadata().getUid())
                                        .endPreconditions()
                                        .build());
                return true;
            } catch (ApiException e) {
                if (e.isNotFound()) {
                    return true;
                }
                log.atError()
                        .addKeyValue("pod", pod.key())
                        .addKeyValue("victim", victim.key())
                        .addKeyValue("node", node)
                        .setCause(e)
                        .log("A victim could not be deleted; the pod is tried again");
                return false;
            }
        }
    }
}
