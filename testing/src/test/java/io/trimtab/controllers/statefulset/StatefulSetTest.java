package io.trimtab.controllers.statefulset;

import static io.trimtab.junit.Workloads.labels;
import static io.trimtab.junit.Workloads.template;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.apps.ControllerRevision;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSetBuilder;
import io.fabric8.kubernetes.api.model.apps.StatefulSetOrdinals;
import io.fabric8.kubernetes.api.model.apps.StatefulSetPersistentVolumeClaimRetentionPolicy;
import io.fabric8.kubernetes.api.model.apps.StatefulSetUpdateStrategy;
import io.fabric8.kubernetes.api.model.apps.StatefulSetUpdateStrategyBuilder;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Pods;
import io.trimtab.junit.TrimtabCluster;
import io.trimtab.junit.Workloads;
import io.trimtab.node.simulated.Simulation;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** StatefulSets in a whole cluster: order, identity, updates, claims. */
@TrimtabCluster
class StatefulSetTest {
    private static StatefulSet set(int replicas) {
        return new StatefulSetBuilder()
                .withNewMetadata()
                .withName("web")
                .withNamespace("default")
                .endMetadata()
                .withNewSpec()
                .withReplicas(replicas)
                .withServiceName("web")
                .withNewSelector()
                .withMatchLabels(labels("web"))
                .endSelector()
                .withTemplate(template("web"))
                .endSpec()
                .build();
    }

    private static StatefulSet readyAfter(StatefulSet set, String time) {
        PodTemplateSpec template = set.getSpec().getTemplate();
        template.getMetadata().setAnnotations(Map.of(Simulation.READY_AFTER, time));
        return set;
    }

    private static StatefulSet withClaims(StatefulSet set) {
        PersistentVolumeClaim claim = new PersistentVolumeClaimBuilder()
                .withNewMetadata()
                .withName("data")
                .endMetadata()
                .withNewSpec()
                .withAccessModes("ReadWriteOnce")
                .withNewResources()
                .withRequests(Map.of("storage", new Quantity("1Gi")))
                .endResources()
                .endSpec()
                .build();
        set.getSpec().setVolumeClaimTemplates(List.of(claim));
        return set;
    }

    private static List<String> names(Cluster cluster) {
        return cluster.pods().stream()
                .filter(p -> !Pods.isTerminating(p))
                .map(p -> p.getMetadata().getName())
                .sorted()
                .toList();
    }

    private static Pod pod(Cluster cluster, String name) {
        return cluster.get(Pod.class, name).orElseThrow();
    }

    private static String image(Pod pod) {
        return pod.getSpec().getContainers().get(0).getImage();
    }

    private static void changeImage(Cluster cluster, StatefulSet set, String image) {
        cluster.edit(
                set,
                s -> s.getSpec().getTemplate().getSpec().getContainers().get(0).setImage(image));
    }

    @Test
    void givenOrderedPods_whenTheSetIsMade_thenEachWaitsForTheOneBefore(Cluster cluster) {
        StatefulSet set = cluster.create(readyAfter(set(3), "10s"));
        cluster.advance(Duration.ofSeconds(5));
        assertThat(names(cluster)).containsExactly("web-0");
        cluster.advance(Duration.ofSeconds(10));
        assertThat(names(cluster)).containsExactly("web-0", "web-1");
        cluster.advance(Duration.ofSeconds(20));
        assertThat(names(cluster)).containsExactly("web-0", "web-1", "web-2");

        cluster.advance(Duration.ofSeconds(10));

        StatefulSet now = cluster.refresh(set);
        assertThat(now.getStatus().getReplicas()).isEqualTo(3);
        assertThat(now.getStatus().getReadyReplicas()).isEqualTo(3);
        assertThat(now.getStatus().getAvailableReplicas()).isEqualTo(3);
        assertThat(now.getStatus().getCurrentReplicas()).isEqualTo(3);
        assertThat(now.getStatus().getUpdatedReplicas()).isEqualTo(3);
        assertThat(now.getStatus().getCurrentRevision())
                .isEqualTo(now.getStatus().getUpdateRevision());
        assertThat(cluster.events(set))
                .extracting(Event::getType, Event::getReason, Event::getMessage)
                .contains(tuple("Normal", "SuccessfulCreate", "create Pod web-0 in StatefulSet web successful"));
    }

    @Test
    void givenAPod_whenItIsMade_thenItKnowsItsPlace(Cluster cluster) {
        StatefulSet set = cluster.create(set(2));
        cluster.advance(Duration.ofSeconds(10));

        Pod second = pod(cluster, "web-1");
        assertThat(second.getSpec().getHostname()).isEqualTo("web-1");
        assertThat(second.getSpec().getSubdomain()).isEqualTo("web");
        assertThat(second.getMetadata().getLabels())
                .containsEntry("statefulset.kubernetes.io/pod-name", "web-1")
                .containsEntry("apps.kubernetes.io/pod-index", "1")
                .containsEntry(
                        "controller-revision-hash",
                        cluster.refresh(set).getStatus().getCurrentRevision());
    }

    @Test
    void givenAnUnreadyPod_whenTheSetIsScaledDown_thenItWaitsUntilAllAreReady(Cluster cluster) {
        StatefulSet set = cluster.create(set(3));
        cluster.advance(Duration.ofSeconds(10));
        cluster.scale(set, 1).advance(Duration.ofSeconds(20));

        assertThat(names(cluster)).containsExactly("web-0");
        assertThat(cluster.events(set))
                .extracting(Event::getMessage)
                .containsSubsequence(
                        "delete Pod web-2 in StatefulSet web successful",
                        "delete Pod web-1 in StatefulSet web successful");
    }

    @Test
    void givenParallelPods_whenTheSetIsMade_thenAllComeAtOnce(Cluster cluster) {
        StatefulSet set = readyAfter(set(3), "30s");
        set.getSpec().setPodManagementPolicy("Parallel");
        cluster.create(set);
        cluster.advance(Duration.ofSeconds(2));
        assertThat(names(cluster)).containsExactly("web-0", "web-1", "web-2");
    }

    @Test
    void givenANewTemplate_whenTheSetRolls_thenTheHighestGoesFirstOneByOne(Cluster cluster) {
        StatefulSet set = cluster.create(readyAfter(set(3), "10s"));
        cluster.advance(Duration.ofMinutes(1));
        String before = cluster.refresh(set).getStatus().getCurrentRevision();

        changeImage(cluster, set, "registry.example/app:2");
        cluster.advance(Duration.ofSeconds(5));
        assertThat(image(pod(cluster, "web-2"))).endsWith(":2");
        assertThat(image(pod(cluster, "web-1"))).endsWith(":1");
        assertThat(cluster.refresh(set).getStatus().getUpdateRevision()).isNotEqualTo(before);

        cluster.advance(Duration.ofMinutes(1));

        assertThat(cluster.pods())
                .hasSize(3)
                .allSatisfy(p -> assertThat(image(p)).endsWith(":2"));
        assertThat(cluster.refresh(set).getStatus().getCurrentRevision()).isNotEqualTo(before);
        assertThat(cluster.list(ControllerRevision.class, "default")).hasSize(2);
    }

    @Test
    void givenAPartition_whenTheTemplateChanges_thenOnlyTheOrdinalsFromItOnFollow(Cluster cluster) {
        StatefulSet set = set(3);
        set.getSpec()
                .setUpdateStrategy(new StatefulSetUpdateStrategyBuilder()
                        .withType("RollingUpdate")
                        .withNewRollingUpdate()
                        .withPartition(2)
                        .endRollingUpdate()
                        .build());
        cluster.create(set);
        cluster.advance(Duration.ofSeconds(20));
        changeImage(cluster, set, "registry.example/app:2");
        cluster.advance(Duration.ofSeconds(40));

        assertThat(image(pod(cluster, "web-2"))).endsWith(":2");
        assertThat(image(pod(cluster, "web-1"))).endsWith(":1");
        assertThat(cluster.refresh(set).getStatus().getUpdatedReplicas()).isEqualTo(1);

        cluster.delete(pod(cluster, "web-0")).advance(Duration.ofSeconds(40));
        assertThat(image(pod(cluster, "web-0"))).endsWith(":1"); // below the partition it comes back as it was
    }

    @Test
    void givenOnDelete_whenTheTemplateChanges_thenPodsFollowWhenTheyAreDeleted(Cluster cluster) {
        StatefulSet set = set(2);
        set.getSpec().setUpdateStrategy(new StatefulSetUpdateStrategy(null, "OnDelete"));
        cluster.create(set);
        cluster.advance(Duration.ofSeconds(20));
        changeImage(cluster, set, "registry.example/app:2");
        cluster.advance(Duration.ofSeconds(40));
        assertThat(cluster.pods()).allSatisfy(p -> assertThat(image(p)).endsWith(":1"));

        cluster.delete(pod(cluster, "web-1")).advance(Duration.ofSeconds(40));

        assertThat(image(pod(cluster, "web-1"))).endsWith(":2");
        assertThat(image(pod(cluster, "web-0"))).endsWith(":1");
    }

    @Test
    void givenAStartOrdinal_whenTheSetIsMade_thenNumbersBeginThere(Cluster cluster) {
        StatefulSet set = set(2);
        set.getSpec().setOrdinals(new StatefulSetOrdinals(5));
        cluster.create(set);
        cluster.advance(Duration.ofSeconds(20));
        assertThat(names(cluster)).containsExactly("web-5", "web-6");

        cluster.edit(set, s -> s.getSpec().setOrdinals(new StatefulSetOrdinals(6)));
        cluster.advance(Duration.ofSeconds(40));

        assertThat(names(cluster)).containsExactly("web-6", "web-7");
    }

    @Test
    void givenMinReadySeconds_whenPodsAreReady_thenTheyAreAvailableOnlyLater(Cluster cluster) {
        StatefulSet set = set(1);
        set.getSpec().setMinReadySeconds(30);
        cluster.create(set);
        cluster.advance(Duration.ofSeconds(20));
        assertThat(cluster.refresh(set).getStatus().getReadyReplicas()).isEqualTo(1);
        assertThat(cluster.refresh(set).getStatus().getAvailableReplicas()).isIn(null, 0);

        cluster.advance(Duration.ofSeconds(20));

        assertThat(cluster.refresh(set).getStatus().getAvailableReplicas()).isEqualTo(1);
    }

    @Test
    void givenAClaimTemplate_whenTheSetIsScaled_thenClaimsStayUnlessToldOtherwise(Cluster cluster) {
        StatefulSet set = withClaims(set(2));
        set.getSpec().setPodManagementPolicy("Parallel");
        cluster.create(set);
        cluster.advance(Duration.ofSeconds(5));
        assertThat(cluster.list(PersistentVolumeClaim.class, "default"))
                .extracting(c -> c.getMetadata().getName())
                .containsExactlyInAnyOrder("data-web-0", "data-web-1");
        assertThat(cluster.events(set))
                .extracting(Event::getMessage)
                .contains("create Claim data-web-0 Pod web-0 in StatefulSet web success");

        cluster.scale(set, 0).advance(Duration.ofSeconds(40));
        assertThat(cluster.list(PersistentVolumeClaim.class, "default")).hasSize(2);
    }

    @Test
    void givenClaimsThatGoWhenScaled_whenTheSetIsScaledDown_thenTheClaimOfThePodThatGoesGoes(Cluster cluster) {
        StatefulSet set = withClaims(set(2));
        set.getSpec().setPodManagementPolicy("Parallel");
        set.getSpec()
                .setPersistentVolumeClaimRetentionPolicy(
                        new StatefulSetPersistentVolumeClaimRetentionPolicy("Retain", "Delete"));
        cluster.create(set);
        cluster.advance(Duration.ofSeconds(5));

        cluster.scale(set, 1).advance(Duration.ofMinutes(1));

        assertThat(cluster.list(PersistentVolumeClaim.class, "default"))
                .extracting(c -> c.getMetadata().getName())
                .containsExactly("data-web-0");
    }

    @Test
    void givenClaimsThatGoWhenDeleted_whenTheSetIsDeleted_thenTheyGo(Cluster cluster) {
        StatefulSet set = withClaims(set(1));
        set.getSpec()
                .setPersistentVolumeClaimRetentionPolicy(
                        new StatefulSetPersistentVolumeClaimRetentionPolicy("Delete", "Retain"));
        cluster.create(set);
        cluster.advance(Duration.ofSeconds(5));
        assertThat(cluster.list(PersistentVolumeClaim.class, "default"))
                .singleElement()
                .satisfies(c -> assertThat(c.getMetadata().getOwnerReferences())
                        .extracting(o -> o.getKind())
                        .containsExactly("StatefulSet"));

        cluster.delete(set, DeletionPropagation.BACKGROUND).advance(Duration.ofMinutes(1));

        assertThat(cluster.list(PersistentVolumeClaim.class, "default")).isEmpty();
    }

    @Test
    void givenAFailedPod_whenTheSetLooks_thenItIsMadeAnew(Cluster cluster) {
        StatefulSet set = cluster.create(set(1));
        cluster.advance(Duration.ofSeconds(10));
        Pod first = pod(cluster, "web-0");
        cluster.editStatus(first, p -> p.getStatus().setPhase("Failed"));
        cluster.advance(Duration.ofSeconds(20));

        assertThat(pod(cluster, "web-0").getMetadata().getUid())
                .isNotEqualTo(first.getMetadata().getUid());
        assertThat(cluster.events(set))
                .extracting(Event::getType, Event::getReason, Event::getMessage)
                .contains(tuple("Normal", "SuccessfulDelete", "delete Pod web-0 in StatefulSet web successful"));
    }

    @Test
    void givenANodeThatRefuses_whenItsPodFails_thenTheSetTriesAgainUntilItMay(Cluster cluster) {
        Pod squatter = new PodBuilder(Workloads.pod("squatter"))
                .editSpec()
                .withNodeName("node-1")
                .editContainer(0)
                .addNewPort()
                .withContainerPort(21017)
                .withHostPort(21017)
                .endPort()
                .endContainer()
                .endSpec()
                .build();
        cluster.create(squatter);
        cluster.advance(Duration.ofSeconds(5));
        StatefulSet set = set(1);
        set.getSpec().getTemplate().setSpec(squatter.getSpec());
        cluster.create(set);
        cluster.advance(Duration.ofSeconds(2));
        assertThat(cluster.events(set)).extracting(Event::getReason).contains("SuccessfulDelete");

        cluster.delete(squatter).advance(Duration.ofSeconds(40));

        assertThat(Pods.isReady(pod(cluster, "web-0"))).isTrue();
    }

    @Test
    void givenUnusedSetting_whenMaxUnavailableIsGiven_thenOneAtATimeStaysTheRule(Cluster cluster) {
        StatefulSet set = readyAfter(set(3), "10s");
        set.getSpec()
                .setUpdateStrategy(new StatefulSetUpdateStrategyBuilder()
                        .withType("RollingUpdate")
                        .withNewRollingUpdate()
                        .withMaxUnavailable(new IntOrString(2))
                        .endRollingUpdate()
                        .build());
        cluster.create(set);
        cluster.advance(Duration.ofMinutes(1));
        changeImage(cluster, set, "registry.example/app:2");
        cluster.advance(Duration.ofSeconds(5));

        assertThat(cluster.pods()).filteredOn(p -> image(p).endsWith(":2")).hasSize(1);
    }
}
