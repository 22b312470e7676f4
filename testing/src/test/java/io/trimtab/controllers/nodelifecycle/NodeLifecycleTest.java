package io.trimtab.controllers.nodelifecycle;

import static io.trimtab.junit.KubernetesAssertions.assertThat;
import static io.trimtab.junit.Workloads.deployment;
import static io.trimtab.junit.Workloads.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Taint;
import io.fabric8.kubernetes.api.model.TolerationBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Pods;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What becomes of nodes that fall silent and of their pods: NL-1 to NL-8 of the checklist. */
@TrimtabCluster
class NodeLifecycleTest {
    private static Node node(Cluster cluster, String name) {
        return cluster.get(Node.class, name).orElseThrow();
    }

    private static Pod on(Cluster cluster, String node) {
        return cluster.create(new PodBuilder(pod("web"))
                .editSpec()
                .withNodeName(node)
                .endSpec()
                .build());
    }

    @Test
    void givenANode_whenItFallsSilent_thenItIsUnknownAndTaintedAndItsPodsAreNotReady(Cluster cluster) {
        Pod pod = on(cluster, "node-1");
        cluster.settle();

        cluster.stopNode("node-1").advance(Duration.ofSeconds(65));

        assertThat(node(cluster, "node-1"))
                .hasReadyStatus("Unknown")
                .hasTaint("node.kubernetes.io/unreachable", "NoExecute")
                .hasTaint("node.kubernetes.io/unreachable", "NoSchedule");
        assertThat(node(cluster, "node-1").getStatus().getConditions())
                .filteredOn(c -> c.getType().equals("Ready"))
                .singleElement()
                .satisfies(c -> {
                    assertThat(c.getReason()).isEqualTo("NodeStatusUnknown");
                    assertThat(c.getMessage()).isEqualTo("Kubelet stopped posting node status.");
                });
        assertThat(cluster.refresh(pod)).isNotReady();
        assertThat(cluster.list(Event.class))
                .extracting(Event::getReason, Event::getMessage)
                .contains(
                        org.assertj.core.groups.Tuple.tuple("NodeNotReady", "Node node-1 status is now: NodeNotReady"),
                        org.assertj.core.groups.Tuple.tuple("NodeNotReady", "Node is not ready"));
        assertThat(node(cluster, "node-2")).isReady().hasNoTaints();
    }

    @Test
    void givenASilentNode_whenItComesBackInTime_thenItsPodsStay(Cluster cluster) {
        Pod pod = on(cluster, "node-1");
        cluster.settle();

        cluster.stopNode("node-1").advance(Duration.ofSeconds(120));
        cluster.resumeNode("node-1").advance(Duration.ofSeconds(30));

        assertThat(node(cluster, "node-1")).isReady().hasNoTaints();
        assertThat(cluster.refresh(pod)).isReady();
        cluster.advance(Duration.ofMinutes(10));
        assertThat(cluster.exists(pod)).isTrue();
        assertThat(cluster.refresh(pod)).isReady();
    }

    @Test
    void givenADeployment_whenANodeStaysAway_thenItsPodsAreMadeElsewhereAfterFiveMinutes(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 6));
        cluster.settle();
        assertThat(cluster.refresh(web)).isComplete();
        List<Pod> lost = cluster.pods(web).stream()
                .filter(p -> p.getSpec().getNodeName().equals("node-1"))
                .toList();
        assertThat(lost).isNotEmpty();

        cluster.stopNode("node-1").advance(Duration.ofMinutes(4));
        assertThat(cluster.pods(web)).noneMatch(Pods::isTerminating);
        cluster.advance(Duration.ofMinutes(3));

        assertThat(cluster.pods(web).stream().filter(Pods::isReady))
                .hasSize(6)
                .noneMatch(p -> p.getSpec().getNodeName().equals("node-1"));
        assertThat(cluster.refresh(lost.get(0))).isTerminating();
        assertThat(Pods.condition(cluster.refresh(lost.get(0)), "DisruptionTarget"))
                .hasValueSatisfying(c -> assertThat(c.getReason()).isEqualTo("DeletionByTaintManager"));
        assertThat(cluster.refresh(web)).isComplete();
    }

    @Test
    void givenATaintThatAUserAdds_whenPodsTolerateItOrNot_thenTheyStayForAsLongAsTheyTolerate(Cluster cluster) {
        Pod intolerant = on(cluster, "node-1");
        Pod patient = cluster.create(new PodBuilder(pod("patient"))
                .editSpec()
                .withNodeName("node-1")
                .withTolerations(new TolerationBuilder()
                        .withKey("example.com/out")
                        .withOperator("Exists")
                        .withEffect("NoExecute")
                        .withTolerationSeconds(60L)
                        .build())
                .endSpec()
                .build());
        Pod tolerant = cluster.create(new PodBuilder(pod("tolerant"))
                .editSpec()
                .withNodeName("node-1")
                .withTolerations(new TolerationBuilder()
                        .withKey("example.com/out")
                        .withOperator("Exists")
                        .withEffect("NoExecute")
                        .build())
                .endSpec()
                .build());
        cluster.settle();

        cluster.edit(
                node(cluster, "node-1"),
                n -> n.getSpec().getTaints().add(new Taint("NoExecute", "example.com/out", null, "yes")));
        cluster.settle().advance(Duration.ofSeconds(5));
        assertThat(cluster.exists(intolerant)).isFalse();
        assertThat(cluster.exists(patient)).isTrue();

        cluster.advance(Duration.ofSeconds(60));
        assertThat(cluster.exists(patient)).isFalse();
        assertThat(cluster.exists(tolerant)).isTrue();
    }

    @Test
    void givenANewPod_whenItIsAdmitted_thenItToleratesLostNodesForFiveMinutes(Cluster cluster) {
        Pod pod = cluster.create(pod("web"));

        assertThat(pod.getSpec().getTolerations())
                .extracting(t -> t.getKey(), t -> t.getEffect(), t -> t.getTolerationSeconds())
                .containsExactlyInAnyOrder(
                        org.assertj.core.groups.Tuple.tuple("node.kubernetes.io/not-ready", "NoExecute", 300L),
                        org.assertj.core.groups.Tuple.tuple("node.kubernetes.io/unreachable", "NoExecute", 300L));
    }
}
