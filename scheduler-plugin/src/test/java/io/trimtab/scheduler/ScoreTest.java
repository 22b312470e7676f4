package io.trimtab.scheduler;

import static io.trimtab.scheduler.TestCluster.asking;
import static io.trimtab.scheduler.TestCluster.labelled;
import static io.trimtab.scheduler.TestCluster.pod;
import static io.trimtab.scheduler.TestCluster.scoringOnly;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.TopologySpreadConstraintBuilder;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class ScoreTest {
    private final TestCluster cluster = new TestCluster();

    private TestCluster only(String plugin) {
        return cluster.profile(scoringOnly(plugin));
    }

    private static Consumer<PodBuilder> prefersZone(String zone, int weight) {
        return pod -> pod.editSpec()
                .editOrNewAffinity()
                .editOrNewNodeAffinity()
                .addNewPreferredDuringSchedulingIgnoredDuringExecution()
                .withWeight(weight)
                .withNewPreference()
                .addNewMatchExpression()
                .withKey("topology.kubernetes.io/zone")
                .withOperator("In")
                .withValues(List.of(zone))
                .endMatchExpression()
                .endPreference()
                .endPreferredDuringSchedulingIgnoredDuringExecution()
                .endNodeAffinity()
                .endAffinity()
                .endSpec();
    }

    @Test
    void givenSoftTaints_whenScored_thenFewerAreBetter() {
        only("TaintToleration");
        for (int i = 0; i < 3; i++) {
            int taints = i;
            cluster.node("n" + i, node -> {
                for (int t = 0; t < taints; t++) {
                    node.editSpec()
                            .addNewTaint()
                            .withKey("k" + t)
                            .withEffect("PreferNoSchedule")
                            .endTaint()
                            .endSpec();
                }
            });
        }
        assertThat(cluster.scores(pod("p"))).isEqualTo(Map.of("n0", 100L, "n1", 50L, "n2", 0L));
    }

    @Test
    void givenPreferredNodeAffinity_whenScored_thenWeightsAreScaledToTheHighest() {
        only("NodeAffinity");
        cluster.zoned("none", "z0").zoned("two", "z2").zoned("five", "z5").zoned("seven", "z7");
        Pod pod = pod("p", prefersZone("z2", 2).andThen(prefersZone("z5", 5)).andThen(prefersZone("z7", 7)));
        assertThat(cluster.scores(pod)).isEqualTo(Map.of("none", 0L, "two", 28L, "five", 71L, "seven", 100L));
    }

    @Test
    void givenAnEmptyNode_whenScoredByFreeRoom_thenTheVectorHolds() {
        only("NodeResourcesFit").node("n");
        assertThat(cluster.scores(pod("p", asking("100m", "500Mi")))).containsEntry("n", 97L);
    }

    @Test
    void givenHostConstraint_whenScored_thenTheVectorHolds() {
        only("PodTopologySpread").node("a").node("b").node("c").node("d");
        int[] counts = {3, 0, 1, 2};
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < counts[i]; j++) {
                cluster.running("" + (char) ('a' + i), pod("p" + i + j, labelled("app", "web")));
            }
        }
        Pod pod = pod(
                "p",
                labelled("app", "web")
                        .andThen(builder -> builder.editSpec()
                                .addToTopologySpreadConstraints(new TopologySpreadConstraintBuilder()
                                        .withTopologyKey("kubernetes.io/hostname")
                                        .withMaxSkew(1)
                                        .withWhenUnsatisfiable("ScheduleAnyway")
                                        .withNewLabelSelector()
                                        .addToMatchLabels("app", "web")
                                        .endLabelSelector()
                                        .build())
                                .endSpec()));
        assertThat(cluster.scores(pod)).isEqualTo(Map.of("a", 0L, "b", 100L, "c", 60L, "d", 20L));
    }

    @Test
    void givenAServiceAndNoConstraints_whenScored_thenTheSystemDefaultsSpread() {
        only("PodTopologySpread")
                .zoned("a", "z1")
                .zoned("b", "z1")
                .zoned("c", "z2")
                .zoned("d", "z2");
        cluster.informers.add(new ServiceBuilder()
                .withNewMetadata()
                .withNamespace("default")
                .withName("web")
                .endMetadata()
                .withNewSpec()
                .addToSelector("app", "web")
                .endSpec()
                .build());
        cluster.running("a", pod("p1", labelled("app", "web")))
                .running("a", pod("p2", labelled("app", "web")))
                .running("c", pod("p3", labelled("app", "web")));
        assertThat(cluster.scores(pod("p", labelled("app", "web"))))
                .isEqualTo(Map.of("a", 58L, "b", 83L, "c", 83L, "d", 100L));
    }

    @Test
    void givenNodesWithoutZones_whenScored_thenTheSystemDefaultsSpreadOverHosts() {
        only("PodTopologySpread").node("a").node("b");
        cluster.informers.add(new ServiceBuilder()
                .withNewMetadata()
                .withNamespace("default")
                .withName("web")
                .endMetadata()
                .withNewSpec()
                .addToSelector("app", "web")
                .endSpec()
                .build());
        cluster.running("a", pod("p1", labelled("app", "web")));

        Map<String, Long> scores = cluster.scores(pod("p", labelled("app", "web")));

        assertThat(scores.get("b")).isGreaterThan(scores.get("a"));
    }

    @Test
    void givenPreferencesForAndAgainst_whenScored_thenTheyAreStretchedOverTheRange() {
        only("InterPodAffinity").node("liked").node("neutral").node("disliked");
        cluster.running("liked", pod("friend", labelled("app", "friend")))
                .running("disliked", pod("foe", labelled("app", "foe")));
        Pod pod = pod(
                "p",
                builder -> builder.editSpec()
                        .withNewAffinity()
                        .withNewPodAffinity()
                        .addNewPreferredDuringSchedulingIgnoredDuringExecution()
                        .withWeight(8)
                        .withNewPodAffinityTerm()
                        .withTopologyKey("kubernetes.io/hostname")
                        .withNewLabelSelector()
                        .addToMatchLabels("app", "friend")
                        .endLabelSelector()
                        .endPodAffinityTerm()
                        .endPreferredDuringSchedulingIgnoredDuringExecution()
                        .endPodAffinity()
                        .withNewPodAntiAffinity()
                        .addNewPreferredDuringSchedulingIgnoredDuringExecution()
                        .withWeight(8)
                        .withNewPodAffinityTerm()
                        .withTopologyKey("kubernetes.io/hostname")
                        .withNewLabelSelector()
                        .addToMatchLabels("app", "foe")
                        .endLabelSelector()
                        .endPodAffinityTerm()
                        .endPreferredDuringSchedulingIgnoredDuringExecution()
                        .endPodAntiAffinity()
                        .endAffinity()
                        .endSpec());
        assertThat(cluster.scores(pod)).isEqualTo(Map.of("liked", 100L, "neutral", 50L, "disliked", 0L));
    }

    @Test
    void givenImages_whenScored_thenLargeAndCommonOnesAttract() {
        only("ImageLocality")
                .node(
                        "has",
                        node -> node.editStatus()
                                .addNewImage()
                                .withNames("nginx:latest")
                                .withSizeBytes(300L * 1024 * 1024)
                                .endImage()
                                .endStatus())
                .node("hasNot");
        assertThat(cluster.scores(pod("p"))).isEqualTo(Map.of("has", 12L, "hasNot", 0L));
    }

    @Test
    void givenTwoEqualNodes_whenAllDefaultsScore_thenTheTotalsAreEqual() {
        cluster.node("a").node("b");
        Map<String, Long> scores = cluster.scores(pod("p", asking("100m", "500Mi")));
        assertThat(scores.get("a")).isEqualTo(scores.get("b")).isEqualTo(300 + 97 + 99);
    }
}
