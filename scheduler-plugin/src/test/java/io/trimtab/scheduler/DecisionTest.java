package io.trimtab.scheduler;

import static io.trimtab.scheduler.TestCluster.asking;
import static io.trimtab.scheduler.TestCluster.labelled;
import static io.trimtab.scheduler.TestCluster.pod;
import static io.trimtab.scheduler.TestCluster.priority;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ContainerPortBuilder;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.NodeSelectorRequirementBuilder;
import io.fabric8.kubernetes.api.model.NodeSelectorTermBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodAffinityTerm;
import io.fabric8.kubernetes.api.model.PodAffinityTermBuilder;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.TolerationBuilder;
import io.fabric8.kubernetes.api.model.TopologySpreadConstraintBuilder;
import io.trimtab.scheduler.framework.PodInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecisionTest {
    private final TestCluster cluster = new TestCluster();

    private static Consumer<NodeBuilder> tainted(String key, String effect) {
        return node -> node.editSpec()
                .addNewTaint()
                .withKey(key)
                .withValue("v")
                .withEffect(effect)
                .endTaint()
                .endSpec();
    }

    private static Consumer<NodeBuilder> cordoned() {
        return node -> node.editSpec().withUnschedulable(true).endSpec();
    }

    private static Consumer<PodBuilder> hostPort(int port, String ip, String protocol) {
        return pod -> pod.editSpec()
                .editFirstContainer()
                .addToPorts(new ContainerPortBuilder()
                        .withContainerPort(80)
                        .withHostPort(port)
                        .withHostIP(ip)
                        .withProtocol(protocol)
                        .build())
                .endContainer()
                .endSpec();
    }

    private static PodAffinityTerm near(String app, String key) {
        return new PodAffinityTermBuilder()
                .withTopologyKey(key)
                .withNewLabelSelector()
                .addToMatchLabels("app", app)
                .endLabelSelector()
                .build();
    }

    private static Consumer<PodBuilder> requiresNear(String app, String key) {
        return pod -> pod.editSpec()
                .editOrNewAffinity()
                .editOrNewPodAffinity()
                .addToRequiredDuringSchedulingIgnoredDuringExecution(near(app, key))
                .endPodAffinity()
                .endAffinity()
                .endSpec();
    }

    private static Consumer<PodBuilder> requiresAway(String app, String key) {
        return pod -> pod.editSpec()
                .editOrNewAffinity()
                .editOrNewPodAntiAffinity()
                .addToRequiredDuringSchedulingIgnoredDuringExecution(near(app, key))
                .endPodAntiAffinity()
                .endAffinity()
                .endSpec();
    }

    private static Consumer<PodBuilder> spread(String key, int maxSkew, String app) {
        return pod -> pod.editSpec()
                .addToTopologySpreadConstraints(new TopologySpreadConstraintBuilder()
                        .withTopologyKey(key)
                        .withMaxSkew(maxSkew)
                        .withWhenUnsatisfiable("DoNotSchedule")
                        .withNewLabelSelector()
                        .addToMatchLabels("app", app)
                        .endLabelSelector()
                        .build())
                .endSpec();
    }

    @Test
    void givenNoNodes_whenAPodComes_thenTheMessageSaysSo() {
        assertThat(cluster.decide(pod("p")).message()).isEqualTo("no nodes available to schedule pods");
    }

    @Test
    void givenEachKindOfObstacle_whenAPodComes_thenTheReasonsAreCountedAndSortedAsText() {
        cluster.node(
                        "small",
                        node -> node.editStatus()
                                .addToAllocatable("memory", new Quantity("1Mi"))
                                .endStatus())
                .node("t1", tainted("a", "NoSchedule"))
                .node("t2", tainted("b", "NoExecute"))
                .node("cordoned", cordoned());
        assertThat(cluster.decide(pod("p", asking("1", "1Gi"))).message())
                .isEqualTo("0/4 nodes are available: 1 Insufficient memory, 1 node(s) were unschedulable, "
                        + "2 node(s) had untolerated taint(s). preemption: 0/4 nodes are available: "
                        + "4 Preemption is not helpful for scheduling.");
    }

    @Test
    void givenACordonedFullNode_whenAPodComes_thenOnlyTheFirstObstacleIsTold() {
        cluster.node("n", node -> {
            cordoned().accept(node);
            node.editStatus().addToAllocatable("pods", new Quantity("0")).endStatus();
        });
        assertThat(cluster.decide(pod("p")).message())
                .startsWith("0/1 nodes are available: 1 node(s) were unschedulable. ");
    }

    @Test
    void givenTwoScarceResources_whenAPodAsksForBoth_thenBothAreTold() {
        cluster.node("n").node("m");
        cluster.running("n", pod("a", asking("4", "32Gi"))).running("m", pod("b", asking("4", "32Gi")));
        assertThat(cluster.decide(pod("p", asking("1", "1Gi"))).message())
                .isEqualTo("0/2 nodes are available: 2 Insufficient cpu, 2 Insufficient memory. "
                        + "preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.");
    }

    @Test
    void givenANodeWithoutPodSlots_whenAPodComes_thenThereAreTooManyPods() {
        cluster.node(
                "n",
                node -> node.editStatus()
                        .addToAllocatable("pods", new Quantity("1"))
                        .endStatus());
        cluster.running("n", pod("a"));
        assertThat(cluster.decide(pod("p")).message()).startsWith("0/1 nodes are available: 1 Too many pods. ");
    }

    @Test
    void givenAnExtendedResource_whenNoNodeHasIt_thenItIsNamed() {
        cluster.node("n");
        Pod wanting = pod(
                "p",
                pod -> pod.editSpec()
                        .editFirstContainer()
                        .withNewResources()
                        .addToRequests("example.com/gpu", new Quantity("1"))
                        .endResources()
                        .endContainer()
                        .endSpec());
        assertThat(cluster.decide(wanting).message())
                .startsWith("0/1 nodes are available: 1 Insufficient example.com/gpu. ");
    }

    @ParameterizedTest
    @CsvSource({
        "NoSchedule, , , false",
        "NoSchedule, a, Exists, true",
        "NoSchedule, , Exists, true",
        "NoSchedule, a, Equal, true",
        "NoSchedule, b, Exists, false",
        "NoExecute, a, Exists, true",
        "PreferNoSchedule, , , true"
    })
    void givenATaint_whenAPodToleratesItOrNot_thenItFitsAccordingly(
            String effect, String key, String operator, boolean fits) {
        cluster.node("n", tainted("a", effect));
        Pod pod = pod("p", builder -> {
            if (operator != null) {
                builder.editSpec()
                        .addToTolerations(new TolerationBuilder()
                                .withKey(key)
                                .withOperator(operator)
                                .withValue("Equal".equals(operator) ? "v" : null)
                                .build())
                        .endSpec();
            }
        });
        assertThat(cluster.decide(pod).node() != null).isEqualTo(fits);
    }

    @ParameterizedTest
    @CsvSource({
        "In, 'a,b', a, true",
        "In, 'a,b', c, false",
        "NotIn, 'a,b', c, true",
        "NotIn, 'a,b', , true",
        "NotIn, 'a,b', a, false",
        "Exists, '', a, true",
        "Exists, '', , false",
        "DoesNotExist, '', , true",
        "DoesNotExist, '', a, false",
        "Gt, 5, 6, true",
        "Gt, 5, 5, false",
        "Lt, 5, 4, true",
        "Lt, 5, x, false"
    })
    void givenARequiredNodeAffinity_whenTheNodeHasALabelOrNot_thenItMatchesAccordingly(
            String operator, String values, String label, boolean matches) {
        cluster.node("n", node -> {
            if (label != null) {
                node.editMetadata().addToLabels("k", label).endMetadata();
            }
        });
        Pod pod = pod(
                "p",
                builder -> builder.editSpec()
                        .withNewAffinity()
                        .withNewNodeAffinity()
                        .withNewRequiredDuringSchedulingIgnoredDuringExecution()
                        .addToNodeSelectorTerms(new NodeSelectorTermBuilder()
                                .addToMatchExpressions(new NodeSelectorRequirementBuilder()
                                        .withKey("k")
                                        .withOperator(operator)
                                        .withValues(
                                                values == null || values.isEmpty()
                                                        ? List.of()
                                                        : List.of(values.split(",")))
                                        .build())
                                .build())
                        .endRequiredDuringSchedulingIgnoredDuringExecution()
                        .endNodeAffinity()
                        .endAffinity()
                        .endSpec());
        TestCluster.Decision decision = cluster.decide(pod);
        assertThat(decision.node() != null).isEqualTo(matches);
        if (!matches) {
            assertThat(decision.message())
                    .startsWith("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. ");
        }
    }

    @Test
    void givenAPodPinnedByName_whenItsNodeIsTainted_thenTheOthersAreToldToBeLeftOut() {
        cluster.node("a", tainted("x", "NoSchedule")).node("b").node("c");
        Pod pinned = pod(
                "p",
                builder -> builder.editSpec()
                        .withNewAffinity()
                        .withNewNodeAffinity()
                        .withNewRequiredDuringSchedulingIgnoredDuringExecution()
                        .addToNodeSelectorTerms(new NodeSelectorTermBuilder()
                                .addToMatchFields(new NodeSelectorRequirementBuilder()
                                        .withKey("metadata.name")
                                        .withOperator("In")
                                        .withValues("a")
                                        .build())
                                .build())
                        .endRequiredDuringSchedulingIgnoredDuringExecution()
                        .endNodeAffinity()
                        .endAffinity()
                        .endSpec());
        assertThat(cluster.decide(pinned).message())
                .isEqualTo("0/3 nodes are available: 1 node(s) had untolerated taint(s), "
                        + "2 node(s) didn't satisfy plugin(s) [NodeAffinity]. preemption: 0/3 nodes are available: "
                        + "3 Preemption is not helpful for scheduling.");
    }

    @ParameterizedTest
    @CsvSource({
        "8080, 0.0.0.0, TCP, 8080, 127.0.0.1, TCP, false",
        "8080, 127.0.0.1, TCP, 8080, 127.0.0.2, TCP, true",
        "8080, , TCP, 8080, 127.0.0.2, TCP, false",
        "8080, , TCP, 8080, , UDP, true",
        "8080, , TCP, 8081, , TCP, true"
    })
    void givenAHostPortInUse_whenAPodAsksForOne_thenTheyClashOrNot(
            int used, String usedIp, String usedProtocol, int port, String ip, String protocol, boolean fits) {
        cluster.node("n").running("n", pod("a", hostPort(used, usedIp, usedProtocol)));
        TestCluster.Decision decision = cluster.decide(pod("p", hostPort(port, ip, protocol)));
        assertThat(decision.node() != null).isEqualTo(fits);
        if (!fits) {
            assertThat(decision.message())
                    .startsWith("0/1 nodes are available: "
                            + "1 node(s) didn't have free ports for the requested pod ports. ");
        }
    }

    @Test
    void givenAntiAffinityOverHosts_whenAFourthReplicaComesToThreeNodes_thenNoneIsLeft() {
        cluster.node("a").node("b").node("c");
        for (int i = 0; i < 3; i++) {
            Pod replica = pod("r" + i, labelled("app", "web").andThen(requiresAway("web", "kubernetes.io/hostname")));
            assertThat(cluster.place(replica)).isNotNull();
        }
        assertThat(cluster.decide(pod(
                                "r3", labelled("app", "web").andThen(requiresAway("web", "kubernetes.io/hostname"))))
                        .message())
                .isEqualTo("0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. preemption: "
                        + "0/3 nodes are available: 3 No preemption victims found for incoming pod.");
        assertThat(cluster.decide(pod("other", labelled("app", "web"))).message())
                .startsWith("0/3 nodes are available: 3 node(s) didn't satisfy existing pods anti-affinity rules. ");
    }

    @Test
    void givenAffinityToItsOwnGroup_whenTheFirstPodComes_thenItMayBeginAnywhereAndTheNextFollows() {
        cluster.zoned("a", "z1").zoned("b", "z2").zoned("c", "z2");
        Consumer<PodBuilder> group = labelled("app", "web").andThen(requiresNear("web", "topology.kubernetes.io/zone"));
        String first = cluster.place(pod(
                "one",
                group.andThen(pod -> pod.editSpec()
                        .addToNodeSelector("kubernetes.io/hostname", "b")
                        .endSpec())));
        assertThat(first).isEqualTo("b");
        for (int i = 0; i < 10; i++) {
            assertThat(cluster.place(pod("next" + i, group))).isIn("b", "c");
        }
        assertThat(cluster.decide(pod("stranger", requiresNear("nobody", "topology.kubernetes.io/zone")))
                        .message())
                .startsWith("0/3 nodes are available: 3 node(s) didn't match pod affinity rules. ");
    }

    @Test
    void givenAMaxSkewOfOne_whenPodsCome_thenNoZoneGetsAheadByTwo() {
        cluster.zoned("a", "z1").zoned("b", "z2").zoned("c", "z3").node("unlabelled");
        Map<String, Integer> perNode = new java.util.TreeMap<>();
        for (int i = 0; i < 9; i++) {
            String node = cluster.place(
                    pod("p" + i, labelled("app", "web").andThen(spread("topology.kubernetes.io/zone", 1, "web"))));
            perNode.merge(String.valueOf(node), 1, Integer::sum);
        }
        assertThat(perNode).containsExactly(Map.entry("a", 3), Map.entry("b", 3), Map.entry("c", 3));
        cluster.node("a", cordonedIn("z1")).node("b", cordonedIn("z2"));
        cluster.place(pod("q", labelled("app", "web").andThen(spread("topology.kubernetes.io/zone", 1, "web"))));
        assertThat(cluster.decide(pod(
                                "r", labelled("app", "web").andThen(spread("topology.kubernetes.io/zone", 1, "web"))))
                        .message())
                .startsWith("0/4 nodes are available: "
                        + "1 node(s) didn't match pod topology spread constraints, "
                        + "1 node(s) didn't match pod topology spread constraints (missing required label), "
                        + "2 node(s) were unschedulable. ");
    }

    private static Consumer<NodeBuilder> cordonedIn(String zone) {
        return node -> {
            cordoned().accept(node);
            node.editMetadata().addToLabels("topology.kubernetes.io/zone", zone).endMetadata();
        };
    }

    @Test
    void givenManyPodsOfOneTemplate_whenNodesChangeInBetween_thenRememberedAnswersAreNotStale() {
        cluster.node("a").node("b");
        List<String> nodes = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            nodes.add(cluster.place(pod("p" + i, asking("1", "1Gi"))));
        }
        assertThat(nodes).doesNotContainNull();
        assertThat(nodes.stream().filter("a"::equals)).hasSize(4);
        assertThat(cluster.decide(pod("p9", asking("1", "1Gi"))).node()).isNull();
        cluster.cache.removePod(PodInfo.of(pod("p" + nodes.indexOf("a"))));
        assertThat(cluster.decide(pod("p9", asking("1", "1Gi"))).node()).isEqualTo("a");
    }

    @ParameterizedTest
    @CsvSource({
        "50, 0, 50",
        "100, 0, 100",
        "500, 0, 230",
        "1000, 0, 420",
        "2000, 0, 680",
        "5000, 0, 500",
        "10000, 0, 500",
        "15000, 0, 750",
        "1000, 100, 1000",
        "1000, 5, 100",
        "1000, 30, 300"
    })
    void givenSoManyNodes_whenAPodIsPlaced_thenSoManyAreEnough(int nodes, int percentage, int enough) {
        assertThat(NodeSearch.enough(nodes, percentage)).isEqualTo(enough);
    }

    // ---- preemption ----

    @Test
    void givenLesserPods_whenAnImportantPodComes_thenTheNodeWhereItHurtsLeastIsNominated() {
        cluster.node("a").node("b");
        cluster.running("a", pod("a1", asking("4", "1Gi").andThen(priority(5))))
                .running("b", pod("b1", asking("4", "1Gi").andThen(priority(1))));
        TestCluster.Decision decision =
                cluster.decide(pod("vip", asking("4", "1Gi").andThen(priority(100))));
        assertThat(decision.nominated()).isEqualTo("b");
        assertThat(decision.message()).isEqualTo("0/2 nodes are available: 2 Insufficient cpu.");
    }

    @Test
    void givenAPolicyOfNever_whenAnImportantPodComes_thenItDoesNotPreempt() {
        cluster.node("a").running("a", pod("a1", asking("4", "1Gi").andThen(priority(5))));
        Pod vip = pod(
                "vip",
                asking("4", "1Gi")
                        .andThen(priority(100))
                        .andThen(pod ->
                                pod.editSpec().withPreemptionPolicy("Never").endSpec()));
        assertThat(cluster.decide(vip).message())
                .isEqualTo("0/1 nodes are available: 1 Insufficient cpu. "
                        + "preemption: not eligible due to preemptionPolicy=Never.");
    }

    @Test
    void givenARequestThatNoNodeCanEverMeet_whenLesserPodsRun_thenNothingIsPreempted() {
        cluster.node("a").running("a", pod("a1", asking("1", "1Gi").andThen(priority(5))));
        TestCluster.Decision decision =
                cluster.decide(pod("vip", asking("5", "1Gi").andThen(priority(100))));
        assertThat(decision.nominated()).isEmpty();
        assertThat(decision.message())
                .isEqualTo("0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: "
                        + "1 Preemption is not helpful for scheduling.");
    }

    @Test
    void givenANominatedPod_whenALesserPodComes_thenTheRoomIsKept() {
        cluster.node("a");
        cluster.nominated.put(
                "a", List.of(PodInfo.of(pod("vip", asking("4", "1Gi").andThen(priority(100))))));
        assertThat(cluster.decide(pod("p", asking("1", "1Gi"))).node()).isNull();
        assertThat(cluster.decide(pod("higher", asking("1", "1Gi").andThen(priority(200))))
                        .node())
                .isEqualTo("a");
    }

    @Test
    void givenAntiAffinityAgainstALesserPod_whenAPodComes_thenThatPodIsTheVictim() {
        cluster.node("a");
        cluster.running("a", pod("rival", labelled("app", "rival").andThen(priority(1))))
                .running("a", pod("bystander", priority(1)));
        TestCluster.Decision decision = cluster.decide(
                pod("vip", requiresAway("rival", "kubernetes.io/hostname").andThen(priority(9))));
        assertThat(decision.nominated()).isEqualTo("a");
    }
}
