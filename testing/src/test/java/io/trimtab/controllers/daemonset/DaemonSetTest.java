package io.trimtab.controllers.daemonset;

import static io.trimtab.junit.Workloads.labels;
import static io.trimtab.junit.Workloads.template;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.TaintBuilder;
import io.fabric8.kubernetes.api.model.apps.ControllerRevision;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetBuilder;
import io.fabric8.kubernetes.api.model.apps.DaemonSetUpdateStrategyBuilder;
import io.trimtab.client.KubernetesJson;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Pods;
import io.trimtab.junit.TrimtabCluster;
import io.trimtab.node.simulated.Simulation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** DaemonSets in a whole cluster: a pod on each node, and how they are replaced. */
@TrimtabCluster(nodes = 3)
class DaemonSetTest {
    private static DaemonSet set() {
        return new DaemonSetBuilder()
                .withNewMetadata()
                .withName("agent")
                .withNamespace("default")
                .endMetadata()
                .withNewSpec()
                .withNewSelector()
                .withMatchLabels(labels("agent"))
                .endSelector()
                .withTemplate(template("agent"))
                .endSpec()
                .build();
    }

    private static DaemonSet slow(DaemonSet set) {
        set.getSpec().getTemplate().getMetadata().setAnnotations(Map.of(Simulation.READY_AFTER, "10s"));
        return set;
    }

    private static List<Pod> live(Cluster cluster) {
        return cluster.pods().stream().filter(p -> !Pods.isTerminating(p)).toList();
    }

    private static List<String> nodesOf(List<Pod> pods) {
        return pods.stream().map(p -> p.getSpec().getNodeName()).sorted().toList();
    }

    private static void changeImage(Cluster cluster, DaemonSet set, String image) {
        cluster.edit(
                set,
                s -> s.getSpec().getTemplate().getSpec().getContainers().get(0).setImage(image));
    }

    private static List<Pod> withImage(Cluster cluster, String tag) {
        return live(cluster).stream()
                .filter(p -> p.getSpec().getContainers().get(0).getImage().endsWith(tag))
                .toList();
    }

    @Test
    void givenThreeNodes_whenASetIsMade_thenEachHasAPod(Cluster cluster) {
        DaemonSet set = cluster.create(set());
        cluster.advance(Duration.ofSeconds(10));

        assertThat(nodesOf(live(cluster))).containsExactly("node-1", "node-2", "node-3");
        var status = cluster.refresh(set).getStatus();
        assertThat(status.getDesiredNumberScheduled()).isEqualTo(3);
        assertThat(status.getCurrentNumberScheduled()).isEqualTo(3);
        assertThat(status.getUpdatedNumberScheduled()).isEqualTo(3);
        assertThat(status.getNumberReady()).isEqualTo(3);
        assertThat(status.getNumberAvailable()).isEqualTo(3);
        assertThat(status.getNumberMisscheduled()).isZero();
        assertThat(cluster.events(set))
                .extracting(Event::getType, Event::getReason)
                .contains(tuple("Normal", "SuccessfulCreate"));
    }

    @Test
    void givenAPod_whenItIsDeleted_thenItsNodeGetsAnother(Cluster cluster) {
        cluster.create(set());
        cluster.advance(Duration.ofSeconds(10));
        Pod lost = live(cluster).get(0);

        cluster.delete(lost).advance(Duration.ofSeconds(40));

        assertThat(nodesOf(live(cluster))).containsExactly("node-1", "node-2", "node-3");
    }

    @Test
    void givenANodeSelector_whenANodeIsLabelledAndUnlabelled_thenItsPodComesAndGoes(Cluster cluster) {
        DaemonSet set = set();
        set.getSpec().getTemplate().getSpec().setNodeSelector(Map.of("color", "blue"));
        cluster.create(set);
        cluster.advance(Duration.ofSeconds(5));
        assertThat(live(cluster)).isEmpty();

        Node node = cluster.get(Node.class, "node-2").orElseThrow();
        cluster.edit(node, n -> n.getMetadata().getLabels().put("color", "blue"));
        cluster.advance(Duration.ofSeconds(10));
        assertThat(nodesOf(live(cluster))).containsExactly("node-2");

        cluster.edit(node, n -> n.getMetadata().getLabels().put("color", "green"));
        cluster.advance(Duration.ofSeconds(40));
        assertThat(live(cluster)).isEmpty();
    }

    @Test
    void givenATaintedNode_whenTheSetDoesNotTolerateIt_thenTheNodeIsLeftOut(Cluster cluster) {
        Node node = cluster.get(Node.class, "node-3").orElseThrow();
        cluster.edit(
                node,
                n -> n.getSpec()
                        .setTaints(new ArrayList<>(List.of(new TaintBuilder()
                                .withKey("own")
                                .withValue("yes")
                                .withEffect("NoSchedule")
                                .build()))));
        cluster.create(set());
        cluster.advance(Duration.ofSeconds(10));

        assertThat(nodesOf(live(cluster))).containsExactly("node-1", "node-2");
    }

    @Test
    void givenAPodThatFailed_whenTheSetLooks_thenItIsReplaced(Cluster cluster) {
        DaemonSet set = cluster.create(set());
        cluster.advance(Duration.ofSeconds(10));
        Pod failed = live(cluster).get(0);
        cluster.editStatus(failed, p -> p.getStatus().setPhase("Failed"));
        cluster.advance(Duration.ofSeconds(40));

        assertThat(nodesOf(live(cluster))).containsExactly("node-1", "node-2", "node-3");
        assertThat(cluster.exists(failed)).isFalse();
        assertThat(cluster.events(set))
                .extracting(Event::getType, Event::getReason, Event::getMessage)
                .contains(tuple(
                        "Warning",
                        "FailedDaemonPod",
                        "Found failed daemon pod default/"
                                + failed.getMetadata().getName() + " on node "
                                + failed.getSpec().getNodeName() + ", will try to kill it"));
    }

    @Test
    void givenARollingUpdate_whenTheTemplateChanges_thenOneNodeAtATimeIsWithout(Cluster cluster) {
        DaemonSet set = cluster.create(slow(set()));
        cluster.advance(Duration.ofSeconds(30));
        changeImage(cluster, set, "registry.example/app:2");
        cluster.advance(Duration.ofSeconds(5));
        assertThat(withImage(cluster, ":2")).hasSize(1);
        assertThat(withImage(cluster, ":1")).hasSize(2);

        cluster.advance(Duration.ofMinutes(2));

        assertThat(withImage(cluster, ":2")).hasSize(3);
        assertThat(cluster.list(ControllerRevision.class, "default")).hasSize(2);
    }

    @Test
    void givenARevision_whenItIsLookedAt_thenItsContentIsWrittenWithSortedKeys(Cluster cluster) throws Exception {
        cluster.create(set());
        cluster.advance(Duration.ofSeconds(5));

        ControllerRevision revision =
                cluster.list(ControllerRevision.class, "default").get(0);
        var data = KubernetesJson.mapper().readTree(KubernetesJson.mapper().writeValueAsString(revision.getData()));
        List<String> keys = new ArrayList<>();
        data.path("spec").path("template").fieldNames().forEachRemaining(keys::add);
        assertThat(keys).containsExactlyElementsOf(new TreeSet<>(keys)).contains("$patch", "spec");
    }

    @Test
    void givenARollback_whenTheTemplateIsAsBefore_thenTheOldRevisionIsTheNewest(Cluster cluster) {
        DaemonSet set = cluster.create(set());
        cluster.advance(Duration.ofSeconds(10));
        changeImage(cluster, set, "registry.example/app:2");
        cluster.advance(Duration.ofMinutes(1));
        changeImage(cluster, set, "registry.example/app:1");
        cluster.advance(Duration.ofMinutes(1));

        assertThat(withImage(cluster, ":1")).hasSize(3);
        assertThat(cluster.list(ControllerRevision.class, "default"))
                .extracting(ControllerRevision::getRevision)
                .containsExactlyInAnyOrder(2L, 3L);
    }

    @Test
    void givenSurge_whenTheTemplateChanges_thenTheNewPodIsThereBeforeTheOldOneGoes(Cluster cluster) {
        DaemonSet set = slow(set());
        set.getSpec()
                .setUpdateStrategy(new DaemonSetUpdateStrategyBuilder()
                        .withType("RollingUpdate")
                        .withNewRollingUpdate()
                        .withMaxSurge(new IntOrString(1))
                        .withMaxUnavailable(new IntOrString(0))
                        .endRollingUpdate()
                        .build());
        cluster.create(set);
        cluster.advance(Duration.ofSeconds(30));
        changeImage(cluster, set, "registry.example/app:2");
        cluster.advance(Duration.ofSeconds(5));
        assertThat(withImage(cluster, ":1")).hasSize(3);
        assertThat(withImage(cluster, ":2")).hasSize(1);

        cluster.advance(Duration.ofMinutes(2));

        assertThat(withImage(cluster, ":2")).hasSize(3);
        assertThat(withImage(cluster, ":1")).isEmpty();
    }

    @Test
    void givenOnDelete_whenTheTemplateChanges_thenNothingHappensUntilPodsAreDeleted(Cluster cluster) {
        DaemonSet set = set();
        set.getSpec()
                .setUpdateStrategy(new DaemonSetUpdateStrategyBuilder()
                        .withType("OnDelete")
                        .build());
        cluster.create(set);
        cluster.advance(Duration.ofSeconds(10));
        changeImage(cluster, set, "registry.example/app:2");
        cluster.advance(Duration.ofSeconds(30));
        assertThat(withImage(cluster, ":1")).hasSize(3);

        cluster.delete(live(cluster).get(0)).advance(Duration.ofSeconds(40));

        assertThat(withImage(cluster, ":2")).hasSize(1);
    }
}
