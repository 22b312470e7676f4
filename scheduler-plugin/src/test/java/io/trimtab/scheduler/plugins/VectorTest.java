package io.trimtab.scheduler.plugins;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudgetBuilder;
import io.trimtab.scheduler.TestCluster;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.Resources;
import io.trimtab.scheduler.plugins.ScoringStrategy.ShapePoint;
import io.trimtab.scheduler.plugins.ScoringStrategy.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VectorTest {

    @ParameterizedTest
    @CsvSource({"'.75,.50', 87", "'1.0,.2', 60", "'.2,.5,.8', 75", "'.4,.4', 100", "'.4', 100"})
    void givenFractions_whenBalanced_thenTheDeviationIsTakenOff(String fractions, long score) {
        double[] values = java.util.Arrays.stream(fractions.split(","))
                .mapToDouble(Double::parseDouble)
                .toArray();
        assertThat(BalancedAllocation.balance(values, values.length)).isEqualTo(score);
    }

    @ParameterizedTest
    @CsvSource({"150, 1, 12", "10, 1, 0", "2000, 1, 100", "500, 2, 24"})
    void givenImagesInMib_whenScored_thenTheyAreClamped(long mib, int containers, long score) {
        assertThat(ImageLocality.score(mib * 1024 * 1024, containers)).isEqualTo(score);
    }

    @ParameterizedTest
    @CsvSource({"LEAST_ALLOCATED, 97", "MOST_ALLOCATED, 1", "REQUESTED_TO_CAPACITY_RATIO, 2"})
    void givenAStrategy_whenAnEmptyNodeIsScored_thenTheVectorHolds(Type type, long score) {
        NodeInfo node = new NodeInfo("n", 0);
        node.setNode(new NodeBuilder()
                .withNewMetadata()
                .withName("n")
                .endMetadata()
                .withNewStatus()
                .withAllocatable(Map.of("cpu", new Quantity("4"), "memory", new Quantity("32Gi")))
                .endStatus()
                .build());
        ScoringStrategy strategy = new ScoringStrategy(
                type, ScoringStrategy.DEFAULT.resources(), List.of(new ShapePoint(0, 0), new ShapePoint(100, 100)));
        PodInfo pod = PodInfo.of(TestCluster.pod("p", TestCluster.asking("100m", "500Mi")));
        assertThat(strategy.score(pod, node)).isEqualTo(score);
    }

    @ParameterizedTest
    @CsvSource({"'8,0,-8', '100,50,0'", "'3,3', '0,0'"})
    void givenAffinitySums_whenNormalised_thenTheySpanTheRange(String raw, String normalised) {
        long[] scores = numbers(raw);
        InterPodAffinity.normalize(scores);
        assertThat(scores).isEqualTo(numbers(normalised));
    }

    @ParameterizedTest
    @CsvSource({"'5,0,2,4', '0,100,60,20'", "'12,9,9,7', '58,83,83,100'", "'0,0', '100,100'"})
    void givenSpreadSums_whenNormalised_thenLessIsBetter(String raw, String normalised) {
        long[] scores = numbers(raw);
        PodTopologySpread.normalize(scores, i -> false);
        assertThat(scores).isEqualTo(numbers(normalised));
    }

    @ParameterizedTest
    @CsvSource({"'0,1,2', true, '100,50,0'", "'0,0', true, '100,100'", "'0,2,5,7', false, '0,28,71,100'"})
    void givenRawScores_whenScaledToTheHighest_thenTheVectorHolds(String raw, boolean reverse, String normalised) {
        long[] scores = numbers(raw);
        Normalize.byMax(scores, reverse);
        assertThat(scores).isEqualTo(numbers(normalised));
    }

    private static long[] numbers(String text) {
        return java.util.Arrays.stream(text.split(","))
                .mapToLong(Long::parseLong)
                .toArray();
    }

    private static Victims victims(String node, int violations, int... priorities) {
        List<PodInfo> pods = new ArrayList<>();
        for (int priority : priorities) {
            pods.add(victim(node + pods.size(), priority, "2026-01-01T00:00:00Z"));
        }
        return new Victims(node, pods, violations);
    }

    private static PodInfo victim(String name, int priority, String start) {
        return PodInfo.of(TestCluster.pod(
                name,
                pod -> pod.editSpec()
                        .withPriority(priority)
                        .endSpec()
                        .editStatus()
                        .withStartTime(start)
                        .endStatus()));
    }

    @Test
    void givenFourNodes_whenOneIsPicked_thenItIsTheOneThatHurtsLeast() {
        assertThat(Victims.leastHarm(List.of(
                                victims("A", 1, 5),
                                victims("B", 0, 10, 1),
                                victims("C", 0, 9, 9, 9),
                                victims("D", 0, 9)))
                        .node())
                .isEqualTo("D");
    }

    @Test
    void givenEqualHarm_whenOneIsPicked_thenItIsTheOneWhoseImportantVictimStartedLater() {
        Victims old = new Victims("old", List.of(victim("a", 9, "2026-01-01T00:00:00Z")), 0);
        Victims young = new Victims("young", List.of(victim("b", 9, "2026-01-02T00:00:00Z")), 0);
        assertThat(Victims.leastHarm(List.of(old, young)).node()).isEqualTo("young");
    }

    @Test
    void givenABudgetOfOne_whenThreePodsAreWalked_thenOnlyTheFirstDoesNotViolateIt() {
        PodDisruptionBudget budget = new PodDisruptionBudgetBuilder()
                .withNewMetadata()
                .withNamespace("default")
                .withName("b")
                .endMetadata()
                .withNewSpec()
                .withNewSelector()
                .addToMatchLabels("app", "web")
                .endSelector()
                .endSpec()
                .withNewStatus()
                .withDisruptionsAllowed(1)
                .endStatus()
                .build();
        List<PodInfo> pods = List.of("a", "b", "c").stream()
                .map(name -> PodInfo.of(TestCluster.pod(name, TestCluster.labelled("app", "web"))))
                .toList();
        Victims.Split split = Victims.split(pods, List.of(budget));
        assertThat(split.others()).containsExactly(pods.get(0));
        assertThat(split.violating()).containsExactly(pods.get(1), pods.get(2));
    }

    @ParameterizedTest
    @CsvSource({"100m, 100", "1, 1000", "0.5, 500", "1e3, 1000000", "1n, 1", "2Ki, 2048000"})
    void givenAQuantity_whenReadAsThousandths_thenItIsRoundedUp(String text, long milli) {
        assertThat(Resources.milli(new Quantity(text))).isEqualTo(milli);
    }
}
