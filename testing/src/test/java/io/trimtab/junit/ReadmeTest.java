package io.trimtab.junit;

import static io.trimtab.junit.KubernetesAssertions.assertThat;
import static io.trimtab.junit.Workloads.deployment;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The lines that the README shows, so that they stay true. */
// begin
@TrimtabCluster(nodes = 3)
class ReadmeTest {
    @Test
    void givenADeployment_whenANodeIsLost_thenItsPodsMoveWithinSevenMinutes(Cluster cluster) {
        Deployment web = cluster.create(deployment("web", 6));
        cluster.settle();
        assertThat(cluster.refresh(web)).isComplete();

        cluster.stopNode("node-1").advance(Duration.ofMinutes(7));

        assertThat(cluster.pods(web).stream().filter(Pods::isReady))
                .hasSize(6)
                .noneMatch(pod -> pod.getSpec().getNodeName().equals("node-1"));
    }
    // end

    @Test
    void givenTheReadme_whenRead_thenItShowsTheseLines() throws IOException {
        String test = Files.readString(Path.of("src/test/java/io/trimtab/junit/ReadmeTest.java"));
        String shown = test.substring(test.indexOf("// begin\n") + 9, test.indexOf("    // end"));

        assertThat(Files.readString(Path.of("README.md"))).contains(shown);
    }
}
