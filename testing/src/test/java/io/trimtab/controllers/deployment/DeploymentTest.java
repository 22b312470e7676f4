package io.trimtab.controllers.deployment;

import static io.trimtab.junit.KubernetesAssertions.assertThat;
import static io.trimtab.junit.Workloads.deployment;
import static io.trimtab.junit.Workloads.labels;
import static io.trimtab.junit.Workloads.replicaSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Pods;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Deployments in a whole cluster: what Kubernetes' integration tests ask of them, DE-1 to DE-45 of the checklist. */
@TrimtabCluster
class DeploymentTest {
    private static final String HASH = "pod-template-hash";
    private static final String REVISION = "deployment.kubernetes.io/revision";
    private static final String DESIRED = "deployment.kubernetes.io/desired-replicas";

    /** Its ReplicaSets, oldest revision first. */
    private static List<ReplicaSet> sets(Cluster cluster, Deployment deployment) {
        String uid = cluster.refresh(deployment).getMetadata().getUid();
        return cluster.list(ReplicaSet.class, "default").stream()
                .filter(rs -> rs.getMetadata().getOwnerReferences().stream()
                        .map(OwnerReference::getUid)
                        .anyMatch(uid::equals))
                .sorted(Comparator.comparing(rs -> revision(rs)))
                .toList();
    }

    private static int revision(ReplicaSet set) {
        return Integer.parseInt(set.getMetadata().getAnnotations().get(REVISION));
    }

    private static Deployment setImage(Cluster cluster, Deployment deployment, String image) {
        return cluster.edit(
                deployment,
                d -> d.getSpec().getTemplate().getSpec().getContainers().get(0).setImage(image));
    }

    private static String image(PodTemplateSpec template) {
        return template.getSpec().getContainers().get(0).getImage();
    }

    @Test
    void givenANewDeployment_whenItSettles_thenNamesLabelsAndAnnotationsAgree(Cluster cluster) {
        Deployment wanted = deployment("web", 2);
        wanted.getMetadata()
                .setAnnotations(
                        Map.of("test", "should-copy", "kubectl.kubernetes.io/last-applied-configuration", "no"));
        Deployment web = cluster.create(wanted);
        cluster.settle();

        assertThat(cluster.refresh(web)).isComplete().hasCondition("Progressing", "True", "NewReplicaSetAvailable");
        assertThat(cluster.refresh(web)).hasCondition("Available", "True", "MinimumReplicasAvailable");
        assertThat(cluster.refresh(web).getMetadata().getAnnotations()).containsEntry(REVISION, "1");
        ReplicaSet set = sets(cluster, web).get(0);
        String hash = set.getMetadata().getLabels().get(HASH);
        assertThat(hash).matches("[456789bcdf]{1,10}");
        assertThat(set.getMetadata().getName()).isEqualTo("web-" + hash);
        assertThat(set.getSpec().getSelector().getMatchLabels()).containsEntry(HASH, hash);
        assertThat(set.getSpec().getTemplate().getMetadata().getLabels()).containsEntry(HASH, hash);
        assertThat(cluster.pods(web))
                .hasSize(2)
                .allMatch(p -> hash.equals(p.getMetadata().getLabels().get(HASH)));
        assertThat(set.getMetadata().getAnnotations())
                .containsEntry("test", "should-copy")
                .containsEntry(DESIRED, "2")
                .containsEntry("deployment.kubernetes.io/max-replicas", "3")
                .doesNotContainKey("kubectl.kubernetes.io/last-applied-configuration");
        assertThat(cluster.events(web)).singleElement().satisfies(event -> {
            assertThat(event.getReason()).isEqualTo("ScalingReplicaSet");
            assertThat(event.getMessage()).isEqualTo("Scaled up replica set web-" + hash + " from 0 to 2");
        });
    }

    @Test
    @TrimtabCluster(delays = true)
    void givenARollout_whenLookedAtInBetween_thenItStaysWithinSurgeAndAvailability(Cluster cluster) {
        Deployment wanted = deployment("web", 4);
        wanted.getSpec().setMinReadySeconds(2);
        Deployment web = cluster.create(wanted);
        cluster.runUntil(() -> cluster.pods(web).stream().filter(Pods::isReady).count() == 4, Duration.ofMinutes(1));
        cluster.advance(Duration.ofSeconds(10));
        setImage(cluster, web, "registry.example/app:2");

        for (int i = 0; i < 300; i++) {
            cluster.advance(Duration.ofMillis(100));
            List<Pod> pods = cluster.pods(web);
            assertThat(pods.stream().filter(Pods::isReady)).hasSizeGreaterThanOrEqualTo(3);
            assertThat(pods.stream().filter(p -> !Pods.isTerminating(p))).hasSizeLessThanOrEqualTo(5);
        }

        assertThat(cluster.refresh(web)).isComplete();
        assertThat(cluster.pods(web))
                .hasSize(4)
                .allMatch(p -> p.getSpec().getContainers().get(0).getImage().equals("registry.example/app:2"));
    }

    @Test
    void givenTwoRevisions_whenTheFirstTemplateReturns_thenItsSetBecomesTheThird(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 2));
        cluster.settle();
        String first = image(cluster.refresh(web).getSpec().getTemplate());
        setImage(cluster, web, "registry.example/app:2");
        cluster.settle();
        assertThat(cluster.refresh(web)).isComplete();

        setImage(cluster, web, first);
        cluster.settle();

        assertThat(cluster.refresh(web)).isComplete();
        List<ReplicaSet> sets = sets(cluster, web);
        assertThat(sets).extracting(DeploymentTest::revision).containsExactly(2, 3);
        assertThat(image(sets.get(1).getSpec().getTemplate())).isEqualTo(first);
        assertThat(sets.get(1).getMetadata().getAnnotations())
                .containsEntry("deployment.kubernetes.io/revision-history", "1");
        assertThat(cluster.refresh(web).getMetadata().getAnnotations()).containsEntry(REVISION, "3");
    }

    @Test
    void givenARolloutThatHangs_whenAThirdTemplateComes_thenItRollsOver(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 4));
        cluster.settle();
        setImage(cluster, web, "registry.example/app:non-existent");
        cluster.settle();
        assertThat(sets(cluster, web)).hasSize(2);
        assertThat(cluster.pods(web).stream().filter(Pods::isReady)).hasSize(3);

        setImage(cluster, web, "registry.example/app:3");
        cluster.settle();

        assertThat(cluster.refresh(web)).isComplete();
        List<ReplicaSet> sets = sets(cluster, web);
        assertThat(sets).extracting(rs -> rs.getSpec().getReplicas()).containsExactly(0, 0, 4);
    }

    @Test
    void givenADeployment_whenItsSelectorIsChanged_thenTheServerRefuses(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 0));

        assertThatThrownBy(() -> cluster.edit(web, d -> {
                    d.getSpec().getSelector().setMatchLabels(labels("other"));
                    d.getSpec().getTemplate().getMetadata().setLabels(labels("other"));
                }))
                .isInstanceOfSatisfying(KubernetesClientException.class, e -> {
                    assertThat(e.getCode()).isEqualTo(422);
                    assertThat(e.getMessage()).contains("field is immutable");
                });
    }

    @Test
    void givenAPausedDeployment_whenItIsMadeResumedAndPaused_thenNothingRollsWhilePaused(Cluster cluster) {
        Deployment wanted = deployment("web", 1);
        wanted.getSpec().setPaused(true);
        Deployment web = cluster.create(wanted);
        cluster.settle();
        assertThat(sets(cluster, web)).isEmpty();
        assertThat(cluster.refresh(web)).hasCondition("Progressing", "Unknown", "DeploymentPaused");

        cluster.edit(web, d -> d.getSpec().setPaused(false));
        cluster.settle();
        assertThat(cluster.refresh(web)).isComplete();

        cluster.edit(web, d -> d.getSpec().setPaused(true));
        setImage(cluster, web, "registry.example/app:2");
        cluster.settle();
        assertThat(sets(cluster, web)).hasSize(1);
        assertThat(cluster.refresh(web).getStatus().getObservedGeneration())
                .isEqualTo(cluster.refresh(web).getMetadata().getGeneration());

        cluster.edit(web, d -> d.getSpec().setPaused(false));
        cluster.settle();
        assertThat(sets(cluster, web)).hasSize(2);
        assertThat(cluster.refresh(web)).isComplete();
    }

    @Test
    void givenAPausedDeployment_whenItIsScaled_thenItsSetIs(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 2));
        cluster.settle();
        cluster.edit(web, d -> d.getSpec().setPaused(true));

        cluster.scale(web, 4).settle();

        assertThat(cluster.pods(web)).hasSize(4);
        assertThat(sets(cluster, web).get(0).getMetadata().getAnnotations()).containsEntry(DESIRED, "4");
    }

    @Test
    void givenASetWhoseTemplateWasEdited_whenTheDeploymentLooks_thenTheHashCollidesAndAnotherIsMade(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 1));
        cluster.settle();
        ReplicaSet first = sets(cluster, web).get(0);

        cluster.edit(first, rs -> rs.getSpec().getTemplate().getSpec().setTerminationGracePeriodSeconds(5L));
        cluster.settle().advance(Duration.ofSeconds(30));

        assertThat(cluster.refresh(web).getStatus().getCollisionCount()).isEqualTo(1);
        assertThat(sets(cluster, web)).hasSize(2);
        assertThat(cluster.refresh(web)).isComplete();
    }

    @Test
    void givenAnImageThatNobodyHas_whenTheDeadlinePasses_thenItIsSaidUntilProgressIsMade(Cluster cluster) {
        Deployment wanted = deployment("web", 1);
        wanted.getSpec().setProgressDeadlineSeconds(600);
        wanted.getSpec().getTemplate().getSpec().getContainers().get(0).setImage("registry.example/app:non-existent");
        Deployment web = cluster.create(wanted);
        cluster.settle();
        assertThat(cluster.refresh(web)).hasCondition("Available", "False", "MinimumReplicasUnavailable");

        cluster.advance(Duration.ofSeconds(595));
        assertThat(cluster.refresh(web)).hasCondition("Progressing", "True", "ReplicaSetUpdated");
        cluster.advance(Duration.ofSeconds(10));
        assertThat(cluster.refresh(web)).hasCondition("Progressing", "False", "ProgressDeadlineExceeded");
        assertThat(cluster.refresh(web).getStatus().getConditions())
                .anySatisfy(c -> assertThat(c.getMessage())
                        .isEqualTo("ReplicaSet \""
                                + sets(cluster, web).get(0).getMetadata().getName()
                                + "\" has timed out progressing."));

        setImage(cluster, web, "registry.example/app:1");
        cluster.settle();
        assertThat(cluster.refresh(web)).isComplete().hasCondition("Progressing", "True", "NewReplicaSetAvailable");
    }

    @Test
    void givenTwoDeploymentsWithOneSelector_whenBothRun_thenEachKeepsItsOwnSet(Cluster cluster) {
        Deployment one = cluster.create(deployment("web", 1));
        cluster.settle();
        Deployment overlapping = deployment("web", 2);
        overlapping.getMetadata().setName("web-too");
        Deployment two = cluster.create(overlapping);
        cluster.settle();

        assertThat(cluster.refresh(one)).isComplete();
        assertThat(cluster.refresh(two)).isComplete();
        assertThat(sets(cluster, one)).hasSize(1);
        assertThat(sets(cluster, two)).hasSize(1);

        cluster.scale(one, 3).settle();
        assertThat(cluster.refresh(one)).isComplete();
        assertThat(cluster.refresh(two)).isComplete();
    }

    @Test
    void givenTenReplicas_whenScaledWhileRollingOut_thenEachSetTakesItsShare(Cluster cluster) {
        Deployment wanted = deployment("web", 10);
        wanted.getSpec().getStrategy();
        Deployment web = cluster.create(wanted);
        cluster.edit(web, d -> {
            d.getSpec().getStrategy().getRollingUpdate().setMaxSurge(new IntOrString(3));
            d.getSpec().getStrategy().getRollingUpdate().setMaxUnavailable(new IntOrString(2));
        });
        cluster.settle();
        setImage(cluster, web, "registry.example/app:non-existent");
        cluster.settle();
        assertThat(sets(cluster, web))
                .extracting(rs -> rs.getSpec().getReplicas())
                .containsExactly(8, 5);

        cluster.scale(web, 20).settle();

        assertThat(sets(cluster, web))
                .allSatisfy(rs -> assertThat(rs.getMetadata().getAnnotations()).containsEntry(DESIRED, "20"));
        assertThat(sets(cluster, web).stream()
                        .mapToInt(rs -> rs.getSpec().getReplicas())
                        .sum())
                .isEqualTo(23);

        setImage(cluster, web, "registry.example/app:3");
        cluster.scale(web, 5).settle();
        assertThat(cluster.refresh(web)).isComplete();
        assertThat(cluster.pods(web)).hasSize(5);
    }

    @Test
    void givenADeployment_whenReplicasAndAnnotationsChange_thenStatusFollows(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 2));
        for (int replicas : new int[] {2, 3, 0, 2}) {
            cluster.scale(web, replicas).settle();
            assertThat(cluster.refresh(web)).isComplete();
            assertThat(cluster.pods(web)).hasSize(replicas);
        }
        cluster.edit(web, d -> d.getSpec().getTemplate().getMetadata().setAnnotations(Map.of("test", "value")));
        cluster.settle();
        assertThat(cluster.refresh(web)).isComplete();
        assertThat(sets(cluster, web)).hasSize(2);
    }

    @Test
    void givenLongMinReadySeconds_whenTheyAreLowered_thenTheDeploymentBecomesAvailable(Cluster cluster) {
        Deployment wanted = deployment("web", 10);
        wanted.getSpec().setMinReadySeconds(3600);
        wanted.getSpec().setProgressDeadlineSeconds(7200);
        Deployment web = cluster.create(wanted);
        cluster.settle().advance(Duration.ofSeconds(5));
        assertThat(cluster.refresh(web)).hasCondition("Available", "False", "MinimumReplicasUnavailable");
        assertThat(cluster.refresh(web).getStatus().getReadyReplicas()).isEqualTo(10);

        cluster.edit(web, d -> d.getSpec().setMinReadySeconds(1));
        cluster.settle().advance(Duration.ofSeconds(5));

        assertThat(cluster.refresh(web)).isComplete().hasCondition("Available", "True", "MinimumReplicasAvailable");
    }

    @Test
    void givenAnOrphanedSet_whenItsTemplateIsTheDeployments_thenItIsAdopted(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 1));
        cluster.settle();
        ReplicaSet set = sets(cluster, web).get(0);

        cluster.edit(set, rs -> rs.getMetadata().setOwnerReferences(List.of()));
        cluster.settle();

        assertThat(cluster.refresh(set).getMetadata().getOwnerReferences())
                .singleElement()
                .satisfies(ref -> {
                    assertThat(ref.getUid()).isEqualTo(web.getMetadata().getUid());
                    assertThat(ref.getController()).isTrue();
                });
        assertThat(sets(cluster, web)).hasSize(1);
    }

    @Test
    void givenASet_whenItsLabelsLeave_thenItIsReleasedAndTheNextHasAnotherName(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 1));
        cluster.settle();
        ReplicaSet set = sets(cluster, web).get(0);

        cluster.edit(set, rs -> rs.getMetadata().setLabels(labels("elsewhere")));
        cluster.settle().advance(Duration.ofSeconds(30));

        assertThat(cluster.refresh(set).getMetadata().getOwnerReferences()).isEmpty();
        assertThat(sets(cluster, web))
                .singleElement()
                .satisfies(next -> assertThat(next.getMetadata().getName())
                        .isNotEqualTo(set.getMetadata().getName()));
        assertThat(cluster.refresh(web)).isComplete();
        cluster.delete(set).settle();
    }

    @Test
    void givenRecreate_whenTheTemplateChanges_thenOldAndNewNeverRunTogether(Cluster cluster) {
        Deployment wanted = deployment("web", 3);
        wanted.getSpec()
                .setStrategy(new io.fabric8.kubernetes.api.model.apps.DeploymentStrategyBuilder()
                        .withType("Recreate")
                        .build());
        Deployment web = cluster.create(wanted);
        cluster.settle();
        setImage(cluster, web, "registry.example/app:2");

        do {
            List<String> images = cluster.pods(web).stream()
                    .map(p -> p.getSpec().getContainers().get(0).getImage())
                    .distinct()
                    .toList();
            assertThat(images).hasSizeLessThanOrEqualTo(1);
        } while (cluster.driver().step());

        assertThat(cluster.refresh(web)).isComplete();
    }

    @Test
    void givenAHistoryLimit_whenRolledOutOften_thenTheOldestIdleSetsGo(Cluster cluster) {
        Deployment wanted = deployment("web", 1);
        wanted.getSpec().setRevisionHistoryLimit(2);
        Deployment web = cluster.create(wanted);
        cluster.settle();
        for (int i = 2; i <= 6; i++) {
            setImage(cluster, web, "registry.example/app:" + i);
            cluster.settle();
        }

        assertThat(sets(cluster, web)).extracting(DeploymentTest::revision).containsExactly(4, 5, 6);
    }

    @Test
    void givenARollbackAnnotation_whenTheControllerSeesIt_thenItReturnsToThatRevision(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 1));
        cluster.settle();
        setImage(cluster, web, "registry.example/app:2");
        cluster.settle();

        cluster.edit(web, d -> d.getMetadata().getAnnotations().put("deprecated.deployment.rollback.to", "1"));
        cluster.settle();

        assertThat(image(cluster.refresh(web).getSpec().getTemplate())).isEqualTo("registry.example/app:1");
        assertThat(cluster.refresh(web).getMetadata().getAnnotations())
                .doesNotContainKey("deprecated.deployment.rollback.to");
        assertThat(cluster.refresh(web)).isComplete();
        assertThat(cluster.events(web))
                .extracting(Event::getReason, Event::getMessage)
                .contains(org.assertj.core.groups.Tuple.tuple(
                        "DeploymentRollback", "Rolled back deployment \"web\" to revision 1"));
    }

    @Test
    void givenADeployment_whenItIsDeleted_thenItsSetsAndPodsFollow(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 3));
        cluster.settle();

        cluster.delete(web).settle();

        assertThat(cluster.list(ReplicaSet.class)).isEmpty();
        assertThat(cluster.pods()).isEmpty();
    }

    @Test
    void givenAForeignSetWithTheSameLabels_whenItHasAnotherTemplate_thenItIsAdoptedAsOld(Cluster cluster) {
        ReplicaSet foreign = cluster.create(replicaSet("web", 1));
        foreign = cluster.edit(foreign, rs -> rs.getMetadata().setLabels(labels("web")));
        cluster.settle();
        cluster.edit(
                foreign,
                rs -> rs.getSpec()
                        .getTemplate()
                        .getSpec()
                        .getContainers()
                        .get(0)
                        .setImage("registry.example/app:0"));
        Deployment web = cluster.create(deployment("web", 1));
        cluster.settle();

        assertThat(cluster.refresh(foreign).getMetadata().getOwnerReferences()).hasSize(1);
        assertThat(cluster.refresh(foreign).getSpec().getReplicas()).isZero();
        assertThat(cluster.refresh(web)).isComplete();
    }
}
