package io.trimtab.controllers.persistentvolume;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.storage.StorageClassBuilder;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import io.trimtab.junit.Workloads;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Claims and volumes find each other, and part, as Kubernetes' binder does it. */
@TrimtabCluster
class PersistentVolumeBinderTest {

    private static PersistentVolumeBuilder volume(String name, String size) {
        return new PersistentVolumeBuilder()
                .withNewMetadata()
                .withName(name)
                .endMetadata()
                .withNewSpec()
                .withCapacity(Map.of("storage", new Quantity(size)))
                .withAccessModes("ReadWriteOnce")
                .withPersistentVolumeReclaimPolicy("Retain")
                .withNewHostPath("/data/" + name, "")
                .endSpec();
    }

    private static PersistentVolumeClaimBuilder claim(String name, String size, String storageClass) {
        return new PersistentVolumeClaimBuilder()
                .withNewMetadata()
                .withNamespace("default")
                .withName(name)
                .endMetadata()
                .withNewSpec()
                .withAccessModes("ReadWriteOnce")
                .withStorageClassName(storageClass)
                .withNewResources()
                .addToRequests("storage", new Quantity(size))
                .endResources()
                .endSpec();
    }

    private static String phase(Cluster cluster, PersistentVolumeClaim claim) {
        return cluster.refresh(claim).getStatus().getPhase();
    }

    private static String phase(Cluster cluster, PersistentVolume volume) {
        return cluster.refresh(volume).getStatus().getPhase();
    }

    private static List<String> events(Cluster cluster, HasMetadata object) {
        return cluster.events(object).stream()
                .map(event -> event.getType() + " " + event.getReason() + ": " + event.getMessage())
                .toList();
    }

    @Test
    void givenVolumes_whenAClaimComes_thenItTakesTheSmallestThatIsLargeEnough(Cluster cluster) {
        PersistentVolume small = cluster.create(volume("small", "1Gi").build());
        PersistentVolume large = cluster.create(volume("large", "100Gi").build());
        PersistentVolume fitting = cluster.create(volume("fitting", "10Gi").build());
        cluster.settle();
        assertThat(phase(cluster, small)).isEqualTo("Available");

        PersistentVolumeClaim claim = cluster.create(claim("data", "5Gi", "").build());
        cluster.settle();

        PersistentVolumeClaim bound = cluster.refresh(claim);
        assertThat(bound.getSpec().getVolumeName()).isEqualTo("fitting");
        assertThat(bound.getMetadata().getAnnotations())
                .containsEntry("pv.kubernetes.io/bind-completed", "yes")
                .containsEntry("pv.kubernetes.io/bound-by-controller", "yes");
        assertThat(bound.getStatus().getPhase()).isEqualTo("Bound");
        assertThat(bound.getStatus().getCapacity()).containsEntry("storage", new Quantity("10Gi"));
        assertThat(bound.getStatus().getAccessModes()).containsExactly("ReadWriteOnce");
        PersistentVolume taken = cluster.refresh(fitting);
        assertThat(taken.getStatus().getPhase()).isEqualTo("Bound");
        assertThat(taken.getSpec().getClaimRef().getUid())
                .isEqualTo(claim.getMetadata().getUid());
        assertThat(phase(cluster, large)).isEqualTo("Available");
    }

    @Test
    void givenABoundVolume_whenItsClaimGoes_thenItIsReleasedAndKept(Cluster cluster) {
        PersistentVolume volume = cluster.create(volume("v", "1Gi").build());
        cluster.settle();
        PersistentVolumeClaim claim = cluster.create(claim("data", "1Gi", "").build());
        cluster.settle();

        cluster.delete(claim).settle();
        PersistentVolumeClaim next = cluster.create(claim("other", "1Gi", "").build());
        cluster.settle();

        assertThat(phase(cluster, volume)).isEqualTo("Released");
        assertThat(phase(cluster, next)).isEqualTo("Pending");
        assertThat(events(cluster, next))
                .containsExactly(
                        "Normal FailedBinding: no persistent volumes available for this claim and no storage class is set");
    }

    @Test
    void givenABoundClaim_whenItsVolumeIsGone_thenItIsLost(Cluster cluster) {
        PersistentVolume volume = cluster.create(volume("v", "1Gi").build());
        cluster.settle();
        PersistentVolumeClaim claim = cluster.create(claim("data", "1Gi", "").build());
        cluster.settle();

        cluster.edit(volume, one -> one.getMetadata().setFinalizers(List.of()));
        cluster.delete(volume).settle();

        assertThat(phase(cluster, claim)).isEqualTo("Lost");
        assertThat(events(cluster, claim))
                .containsExactly(
                        "Warning ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!");
    }

    @Test
    void givenTheDefaultClass_whenAClaimNamesNone_thenAVolumeIsMadeAndGoesWithIt(Cluster cluster) {
        cluster.settle();
        PersistentVolumeClaim claim = cluster.create(
                new PersistentVolumeClaimBuilder(claim("data", "1Gi", "x").build())
                        .editSpec()
                        .withStorageClassName(null)
                        .endSpec()
                        .build());
        cluster.settle();

        PersistentVolumeClaim bound = cluster.refresh(claim);
        assertThat(bound.getStatus().getPhase()).isEqualTo("Bound");
        assertThat(bound.getSpec().getStorageClassName()).isEqualTo("standard");
        assertThat(bound.getSpec().getVolumeName())
                .isEqualTo("pvc-" + claim.getMetadata().getUid());
        assertThat(bound.getMetadata().getAnnotations())
                .containsEntry("volume.kubernetes.io/storage-provisioner", "trimtab.io/simulated");

        cluster.delete(claim).settle();
        assertThat(cluster.list(PersistentVolume.class)).isEmpty();
    }

    @Test
    void givenAClaimForOneVolume_whenThatDoesNotFit_thenTheClaimSaysWhy(Cluster cluster) {
        cluster.create(volume("v", "1Gi").build());
        PersistentVolumeClaim claim = cluster.create(
                new PersistentVolumeClaimBuilder(claim("data", "2Gi", "").build())
                        .editSpec()
                        .withVolumeName("v")
                        .endSpec()
                        .build());
        cluster.settle();

        assertThat(phase(cluster, claim)).isEqualTo("Pending");
        assertThat(events(cluster, claim))
                .containsExactly(
                        "Warning VolumeMismatch: Cannot bind to requested volume \"v\": requested PV is too small");
    }

    @Test
    void givenAClassOfSomebodyElse_whenAClaimAsks_thenThatProvisionerIsTold(Cluster cluster) {
        cluster.create(new StorageClassBuilder()
                .withNewMetadata()
                .withName("fast")
                .endMetadata()
                .withProvisioner("example.com/fast")
                .build());
        PersistentVolumeClaim claim =
                cluster.create(claim("data", "1Gi", "fast").build());
        PersistentVolumeClaim lost = cluster.create(claim("lost", "1Gi", "none").build());
        cluster.settle();

        assertThat(cluster.refresh(claim).getMetadata().getAnnotations())
                .containsEntry("volume.kubernetes.io/storage-provisioner", "example.com/fast")
                .containsEntry("volume.beta.kubernetes.io/storage-provisioner", "example.com/fast");
        assertThat(events(cluster, claim)).first().asString().startsWith("Normal ExternalProvisioning: Waiting for");
        assertThat(events(cluster, lost))
                .containsExactly("Warning ProvisioningFailed: storageclass.storage.k8s.io \"none\" not found");
    }

    @Test
    void givenAReservedVolume_whenItsClaimComes_thenNobodyElseGetsIt(Cluster cluster) {
        PersistentVolume volume =
                cluster.create(new PersistentVolumeBuilder(volume("v", "1Gi").build())
                        .editSpec()
                        .withNewClaimRef()
                        .withNamespace("default")
                        .withName("mine")
                        .endClaimRef()
                        .endSpec()
                        .build());
        PersistentVolumeClaim other = cluster.create(claim("other", "1Gi", "").build());
        cluster.settle();
        assertThat(phase(cluster, volume)).isEqualTo("Available");

        PersistentVolumeClaim mine = cluster.create(claim("mine", "1Gi", "").build());
        cluster.settle();

        assertThat(phase(cluster, mine)).isEqualTo("Bound");
        assertThat(phase(cluster, other)).isEqualTo("Pending");
        assertThat(cluster.refresh(volume).getMetadata().getAnnotations()).isNullOrEmpty();
    }

    @Test
    void givenAReleasedVolumeThatNobodyCanDelete_whenReclaimed_thenItFails(Cluster cluster) {
        PersistentVolume volume =
                cluster.create(new PersistentVolumeBuilder(volume("v", "1Gi").build())
                        .editSpec()
                        .withPersistentVolumeReclaimPolicy("Delete")
                        .endSpec()
                        .build());
        PersistentVolumeClaim claim = cluster.create(claim("data", "1Gi", "").build());
        cluster.settle();
        cluster.delete(claim).settle();

        assertThat(phase(cluster, volume)).isEqualTo("Failed");
        assertThat(cluster.refresh(volume).getStatus().getMessage())
                .isEqualTo("host_path deleter only supports /tmp/.+ but received provided /data/v");
    }

    @Test
    void givenAClassThatWaits_whenAPodComes_thenTheVolumeIsMadeForItsNode(Cluster cluster) {
        cluster.create(new StorageClassBuilder()
                .withNewMetadata()
                .withName("late")
                .endMetadata()
                .withProvisioner("trimtab.io/simulated")
                .withVolumeBindingMode("WaitForFirstConsumer")
                .build());
        PersistentVolumeClaim claim =
                cluster.create(claim("data", "1Gi", "late").build());
        cluster.settle();
        assertThat(phase(cluster, claim)).isEqualTo("Pending");
        assertThat(events(cluster, claim))
                .containsExactly(
                        "Normal WaitForFirstConsumer: waiting for first consumer to be created before binding");

        var pod = cluster.create(new PodBuilder(Workloads.pod("web"))
                .editSpec()
                .addNewVolume()
                .withName("data")
                .withNewPersistentVolumeClaim("data", false)
                .endVolume()
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(5));

        String node = cluster.refresh(pod).getSpec().getNodeName();
        assertThat(node).isNotNull();
        assertThat(phase(cluster, claim)).isEqualTo("Bound");
        assertThat(cluster.refresh(claim).getMetadata().getAnnotations())
                .containsEntry("volume.kubernetes.io/selected-node", node);
    }

    @Test
    void givenAClaimWithAttributes_whenItsClassAndSizeChange_thenTheSimulatedStorageFollows(Cluster cluster) {
        PersistentVolumeClaim claim = cluster.create(claim("data", "1Gi", "standard")
                .editSpec()
                .withVolumeAttributesClassName("silver")
                .endSpec()
                .build());
        cluster.settle();
        assertThat(phase(cluster, claim)).isEqualTo("Bound");

        cluster.edit(claim, c -> {
            c.getSpec().setVolumeAttributesClassName("gold");
            c.getSpec().getResources().setRequests(Map.of("storage", new Quantity("2Gi")));
        });
        cluster.settle();

        PersistentVolumeClaim changed = cluster.refresh(claim);
        assertThat(changed.getStatus().getCurrentVolumeAttributesClassName()).isEqualTo("gold");
        assertThat(changed.getStatus().getCapacity()).containsEntry("storage", new Quantity("2Gi"));
        assertThat(cluster.client()
                        .persistentVolumes()
                        .withName(changed.getSpec().getVolumeName())
                        .get()
                        .getSpec())
                .satisfies(volume -> {
                    assertThat(volume.getVolumeAttributesClassName()).isEqualTo("gold");
                    assertThat(volume.getCapacity()).containsEntry("storage", new Quantity("2Gi"));
                });
    }
}
