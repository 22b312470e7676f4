package io.trimtab.node;

import static io.trimtab.junit.KubernetesAssertions.assertThat;
import static io.trimtab.junit.Workloads.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.PodSecurityContextBuilder;
import io.fabric8.kubernetes.api.model.ProbeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a node refuses of pods, and what it finds when it asks them how they are. */
@TrimtabCluster(delays = true)
class PodRefusalsTest {
    private static final String AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.53";

    private static Pod secured(String name, PodSecurityContext context) {
        return new PodBuilder(pod(name))
                .editSpec()
                .withNodeName("node-1")
                .withSecurityContext(context)
                .editContainer(0)
                .withCommand("sleep", "100000")
                .endContainer()
                .endSpec()
                .build();
    }

    @Test
    void givenSysctls_whenOneIsNotSafe_thenItsPodIsRefusedAndTheOtherRuns(Cluster cluster) {
        Pod safe = cluster.create(secured(
                "safe",
                new PodSecurityContextBuilder()
                        .addNewSysctl("net.ipv4.ip_unprivileged_port_start", "0")
                        .build()));
        Pod unsafe = cluster.create(secured(
                "unsafe",
                new PodSecurityContextBuilder()
                        .addNewSysctl("kernel.msgmax", "10000000000")
                        .build()));
        cluster.advance(Duration.ofSeconds(10));

        assertThat(cluster.refresh(safe)).hasPhase("Running");
        assertThat(cluster.refresh(unsafe)).hasPhase("Failed");
        assertThat(cluster.refresh(unsafe).getStatus().getReason()).isEqualTo("SysctlForbidden");
        assertThat(cluster.refresh(unsafe).getStatus().getMessage())
                .isEqualTo("Pod was rejected: forbidden sysctl: \"kernel.msgmax\" not allowlisted");
    }

    @Test
    void givenStrictGroups_whenTheNodeCannotKeepThem_thenThePodIsRefused(Cluster cluster) {
        Pod pod = cluster.create(secured(
                "strict",
                new PodSecurityContextBuilder()
                        .withSupplementalGroupsPolicy("Strict")
                        .build()));
        cluster.advance(Duration.ofSeconds(10));

        assertThat(cluster.refresh(pod)).hasPhase("Failed");
        assertThat(cluster.refresh(pod).getStatus().getReason()).isEqualTo("SupplementalGroupsPolicyNotSupported");
        assertThat(cluster.refresh(pod).getStatus().getMessage())
                .isEqualTo("Pod was rejected: SupplementalGroupsPolicy=Strict is not supported in this node");
    }

    @Test
    void givenAProbeThatIsSentToAnotherHost_whenItIsDone_thenThePodIsReadyAndAnEventTells(Cluster cluster) {
        Pod pod = cluster.create(new PodBuilder(pod("web"))
                .editSpec()
                .withNodeName("node-1")
                .editContainer(0)
                .withImage(AGNHOST)
                .withArgs("liveness")
                .withReadinessProbe(new ProbeBuilder()
                        .withNewHttpGet()
                        .withPath("/redirect?loc=http%3A%2F%2F0.0.0.0%2F")
                        .withNewPort(8080)
                        .endHttpGet()
                        .build())
                .endContainer()
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(20));

        assertThat(cluster.refresh(pod)).isReady();
        assertThat(cluster.events(pod))
                .filteredOn(event -> event.getReason().equals("ProbeWarning"))
                .isNotEmpty()
                .allSatisfy(event -> {
                    assertThat(event.getType()).isEqualTo("Warning");
                    assertThat(event.getMessage())
                            .startsWith("Readiness probe warning: Probe terminated redirects, Response body: <a href=");
                });
        assertThat(cluster.events(pod)).extracting(Event::getReason).doesNotContain("Unhealthy");
    }

    @Test
    void givenAPodThatServesAWebhook_whenItsNodeAsks_thenItIsReady(Cluster cluster) {
        Pod pod = cluster.create(new PodBuilder(pod("hook"))
                .editSpec()
                .withNodeName("node-1")
                .editContainer(0)
                .withImage(AGNHOST)
                .withArgs("webhook", "--port=8444")
                .withReadinessProbe(new ProbeBuilder()
                        .withPeriodSeconds(1)
                        .withNewHttpGet()
                        .withScheme("HTTPS")
                        .withPath("/readyz")
                        .withNewPort(8444)
                        .endHttpGet()
                        .build())
                .endContainer()
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(10));

        assertThat(cluster.refresh(pod)).isReady();
    }

    @Test
    void givenASidecarWithAStartupProbe_whenItHasNotSucceeded_thenTheContainersWaitAndAreReadySoonAfter(
            Cluster cluster) {
        Pod pod = cluster.create(new PodBuilder(pod("web"))
                .editSpec()
                .withNodeName("node-1")
                .addToInitContainers(new ContainerBuilder()
                        .withName("sidecar")
                        .withImage("busybox")
                        .withRestartPolicy("Always")
                        .withCommand("sh", "-c", "echo ok > /tmp/health; sleep 32; echo ok > /tmp/startup; sleep 600")
                        .withReadinessProbe(new ProbeBuilder()
                                .withPeriodSeconds(30)
                                .withNewExec()
                                .withCommand("cat", "/tmp/health")
                                .endExec()
                                .build())
                        .withStartupProbe(new ProbeBuilder()
                                .withPeriodSeconds(5)
                                .withFailureThreshold(120)
                                .withNewExec()
                                .withCommand("cat", "/tmp/startup")
                                .endExec()
                                .build())
                        .build())
                .editContainer(0)
                .withImage("busybox")
                .withCommand("sleep", "600")
                .endContainer()
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(30));
        assertThat(cluster.refresh(pod)).hasPhase("Pending").isNotReady();
        assertThat(cluster.refresh(pod)
                        .getStatus()
                        .getContainerStatuses()
                        .get(0)
                        .getStarted())
                .isFalse();

        cluster.advance(Duration.ofSeconds(15));

        assertThat(cluster.refresh(pod)).hasPhase("Running").isReady();
    }

    @ParameterizedTest
    @CsvSource({"/bin, true", "../, true", "/nothing, true", "real, false"})
    void givenASubPathThatIsALink_whenItLeadsOutOfTheVolume_thenTheContainerDoesNotStart(
            String target, boolean refused, Cluster cluster) {
        VolumeMount whole =
                new VolumeMountBuilder().withName("data").withMountPath("/data").build();
        Pod pod = cluster.create(new PodBuilder(pod("web"))
                .editSpec()
                .withNodeName("node-1")
                .addNewVolume()
                .withName("data")
                .withNewEmptyDir()
                .endEmptyDir()
                .endVolume()
                .addToInitContainers(new ContainerBuilder()
                        .withName("init")
                        .withImage("busybox")
                        .withCommand("sh", "-c", "mkdir /data/real; ln -s " + target + " /data/sub")
                        .withVolumeMounts(whole)
                        .build())
                .editContainer(0)
                .withImage("busybox")
                .withCommand("sh", "-c", "touch /sub/made; sleep 600")
                .withVolumeMounts(new VolumeMountBuilder(whole)
                        .withMountPath("/sub")
                        .withSubPath("sub")
                        .build())
                .endContainer()
                .endSpec()
                .build());
        cluster.advance(Duration.ofSeconds(15));

        if (!refused) {
            assertThat(cluster.refresh(pod)).hasPhase("Running");
            return;
        }
        assertThat(cluster.refresh(pod)).hasPhase("Pending").isWaiting("CreateContainerConfigError");
        Container container = pod.getSpec().getContainers().get(0);
        assertThat(cluster.refresh(pod)
                        .getStatus()
                        .getContainerStatuses()
                        .get(0)
                        .getState()
                        .getWaiting()
                        .getMessage())
                .isEqualTo("failed to prepare subPath for volumeMount \"data\" of container \"" + container.getName()
                        + "\"");
    }
}
