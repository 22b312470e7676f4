package io.trimtab.scheduling;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.scheduling.v1.PriorityClass;
import io.fabric8.kubernetes.api.model.scheduling.v1.PriorityClassBuilder;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Pods;
import io.trimtab.junit.TrimtabCluster;
import io.trimtab.junit.Workloads;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

@TrimtabCluster
class SchedulingTest {

    private static Pod pod(String name, Consumer<PodBuilder> change) {
        PodBuilder builder = new PodBuilder(Workloads.pod(name));
        change.accept(builder);
        return builder.build();
    }

    /** Nodes have 32 CPUs. */
    private static Consumer<PodBuilder> cpus(String count) {
        return pod -> pod.editSpec()
                .withTerminationGracePeriodSeconds(0L)
                .editFirstContainer()
                .withNewResources()
                .addToRequests("cpu", new Quantity(count))
                .endResources()
                .endContainer()
                .endSpec();
    }

    private static PodCondition scheduled(Cluster cluster, Pod pod) {
        return Pods.condition(cluster.refresh(pod), "PodScheduled").orElseThrow();
    }

    private static List<String> messages(Cluster cluster, HasMetadata object, String reason) {
        return cluster.events(object).stream()
                .filter(event -> reason.equals(event.getReason()))
                .map(Event::getMessage)
                .toList();
    }

    @Test
    void givenAPodThatFits_whenItComes_thenItIsBoundAndTheEventSaysWhere(Cluster cluster) {
        Pod pod = cluster.create(pod("web", cpus("1")));
        cluster.settle();

        String node = cluster.refresh(pod).getSpec().getNodeName();
        assertThat(node).startsWith("node-");
        assertThat(messages(cluster, pod, "Scheduled")).containsExactly("Successfully assigned default/web to " + node);
        assertThat(scheduled(cluster, pod).getStatus()).isEqualTo("True");
    }

    @Test
    void givenAPodTooLarge_whenANodeGrows_thenItIsPlaced(Cluster cluster) {
        Pod pod = cluster.create(pod("large", cpus("40")));
        cluster.settle();

        String why = "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: "
                + "3 Preemption is not helpful for scheduling.";
        assertThat(scheduled(cluster, pod).getReason()).isEqualTo("Unschedulable");
        assertThat(scheduled(cluster, pod).getMessage()).isEqualTo(why);
        assertThat(messages(cluster, pod, "FailedScheduling")).containsExactly(why);

        Node node = cluster.get(Node.class, "node-2").orElseThrow();
        cluster.editStatus(node, n -> n.getStatus().getAllocatable().put("cpu", new Quantity("64")));
        cluster.settle();
        assertThat(cluster.refresh(pod).getSpec().getNodeName()).isEqualTo("node-2");
    }

    @Test
    void givenFullNodes_whenAnImportantPodComes_thenALesserOneMakesRoom(Cluster cluster) {
        PriorityClass high = new PriorityClassBuilder()
                .withNewMetadata()
                .withName("high")
                .endMetadata()
                .withValue(1000)
                .build();
        cluster.apply(high);
        for (int i = 1; i <= 3; i++) {
            cluster.create(pod("low-" + i, cpus("30")));
        }
        cluster.settle();
        assertThat(cluster.pods()).hasSize(3).allMatch(Pods::isScheduled);

        Pod vip = cluster.create(pod(
                "vip",
                cpus("30")
                        .andThen(p -> p.editSpec().withPriorityClassName("high").endSpec())));
        cluster.settle().advance(Duration.ofSeconds(2));

        Pod placed = cluster.refresh(vip);
        assertThat(placed.getSpec().getNodeName()).isNotNull();
        assertThat(placed.getStatus().getNominatedNodeName())
                .isEqualTo(placed.getSpec().getNodeName());
        assertThat(cluster.pods()).hasSize(3).allMatch(Pods::isScheduled);
        assertThat(cluster.list(Event.class).stream()
                        .filter(event -> "Preempted".equals(event.getReason()))
                        .map(Event::getMessage))
                .containsExactly("Preempted by pod " + vip.getMetadata().getUid() + " on node "
                        + placed.getSpec().getNodeName());
    }

    @Test
    void givenSchedulingGates_whenTheLastIsRemoved_thenThePodIsPlaced(Cluster cluster) {
        Pod pod = cluster.create(pod(
                "gated",
                p -> p.editSpec().addNewSchedulingGate("example.com/wait").endSpec()));
        cluster.settle().advance(Duration.ofMinutes(6));
        assertThat(Pods.isScheduled(cluster.refresh(pod))).isFalse();
        assertThat(messages(cluster, pod, "FailedScheduling")).isEmpty();

        cluster.edit(cluster.refresh(pod), p -> p.getSpec().setSchedulingGates(List.of()));
        cluster.settle();
        assertThat(Pods.isScheduled(cluster.refresh(pod))).isTrue();
    }

    @Test
    void givenCordonedNodes_whenOneIsUncordoned_thenThePodGoesThere(Cluster cluster) {
        for (int i = 1; i <= 3; i++) {
            cluster.edit(
                    cluster.get(Node.class, "node-" + i).orElseThrow(),
                    n -> n.getSpec().setUnschedulable(true));
        }
        cluster.settle();
        Pod pod = cluster.create(pod("waits", p -> {}));
        cluster.settle();
        assertThat(scheduled(cluster, pod).getMessage())
                .startsWith("0/3 nodes are available: 3 node(s) were unschedulable. ");

        cluster.edit(
                cluster.get(Node.class, "node-3").orElseThrow(),
                n -> n.getSpec().setUnschedulable(null));
        cluster.settle();
        assertThat(cluster.refresh(pod).getSpec().getNodeName()).isEqualTo("node-3");
    }

    @Test
    void givenAPodForAnotherScheduler_whenItComes_thenItIsLeftAlone(Cluster cluster) {
        Pod pod = cluster.create(pod(
                "foreign", p -> p.editSpec().withSchedulerName("somebody-else").endSpec()));
        cluster.settle();
        assertThat(cluster.refresh(pod).getSpec().getNodeName()).isNull();
        assertThat(cluster.events(pod)).isEmpty();
    }

    @Test
    void givenADeployment_whenItScales_thenItsPodsAreSpreadOverTheNodes(Cluster cluster) {
        cluster.apply(Workloads.deployment("web", 9)).settle();
        assertThat(cluster.pods("web").stream()
                        .map(p -> Objects.toString(p.getSpec().getNodeName()))
                        .distinct())
                .containsExactlyInAnyOrder("node-1", "node-2", "node-3");
        for (int i = 1; i <= 3; i++) {
            String node = "node-" + i;
            assertThat(cluster.pods("web").stream()
                            .filter(p -> node.equals(p.getSpec().getNodeName())))
                    .hasSize(3);
        }
    }
}
