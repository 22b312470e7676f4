package io.trimtab.simulate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterSimulationTest {
    private static final String WEB = """
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: web, namespace: default}
            spec:
              replicas: 6
              selector: {matchLabels: {app: web}}
              template:
                metadata: {labels: {app: web}}
                spec:
                  containers:
                  - {name: web, image: nginx, resources: {requests: {cpu: "1"}}}
            """;

    private static final String BUSY = """
            for: 20m
            seed: 3
            nodes: 5
            actions:
            - at: 10s
              apply: |
            WEB
            - at: 1m
              scale: deployment/web
              replicas: 10
            - {at: 2m, every: 1m, until: 4m, delete: pods, selector: app=web, count: 1}
            - {at: 5m, drain: node-2}
            - {at: 6m, fail: node-3, for: 10m}
            """.replace("WEB", WEB.indent(4).stripTrailing());

    private static Scenario scenario(String text) {
        return Scenario.parse(text, "test", null);
    }

    @Test
    void givenScenario_whenRun_thenRolloutsEvictionsAndLossesAreTold() {
        Outcome outcome = ClusterSimulation.of(ClusterState.EMPTY)
                .scenario(scenario(BUSY))
                .run();

        assertThat(outcome.rollouts().get(0).subject()).isEqualTo("deployment default/web");
        assertThat(outcome.rollouts().get(0).took()).isLessThan(Duration.ofSeconds(5));
        assertThat(outcome.unfinished()).isEmpty();
        assertThat(outcome.pending()).isEmpty();
        assertThat(outcome.counts()).containsEntry("nodes that became not ready", 1);
        assertThat(outcome.text(200, false))
                .contains("scenario: drain node node-2: all evicted")
                .contains("evicted (EvictionByEvictionAPI)")
                .contains("node node-3: not ready (Unknown)")
                .contains("evicted (DeletionByTaintManager)")
                .contains("replicaset-controller");
        assertThat(outcome.differences()).contains("+ deployments.apps default/web", "~ nodes node-2");
    }

    @Test
    void givenTheSameSeed_whenRunTwice_thenTheSameHappens() {
        ClusterSimulation simulation = ClusterSimulation.of(ClusterState.EMPTY).scenario(scenario(BUSY));

        assertThat(simulation.run().json()).isEqualTo(simulation.run().json());
    }

    @Test
    void givenTooFewNodes_whenRun_thenPodsWaitAndTheReasonIsTold() {
        Outcome outcome = ClusterSimulation.of(ClusterState.parse(WEB.replace("cpu: \"1\"", "cpu: \"20\""), "web"))
                .nodes(NodeStore.uniform(4))
                .length(Duration.ofMinutes(1))
                .run();

        assertThat(outcome.pending())
                .containsExactly(java.util.Map.entry(
                        "0/4 nodes are available: 4 Insufficient cpu. preemption: 0/4 nodes are available: 4 No"
                                + " preemption victims found for incoming pod.",
                        2));
        assertThat(outcome.unfinished()).containsOnlyKeys("deployment default/web");
    }

    @Test
    void givenRecording_whenReplayed_thenTheSameIsTold(@TempDir Path directory) {
        Path file = directory.resolve("history.jsonl.gz");
        Outcome outcome = ClusterSimulation.of(ClusterState.EMPTY)
                .scenario(scenario(BUSY))
                .record(file)
                .run();

        Replay.Result replayed =
                Replay.of(file).controllers(List.of("replicaset-controller")).run();

        List<String> told = outcome.timeline().stream()
                .filter(entry -> !entry.subject().equals("scenario"))
                .map(Outcome.Entry::toString)
                .toList();
        assertThat(replayed.outcome().timeline())
                .extracting(Outcome.Entry::toString)
                .containsExactlyInAnyOrderElementsOf(told);
        assertThat(Objects.changes(outcome.end(), replayed.outcome().end())).isEmpty();
        assertThat(replayed.calls())
                .filteredOn(call -> call.verb().equals("create"))
                .hasSizeGreaterThanOrEqualTo(10);
    }

    @Test
    void givenTwoVersions_whenCompared_thenOnlyWhatDiffersIsMarked() {
        ClusterSimulation base = ClusterSimulation.of(ClusterState.EMPTY).nodes(NodeStore.uniform(3));
        Outcome a = base.scenario(scenario("---\n" + WEB))
                .length(Duration.ofMinutes(2))
                .run();
        Outcome b = base.scenario(scenario("---\n" + WEB.replace("replicas: 6", "replicas: 8")))
                .run();

        String compared = a.compare(b, "a", "b");

        assertThat(compared)
                .containsPattern("\\* pods created +6 +8")
                .contains("~ deployments.apps default/web\n    - spec.replicas: 6\n    + spec.replicas: 8");
        assertThat(a.compare(a, "a", "a")).contains("the same").doesNotContain("* ");
    }

    @Test
    void givenMistakesInScenario_whenRead_thenTheMessageSaysWhere() {
        assertThatThrownBy(() -> scenario("actions:\n- at: 1m\n  explode: node-1\n"))
                .isInstanceOf(SimulationException.class)
                .hasMessageContaining("test, action 1: expected one of apply, delete");
        assertThatThrownBy(() -> scenario("actions:\n- {at: soon, drain: node-1}\n"))
                .hasMessage("test, action 1, at: \"soon\" is no time; give one such as 90s, 5m or 1h30m");
        assertThatThrownBy(() -> scenario("lenght: 1h\n")).hasMessageContaining("\"lenght\" is not one of");
    }

    @Test
    void givenManifests_whenPlanned_thenDiffAndCallsOfOneController() {
        ControllerPlan plan = ControllerPlan.of(ClusterState.parse(WEB, "web"), "deployment-controller");

        assertThat(plan.calls())
                .extracting(ControllerPlan.Call::verb, ControllerPlan.Call::resource)
                .startsWith(org.assertj.core.groups.Tuple.tuple("create", "replicasets.apps"));
        assertThat(plan.calls()).extracting(ControllerPlan.Call::actor).containsOnly("deployment-controller");
        assertThat(plan.diff()).contains("+ replicasets.apps default/web-").contains("+   replicas: 6");
        assertThatThrownBy(() -> ControllerPlan.of(ClusterState.EMPTY, "no-such"))
                .hasMessageContaining("\"no-such\" is not in the list of known controllers");
    }
}
