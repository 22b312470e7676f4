package io.trimtab.controllers.garbagecollector;

import static io.trimtab.junit.Workloads.deployment;
import static io.trimtab.junit.Workloads.pod;
import static io.trimtab.junit.Workloads.replicationController;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ReplicationController;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBuilder;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The garbage collector in a whole cluster: what Kubernetes' integration tests ask of it, GC-1 to GC-13 of the checklist. */
@TrimtabCluster
class GarbageCollectorTest {
    private static OwnerReference reference(HasMetadata owner, boolean blocks) {
        return new OwnerReferenceBuilder()
                .withApiVersion(owner.getApiVersion())
                .withKind(owner.getKind())
                .withName(owner.getMetadata().getName())
                .withUid(owner.getMetadata().getUid())
                .withBlockOwnerDeletion(blocks)
                .build();
    }

    private static ConfigMap map(String name, OwnerReference... owners) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace("default")
                .withOwnerReferences(owners)
                .endMetadata()
                .build();
    }

    @Test
    void givenOwnedPods_whenTheOwnerIsDeletedInTheBackground_thenTheyFollowAndOthersStay(Cluster cluster) {
        ReplicationController web = cluster.create(replicationController("web", 3));
        Pod alone = cluster.create(pod("alone"));
        cluster.settle();

        cluster.delete(web).settle();

        assertThat(cluster.pods()).extracting(p -> p.getMetadata().getName()).containsExactly("alone");
        assertThat(cluster.exists(alone)).isTrue();
    }

    @Test
    void givenOwnedPods_whenTheOwnerIsDeletedAsOrphaning_thenTheyStayWithoutIt(Cluster cluster) {
        ReplicationController web = cluster.create(replicationController("web", 3));
        cluster.settle();

        cluster.delete(web, DeletionPropagation.ORPHAN).settle();

        assertThat(cluster.exists(web)).isFalse();
        assertThat(cluster.pods())
                .hasSize(3)
                .allMatch(p -> p.getMetadata().getOwnerReferences().isEmpty());
    }

    @Test
    @TrimtabCluster(delays = true)
    void givenADeployment_whenItIsDeletedInTheForeground_thenItGoesLast(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 3));
        cluster.advance(Duration.ofSeconds(5));

        cluster.delete(web, DeletionPropagation.FOREGROUND);
        cluster.settle();
        assertThat(cluster.refresh(web).getMetadata().getFinalizers()).contains("foregroundDeletion");
        while (cluster.driver().step()) {
            if (!cluster.exists(web)) {
                assertThat(cluster.pods()).isEmpty();
            }
        }
        cluster.runUntil(() -> !cluster.exists(web), Duration.ofMinutes(1));

        assertThat(cluster.pods()).isEmpty();
        assertThat(cluster.list(ReplicaSet.class)).isEmpty();
    }

    @Test
    void givenAnOwnerThatNeverWas_whenADependentIsMade_thenItIsDeleted(Cluster cluster) {
        OwnerReference nobody = new OwnerReferenceBuilder()
                .withApiVersion("v1")
                .withKind("ReplicationController")
                .withName("nobody")
                .withUid("00000000-0000-0000-0000-000000000001")
                .build();
        ConfigMap orphan = cluster.create(map("orphan", nobody));

        cluster.settle().advance(Duration.ofSeconds(5));

        assertThat(cluster.exists(orphan)).isFalse();
    }

    @Test
    void givenOneOwnerThatStays_whenTheOtherIsDeleted_thenTheReferenceGoesAndTheDependentStays(Cluster cluster) {
        ConfigMap stays = cluster.create(map("stays"));
        ConfigMap goes = cluster.create(map("goes"));
        ConfigMap child = cluster.create(map("child", reference(stays, false), reference(goes, false)));
        cluster.settle();

        cluster.delete(goes).settle();

        assertThat(cluster.refresh(child).getMetadata().getOwnerReferences()).containsExactly(reference(stays, false));
    }

    @Test
    void givenASolidOwner_whenAnotherWaitsForItsDependents_thenItDoesNotWaitForThisOne(Cluster cluster) {
        ConfigMap stays = cluster.create(map("stays"));
        ConfigMap goes = cluster.create(map("goes"));
        ConfigMap child = cluster.create(map("child", reference(stays, false), reference(goes, true)));
        cluster.settle();

        cluster.delete(goes, DeletionPropagation.FOREGROUND).settle();

        assertThat(cluster.exists(goes)).isFalse();
        assertThat(cluster.refresh(child).getMetadata().getOwnerReferences()).containsExactly(reference(stays, false));
    }

    @Test
    void givenDependentsThatDoNotBlock_whenTheOwnerIsDeletedInTheForeground_thenItDoesNotWait(Cluster cluster) {
        ConfigMap owner = cluster.create(map("owner"));
        ConfigMap stuck = map("stuck", reference(owner, false));
        stuck.getMetadata().setFinalizers(List.of("example.com/keep"));
        ConfigMap child = cluster.create(stuck);
        cluster.settle();

        cluster.delete(owner, DeletionPropagation.FOREGROUND).settle();

        assertThat(cluster.exists(owner)).isFalse();
        assertThat(cluster.refresh(child).getMetadata().getDeletionTimestamp()).isNotNull();
    }

    @Test
    void givenADependentThatBlocks_whenTheOwnerIsDeletedInTheForeground_thenItWaits(Cluster cluster) {
        ConfigMap owner = cluster.create(map("owner"));
        ConfigMap stuck = map("stuck", reference(owner, true));
        stuck.getMetadata().setFinalizers(List.of("example.com/keep"));
        ConfigMap child = cluster.create(stuck);
        cluster.settle();

        cluster.delete(owner, DeletionPropagation.FOREGROUND).settle().advance(Duration.ofSeconds(10));
        assertThat(cluster.exists(owner)).isTrue();
        assertThat(cluster.refresh(child).getMetadata().getDeletionTimestamp()).isNotNull();

        cluster.edit(child, m -> m.getMetadata().setFinalizers(List.of()));
        cluster.settle();
        assertThat(cluster.exists(owner)).isFalse();
    }

    @Test
    void givenAForegroundDeletion_whenDeletedAgainAndAFinalizerStays_thenOnlyThatOneHoldsIt(Cluster cluster) {
        ConfigMap owner = map("owner");
        owner.getMetadata().setFinalizers(List.of("example.com/keep"));
        ConfigMap kept = cluster.create(owner);
        cluster.settle();

        cluster.delete(kept, DeletionPropagation.FOREGROUND).settle();
        assertThat(cluster.refresh(kept).getMetadata().getFinalizers()).containsExactly("example.com/keep");
        cluster.delete(kept, DeletionPropagation.FOREGROUND).settle();
        assertThat(cluster.refresh(kept).getMetadata().getFinalizers()).containsExactly("example.com/keep");

        cluster.edit(kept, m -> m.getMetadata().setFinalizers(List.of()));
        cluster.settle();
        assertThat(cluster.exists(kept)).isFalse();
    }

    @Test
    void givenReferencesAcrossNamespaces_whenCollected_thenOnlyTheInvalidChildrenGo(Cluster cluster) {
        Namespace other = cluster.create(new NamespaceBuilder()
                .withNewMetadata()
                .withName("other")
                .endMetadata()
                .build());
        ConfigMap parent = cluster.create(map("parent"));
        List<ConfigMap> valid = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            valid.add(cluster.create(map("valid-" + i, reference(parent, false))));
        }
        ConfigMap across = map("invalid", reference(parent, false));
        across.getMetadata().setNamespace(other.getMetadata().getName());
        ConfigMap invalid = cluster.create(across);

        cluster.settle().advance(Duration.ofSeconds(10));

        assertThat(valid).allMatch(cluster::exists);
        assertThat(cluster.exists(invalid)).isFalse();
        assertThat(cluster.list(Event.class, "other")).anySatisfy(event -> {
            assertThat(event.getReason()).isEqualTo("OwnerRefInvalidNamespace");
            assertThat(event.getMessage()).endsWith("does not exist in namespace \"other\"");
        });
    }

    @Test
    void givenClusterScopedOwners_whenOneGoes_thenItsNamespacedDependentGoesToo(Cluster cluster) {
        ClusterRole owner = cluster.create(new ClusterRoleBuilder()
                .withNewMetadata()
                .withName("owner")
                .endMetadata()
                .build());
        ConfigMap child = cluster.create(map("child", reference(owner, false)));
        // A namespaced owner of a cluster-scoped object is a mistake, and no reason to delete anything.
        ClusterRole strange = cluster.create(new ClusterRoleBuilder()
                .withNewMetadata()
                .withName("strange")
                .withOwnerReferences(reference(child, false))
                .endMetadata()
                .build());
        cluster.settle();
        assertThat(cluster.exists(child)).isTrue();

        cluster.delete(owner).settle();

        assertThat(cluster.exists(child)).isFalse();
        assertThat(cluster.exists(strange)).isTrue();
    }

    @Test
    void givenACircleOfBlockingOwners_whenOneIsDeletedInTheForeground_thenAllGo(Cluster cluster) {
        ConfigMap one = cluster.create(map("one"));
        ConfigMap two = cluster.create(map("two", reference(one, true)));
        cluster.edit(one, m -> m.getMetadata().setOwnerReferences(List.of(reference(two, true))));
        cluster.settle();

        cluster.delete(one, DeletionPropagation.FOREGROUND).settle();

        assertThat(cluster.exists(one)).isFalse();
        assertThat(cluster.exists(two)).isFalse();
    }
}
