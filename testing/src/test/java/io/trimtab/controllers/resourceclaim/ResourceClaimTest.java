package io.trimtab.controllers.resourceclaim;

import static io.trimtab.junit.Workloads.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodResourceClaimStatus;
import io.fabric8.kubernetes.api.model.resource.v1.DeviceClass;
import io.fabric8.kubernetes.api.model.resource.v1.DeviceClassBuilder;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaim;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaimConsumerReference;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaimConsumerReferenceBuilder;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaimTemplate;
import io.fabric8.kubernetes.api.model.resource.v1.ResourceClaimTemplateBuilder;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Claims of pods for devices, without the scheduler: what it would write stands in the tests. */
@TrimtabCluster(nodes = 1, scheduler = false)
class ResourceClaimTest {
    private static final String FINALIZER = "resource.kubernetes.io/delete-protection";

    private static ResourceClaimTemplate template(Cluster cluster) {
        DeviceClass gpus = new DeviceClassBuilder()
                .withNewMetadata()
                .withName("gpus")
                .endMetadata()
                .withNewSpec()
                .endSpec()
                .build();
        cluster.create(gpus);
        return cluster.create(new ResourceClaimTemplateBuilder()
                .withNewMetadata()
                .withName("one-gpu")
                .endMetadata()
                .withNewSpec()
                .withNewMetadata()
                .addToLabels("from", "template")
                .addToAnnotations("note", "kept")
                .endMetadata()
                .withNewSpec()
                .withNewDevices()
                .addNewRequest()
                .withName("gpu")
                .withNewExactly()
                .withDeviceClassName("gpus")
                .endExactly()
                .endRequest()
                .endDevices()
                .endSpec()
                .endSpec()
                .build());
    }

    private static PodBuilder claiming(String name) {
        return new PodBuilder(pod(name))
                .editSpec()
                .addNewResourceClaim()
                .withName("gpu")
                .withResourceClaimTemplateName("one-gpu")
                .endResourceClaim()
                .endSpec();
    }

    private static ResourceClaim claimOf(Cluster cluster, Pod pod) {
        List<PodResourceClaimStatus> statuses = cluster.refresh(pod).getStatus().getResourceClaimStatuses();
        assertThat(statuses).hasSize(1);
        assertThat(statuses.get(0).getName()).isEqualTo("gpu");
        return cluster.get(ResourceClaim.class, statuses.get(0).getResourceClaimName())
                .orElseThrow();
    }

    private static ResourceClaimConsumerReference user(Pod pod) {
        return new ResourceClaimConsumerReferenceBuilder()
                .withResource("pods")
                .withName(pod.getMetadata().getName())
                .withUid(pod.getMetadata().getUid())
                .build();
    }

    /** As the scheduler does it. */
    private static ResourceClaim allocate(Cluster cluster, ResourceClaim claim, Pod... users) {
        cluster.edit(claim, c -> c.getMetadata().getFinalizers().add(FINALIZER));
        return cluster.editStatus(cluster.refresh(claim), c -> {
            c.setStatus(new io.fabric8.kubernetes.api.model.resource.v1.ResourceClaimStatusBuilder()
                    .withNewAllocation()
                    .withNewDevices()
                    .addNewResult()
                    .withRequest("gpu")
                    .withDriver("gpu.example.com")
                    .withPool("node-1")
                    .withDevice("gpu-0")
                    .endResult()
                    .endDevices()
                    .endAllocation()
                    .build());
            for (Pod pod : users) {
                c.getStatus().getReservedFor().add(user(pod));
            }
        });
    }

    @Test
    void givenAPodThatNamesATemplate_whenItIsMade_thenItHasAClaimOfItsOwn(Cluster cluster) {
        template(cluster);
        Pod pod = cluster.create(claiming("train").build());
        cluster.settle();

        ResourceClaim claim = claimOf(cluster, pod);

        assertThat(claim.getMetadata().getName()).startsWith("train-gpu-").hasSize("train-gpu-".length() + 5);
        assertThat(claim.getMetadata().getLabels()).containsEntry("from", "template");
        assertThat(claim.getMetadata().getAnnotations())
                .containsEntry("note", "kept")
                .containsEntry("resource.kubernetes.io/pod-claim-name", "gpu");
        OwnerReference owner = claim.getMetadata().getOwnerReferences().get(0);
        assertThat(owner.getUid()).isEqualTo(pod.getMetadata().getUid());
        assertThat(owner.getController()).isTrue();
        assertThat(owner.getBlockOwnerDeletion()).isTrue();
        assertThat(claim.getSpec()
                        .getDevices()
                        .getRequests()
                        .get(0)
                        .getExactly()
                        .getDeviceClassName())
                .isEqualTo("gpus");

        cluster.delete(pod).settle();
        assertThat(cluster.exists(claim)).isFalse();
    }

    @Test
    void givenNoTemplate_whenAPodNamesIt_thenAnEventSaysSoAndItIsTriedAgain(Cluster cluster) {
        Pod pod = cluster.create(claiming("train").build());
        cluster.advance(Duration.ofSeconds(1));

        assertThat(cluster.events(pod))
                .filteredOn(event -> "FailedResourceClaimCreation".equals(event.getReason()))
                .extracting(Event::getMessage)
                .contains("PodResourceClaim gpu: resource claim template \"one-gpu\":"
                        + " resourceclaimtemplate.resource.k8s.io \"one-gpu\" not found");

        template(cluster);
        cluster.advance(Duration.ofMinutes(20));
        assertThat(claimOf(cluster, pod)).isNotNull();
    }

    @Test
    void givenAClaimInUse_whenItsPodHasEnded_thenTheDevicesAreGivenBackAndTheClaimGoes(Cluster cluster) {
        template(cluster);
        Pod pod = cluster.create(claiming("train").build());
        ResourceClaim claim = claimOf(cluster.settle(), pod);
        allocate(cluster, claim, pod);
        cluster.settle();
        assertThat(cluster.refresh(claim).getStatus().getReservedFor()).containsExactly(user(pod));

        cluster.editStatus(cluster.refresh(pod), p -> p.getStatus().setPhase("Succeeded"));
        cluster.settle();

        assertThat(cluster.exists(claim)).isFalse();
        assertThat(cluster.exists(pod)).isTrue();
    }

    @Test
    void givenASharedClaim_whenOneOfItsPodsGoes_thenTheOtherKeepsItUntilItGoesToo(Cluster cluster) {
        template(cluster);
        ResourceClaim shared = new ResourceClaim();
        shared.setMetadata(new io.fabric8.kubernetes.api.model.ObjectMetaBuilder()
                .withName("shared")
                .build());
        shared.setSpec(cluster.get(ResourceClaimTemplate.class, "one-gpu")
                .orElseThrow()
                .getSpec()
                .getSpec());
        ResourceClaim claim = cluster.create(shared);
        Pod one = cluster.create(sharing("one"));
        Pod two = cluster.create(sharing("two"));
        cluster.settle();
        allocate(cluster, claim, one, two);

        cluster.delete(one).settle();
        assertThat(cluster.refresh(claim).getStatus().getReservedFor()).containsExactly(user(two));
        assertThat(cluster.refresh(claim).getStatus().getAllocation()).isNotNull();

        cluster.delete(two).settle();
        ResourceClaim free = cluster.refresh(claim);
        assertThat(free.getStatus().getReservedFor()).isEmpty();
        assertThat(free.getStatus().getAllocation()).isNull();
        assertThat(free.getMetadata().getFinalizers()).isEmpty();
    }

    private static Pod sharing(String name) {
        return new PodBuilder(pod(name))
                .editSpec()
                .addNewResourceClaim()
                .withName("gpu")
                .withResourceClaimName("shared")
                .endResourceClaim()
                .endSpec()
                .build();
    }

    @Test
    void givenAPodOnANodeWithoutTheSchedulersDoing_whenItsClaimIsAllocated_thenItIsReserved(Cluster cluster) {
        template(cluster);
        Pod pod = cluster.create(
                claiming("train").editSpec().withNodeName("node-1").endSpec().build());
        ResourceClaim claim = claimOf(cluster.settle(), pod);
        assertThat(claim.getStatus().getReservedFor()).isEmpty();

        allocate(cluster, claim);
        cluster.settle();

        assertThat(cluster.refresh(claim).getStatus().getReservedFor()).containsExactly(user(pod));
    }

    @Test
    void givenAnUnusedClaim_whenItIsDeleted_thenItIsDeallocatedAndGoes(Cluster cluster) {
        template(cluster);
        ResourceClaim unused = new ResourceClaim();
        unused.setMetadata(new io.fabric8.kubernetes.api.model.ObjectMetaBuilder()
                .withName("shared")
                .build());
        unused.setSpec(cluster.get(ResourceClaimTemplate.class, "one-gpu")
                .orElseThrow()
                .getSpec()
                .getSpec());
        ResourceClaim claim = cluster.create(unused);
        allocate(cluster, claim);
        cluster.settle();
        assertThat(cluster.refresh(claim).getStatus().getAllocation()).isNotNull();

        cluster.delete(claim).settle();
        assertThat(cluster.exists(claim)).isFalse();
    }

    @Test
    void givenTwoTemplates_whenOneClaimIsLost_thenItAloneIsMadeAgain(Cluster cluster) {
        template(cluster);
        Pod pod = cluster.create(claiming("train")
                .editSpec()
                .addNewResourceClaim()
                .withName("other")
                .withResourceClaimTemplateName("one-gpu")
                .endResourceClaim()
                .endSpec()
                .build());
        cluster.settle();
        List<PodResourceClaimStatus> before = cluster.refresh(pod).getStatus().getResourceClaimStatuses();
        assertThat(before).extracting(PodResourceClaimStatus::getName).containsExactlyInAnyOrder("gpu", "other");

        String lost = before.stream()
                .filter(status -> status.getName().equals("gpu"))
                .findFirst()
                .orElseThrow()
                .getResourceClaimName();
        cluster.delete(cluster.get(ResourceClaim.class, lost).orElseThrow()).settle();

        List<PodResourceClaimStatus> after = cluster.refresh(pod).getStatus().getResourceClaimStatuses();
        assertThat(after).hasSize(2);
        for (PodResourceClaimStatus status : after) {
            assertThat(cluster.get(ResourceClaim.class, status.getResourceClaimName()))
                    .isPresent();
        }
    }

    @Test
    void givenLongNames_whenAClaimIsNamed_thenBothAreShortenedAlike() {
        assertThat(ResourceClaimController.baseName("web", "gpu")).isEqualTo("web-gpu-");
        assertThat(ResourceClaimController.baseName("p".repeat(60), "c".repeat(58)))
                .isEqualTo("p".repeat(28) + "-" + "c".repeat(27));
    }
}
