package io.trimtab.controllers.nodelifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.NodeCondition;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.trimtab.controllers.nodelifecycle.Zones.State;
import io.trimtab.controllers.nodes.Nodes;
import java.time.Instant;
import java.time.ZonedDateTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NodeHealthTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    @Test
    void givenASilentNode_whenItsGraceIsOver_thenItsConditionsAreUnknown() {
        Node node = node("True");
        NodeHealth known = NodeHealth.assess(node, null, null, START).health();

        assertThat(NodeHealth.assess(node, known, null, START.plusSeconds(50)).overdue())
                .isNull();
        Node overdue =
                NodeHealth.assess(node, known, null, START.plusSeconds(51)).overdue();

        assertThat(overdue).isNotNull();
        NodeCondition ready = Nodes.condition(overdue, "Ready").orElseThrow();
        assertThat(ready.getStatus()).isEqualTo("Unknown");
        assertThat(ready.getMessage()).isEqualTo("Kubelet stopped posting node status.");
        assertThat(Nodes.condition(overdue, "DiskPressure").orElseThrow().getReason())
                .isEqualTo("NodeStatusNeverUpdated");
    }

    @Test
    void givenALeaseThatIsRenewed_whenAssessed_thenTheNodeLives() {
        Node node = node("True");
        NodeHealth known = NodeHealth.assess(node, null, lease(0), START).health();
        NodeHealth renewed =
                NodeHealth.assess(node, known, lease(40), START.plusSeconds(40)).health();

        assertThat(NodeHealth.assess(node, renewed, lease(40), START.plusSeconds(89))
                        .overdue())
                .isNull();
        assertThat(NodeHealth.assess(node, renewed, lease(40), START.plusSeconds(91))
                        .overdue())
                .isNotNull();
    }

    @Test
    void givenANodeThatNeverReported_whenAssessed_thenItHasAMinuteFromItsCreation() {
        Node node = new NodeBuilder(node("True")).withStatus(null).build();

        assertThat(NodeHealth.assess(node, null, null, START.plusSeconds(60)).overdue())
                .isNull();
        assertThat(NodeHealth.assess(node, null, null, START.plusSeconds(61)).overdue())
                .isNotNull();
    }

    @Test
    void givenANodeThatIsUnknownAlready_whenAssessed_thenNothingIsWritten() {
        Node node = node("Unknown");
        NodeHealth known = NodeHealth.assess(node, null, null, START).health();

        assertThat(NodeHealth.assess(node, known, null, START.plusSeconds(100)).overdue())
                .isNull();
    }

    @ParameterizedTest
    @CsvSource({
        "0, 1, FULL_DISRUPTION",
        "1, 1, NORMAL",
        "1, 2, NORMAL",
        "2, 3, PARTIAL_DISRUPTION",
        "3, 3, NORMAL",
        "5, 0, NORMAL",
    })
    void givenAZone_whenJudged_thenByTheShareThatFailed(int ready, int notReady, State want) {
        assertThat(Zones.state(ready, notReady)).isEqualTo(want);
    }

    @Test
    void givenPartialDisruption_whenRated_thenSmallZonesAreLeftAlone() {
        assertThat(Zones.rate(State.PARTIAL_DISRUPTION, 50)).isZero();
        assertThat(Zones.rate(State.PARTIAL_DISRUPTION, 51)).isEqualTo(0.01);
        assertThat(Zones.rate(State.NORMAL, 51)).isEqualTo(0.1);
    }

    private static Lease lease(int seconds) {
        return new LeaseBuilder()
                .withNewSpec()
                .withRenewTime(ZonedDateTime.parse("2026-01-01T00:00:00Z").plusSeconds(seconds))
                .endSpec()
                .build();
    }

    private static Node node(String ready) {
        return new NodeBuilder()
                .withNewMetadata()
                .withName("n")
                .withCreationTimestamp(START.toString())
                .endMetadata()
                .withNewStatus()
                .addNewCondition()
                .withType("Ready")
                .withStatus(ready)
                .withLastHeartbeatTime(START.toString())
                .endCondition()
                .endStatus()
                .build();
    }
}
