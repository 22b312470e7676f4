package io.trimtab.controllers.replicaset;

import static io.trimtab.junit.KubernetesAssertions.assertThat;
import static io.trimtab.junit.Workloads.labels;
import static io.trimtab.junit.Workloads.pod;
import static io.trimtab.junit.Workloads.replicaSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetCondition;
import io.fabric8.kubernetes.api.model.autoscaling.v1.Scale;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.ResourceType;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Pods;
import io.trimtab.junit.TrimtabCluster;
import io.trimtab.node.simulated.Simulation;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** ReplicaSets in a whole cluster: what Kubernetes' integration tests ask of them, RS-1 to RS-21 of the checklist. */
@TrimtabCluster
class ReplicaSetTest {
    private static List<Pod> active(Cluster cluster, String owner) {
        return cluster.pods(owner).stream()
                .filter(p -> !Pods.isTerminating(p)
                        && !List.of("Failed", "Succeeded").contains(Pods.phase(p)))
                .toList();
    }

    private static OwnerReferenceBuilder reference(ReplicaSet set) {
        return new OwnerReferenceBuilder()
                .withApiVersion("apps/v1")
                .withKind("ReplicaSet")
                .withName(set.getMetadata().getName())
                .withUid(set.getMetadata().getUid());
    }

    private static Pod ownedPod(String name, String app, OwnerReference... owners) {
        return new PodBuilder(pod(name))
                .editMetadata()
                .withLabels(labels(app))
                .withOwnerReferences(owners)
                .endMetadata()
                .build();
    }

    @Test
    void givenThreeReplicas_whenOnePodIsDeleted_thenAnotherReplacesIt(Cluster cluster) {
        cluster.apply(replicaSet("web", 3)).settle();

        var lost = cluster.pods("web").get(0);
        cluster.delete(lost).settle();

        assertThat(cluster.pods("web")).hasSize(3).allMatch(Pods::isReady).doesNotContain(lost);
    }

    @Test
    void givenASet_whenReplicasAndAnnotationsChange_thenPodsAndStatusFollow(Cluster cluster) {
        ReplicaSet set = cluster.create(replicaSet("web", 2));
        for (int replicas : new int[] {2, 3, 0, 2}) {
            cluster.scale(set, replicas).settle();
            assertThat(cluster.refresh(set)).isComplete();
            assertThat(cluster.pods(set)).hasSize(replicas);
        }

        long before = cluster.refresh(set).getStatus().getObservedGeneration();
        cluster.edit(set, s -> s.getSpec().getTemplate().getMetadata().setAnnotations(Map.of("test", "value")));
        cluster.settle();

        assertThat(cluster.refresh(set).getStatus().getObservedGeneration()).isGreaterThan(before);
        assertThat(cluster.refresh(set)).isComplete();
    }

    @Test
    void givenAPodOwnedButNotControlled_whenTheSetLooks_thenItTakesControl(Cluster cluster) {
        ReplicaSet set = cluster.create(replicaSet("web", 1));
        Pod owned = cluster.create(ownedPod("mine", "web", reference(set).build()));
        cluster.settle();

        assertThat(cluster.pods(set)).hasSize(1);
        assertThat(cluster.refresh(owned).getMetadata().getOwnerReferences())
                .singleElement()
                .satisfies(ref -> assertThat(ref.getController()).isTrue());
    }

    @Test
    void givenAnOrphan_whenTheSetLooks_thenItIsAdopted(Cluster cluster) {
        Pod orphan = cluster.create(ownedPod("orphan", "web"));
        ReplicaSet set = cluster.create(replicaSet("web", 1));
        cluster.settle();

        assertThat(cluster.pods(set)).hasSize(1);
        assertThat(cluster.refresh(orphan).getMetadata().getOwnerReferences())
                .containsExactly(reference(set)
                        .withController(true)
                        .withBlockOwnerDeletion(true)
                        .build());
    }

    @Test
    void givenAPodControlledAlready_whenTheSetLooks_thenItsReferencesStay(Cluster cluster) {
        ReplicaSet set = cluster.create(replicaSet("web", 1));
        OwnerReference before = reference(set).withController(true).build();
        Pod owned = cluster.create(ownedPod("mine", "web", before));
        cluster.settle();

        assertThat(cluster.pods(set)).hasSize(1);
        assertThat(cluster.refresh(owned).getMetadata().getOwnerReferences()).containsExactly(before);
    }

    @Test
    void givenAPodOfAnotherController_whenTheSetLooks_thenItIsLeftAlone(Cluster cluster) {
        var other = cluster.create(new ConfigMapBuilder()
                .withNewMetadata()
                .withName("other")
                .withNamespace("default")
                .endMetadata()
                .build());
        OwnerReference before = new OwnerReferenceBuilder()
                .withApiVersion("v1")
                .withKind("ConfigMap")
                .withName("other")
                .withUid(other.getMetadata().getUid())
                .withController(true)
                .build();
        Pod foreign = cluster.create(ownedPod("foreign", "web", before));
        ReplicaSet set = cluster.create(replicaSet("web", 1));
        cluster.settle();

        assertThat(cluster.pods(set)).hasSize(1).doesNotContain(foreign);
        assertThat(cluster.refresh(foreign).getMetadata().getOwnerReferences()).containsExactly(before);
    }

    @Test
    void givenASet_whenItsSelectorIsChanged_thenTheServerRefuses(Cluster cluster) {
        ReplicaSet set = cluster.create(replicaSet("web", 0));

        assertThatThrownBy(() -> cluster.edit(set, s -> {
                    s.getSpec().getSelector().setMatchLabels(labels("other"));
                    s.getSpec().getTemplate().getMetadata().setLabels(labels("other"));
                }))
                .isInstanceOfSatisfying(KubernetesClientException.class, e -> {
                    assertThat(e.getCode()).isEqualTo(422);
                    assertThat(e.getMessage()).contains("field is immutable");
                });
    }

    @Test
    void givenAFailedAndADeletingPod_whenTheSetLooks_thenBothAreReplacedAndNeitherIsDeleted(Cluster cluster) {
        ReplicaSet set = cluster.create(replicaSet("web", 2));
        cluster.settle();
        List<Pod> first = cluster.pods(set);

        cluster.editStatus(first.get(0), p -> p.getStatus().setPhase("Failed"));
        Pod deleting = cluster.edit(first.get(1), p -> p.getMetadata().setFinalizers(List.of("example.com/keep")));
        cluster.delete(deleting).settle();

        assertThat(cluster.pods(set)).hasSize(4);
        assertThat(active(cluster, "web")).hasSize(2).allMatch(Pods::isReady);
        assertThat(cluster.refresh(first.get(0))).hasPhase("Failed");
        assertThat(cluster.refresh(first.get(0)).getMetadata().getDeletionTimestamp())
                .isNull();

        cluster.edit(deleting, p -> p.getMetadata().setFinalizers(List.of()));
        cluster.settle();
        assertThat(cluster.pods(set)).hasSize(3);
    }

    @Test
    void givenDeletionCosts_whenTheSetShrinks_thenTheCheapestGoesFirst(Cluster cluster) {
        ReplicaSet set = cluster.create(replicaSet("web", 2));
        cluster.settle();
        List<Pod> pods = cluster.pods(set);
        cluster.edit(
                pods.get(0),
                p -> p.getMetadata().setAnnotations(Map.of("controller.kubernetes.io/pod-deletion-cost", "200")));
        cluster.edit(
                pods.get(1),
                p -> p.getMetadata().setAnnotations(Map.of("controller.kubernetes.io/pod-deletion-cost", "100")));
        // It has restarted, but it costs more.
        cluster.editStatus(
                pods.get(0), p -> p.getStatus().getContainerStatuses().get(0).setRestartCount(5));

        cluster.scale(set, 1).settle();

        assertThat(cluster.pods(set)).hasSize(1);
        assertThat(cluster.exists(pods.get(0))).isTrue();
    }

    @Test
    void givenEqualCosts_whenTheSetShrinks_thenTheMoreOftenRestartedGoesFirst(Cluster cluster) {
        ReplicaSet set = cluster.create(replicaSet("web", 2));
        cluster.settle();
        List<Pod> pods = cluster.pods(set);
        cluster.editStatus(
                pods.get(1), p -> p.getStatus().getContainerStatuses().get(0).setRestartCount(5));

        cluster.scale(set, 1).settle();

        assertThat(cluster.exists(pods.get(0))).isTrue();
        assertThat(cluster.exists(pods.get(1))).isFalse();
    }

    @Test
    void givenTwoSetsWithOneSelector_whenBothRun_thenEachKeepsItsOwnPods(Cluster cluster) {
        ReplicaSet one = replicaSet("web", 2);
        ReplicaSet two = replicaSet("web", 3);
        two.getMetadata().setName("web-too");
        one = cluster.create(one);
        cluster.settle();
        two = cluster.create(two);
        cluster.settle();

        assertThat(cluster.refresh(one)).isComplete();
        assertThat(cluster.refresh(two)).isComplete();
        assertThat(cluster.pods()).hasSize(5);
    }

    @Test
    void givenAPod_whenItsLabelsLeaveAndReturn_thenItIsReleasedAndAdoptedAgain(Cluster cluster) {
        ReplicaSet set = cluster.create(replicaSet("web", 1));
        cluster.settle();
        Pod pod = cluster.pods(set).get(0);

        cluster.edit(pod, p -> p.getMetadata().setLabels(Map.of("app", "elsewhere")));
        cluster.settle();

        assertThat(cluster.refresh(pod).getMetadata().getOwnerReferences()).isEmpty();
        assertThat(cluster.pods(set)).hasSize(1).doesNotContain(pod);

        cluster.edit(pod, p -> p.getMetadata().setLabels(labels("web")));
        cluster.settle();

        assertThat(cluster.pods(set)).hasSize(1);
        assertThat(cluster.refresh(set)).isComplete();
    }

    @Test
    void givenMorePodsThanWanted_whenTheSetIsMade_thenItAdoptsAllAndDeletesTheSurplus(Cluster cluster) {
        for (int i = 0; i < 3; i++) {
            cluster.create(ownedPod("pod-" + i, "web"));
        }
        ReplicaSet set = cluster.create(replicaSet("web", 2));
        cluster.settle();

        assertThat(cluster.pods()).hasSize(2);
        assertThat(cluster.pods(set)).hasSize(2);
        assertThat(cluster.refresh(set)).isComplete();
    }

    @Test
    void givenMinReadySeconds_whenPodsBecomeReadyAtTimes_thenOnlyTheOldOneIsAvailable(Cluster cluster) {
        cluster.create(ownedPod("old", "web"));
        cluster.settle().advance(Duration.ofMinutes(10));
        cluster.create(ownedPod("fresh", "web"));
        cluster.create(new PodBuilder(ownedPod("unready", "web"))
                .editMetadata()
                .addToAnnotations(Simulation.READY_AFTER, "never")
                .endMetadata()
                .build());
        cluster.settle();
        ReplicaSet wanted = replicaSet("web", 3);
        wanted.getSpec().setMinReadySeconds(300);
        ReplicaSet set = cluster.create(wanted);

        cluster.settle();
        assertThat(cluster.refresh(set)).hasStatus(3, 2, 1);

        cluster.advance(Duration.ofSeconds(301));
        assertThat(cluster.refresh(set)).hasStatus(3, 2, 2);
    }

    @Test
    void givenASet_whenItsScaleIsReadAndWritten_thenItSpeaksForTheSet(Cluster cluster) throws IOException {
        ReplicaSet set = cluster.create(replicaSet("web", 1));
        cluster.settle();

        cluster.scale(set, 2).settle();

        Scale scale = KubernetesJson.mapper()
                .readValue(
                        cluster.api().raw("GET", "/apis/apps/v1/namespaces/default/replicasets/web/scale", null),
                        Scale.class);
        assertThat(scale.getSpec().getReplicas()).isEqualTo(2);
        assertThat(scale.getStatus().getReplicas()).isEqualTo(2);
        assertThat(scale.getStatus().getSelector()).isEqualTo("app=web");
        assertThat(cluster.refresh(set)).isComplete();
    }

    @Test
    void givenAnAdoptedPodWithFewerLabels_whenStatusIsWritten_thenItIsNotFullyLabeled(Cluster cluster) {
        cluster.create(ownedPod("bare", "web"));
        ReplicaSet wanted = replicaSet("web", 2);
        wanted.getSpec().getTemplate().getMetadata().setLabels(Map.of("app", "web", "more", "yes"));
        ReplicaSet set = cluster.create(wanted);
        cluster.settle();

        assertThat(cluster.refresh(set)).isComplete();
        assertThat(cluster.refresh(set).getStatus().getFullyLabeledReplicas()).isEqualTo(1);
    }

    @Test
    void givenNoDeleteOptions_whenTheSetIsDeleted_thenItGoesAtOnceAndItsPodsAfterIt(Cluster cluster) {
        ReplicaSet set = cluster.create(replicaSet("web", 2));
        cluster.settle();

        cluster.api().delete(ResourceType.of(ReplicaSet.class), "default", "web", new DeleteOptions());

        assertThat(cluster.exists(set)).isFalse();
        cluster.settle();
        assertThat(cluster.pods()).isEmpty();
    }

    @Test
    void givenPodsThatAreRefused_whenTheSetTries_thenItSaysSoUntilItSucceeds(Cluster cluster) {
        cluster.create(new NamespaceBuilder()
                .withNewMetadata()
                .withName("strict")
                .addToLabels("pod-security.kubernetes.io/enforce", "restricted")
                .endMetadata()
                .build());
        cluster.settle();
        ReplicaSet wanted = replicaSet("web", 1);
        wanted.getMetadata().setNamespace("strict");
        ReplicaSet set = cluster.create(wanted);
        cluster.settle();

        ReplicaSetCondition condition =
                cluster.refresh(set).getStatus().getConditions().get(0);
        assertThat(condition.getType()).isEqualTo("ReplicaFailure");
        assertThat(condition.getStatus()).isEqualTo("True");
        assertThat(condition.getReason()).isEqualTo("FailedCreate");
        assertThat(condition.getMessage()).contains("violates PodSecurity \"restricted:latest\"");
        assertThat(cluster.events(set)).anySatisfy(event -> {
            assertThat(event.getReason()).isEqualTo("FailedCreate");
            assertThat(event.getType()).isEqualTo("Warning");
            assertThat(event.getMessage())
                    .startsWith("Error creating: pods \"web-")
                    .contains("is forbidden");
        });

        cluster.edit(
                cluster.client().namespaces().withName("strict").get(),
                n -> n.getMetadata().getLabels().put("pod-security.kubernetes.io/enforce", "privileged"));
        cluster.advance(Duration.ofMinutes(20));

        assertThat(cluster.refresh(set)).isComplete();
        assertThat(cluster.refresh(set).getStatus().getConditions()).isEmpty();
    }

    @Test
    void givenASet_whenItMakesAndDeletesPods_thenEventsSayWhich(Cluster cluster) {
        ReplicaSet set = cluster.create(replicaSet("web", 1));
        cluster.settle();
        String name = cluster.pods(set).get(0).getMetadata().getName();
        cluster.scale(set, 0).settle();

        assertThat(cluster.events(set))
                .extracting(Event::getReason, Event::getMessage)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("SuccessfulCreate", "Created pod: " + name),
                        org.assertj.core.groups.Tuple.tuple("SuccessfulDelete", "Deleted pod: " + name));
        assertThat(cluster.events(set))
                .allMatch(event -> event.getSource().getComponent().equals("replicaset-controller"));
    }
}
