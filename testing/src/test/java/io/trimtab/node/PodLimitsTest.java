package io.trimtab.node;

import static io.trimtab.junit.KubernetesAssertions.assertThat;
import static io.trimtab.junit.Workloads.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PersistentVolumeBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.node.v1.RuntimeClassBuilder;
import io.trimtab.client.ResourceType;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a node does when a pod asks for other resources than it has, or writes more than it may. */
@TrimtabCluster(delays = true)
class PodLimitsTest {
    private static Pod sized(String name, String cpu, String memory, String... words) {
        return new PodBuilder(pod(name))
                .editSpec()
                .withNodeName("node-1")
                .editContainer(0)
                .withCommand(words.length == 0 ? new String[] {"sleep", "100000"} : words)
                .withNewResources()
                .withRequests(Map.of("cpu", new Quantity(cpu), "memory", new Quantity(memory)))
                .withLimits(Map.of("cpu", new Quantity(cpu), "memory", new Quantity(memory)))
                .endResources()
                .endContainer()
                .endSpec()
                .build();
    }

    private static void resize(Cluster cluster, Pod pod, String cpu, String memory) {
        Pod now = cluster.refresh(pod);
        Container container = now.getSpec().getContainers().get(0);
        Map<String, Quantity> amounts = Map.of("cpu", new Quantity(cpu), "memory", new Quantity(memory));
        container.getResources().setRequests(amounts);
        container.getResources().setLimits(amounts);
        cluster.api()
                .updateSubresource(
                        ResourceType.of(Pod.class), "default", pod.getMetadata().getName(), "resize", now, Pod.class);
        cluster.advance(Duration.ofSeconds(10));
    }

    private static ContainerStatus status(Cluster cluster, Pod pod) {
        return cluster.refresh(pod).getStatus().getContainerStatuses().get(0);
    }

    private static List<PodCondition> pending(Cluster cluster, Pod pod) {
        return cluster.refresh(pod).getStatus().getConditions().stream()
                .filter(c -> c.getType().startsWith("PodResize"))
                .toList();
    }

    private static List<String> reasons(Cluster cluster, HasMetadata object) {
        return cluster.events(object).stream().map(Event::getReason).toList();
    }

    @Test
    void givenARunningPod_whenItAsksForMore_thenItHasMoreWithoutARestart(Cluster cluster) {
        Pod pod = cluster.create(sized("web", "1", "1Gi"));
        cluster.advance(Duration.ofSeconds(5));

        resize(cluster, pod, "2", "2Gi");

        assertThat(status(cluster, pod).getResources().getRequests()).containsEntry("cpu", new Quantity("2"));
        assertThat(status(cluster, pod).getRestartCount()).isZero();
        assertThat(pending(cluster, pod)).isEmpty();
        assertThat(reasons(cluster, pod)).contains("ResizeCompleted");
    }

    @Test
    void givenAPolicyOfRestarts_whenTheMemoryChanges_thenTheContainerRunsAnew(Cluster cluster) {
        Pod pod = cluster.create(new PodBuilder(sized("web", "1", "1Gi"))
                .editSpec()
                .editContainer(0)
                .addNewResizePolicy("memory", "RestartContainer")
                .addNewResizePolicy("cpu", "NotRequired")
                .endContainer()
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(5));

        resize(cluster, pod, "2", "1Gi");
        assertThat(status(cluster, pod).getRestartCount()).isZero();
        resize(cluster, pod, "2", "2Gi");

        assertThat(status(cluster, pod).getRestartCount()).isEqualTo(1);
        assertThat(cluster.refresh(pod)).isReady();
        assertThat(pending(cluster, pod)).isEmpty();
    }

    @Test
    void givenAFullNode_whenAPodAsksForMore_thenItWaitsUntilAnotherGoes(Cluster cluster) {
        Pod other = cluster.create(sized("other", "20", "1Gi"));
        Pod pod = cluster.create(sized("web", "8", "1Gi"));
        cluster.advance(Duration.ofSeconds(5));

        resize(cluster, pod, "16", "1Gi");
        assertThat(pending(cluster, pod)).singleElement().satisfies(condition -> {
            assertThat(condition.getType()).isEqualTo("PodResizePending");
            assertThat(condition.getReason()).isEqualTo("Deferred");
            assertThat(condition.getMessage())
                    .isEqualTo("Node didn't have enough resource: cpu, requested: 16000, used: 20000, capacity: 32000");
        });
        assertThat(status(cluster, pod).getResources().getRequests()).containsEntry("cpu", new Quantity("8"));

        cluster.delete(other).advance(Duration.ofMinutes(1));

        assertThat(pending(cluster, pod)).isEmpty();
        assertThat(status(cluster, pod).getResources().getRequests()).containsEntry("cpu", new Quantity("16"));
    }

    @Test
    void givenANode_whenAPodAsksForMoreThanItsWhole_thenThatIsInfeasible(Cluster cluster) {
        Pod pod = cluster.create(sized("web", "1", "1Gi"));
        cluster.advance(Duration.ofSeconds(5));

        resize(cluster, pod, "64", "1Gi");

        assertThat(pending(cluster, pod)).singleElement().satisfies(condition -> {
            assertThat(condition.getReason()).isEqualTo("Infeasible");
            assertThat(condition.getMessage())
                    .isEqualTo("Node didn't have enough capacity: cpu, requested: 64000, capacity: 32000");
        });
    }

    @Test
    void givenALimitOfItsDisk_whenAContainerWritesMore_thenThePodIsEvicted(Cluster cluster) {
        Pod pod = cluster.create(new PodBuilder(pod("web"))
                .editSpec()
                .withNodeName("node-1")
                .editContainer(0)
                .withCommand("sh", "-c", "sleep 20; dd if=/dev/zero of=file bs=1M count=10; sleep 10000")
                .withNewResources()
                .addToLimits("ephemeral-storage", new Quantity("5Mi"))
                .endResources()
                .endContainer()
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(15));
        assertThat(cluster.refresh(pod)).hasPhase("Running");

        cluster.advance(Duration.ofMinutes(1));

        assertThat(cluster.refresh(pod)).hasPhase("Failed");
        assertThat(cluster.refresh(pod).getStatus().getReason()).isEqualTo("Evicted");
        assertThat(cluster.refresh(pod).getStatus().getMessage())
                .isEqualTo("Pod ephemeral local storage usage exceeds the total limit of containers 5Mi. ");
        assertThat(reasons(cluster, pod)).contains("Evicted");
    }

    @Test
    void givenAPathThatIsAFile_whenAPodMountsItAsADirectory_thenItWaitsAndSaysWhy(Cluster cluster) {
        Pod pod = cluster.create(new PodBuilder(pod("web"))
                .editSpec()
                .withNodeName("node-1")
                .addNewVolume()
                .withName("host")
                .withNewHostPath("/etc/hosts", "Directory")
                .endVolume()
                .editContainer(0)
                .addNewVolumeMount()
                .withName("host")
                .withMountPath("/mnt")
                .endVolumeMount()
                .endContainer()
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(10));

        assertThat(cluster.refresh(pod)).hasPhase("Pending");
        assertThat(cluster.events(pod))
                .anySatisfy(event -> assertThat(event.getMessage())
                        .isEqualTo("MountVolume.SetUp failed for volume \"host\" : hostPath type check failed:"
                                + " /etc/hosts is not a directory"));
    }

    @Test
    void givenALocalVolume_whenItsPathIsMissing_thenThePodWaitsForIt(Cluster cluster) {
        cluster.create(new PersistentVolumeBuilder()
                .withNewMetadata()
                .withName("disk")
                .endMetadata()
                .withNewSpec()
                .addToCapacity("storage", new Quantity("1Gi"))
                .withAccessModes("ReadWriteOnce")
                .withStorageClassName("manual")
                .withNewLocal("ext4", "/mnt/disks/one")
                .withNewNodeAffinity()
                .withNewRequired()
                .addNewNodeSelectorTerm()
                .addNewMatchExpression()
                .withKey("kubernetes.io/hostname")
                .withOperator("In")
                .withValues("node-1")
                .endMatchExpression()
                .endNodeSelectorTerm()
                .endRequired()
                .endNodeAffinity()
                .endSpec()
                .build());
        cluster.create(new PersistentVolumeClaimBuilder()
                .withNewMetadata()
                .withName("disk")
                .endMetadata()
                .withNewSpec()
                .withAccessModes("ReadWriteOnce")
                .withStorageClassName("manual")
                .withNewResources()
                .addToRequests("storage", new Quantity("1Gi"))
                .endResources()
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(30)); // or it would start before its claim is bound
        Pod pod = cluster.create(mounting(
                "web",
                new VolumeBuilder()
                        .withName("disk")
                        .withNewPersistentVolumeClaim("disk", false)
                        .build()));
        cluster.advance(Duration.ofSeconds(20));
        assertThat(cluster.refresh(pod)).hasPhase("Pending");

        Pod visitor = mounting(
                "visitor",
                new VolumeBuilder().withName("disk").withNewHostPath("/", "").build());
        visitor.getSpec()
                .getContainers()
                .get(0)
                .setCommand(List.of(
                        "sh", "-c", "nsenter --mount=/mnt/proc/1/ns/mnt -- mkdir -p /mnt/disks/one; sleep 10000"));
        cluster.create(visitor);
        cluster.advance(Duration.ofSeconds(20));

        assertThat(cluster.refresh(pod)).hasPhase("Running");
    }

    private static Pod mounting(String name, Volume volume) {
        return new PodBuilder(pod(name))
                .editSpec()
                .withNodeName("node-1")
                .withVolumes(volume)
                .editContainer(0)
                .addNewVolumeMount()
                .withName(volume.getName())
                .withMountPath("/mnt")
                .endVolumeMount()
                .endContainer()
                .endSpec()
                .build();
    }

    @Test
    void givenAHandlerThatNobodyHas_whenAPodWantsIt_thenItHasNoSandbox(Cluster cluster) {
        cluster.create(new RuntimeClassBuilder()
                .withNewMetadata()
                .withName("mine")
                .endMetadata()
                .withHandler("no-such-handler")
                .build());
        Pod pod = cluster.create(new PodBuilder(pod("web"))
                .editSpec()
                .withNodeName("node-1")
                .withRuntimeClassName("mine")
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(10));

        assertThat(cluster.refresh(pod)).hasPhase("Pending");
        assertThat(reasons(cluster, pod)).contains("FailedCreatePodSandBox");
    }

    @Test
    void givenAServerOfWhichNothingIsKnown_whenItHasAHook_thenTheHookIsRun(Cluster cluster) {
        Pod server = cluster.create(new PodBuilder(pod("server"))
                .editSpec()
                .withNodeName("node-1")
                .editContainer(0)
                .withImage("registry.k8s.io/e2e-test-images/agnhost:2.56")
                .withArgs("netexec")
                .endContainer()
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(5));
        String address = cluster.refresh(server).getStatus().getPodIP();

        cluster.create(new PodBuilder(pod("web"))
                .editSpec()
                .withNodeName("node-1")
                .editContainer(0)
                .withImage("registry.k8s.io/pause:3.10")
                .withNewLifecycle()
                .withNewPostStart()
                .withNewHttpGet()
                .withHost(address)
                .withPath("/echo?msg=started")
                .withNewPort(8080)
                .endHttpGet()
                .endPostStart()
                .endLifecycle()
                .endContainer()
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(5));

        assertThat(cluster.client()
                        .pods()
                        .inNamespace("default")
                        .withName("server")
                        .getLog())
                .contains("GET /echo?msg=started");
    }
}
