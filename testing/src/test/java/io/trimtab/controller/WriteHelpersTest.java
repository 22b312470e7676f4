package io.trimtab.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.client.Apply;
import io.trimtab.client.ResourceType;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import io.trimtab.junit.Workloads;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What controllers write with, against the server that has the last word. */
@TrimtabCluster
class WriteHelpersTest {
    private static final ResourceType<ConfigMap> MAPS = ResourceType.of(ConfigMap.class);
    private static final String FINALIZER = "trimtab.io/clean-up";

    private static ConfigMap map(String key, String value) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withName("shared")
                .withNamespace("default")
                .endMetadata()
                .withData(Map.of(key, value))
                .build();
    }

    @Test
    void givenTwoOwners_whenEachAppliesItsPart_thenBothPartsStandAndAConflictIsRefused(Cluster cluster) {
        Apply.as("one", cluster.api()).object(map("a", "1"));
        ConfigMap both = Apply.as("two", cluster.api()).object(map("b", "2"));
        assertThat(both.getData()).containsExactlyInAnyOrderEntriesOf(Map.of("a", "1", "b", "2"));

        Apply polite = Apply.as("two", cluster.api()).polite();
        assertThatThrownBy(() -> polite.object(map("a", "other")))
                .isInstanceOf(ApiException.class)
                .matches(e -> ((ApiException) e).isConflict())
                .hasMessageContaining("conflict with \"one\"");
        assertThat(Apply.as("two", cluster.api()).object(map("a", "other")).getData())
                .containsExactlyEntriesOf(Map.of("a", "other"));
    }

    @Test
    void givenAnObjectAsRead_whenItIsAppliedAgain_thenWhatTheServerSetsIsLeftOut(Cluster cluster) {
        Apply apply = Apply.as("one", cluster.api());
        ConfigMap stored = apply.object(map("a", "1"));
        assertThat(apply.object(stored).getMetadata().getResourceVersion())
                .isEqualTo(stored.getMetadata().getResourceVersion());
    }

    @Test
    void givenAStatus_whenApplied_thenNothingElseIsOwned(Cluster cluster) {
        Deployment web = cluster.create(Workloads.deployment("web", 0));
        cluster.settle();
        Deployment wanted = new DeploymentBuilder(cluster.refresh(web))
                .editStatus()
                .withCollisionCount(7)
                .endStatus()
                .build();
        Deployment stored = Apply.as("judge", cluster.api()).status(wanted);

        assertThat(stored.getStatus().getCollisionCount()).isEqualTo(7);
        ManagedFieldsEntry entry = stored.getMetadata().getManagedFields().stream()
                .filter(e -> e.getManager().equals("judge"))
                .findFirst()
                .orElseThrow();
        assertThat(entry.getSubresource()).isEqualTo("status");
        assertThat(entry.getFieldsV1().getAdditionalProperties()).containsOnlyKeys("f:status");
    }

    @Test
    void givenAFinalizer_whenTheObjectIsDeleted_thenItStaysUntilTheFinalizerIsRemoved(Cluster cluster) {
        ConfigMap held = Finalizers.add(cluster.api(), MAPS, cluster.create(map("a", "1")), FINALIZER);
        assertThat(Finalizers.has(held, FINALIZER)).isTrue();
        cluster.delete(held).settle();

        ConfigMap deleting = cluster.refresh(held);
        assertThat(Finalizers.isDeleting(deleting)).isTrue();
        assertThat(Finalizers.add(cluster.api(), MAPS, deleting, "trimtab.io/late"))
                .isSameAs(deleting);
        Finalizers.remove(cluster.api(), MAPS, deleting, FINALIZER);
        assertThat(cluster.exists(held)).isFalse();
        Finalizers.remove(cluster.api(), MAPS, deleting, FINALIZER); // gone already: nothing to do
    }

    @Test
    void givenAStaleObject_whenItsFinalizersChange_thenTheServerRefuses(Cluster cluster) {
        ConfigMap stale = cluster.create(map("a", "1"));
        cluster.edit(stale, m -> m.setData(Map.of("a", "2")));
        assertThatThrownBy(() -> Finalizers.add(cluster.api(), MAPS, stale, FINALIZER))
                .matches(e -> ((ApiException) e).isConflict());
    }
}
