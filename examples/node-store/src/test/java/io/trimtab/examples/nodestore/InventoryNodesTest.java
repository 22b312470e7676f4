package io.trimtab.examples.nodestore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trimtab.simulate.ClusterSimulation;
import io.trimtab.simulate.ClusterState;
import io.trimtab.simulate.NodeStore;
import io.trimtab.simulate.Outcome;
import io.trimtab.simulate.Programs;
import io.trimtab.simulate.Scenario;
import io.trimtab.simulate.SimulationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InventoryNodesTest {
    private static final String TRAINING = """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: training, namespace: default}
            spec:
              replicas: 12
              selector: {matchLabels: {app: training}}
              template:
                metadata: {labels: {app: training}}
                spec:
                  nodeSelector: {example.com/class: large}
                  tolerations: [{key: example.com/reserved, operator: Exists}]
                  containers:
                  - {name: training, image: training, resources: {requests: {cpu: "48"}}}
            """;

    private static NodeStore inventory(Path file) throws IOException {
        Files.writeString(file, """
                class,count,cpu,memory,zone,taint
                small,990,8,32Gi,zone-1,
                large,10,64,256Gi,zone-2,example.com/reserved
                """);
        return Programs.nodeStore(InventoryNodesTest.class.getClassLoader(), "inventory=" + file);
    }

    @Test
    void givenInventoryOfAThousand_whenMoreIsAskedThanItHas_thenPodsWait(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("machines.csv");

        Outcome outcome = ClusterSimulation.of(ClusterState.parse(TRAINING, "training"))
                .nodes(inventory(file))
                .scenario(Scenario.parse("actions:\n- {at: 20s, cordon: small-7}\n", "test", null))
                .length(Duration.ofSeconds(90))
                .run();

        assertThat(outcome.counts()).containsEntry("ready", 10);
        assertThat(outcome.pending().values()).containsExactly(2);
        assertThat(outcome.pending().keySet().iterator().next())
                .startsWith("0/1000 nodes are available:")
                .contains("10 Insufficient cpu");
        assertThat(Files.readAllLines(directory.resolve("machines.csv.after")))
                .hasSize(1000)
                .contains("small-7,ready,cordoned", "large-1,ready,");
    }

    @Test
    void givenNoFile_whenOpened_thenTheMessageSaysWhich() {
        assertThatThrownBy(() -> Programs.nodeStore(InventoryNodesTest.class.getClassLoader(), "inventory=none.csv"))
                .isInstanceOf(SimulationException.class)
                .hasMessage("--node-store inventory=none.csv: there is no inventory none.csv");
    }
}
