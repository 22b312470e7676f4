package io.trimtab.node;

import static io.trimtab.junit.KubernetesAssertions.assertThat;
import static io.trimtab.junit.Workloads.pod;
import static io.trimtab.junit.Workloads.replicaSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.groups.Tuple.tuple;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Pods;
import io.trimtab.junit.TrimtabCluster;
import io.trimtab.node.simulated.Simulation;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Simulated nodes in a whole cluster: that they do to pods what a kubelet does. */
@TrimtabCluster(delays = true)
class NodeAgentTest {
    private static Pod command(String restartPolicy, String... words) {
        return new PodBuilder(pod("web"))
                .editSpec()
                .withRestartPolicy(restartPolicy)
                .withNodeName("node-1")
                .editContainer(0)
                .withCommand(words)
                .endContainer()
                .endSpec()
                .build();
    }

    @Test
    void givenAServer_whenItsPodIsMade_thenItIsPulledStartedAndReady(Cluster cluster) {
        Pod pod = cluster.create(command("Always"));
        cluster.settle();
        assertThat(cluster.refresh(pod)).hasPhase("Pending").isWaiting("ContainerCreating");

        cluster.advance(Duration.ofSeconds(5));

        Pod now = cluster.refresh(pod);
        assertThat(now).hasPhase("Running").isReady().isOnNode("node-1").hasRestarts(0);
        assertThat(now.getStatus().getPodIP()).startsWith("172.16.");
        assertThat(now.getStatus().getHostIP()).isNotEmpty();
        assertThat(now.getStatus().getQosClass()).isEqualTo("BestEffort");
        assertThat(cluster.events(pod))
                .extracting(Event::getReason)
                .containsSubsequence("Pulling", "Pulled", "Created", "Started");
        assertThat(cluster.events(pod)).allSatisfy(event -> {
            assertThat(event.getSource().getComponent()).isEqualTo("kubelet");
            assertThat(event.getSource().getHost()).isEqualTo("node-1");
        });
    }

    @Test
    void givenRestartNever_whenTheCommandSucceeds_thenThePodHasSucceeded(Cluster cluster) {
        Pod pod = cluster.create(command("Never", "sleep", "5"));
        cluster.advance(Duration.ofSeconds(3));
        assertThat(cluster.refresh(pod)).hasPhase("Running");

        cluster.advance(Duration.ofSeconds(5));

        assertThat(cluster.refresh(pod)).hasPhase("Succeeded").isNotReady().hasRestarts(0);
        assertThat(cluster.refresh(pod)
                        .getStatus()
                        .getContainerStatuses()
                        .get(0)
                        .getState()
                        .getTerminated())
                .satisfies(ended -> {
                    assertThat(ended.getExitCode()).isZero();
                    assertThat(ended.getReason()).isEqualTo("Completed");
                });
    }

    @Test
    void givenRestartNever_whenTheCommandFails_thenThePodHasFailed(Cluster cluster) {
        Pod pod = cluster.create(command("Never", "sh", "-c", "exit 3"));
        cluster.advance(Duration.ofSeconds(5));

        assertThat(cluster.refresh(pod)).hasPhase("Failed");
        assertThat(cluster.refresh(pod)
                        .getStatus()
                        .getContainerStatuses()
                        .get(0)
                        .getState()
                        .getTerminated()
                        .getExitCode())
                .isEqualTo(3);
    }

    @Test
    void givenRestartOnFailure_whenTheCommandFails_thenItIsTriedAgainEverMoreSlowly(Cluster cluster) {
        Pod pod = cluster.create(command("OnFailure", "false"));
        cluster.advance(Duration.ofSeconds(8));
        assertThat(cluster.refresh(pod)).isWaiting("CrashLoopBackOff").hasPhase("Running");
        int early = Pods.restarts(cluster.refresh(pod));
        assertThat(early).isBetween(1, 2);

        cluster.advance(Duration.ofMinutes(10));

        assertThat(Pods.restarts(cluster.refresh(pod))).isBetween(5, 8);
        assertThat(cluster.events(pod)).extracting(Event::getReason).contains("BackOff");
    }

    @Test
    void givenRestartOnFailure_whenTheCommandSucceeds_thenItIsNotRunAgain(Cluster cluster) {
        Pod pod = cluster.create(command("OnFailure", "true"));
        cluster.advance(Duration.ofMinutes(2));

        assertThat(cluster.refresh(pod)).hasPhase("Succeeded").hasRestarts(0);
    }

    @Test
    void givenAnImageThatNobodyHas_whenPulled_thenItSaysSoAndBacksOff(Cluster cluster) {
        Pod wanted = command("Always");
        wanted.getSpec().getContainers().get(0).setImage("registry.example/app:non-existent");
        Pod pod = cluster.create(wanted);

        cluster.runUntil(() -> Pods.waitingReason(cluster.refresh(pod)).equals("ErrImagePull"), Duration.ofSeconds(5));
        cluster.advance(Duration.ofSeconds(3));

        assertThat(cluster.refresh(pod)).isWaiting("ImagePullBackOff").hasPhase("Pending");
        assertThat(cluster.events(pod))
                .extracting(Event::getType, Event::getReason, Event::getMessage)
                .contains(
                        tuple("Warning", "Failed", "Error: ErrImagePull"),
                        tuple("Warning", "Failed", "Error: ImagePullBackOff"),
                        tuple("Normal", "BackOff", "Back-off pulling image \"registry.example/app:non-existent\""));
    }

    @Test
    void givenARunningPod_whenItIsDeleted_thenItStopsBeforeItGoes(Cluster cluster) {
        Pod pod = cluster.create(command("Always"));
        cluster.advance(Duration.ofSeconds(5));

        cluster.delete(pod).settle();
        assertThat(cluster.refresh(pod)).isTerminating();
        assertThat(cluster.refresh(pod).getMetadata().getDeletionGracePeriodSeconds())
                .isEqualTo(30);

        cluster.advance(Duration.ofSeconds(1));
        assertThat(cluster.exists(pod)).isFalse();
        assertThat(cluster.list(Event.class))
                .extracting(Event::getReason, Event::getMessage)
                .contains(tuple("Killing", "Stopping container app"));
    }

    @Test
    void givenADeadline_whenItPasses_thenThePodHasFailed(Cluster cluster) {
        Pod wanted = command("Always");
        wanted.getSpec().setActiveDeadlineSeconds(30L);
        Pod pod = cluster.create(wanted);
        cluster.advance(Duration.ofSeconds(28));
        assertThat(cluster.refresh(pod)).hasPhase("Running");

        cluster.advance(Duration.ofSeconds(5));

        assertThat(cluster.refresh(pod)).hasPhase("Failed");
        assertThat(cluster.refresh(pod).getStatus().getReason()).isEqualTo("DeadlineExceeded");
        assertThat(cluster.refresh(pod).getStatus().getMessage())
                .isEqualTo("Pod was active on the node longer than the specified deadline");
    }

    @Test
    void givenAPhaseThatSomebodyElseWrote_whenTimePasses_thenItStays(Cluster cluster) {
        Pod pod = cluster.create(command("Always"));
        cluster.advance(Duration.ofSeconds(5));

        cluster.editStatus(pod, p -> p.getStatus().setPhase("Failed"));
        cluster.advance(Duration.ofMinutes(10));

        assertThat(cluster.refresh(pod)).hasPhase("Failed");
    }

    @Test
    void givenInitContainers_whenThePodStarts_thenTheyRunFirstOneByOne(Cluster cluster) {
        Pod wanted = new PodBuilder(command("Always"))
                .editSpec()
                .addNewInitContainer()
                .withName("first")
                .withImage("busybox")
                .withCommand("sleep", "5")
                .endInitContainer()
                .addNewInitContainer()
                .withName("second")
                .withImage("busybox")
                .withCommand("sleep", "5")
                .endInitContainer()
                .endSpec()
                .build();
        Pod pod = cluster.create(wanted);

        cluster.advance(Duration.ofSeconds(4));
        assertThat(cluster.refresh(pod)).hasPhase("Pending").isNotReady();
        cluster.advance(Duration.ofSeconds(12));

        assertThat(cluster.refresh(pod)).hasPhase("Running").isReady();
        assertThat(cluster.refresh(pod).getStatus().getInitContainerStatuses())
                .allSatisfy(s ->
                        assertThat(s.getState().getTerminated().getReason()).isEqualTo("Completed"));
    }

    @Test
    void givenReadinessThatTakesTime_whenItHasPassed_thenThePodIsReady(Cluster cluster) {
        Pod pod = cluster.create(new PodBuilder(command("Always"))
                .editMetadata()
                .addToAnnotations(Simulation.READY_AFTER, "20s")
                .endMetadata()
                .build());
        cluster.advance(Duration.ofSeconds(10));
        assertThat(cluster.refresh(pod)).hasPhase("Running").isNotReady();

        cluster.advance(Duration.ofSeconds(15));

        assertThat(cluster.refresh(pod)).isReady();
    }

    @Test
    void givenANode_whenTimePasses_thenItsLeaseIsRenewed(Cluster cluster) {
        ZonedDateTime before = lease(cluster).getSpec().getRenewTime();

        cluster.advance(Duration.ofSeconds(30));

        assertThat(lease(cluster).getSpec().getRenewTime()).isAfter(before);
        assertThat(lease(cluster).getSpec().getHolderIdentity()).isEqualTo("node-1");
    }

    private static Lease lease(Cluster cluster) {
        return cluster.get(Lease.class, "kube-node-lease", "node-1").orElseThrow();
    }

    @Test
    void givenRunningPods_whenTheClusterIsForked_thenTheyRunOnInBoth(Cluster cluster) {
        cluster.apply(replicaSet("web", 3)).advance(Duration.ofSeconds(5));
        List<Pod> before = cluster.pods("web");

        Cluster fork = cluster.fork();
        fork.advance(Duration.ofMinutes(5));

        assertThat(fork.pods("web"))
                .hasSize(3)
                .allMatch(Pods::isReady)
                .allMatch(p -> Pods.restarts(p) == 0)
                .extracting(p -> p.getStatus().getPodIP())
                .containsExactlyElementsOf(
                        before.stream().map(p -> p.getStatus().getPodIP()).toList());
    }

    @Test
    @TrimtabCluster(nodes = 1000)
    void givenAThousandNodes_whenPodsAreMade_thenAllRunAndAllNodesStayReady(Cluster cluster) {
        cluster.apply(replicaSet("web", 200)).settle();

        assertThat(cluster.pods("web")).hasSize(200).allMatch(Pods::isReady);
        cluster.advance(Duration.ofSeconds(20));
        assertThat(cluster.list(Node.class))
                .hasSize(1000)
                .allSatisfy(node -> assertThat(node).isReady());
    }
}
