package io.trimtab.controllers.deployment;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetBuilder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SizingTest {

    @ParameterizedTest
    @CsvSource({
        "10, 0, 10, 0, 0",
        "10, 2, 10, 0, 2",
        "10, 2, 5, 0, 7",
        "10, 2, 10, 2, 2",
        "6, 10, 0, 2, 6",
        "1, 1, 0, 5, 5",
    })
    void givenSurge_whenTheNewSetIsSized_thenItGrowsAsFarAsAllowed(
            int replicas, int surge, int old, int fresh, int want) {
        ReplicaSet oldSet = set("old", 1, old, old);
        ReplicaSet newSet = set("new", 2, fresh, fresh);

        assertThat(Sizing.newSet(deployment(replicas, surge, 1), List.of(oldSet, newSet), newSet))
                .isEqualTo(want);
    }

    @Test
    void givenRecreate_whenTheNewSetIsSized_thenItIsWhole() {
        Deployment deployment = deployment(3, 0, 0);
        deployment.getSpec().getStrategy().setType("Recreate");

        assertThat(Sizing.newSet(deployment, List.of(), set("new", 2, 0, 0))).isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 10, 0, 10, 0, 9",
        "2, 10, 0, 10, 0, 8",
        "2, 10, 0, 8, 0, 8",
        "2, 10, 0, 9, 0, 8",
        "2, 8, 2, 8, 0, 8",
    })
    void givenUnavailable_whenOldSetsAreSized_thenTheyShrinkAsFarAsAllowed(
            int unavailable, int old, int fresh, int readyOld, int readyNew, int want) {
        ReplicaSet oldSet = set("old", 1, old, readyOld);
        ReplicaSet newSet = set("new", 2, fresh, readyNew);

        Map<ReplicaSet, Integer> sizes = Sizing.oldSets(deployment(10, 0, unavailable), List.of(oldSet), newSet);

        assertThat(sizes.getOrDefault(oldSet, old)).isEqualTo(want);
    }

    /** Sizes are listed newest set first. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "10 | 12 | 0 | 0 | 10 | 12",
                "5 | 10 | 0 | 0 | 2,3 | 4,6",
                "5 | 3 | 0 | 0 | 2,3 | 1,2",
                "9 | 4 | 0 | 0 | 8,1 | 4,0",
                "7 | 10 | 0 | 0 | 2,3,2 | 3,4,3",
                "13 | 8 | 0 | 0 | 2,8,3 | 1,5,2",
                "3 | 4 | 0 | 0 | 1,1,1 | 2,1,1",
                "3 | 2 | 0 | 0 | 1,1,1 | 1,1,0",
                "4 | 5 | 0 | 0 | 2,2 | 3,2",
                "6 | 0 | 0 | 0 | 3,2,1 | 0,0,0",
                "10 | 20 | 2 | 2 | 6,6 | 11,11",
                "10 | 50 | 3 | 6 | 5,8 | 22,34",
                "10 | 14 | 0 | 0 | 7,3 | 10,4",
            })
    void givenAChangeOfSize_whenShared_thenInProportion(
            int before, int after, int surgeBefore, int surgeAfter, String sizes, String want) {
        List<ReplicaSet> sets = new ArrayList<>();
        int[] numbers =
                Arrays.stream(sizes.split(",")).mapToInt(Integer::parseInt).toArray();
        for (int i = 0; i < numbers.length; i++) {
            ReplicaSet set = set("set-" + i, numbers.length - i, numbers[i], numbers[i]);
            set.getMetadata()
                    .setAnnotations(Map.of(
                            Deployments.DESIRED_REPLICAS, String.valueOf(before),
                            Deployments.MAX_REPLICAS, String.valueOf(before + surgeBefore)));
            sets.add(set);
        }

        Map<ReplicaSet, Integer> shared = Sizing.proportional(deployment(after, surgeAfter, 1), sets);

        assertThat(sets.stream().map(set -> String.valueOf(shared.getOrDefault(set, -1))))
                .containsExactly(want.split(","));
    }

    static Deployment deployment(int replicas, int surge, int unavailable) {
        return new DeploymentBuilder()
                .withNewMetadata()
                .withName("web")
                .endMetadata()
                .withNewSpec()
                .withReplicas(replicas)
                .withNewStrategy()
                .withType("RollingUpdate")
                .withNewRollingUpdate()
                .withMaxSurge(new IntOrString(surge))
                .withMaxUnavailable(new IntOrString(unavailable))
                .endRollingUpdate()
                .endStrategy()
                .endSpec()
                .build();
    }

    static ReplicaSet set(String name, int age, int replicas, int available) {
        return new ReplicaSetBuilder()
                .withNewMetadata()
                .withName(name)
                .withUid(name)
                .withCreationTimestamp("2026-01-01T00:00:0" + age + "Z")
                .endMetadata()
                .withNewSpec()
                .withReplicas(replicas)
                .endSpec()
                .withNewStatus()
                .withReplicas(replicas)
                .withReadyReplicas(available)
                .withAvailableReplicas(available)
                .endStatus()
                .build();
    }
}
