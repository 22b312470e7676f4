package io.trimtab.scheduler;

import static io.trimtab.junit.KubernetesAssertions.assertThat;
import static io.trimtab.junit.Workloads.labels;
import static io.trimtab.junit.Workloads.pod;
import static io.trimtab.junit.Workloads.replicaSet;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Taint;
import io.fabric8.kubernetes.api.model.TolerationBuilder;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.scheduling.v1.PriorityClassBuilder;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Pods;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The scheduler in a whole cluster: that pods come to rest where they may, and say why when they do not. */
@TrimtabCluster
class SchedulingTest {
    private static Pod asking(String name, String cpu) {
        return new PodBuilder(pod(name))
                .editSpec()
                .editContainer(0)
                .withNewResources()
                .addToRequests("cpu", new Quantity(cpu))
                .endResources()
                .endContainer()
                .endSpec()
                .build();
    }

    private static Node node(Cluster cluster, String name) {
        return cluster.get(Node.class, name).orElseThrow();
    }

    @Test
    void givenSixReplicas_whenScheduled_thenTheyAreSpreadEvenly(Cluster cluster) {
        cluster.apply(replicaSet("web", 6)).settle();

        Map<String, Long> byNode = cluster.pods("web").stream()
                .collect(Collectors.groupingBy(p -> p.getSpec().getNodeName(), Collectors.counting()));
        assertThat(byNode)
                .hasSize(3)
                .allSatisfy((node, count) -> assertThat(count).isEqualTo(2));
        assertThat(cluster.events(cluster.pods("web").get(0))).anySatisfy(event -> {
            assertThat(event.getReason()).isEqualTo("Scheduled");
            assertThat(event.getMessage()).startsWith("Successfully assigned default/web-");
        });
    }

    @Test
    void givenAPodTooBigForAnyNode_whenScheduled_thenItWaitsAndSaysWhy(Cluster cluster) {
        Pod pod = cluster.create(asking("web", "1000"));
        cluster.settle();

        Pod now = cluster.refresh(pod);
        assertThat(now).isOnNoNode().hasPhase("Pending");
        PodCondition condition = Pods.condition(now, "PodScheduled").orElseThrow();
        assertThat(condition.getStatus()).isEqualTo("False");
        assertThat(condition.getReason()).isEqualTo("Unschedulable");
        assertThat(condition.getMessage())
                .startsWith("0/3 nodes are available: 3 Insufficient cpu.")
                .contains("preemption: 0/3 nodes are available: 3 ");
        assertThat(cluster.events(pod)).extracting(Event::getReason).contains("FailedScheduling");
    }

    @Test
    void givenNodesThatAreCordoned_whenOneIsOpened_thenThePodGoesThere(Cluster cluster) {
        for (Node node : cluster.list(Node.class)) {
            cluster.edit(node, n -> n.getSpec().setUnschedulable(true));
        }
        cluster.settle();
        Pod pod = cluster.create(pod("web"));
        cluster.settle();
        assertThat(cluster.refresh(pod)).isOnNoNode();

        cluster.edit(node(cluster, "node-2"), n -> n.getSpec().setUnschedulable(null));
        cluster.settle().advance(Duration.ofSeconds(30));

        assertThat(cluster.refresh(pod)).isOnNode("node-2").isReady();
    }

    @Test
    void givenATaint_whenPodsAreScheduled_thenOnlyTheTolerantGoThere(Cluster cluster) {
        for (String name : List.of("node-1", "node-2")) {
            cluster.edit(
                    node(cluster, name),
                    n -> n.getSpec().getTaints().add(new Taint("NoSchedule", "example.com/own", null, "yes")));
        }
        cluster.settle();
        cluster.apply(replicaSet("web", 4)).settle();
        assertThat(cluster.pods("web")).allMatch(p -> p.getSpec().getNodeName().equals("node-3"));

        Pod tolerant = cluster.create(new PodBuilder(pod("tolerant"))
                .editSpec()
                .withTolerations(new TolerationBuilder()
                        .withKey("example.com/own")
                        .withOperator("Exists")
                        .build())
                .withNodeSelector(Map.of("kubernetes.io/hostname", "node-1"))
                .endSpec()
                .build());
        cluster.settle();
        assertThat(cluster.refresh(tolerant)).isOnNode("node-1");
    }

    @Test
    void givenAntiAffinity_whenThereAreMorePodsThanNodes_thenTheSurplusWaits(Cluster cluster) {
        ReplicaSet set = replicaSet("web", 4);
        set.getSpec()
                .getTemplate()
                .getSpec()
                .setAffinity(new io.fabric8.kubernetes.api.model.AffinityBuilder()
                        .withNewPodAntiAffinity()
                        .addNewRequiredDuringSchedulingIgnoredDuringExecution()
                        .withTopologyKey("kubernetes.io/hostname")
                        .withNewLabelSelector()
                        .withMatchLabels(labels("web"))
                        .endLabelSelector()
                        .endRequiredDuringSchedulingIgnoredDuringExecution()
                        .endPodAntiAffinity()
                        .build());
        cluster.apply(set).settle();

        assertThat(cluster.pods("web").stream().filter(Pods::isScheduled)).hasSize(3);
        assertThat(cluster.pods("web").stream().filter(p -> !Pods.isScheduled(p)))
                .singleElement()
                .satisfies(p -> assertThat(
                                Pods.condition(p, "PodScheduled").orElseThrow().getMessage())
                        .contains("didn't match pod anti-affinity rules"));
    }

    @Test
    @TrimtabCluster(nodes = 1)
    void givenAFullNode_whenAMoreImportantPodComes_thenALessImportantOneGivesWay(Cluster cluster) {
        cluster.create(new PriorityClassBuilder()
                .withNewMetadata()
                .withName("important")
                .endMetadata()
                .withValue(1000)
                .build());
        int cpus = (int) node(cluster, "node-1")
                .getStatus()
                .getAllocatable()
                .get("cpu")
                .getNumericalAmount()
                .doubleValue();
        Pod small = cluster.create(asking("small", String.valueOf(cpus - 1)));
        cluster.settle();
        assertThat(cluster.refresh(small)).isReady();

        Pod important = cluster.create(new PodBuilder(asking("important", String.valueOf(cpus - 1)))
                .editSpec()
                .withPriorityClassName("important")
                .endSpec()
                .build());
        cluster.settle().advance(Duration.ofSeconds(60));

        assertThat(cluster.exists(small)).isFalse();
        assertThat(cluster.refresh(important)).isOnNode("node-1").isReady();
    }
}
