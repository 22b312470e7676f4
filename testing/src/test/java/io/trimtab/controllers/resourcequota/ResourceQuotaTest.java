package io.trimtab.controllers.resourcequota;

import static io.trimtab.junit.Workloads.pod;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceQuota;
import io.fabric8.kubernetes.api.model.ResourceQuotaBuilder;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaim;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaimBuilder;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a namespace uses, as its quotas tell. */
@TrimtabCluster
class ResourceQuotaTest {
    private static ResourceQuota quota(Map<String, Quantity> hard) {
        return new ResourceQuotaBuilder()
                .withNewMetadata()
                .withName("quota")
                .withNamespace("default")
                .endMetadata()
                .withNewSpec()
                .withHard(hard)
                .endSpec()
                .build();
    }

    @Test
    void givenAQuotaOfQuotas_whenItIsNew_thenItCountsItself(Cluster cluster) {
        ResourceQuota quota = cluster.create(
                quota(Map.of("resourcequotas", new Quantity("1"), "count/resourcequotas", new Quantity("2"))));

        cluster.advance(Duration.ofSeconds(2));

        assertThat(cluster.refresh(quota).getStatus().getUsed())
                .containsEntry("resourcequotas", new Quantity("1"))
                .containsEntry("count/resourcequotas", new Quantity("1"));
    }

    @Test
    void givenAQuota_whenARecountMissedWhatWasJustCreated_thenASecondFindsIt(Cluster cluster) {
        ResourceQuota quota = cluster.create(quota(Map.of("count/configmaps", new Quantity("10"))));
        cluster.advance(Duration.ofSeconds(2));
        Quantity before = cluster.refresh(quota).getStatus().getUsed().get("count/configmaps");

        cluster.create(new ConfigMapBuilder()
                .withNewMetadata()
                .withName("one")
                .withNamespace("default")
                .endMetadata()
                .build());
        cluster.editStatus(quota, q -> q.getStatus().setUsed(Map.of("count/configmaps", before)));
        cluster.advance(Duration.ofSeconds(2));

        assertThat(cluster.refresh(quota)
                        .getStatus()
                        .getUsed()
                        .get("count/configmaps")
                        .getNumericalAmount()
                        .intValue())
                .isEqualTo(before.getNumericalAmount().intValue() + 1);
    }

    @Test
    void givenAPod_whenItGetsADeadline_thenItChangesFromOneScopeToTheOther(Cluster cluster) {
        ResourceQuota endless = cluster.create(new ResourceQuotaBuilder(quota(Map.of("pods", new Quantity("5"))))
                .editSpec()
                .withScopes("NotTerminating")
                .endSpec()
                .build());
        ResourceQuota ending = cluster.create(new ResourceQuotaBuilder(quota(Map.of("pods", new Quantity("5"))))
                .editMetadata()
                .withName("ending")
                .endMetadata()
                .editSpec()
                .withScopes("Terminating")
                .endSpec()
                .build());
        Pod pod = cluster.create(pod("web"));
        cluster.advance(Duration.ofSeconds(5));
        assertThat(cluster.refresh(endless).getStatus().getUsed()).containsEntry("pods", new Quantity("1"));

        cluster.edit(pod, p -> p.getSpec().setActiveDeadlineSeconds(3600L));
        cluster.advance(Duration.ofSeconds(2));

        assertThat(cluster.refresh(endless).getStatus().getUsed()).containsEntry("pods", new Quantity("0"));
        assertThat(cluster.refresh(ending).getStatus().getUsed()).containsEntry("pods", new Quantity("1"));
    }

    @Test
    void givenAQuotaOfAnAttributesClass_whenAClaimHasIt_thenOnlyThatClaimCounts(Cluster cluster) {
        ResourceQuota gold =
                cluster.create(new ResourceQuotaBuilder(quota(Map.of("persistentvolumeclaims", new Quantity("5"))))
                        .editSpec()
                        .withNewScopeSelector()
                        .addNewMatchExpression()
                        .withOperator("In")
                        .withScopeName("VolumeAttributesClass")
                        .withValues("gold")
                        .endMatchExpression()
                        .endScopeSelector()
                        .endSpec()
                        .build());
        for (String name : List.of("gold", "silver")) {
            cluster.create(new PersistentVolumeClaimBuilder()
                    .withNewMetadata()
                    .withName(name)
                    .withNamespace("default")
                    .endMetadata()
                    .withNewSpec()
                    .withAccessModes("ReadWriteOnce")
                    .withVolumeAttributesClassName(name)
                    .withNewResources()
                    .addToRequests("storage", new Quantity("1Gi"))
                    .endResources()
                    .endSpec()
                    .build());
        }
        cluster.editStatus(gold, q -> q.getStatus().setUsed(Map.of()));
        cluster.advance(Duration.ofMinutes(6));

        assertThat(cluster.refresh(gold).getStatus().getUsed())
                .containsEntry("persistentvolumeclaims", new Quantity("1"));
    }

    @Test
    void givenAQuotaOfDevices_whenAClaimAsksForSome_thenTheyAreCountedAndMoreAreRefused(Cluster cluster) {
        String key = "gold.deviceclass.resource.k8s.io/devices";
        ResourceQuota quota = cluster.create(quota(Map.of(key, new Quantity("3"))));
        cluster.advance(Duration.ofSeconds(5));
        assertThat(cluster.refresh(quota).getStatus().getUsed()).containsEntry(key, new Quantity("0"));

        ResourceClaim claim = cluster.create(claim("one", 2));
        cluster.advance(Duration.ofSeconds(5));

        assertThat(cluster.refresh(quota).getStatus().getUsed()).containsEntry(key, new Quantity("2"));
        assertThatThrownBy(() -> cluster.create(claim("two", 2)))
                .hasMessageContaining(
                        "exceeded quota: quota, requested: " + key + "=2, used: " + key + "=2, limited: " + key + "=3");
        cluster.delete(claim);
        cluster.advance(Duration.ofSeconds(5));
        assertThat(cluster.refresh(quota).getStatus().getUsed()).containsEntry(key, new Quantity("0"));
    }

    private static ResourceClaim claim(String name, long devices) {
        return new ResourceClaimBuilder()
                .withNewMetadata()
                .withName(name)
                .withNamespace("default")
                .endMetadata()
                .withNewSpec()
                .withNewDevices()
                .addNewRequest()
                .withName("r")
                .withNewExactly()
                .withDeviceClassName("gold")
                .withAllocationMode("ExactCount")
                .withCount(devices)
                .endExactly()
                .endRequest()
                .endDevices()
                .endSpec()
                .build();
    }
}
