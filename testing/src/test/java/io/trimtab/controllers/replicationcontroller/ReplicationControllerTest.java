package io.trimtab.controllers.replicationcontroller;

import static io.trimtab.junit.KubernetesAssertions.assertThat;
import static io.trimtab.junit.Workloads.labels;
import static io.trimtab.junit.Workloads.pod;
import static io.trimtab.junit.Workloads.replicationController;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.ReplicationController;
import io.fabric8.kubernetes.api.model.autoscaling.v1.Scale;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.ResourceType;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Pods;
import io.trimtab.junit.TrimtabCluster;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** ReplicationControllers in a whole cluster: one engine with ReplicaSets, so only what a user of them would notice. */
@TrimtabCluster
class ReplicationControllerTest {
    private static Pod bare(String name, String app) {
        return new PodBuilder(pod(name))
                .editMetadata()
                .withLabels(labels(app))
                .endMetadata()
                .build();
    }

    @Test
    void givenThreeReplicas_whenOnePodIsDeleted_thenAnotherReplacesIt(Cluster cluster) {
        ReplicationController web = cluster.create(replicationController("web", 3));
        cluster.settle();

        Pod lost = cluster.pods(web).get(0);
        cluster.delete(lost).settle();

        assertThat(cluster.pods(web)).hasSize(3).allMatch(Pods::isReady).doesNotContain(lost);
        assertThat(cluster.refresh(web)).isComplete();
        assertThat(cluster.events(web))
                .allMatch(event -> event.getSource().getComponent().equals("replication-controller"));
    }

    @Test
    void givenAController_whenReplicasChange_thenPodsAndStatusFollow(Cluster cluster) {
        ReplicationController web = cluster.create(replicationController("web", 2));
        for (int replicas : new int[] {2, 3, 0, 2}) {
            cluster.scale(web, replicas).settle();
            assertThat(cluster.refresh(web)).isComplete();
            assertThat(cluster.pods(web)).hasSize(replicas);
        }

        long before = cluster.refresh(web).getStatus().getObservedGeneration();
        cluster.edit(web, rc -> rc.getSpec().getTemplate().getMetadata().setAnnotations(Map.of("test", "value")));
        cluster.settle();
        assertThat(cluster.refresh(web).getStatus().getObservedGeneration()).isGreaterThan(before);
    }

    @Test
    void givenOrphans_whenTheControllerIsMade_thenItAdoptsThemAndDeletesTheSurplus(Cluster cluster) {
        for (int i = 0; i < 3; i++) {
            cluster.create(bare("pod-" + i, "web"));
        }
        ReplicationController web = cluster.create(replicationController("web", 2));
        cluster.settle();

        assertThat(cluster.pods()).hasSize(2);
        assertThat(cluster.pods(web)).hasSize(2);
    }

    @Test
    void givenAPod_whenItsLabelsLeaveAndReturn_thenItIsReleasedAndAdoptedAgain(Cluster cluster) {
        ReplicationController web = cluster.create(replicationController("web", 1));
        cluster.settle();
        Pod pod = cluster.pods(web).get(0);

        cluster.edit(pod, p -> p.getMetadata().setLabels(labels("elsewhere")));
        cluster.settle();
        assertThat(cluster.refresh(pod).getMetadata().getOwnerReferences()).isEmpty();
        assertThat(cluster.pods(web)).hasSize(1).doesNotContain(pod);

        cluster.edit(pod, p -> p.getMetadata().setLabels(labels("web")));
        cluster.settle();
        assertThat(cluster.pods(web)).hasSize(1);
    }

    @Test
    void givenTwoControllersWithOneSelector_whenBothRun_thenEachKeepsItsOwnPods(Cluster cluster) {
        ReplicationController one = cluster.create(replicationController("web", 2));
        cluster.settle();
        ReplicationController overlapping = replicationController("web", 3);
        overlapping.getMetadata().setName("web-too");
        ReplicationController two = cluster.create(overlapping);
        cluster.settle();

        assertThat(cluster.refresh(one)).isComplete();
        assertThat(cluster.refresh(two)).isComplete();
        assertThat(cluster.pods()).hasSize(5);
    }

    /** Ages are compared by their logarithm: ten seconds and eleven are the same, ten and none are not. */
    @Test
    void givenTwoOldPodsAndAFreshOne_whenTheControllerShrinks_thenTheFreshOneGoes(Cluster cluster) {
        ReplicationController web = cluster.create(replicationController("web", 2));
        cluster.settle();
        List<Pod> old = cluster.pods(web);
        cluster.advance(Duration.ofSeconds(10));
        cluster.scale(web, 3).settle();

        cluster.scale(web, 2).settle();

        assertThat(cluster.pods(web))
                .extracting(p -> p.getMetadata().getUid())
                .containsExactlyInAnyOrderElementsOf(
                        old.stream().map(p -> p.getMetadata().getUid()).toList());
    }

    @Test
    void givenAController_whenItsScaleIsRead_thenItSpeaksForTheController(Cluster cluster) throws IOException {
        ReplicationController web = cluster.create(replicationController("web", 1));
        cluster.scale(web, 2).settle();

        Scale scale = KubernetesJson.mapper()
                .readValue(
                        cluster.api().raw("GET", "/api/v1/namespaces/default/replicationcontrollers/web/scale", null),
                        Scale.class);

        assertThat(scale.getSpec().getReplicas()).isEqualTo(2);
        assertThat(scale.getStatus().getReplicas()).isEqualTo(2);
        assertThat(scale.getStatus().getSelector()).isEqualTo("app=web");
    }

    @Test
    void givenNoDeleteOptions_whenTheControllerIsDeleted_thenItsPodsStayAsOrphans(Cluster cluster) {
        ReplicationController web = cluster.create(replicationController("web", 2));
        cluster.settle();

        cluster.api().delete(ResourceType.of(ReplicationController.class), "default", "web", new DeleteOptions());
        cluster.settle();

        assertThat(cluster.exists(web)).isFalse();
        assertThat(cluster.pods())
                .hasSize(2)
                .allMatch(Pods::isReady)
                .allMatch(p -> p.getMetadata().getOwnerReferences().isEmpty());
    }
}
