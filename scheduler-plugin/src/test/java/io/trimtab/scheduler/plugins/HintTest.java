package io.trimtab.scheduler.plugins;

import static io.trimtab.scheduler.TestCluster.asking;
import static io.trimtab.scheduler.TestCluster.labelled;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.TopologySpreadConstraintBuilder;
import io.trimtab.scheduler.TestCluster;
import io.trimtab.scheduler.framework.ClusterEvent;
import io.trimtab.scheduler.framework.EnqueueExtensions;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.RegisteredEvent;
import io.trimtab.selector.LabelSelectors;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class HintTest {
    private static boolean wakes(
            EnqueueExtensions plugin,
            PodInfo pod,
            ClusterEvent event,
            @Nullable Object before,
            @Nullable Object after) {
        for (RegisteredEvent registered : plugin.eventsToRegister()) {
            RegisteredEvent.Hint hint = registered.hint();
            if (registered.event().covers(event) && (hint == null || hint.wakes(pod, before, after))) {
                return true;
            }
        }
        return false;
    }

    private static PodInfo pod(String name, Consumer<PodBuilder> change) {
        return PodInfo.of(TestCluster.pod(name, change));
    }

    private static Consumer<PodBuilder> on(String node) {
        return pod -> pod.editSpec().withNodeName(node).endSpec();
    }

    private static Node node(Consumer<NodeBuilder> change) {
        NodeBuilder builder = new NodeBuilder()
                .withNewMetadata()
                .withName("n")
                .endMetadata()
                .withNewSpec()
                .endSpec()
                .withNewStatus()
                .withAllocatable(
                        Map.of("cpu", new Quantity("2"), "memory", new Quantity("4Gi"), "pods", new Quantity("9")))
                .endStatus();
        change.accept(builder);
        return builder.build();
    }

    private static ClusterEvent nodeUpdate(int action) {
        return new ClusterEvent(ClusterEvent.NODE, action);
    }

    @Test
    void givenAPodWithoutRoom_whenNodesGrow_thenOnlyThoseThatAreLargeEnoughWakeIt() {
        NodeResourcesFit fit = new NodeResourcesFit(ScoringStrategy.DEFAULT, Set.of(), Set.of());
        PodInfo waiting = pod("p", asking("1500m", "1Gi"));
        Node small = node(
                n -> n.editStatus().addToAllocatable("cpu", new Quantity("1")).endStatus());
        Node large = node(n -> {});
        ClusterEvent allocatable = nodeUpdate(ClusterEvent.UPDATE_NODE_ALLOCATABLE);
        assertThat(wakes(fit, waiting, ClusterEvent.NODE_ADD, null, small)).isFalse();
        assertThat(wakes(fit, waiting, ClusterEvent.NODE_ADD, null, large)).isTrue();
        assertThat(wakes(fit, waiting, allocatable, small, large)).isTrue();
        assertThat(wakes(fit, waiting, allocatable, large, large)).isFalse();
    }

    @Test
    void givenAPodWithoutRoom_whenPodsGoOrShrink_thenThoseThatHeldRoomWakeIt() {
        NodeResourcesFit fit = new NodeResourcesFit(ScoringStrategy.DEFAULT, Set.of(), Set.of());
        PodInfo waiting = pod("p", asking("1", "1Gi"));
        PodInfo placed = pod("q", asking("1", "1Gi").andThen(on("n")));
        PodInfo shrunk = pod("q", asking("500m", "1Gi").andThen(on("n")));
        ClusterEvent scaled = new ClusterEvent(ClusterEvent.ASSIGNED_POD, ClusterEvent.UPDATE_POD_SCALE_DOWN);
        assertThat(wakes(fit, waiting, ClusterEvent.ASSIGNED_POD_DELETE, placed, null))
                .isTrue();
        assertThat(wakes(fit, waiting, ClusterEvent.ASSIGNED_POD_DELETE, pod("r", asking("1", "1Gi")), null))
                .isFalse();
        assertThat(wakes(fit, waiting, scaled, placed, shrunk)).isTrue();
        assertThat(wakes(fit, waiting, scaled, shrunk, placed)).isFalse();
    }

    @Test
    void givenAnUntoleratedTaint_whenItIsTakenAway_thenThePodWakes() {
        TaintToleration plugin = new TaintToleration();
        PodInfo waiting = pod("p", pod -> {});
        Node tainted = node(n -> n.editSpec()
                .addNewTaint()
                .withKey("a")
                .withEffect("NoSchedule")
                .endTaint()
                .endSpec());
        Node clean = node(n -> {});
        ClusterEvent taint = nodeUpdate(ClusterEvent.UPDATE_NODE_TAINT);
        assertThat(wakes(plugin, waiting, taint, tainted, clean)).isTrue();
        assertThat(wakes(plugin, waiting, taint, clean, tainted)).isFalse();
        assertThat(wakes(plugin, waiting, taint, clean, clean)).isFalse();
        assertThat(wakes(plugin, waiting, ClusterEvent.NODE_ADD, null, tainted)).isFalse();
    }

    @Test
    void givenACordonedNode_whenUncordoned_thenThePodWakes() {
        NodeUnschedulable plugin = new NodeUnschedulable();
        PodInfo waiting = pod("p", pod -> {});
        Node cordoned = node(n -> n.editSpec().withUnschedulable(true).endSpec());
        ClusterEvent taint = nodeUpdate(ClusterEvent.UPDATE_NODE_TAINT);
        assertThat(wakes(plugin, waiting, taint, cordoned, node(n -> {}))).isTrue();
        assertThat(wakes(plugin, waiting, taint, node(n -> {}), cordoned)).isFalse();
    }

    @Test
    void givenANodeSelector_whenTheLabelAppears_thenThePodWakes() {
        NodeAffinityPlugin plugin = new NodeAffinityPlugin(null);
        PodInfo waiting =
                pod("p", pod -> pod.editSpec().addToNodeSelector("disk", "ssd").endSpec());
        Node without = node(n -> {});
        Node with = node(n -> n.editMetadata().addToLabels("disk", "ssd").endMetadata());
        ClusterEvent label = nodeUpdate(ClusterEvent.UPDATE_NODE_LABEL);
        assertThat(wakes(plugin, waiting, label, without, with)).isTrue();
        assertThat(wakes(plugin, waiting, label, with, with)).isFalse();
        assertThat(wakes(plugin, waiting, ClusterEvent.NODE_ADD, null, without)).isFalse();
    }

    @Test
    void givenASpreadConstraint_whenPodsOrNodesChange_thenOnlyWhatItCountsWakesIt() {
        PodTopologySpread plugin =
                new PodTopologySpread(pod -> LabelSelectors.everything(), PodTopologySpread.SYSTEM_DEFAULTS, true);
        PodInfo waiting = pod(
                "p",
                pod -> pod.editSpec()
                        .addToTopologySpreadConstraints(new TopologySpreadConstraintBuilder()
                                .withTopologyKey("zone")
                                .withMaxSkew(1)
                                .withWhenUnsatisfiable("DoNotSchedule")
                                .withNewLabelSelector()
                                .addToMatchLabels("app", "web")
                                .endLabelSelector()
                                .build())
                        .endSpec());
        PodInfo counted = pod("q", labelled("app", "web").andThen(on("n")));
        PodInfo other = pod("r", labelled("app", "other").andThen(on("n")));
        PodInfo pending = pod("s", labelled("app", "web"));
        assertThat(wakes(plugin, waiting, ClusterEvent.ASSIGNED_POD_ADD, null, counted))
                .isTrue();
        assertThat(wakes(plugin, waiting, ClusterEvent.ASSIGNED_POD_ADD, null, other))
                .isFalse();
        assertThat(wakes(plugin, waiting, ClusterEvent.ASSIGNED_POD_DELETE, pending, null))
                .isFalse();
        Node zoned = node(n -> n.editMetadata().addToLabels("zone", "z1").endMetadata());
        assertThat(wakes(plugin, waiting, ClusterEvent.NODE_ADD, null, zoned)).isTrue();
        assertThat(wakes(plugin, waiting, ClusterEvent.NODE_ADD, null, node(n -> {})))
                .isFalse();
        assertThat(wakes(plugin, waiting, ClusterEvent.NODE_DELETE, zoned, null))
                .isTrue();
    }

    @Test
    void givenSchedulingGates_whenTheLastIsRemoved_thenItsOwnPodWakes() {
        SchedulingGates plugin = new SchedulingGates();
        PodInfo gated = pod(
                "p",
                pod -> pod.editSpec()
                        .addNewSchedulingGate("a")
                        .addNewSchedulingGate("b")
                        .endSpec());
        assertThat(plugin.preEnqueue(gated).message()).isEqualTo("waiting for scheduling gates: [a b]");
        ClusterEvent gone = new ClusterEvent(ClusterEvent.UNSCHEDULED_POD, ClusterEvent.UPDATE_POD_GATES_ELIMINATED);
        assertThat(wakes(plugin, gated, gone, gated, pod("p", pod -> {}))).isTrue();
        assertThat(wakes(plugin, gated, gone, gated, pod("q", pod -> {}))).isFalse();
        assertThat(List.of(
                        gone.label(),
                        ClusterEvent.NODE_ADD.label(),
                        nodeUpdate(ClusterEvent.UPDATE_NODE_LABEL).label()))
                .containsExactly(
                        "UnschedulablePodUpdatePodSchedulingGatesEliminated", "NodeAdd", "NodeUpdateNodeLabel");
    }
}
