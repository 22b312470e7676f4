package io.trimtab.controllers.namespace;

import static io.trimtab.junit.Workloads.deployment;
import static io.trimtab.junit.Workloads.service;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.groups.Tuple.tuple;

import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.NamespaceCondition;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Namespaces in a whole cluster: what Kubernetes' integration tests ask of them, NS-1 to NS-8 of the checklist. */
@TrimtabCluster
class NamespaceTest {
    private static Namespace shop(Cluster cluster) {
        Namespace shop = cluster.create(new NamespaceBuilder()
                .withNewMetadata()
                .withName("shop")
                .endMetadata()
                .build());
        cluster.settle();
        return shop;
    }

    @Test
    void givenANamespace_whenItIsMade_thenItIsActiveAndNamedAndHasAnAccount(Cluster cluster) {
        Namespace shop = shop(cluster);

        assertThat(shop.getMetadata().getLabels()).containsEntry("kubernetes.io/metadata.name", "shop");
        assertThat(shop.getStatus().getPhase()).isEqualTo("Active");
        assertThat(shop.getSpec().getFinalizers()).containsExactly("kubernetes");
        assertThat(cluster.get(ServiceAccount.class, "shop", "default")).isPresent();
    }

    @Test
    void givenANamespaceFullOfThings_whenItIsDeleted_thenAllOfThemGo(Cluster cluster) {
        Namespace shop = shop(cluster);
        Deployment web = deployment("web", 3);
        web.getMetadata().setNamespace("shop");
        var service = service("web");
        service.getMetadata().setNamespace("shop");
        cluster.apply(web, service).settle();

        cluster.delete(shop);
        assertThat(cluster.refresh(shop).getStatus().getPhase()).isEqualTo("Terminating");
        cluster.runUntil(() -> !cluster.exists(shop), Duration.ofMinutes(2));

        assertThat(cluster.pods()).isEmpty();
        assertThat(cluster.list(Deployment.class)).isEmpty();
        assertThat(cluster.list(ServiceAccount.class, "shop")).isEmpty();
        // It can be had again, and is empty.
        assertThat(shop(cluster).getStatus().getPhase()).isEqualTo("Active");
    }

    @Test
    void givenADeletingNamespace_whenSomethingIsMadeInIt_thenTheServerRefuses(Cluster cluster) {
        Namespace shop = shop(cluster);
        cluster.delete(shop);

        assertThatThrownBy(() -> cluster.create(new ConfigMapBuilder()
                        .withNewMetadata()
                        .withName("late")
                        .withNamespace("shop")
                        .endMetadata()
                        .build()))
                .isInstanceOfSatisfying(KubernetesClientException.class, e -> {
                    assertThat(e.getCode()).isEqualTo(403);
                    assertThat(e.getMessage())
                            .contains("unable to create new content in namespace shop because it is being terminated");
                });
    }

    @Test
    void givenADeploymentWithAFinalizer_whenItsNamespaceIsDeleted_thenConditionsSayWhatIsLeft(Cluster cluster) {
        Namespace shop = shop(cluster);
        Deployment web = deployment("web", 0);
        web.getMetadata().setNamespace("shop");
        web.getMetadata().setFinalizers(List.of("custom.io/finalizer"));
        Deployment kept = cluster.create(web);

        cluster.delete(shop).advance(Duration.ofSeconds(10));

        assertThat(cluster.refresh(shop).getStatus().getConditions())
                .extracting(NamespaceCondition::getType, NamespaceCondition::getStatus, NamespaceCondition::getReason)
                .containsExactlyInAnyOrder(
                        tuple("NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered"),
                        tuple("NamespaceDeletionGroupVersionParsingFailure", "False", "ParsedGroupVersions"),
                        tuple("NamespaceDeletionContentFailure", "False", "ContentDeleted"),
                        tuple("NamespaceContentRemaining", "True", "SomeResourcesRemain"),
                        tuple("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain"));
        assertThat(cluster.refresh(shop).getStatus().getConditions())
                .extracting(NamespaceCondition::getMessage)
                .contains(
                        "Some resources are remaining: deployments.apps has 1 resource instances",
                        "Some content in the namespace has finalizers remaining: custom.io/finalizer in 1 resource instances");

        cluster.edit(kept, d -> d.getMetadata().setFinalizers(List.of()));
        cluster.runUntil(() -> !cluster.exists(shop), Duration.ofMinutes(2));
    }
}
