package io.trimtab.controllers.podgc;

import static io.trimtab.junit.KubernetesAssertions.assertThat;
import static io.trimtab.junit.Workloads.pod;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Taint;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Pods;
import io.trimtab.junit.TrimtabCluster;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Pods whom nobody else would clear away: PG-1 and PG-2 of the checklist. */
@TrimtabCluster
class PodGcTest {
    private static final String KEEP = "example.com/keep";

    private static Pod kept(Cluster cluster, String node) {
        return cluster.create(new PodBuilder(pod("web"))
                .editMetadata()
                .withFinalizers(KEEP)
                .endMetadata()
                .editSpec()
                .withNodeName(node)
                .endSpec()
                .build());
    }

    @Test
    void givenAPodWithAFinalizer_whenItsNodeIsGone_thenItIsFailedAndDeleted(Cluster cluster) {
        Pod pod = kept(cluster, "node-1");
        cluster.settle();
        assertThat(cluster.refresh(pod)).isReady();

        cluster.stopNode("node-1");
        cluster.delete(cluster.get(Node.class, "node-1").orElseThrow());
        cluster.advance(Duration.ofSeconds(90));

        Pod now = cluster.refresh(pod);
        assertThat(now).hasPhase("Failed").isTerminating();
        assertThat(Pods.condition(now, "DisruptionTarget")).hasValueSatisfying(condition -> {
            assertThat(condition.getStatus()).isEqualTo("True");
            assertThat(condition.getReason()).isEqualTo("DeletionByPodGC");
            assertThat(condition.getMessage()).isEqualTo("PodGC: node no longer exists");
        });
        cluster.edit(pod, p -> p.getMetadata().setFinalizers(List.of()));
        cluster.settle();
        assertThat(cluster.exists(pod)).isFalse();
    }

    @Test
    void givenATerminatingPod_whenItsNodeIsOutOfService_thenItGoes(Cluster cluster) {
        Pod pod = cluster.create(new PodBuilder(pod("web"))
                .editSpec()
                .withNodeName("node-1")
                .endSpec()
                .build());
        cluster.settle();
        cluster.stopNode("node-1");
        cluster.advance(Duration.ofSeconds(70));
        cluster.delete(pod).advance(Duration.ofSeconds(60));
        assertThat(cluster.exists(pod)).isTrue();

        cluster.edit(
                cluster.get(Node.class, "node-1").orElseThrow(),
                node -> node.getSpec()
                        .getTaints()
                        .add(new Taint("NoExecute", "node.kubernetes.io/out-of-service", null, "nodeshutdown")));
        cluster.advance(Duration.ofSeconds(45));

        assertThat(cluster.exists(pod)).isFalse();
    }

    @Test
    @TrimtabCluster(scheduler = false)
    void givenAPodThatNeverHadANode_whenItIsDeletedWithAFinalizer_thenItIsFailed(Cluster cluster) {
        Pod pod = cluster.create(new PodBuilder(pod("web"))
                .editMetadata()
                .withFinalizers(KEEP)
                .endMetadata()
                .build());
        cluster.delete(pod).advance(Duration.ofSeconds(45));

        assertThat(cluster.refresh(pod)).hasPhase("Failed");
        cluster.edit(pod, p -> p.getMetadata().setFinalizers(List.of()));
        assertThat(cluster.exists(pod)).isFalse();
    }
}
