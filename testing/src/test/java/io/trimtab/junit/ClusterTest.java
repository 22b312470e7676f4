package io.trimtab.junit;

import static io.trimtab.junit.KubernetesAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.trimtab.runtime.VirtualDriver;
import org.junit.jupiter.api.Test;

@TrimtabCluster
class ClusterTest {
    @Test
    void givenACluster_whenItIsHandedOut_thenItsNodesAreReady(
            Cluster cluster, KubernetesClient client, VirtualDriver driver) {
        assertThat(cluster.list(Node.class))
                .hasSize(3)
                .allSatisfy(node -> assertThat(node).isReady());
        assertThat(client.namespaces().withName("default").get()).isNotNull();
        assertThat(driver.now()).isEqualTo(cluster.now());
    }

    @Test
    void givenStartedOften_thenAStartTakesMilliseconds() {
        for (int i = 0; i < 60; i++) {
            long t = System.nanoTime();
            try (Cluster c = Cluster.start()) {
                long t1 = System.nanoTime();
                System.err.println(
                        "start " + (t1 - t) / 1000 + " us, steps " + c.driver().stepsRun());
            }
        }
    }
}
