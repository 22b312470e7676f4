package io.trimtab.controllers.attachdetach;

import static io.trimtab.junit.Workloads.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.AttachedVolume;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolume;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.storage.CSIDriver;
import io.fabric8.kubernetes.api.model.storage.CSIDriverBuilder;
import io.fabric8.kubernetes.api.model.storage.VolumeAttachment;
import io.fabric8.kubernetes.api.model.storage.VolumeAttachmentStatus;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Volumes of a CSI driver; the tests are the driver, and the kubelets. */
@TrimtabCluster(nodes = 0, scheduler = false)
class AttachDetachTest {
    private static final String UNIQUE = "kubernetes.io/csi/csi.example.com^handle-1";

    private static void volume(Cluster cluster, String mode) {
        cluster.create(new PersistentVolumeBuilder()
                .withNewMetadata()
                .withName("data")
                .endMetadata()
                .withNewSpec()
                .withCapacity(Map.of("storage", new Quantity("1Gi")))
                .withAccessModes(mode)
                .withStorageClassName("")
                .withNewCsi()
                .withDriver("csi.example.com")
                .withVolumeHandle("handle-1")
                .endCsi()
                .endSpec()
                .build());
        cluster.create(new PersistentVolumeClaimBuilder()
                .withNewMetadata()
                .withName("data")
                .endMetadata()
                .withNewSpec()
                .withAccessModes(mode)
                .withStorageClassName("")
                .withNewResources()
                .addToRequests("storage", new Quantity("1Gi"))
                .endResources()
                .endSpec()
                .build());
        cluster.settle();
        assertThat(cluster.get(PersistentVolume.class, "data")
                        .orElseThrow()
                        .getStatus()
                        .getPhase())
                .isEqualTo("Bound");
    }

    private static Node node(Cluster cluster, String name) {
        return cluster.create(new NodeBuilder()
                .withNewMetadata()
                .withName(name)
                .addToAnnotations("volumes.kubernetes.io/controller-managed-attach-detach", "true")
                .endMetadata()
                .build());
    }

    private static Pod reader(Cluster cluster, String name, String node) {
        Pod made = cluster.create(new PodBuilder(pod(name))
                .editSpec()
                .withNodeName(node)
                .addNewVolume()
                .withName("data")
                .withNewPersistentVolumeClaim("data", false)
                .endVolume()
                .endSpec()
                .build());
        cluster.settle();
        return made;
    }

    private static List<VolumeAttachment> attachments(Cluster cluster) {
        return cluster.list(VolumeAttachment.class);
    }

    private static void driverAttaches(Cluster cluster, VolumeAttachment attachment) {
        cluster.editStatus(attachment, a -> {
            a.setStatus(new VolumeAttachmentStatus());
            a.getStatus().setAttached(true);
        });
        cluster.settle();
    }

    private static List<String> attached(Cluster cluster, Node node) {
        return cluster.refresh(node).getStatus().getVolumesAttached().stream()
                .map(AttachedVolume::getName)
                .toList();
    }

    @Test
    void givenAPodOnANode_whenItUsesAVolume_thenItIsAttachedAndTheNodeIsTold(Cluster cluster) {
        volume(cluster, "ReadWriteOnce");
        Node node = node(cluster, "n1");
        Pod pod = reader(cluster, "web", "n1");

        VolumeAttachment attachment = attachments(cluster).get(0);
        assertThat(attachment.getMetadata().getName())
                .isEqualTo("csi-fa04bf157fbd50ea846bd6b6cf1a8382f57a5beb146f5c09e57a0c1a3d59db6e");
        assertThat(attachment.getSpec().getAttacher()).isEqualTo("csi.example.com");
        assertThat(attachment.getSpec().getNodeName()).isEqualTo("n1");
        assertThat(attachment.getSpec().getSource().getPersistentVolumeName()).isEqualTo("data");
        assertThat(attached(cluster, node)).isEmpty();

        driverAttaches(cluster, attachment);

        assertThat(attached(cluster, node)).containsExactly(UNIQUE);
        assertThat(cluster.events(pod))
                .filteredOn(event -> "SuccessfulAttachVolume".equals(event.getReason()))
                .extracting(Event::getMessage)
                .containsExactly("AttachVolume.Attach succeeded for volume \"data\" ");

        cluster.editStatus(cluster.refresh(pod), p -> p.getStatus().setPhase("Succeeded"));
        cluster.settle();
        assertThat(attached(cluster, node)).isEmpty();
        assertThat(attachments(cluster)).isEmpty();
    }

    @Test
    void givenAVolumeOfOneNode_whenAPodOfAnotherUsesIt_thenItWaitsAndIsToldWhy(Cluster cluster) {
        volume(cluster, "ReadWriteOnce");
        node(cluster, "n1");
        node(cluster, "n2");
        Pod first = reader(cluster, "first", "n1");
        driverAttaches(cluster, attachments(cluster).get(0));

        Pod second = reader(cluster, "second", "n2");

        assertThat(attachments(cluster)).hasSize(1);
        assertThat(cluster.events(second))
                .filteredOn(event -> "FailedAttachVolume".equals(event.getReason()))
                .extracting(Event::getMessage)
                .containsExactly("Multi-Attach error for volume \"data\" Volume is already used by pod(s) first");

        cluster.editStatus(cluster.refresh(first), p -> p.getStatus().setPhase("Succeeded"));
        cluster.settle();
        assertThat(attachments(cluster))
                .singleElement()
                .satisfies(attachment ->
                        assertThat(attachment.getSpec().getNodeName()).isEqualTo("n2"));
    }

    @Test
    void givenAVolumeThatIsMounted_whenItsPodGoes_thenItIsDetachedOnlyWhenTheNodeHasLetGo(Cluster cluster) {
        volume(cluster, "ReadWriteMany");
        Node node = node(cluster, "n1");
        Pod pod = reader(cluster, "web", "n1");
        driverAttaches(cluster, attachments(cluster).get(0));
        cluster.editStatus(cluster.refresh(node), n -> {
            n.getStatus().setVolumesInUse(List.of(UNIQUE));
            n.getStatus()
                    .setConditions(List.of(new io.fabric8.kubernetes.api.model.NodeConditionBuilder()
                            .withType("Ready")
                            .withStatus("True")
                            .build()));
        });
        cluster.settle();

        cluster.editStatus(cluster.refresh(pod), p -> p.getStatus().setPhase("Succeeded"));
        cluster.settle();
        assertThat(attachments(cluster)).hasSize(1);

        cluster.editStatus(cluster.refresh(node), n -> n.getStatus().setVolumesInUse(List.of()));
        cluster.settle();
        assertThat(attachments(cluster)).isEmpty();
    }

    @Test
    void givenADriverThatAttachesNothing_whenAPodUsesItsVolume_thenNothingIsMade(Cluster cluster) {
        CSIDriver driver = new CSIDriverBuilder()
                .withNewMetadata()
                .withName("csi.example.com")
                .endMetadata()
                .withNewSpec()
                .withAttachRequired(false)
                .endSpec()
                .build();
        cluster.create(driver);
        volume(cluster, "ReadWriteOnce");
        node(cluster, "n1");
        reader(cluster, "web", "n1");

        assertThat(attachments(cluster)).isEmpty();
    }
}
