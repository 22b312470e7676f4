package io.trimtab.controllers.disruption;

import static io.trimtab.controllers.pods.SamplePods.NOW;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.IntOrString;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudgetBuilder;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudgetStatus;
import io.trimtab.controllers.pods.SamplePods;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BudgetPlanTest {

    @ParameterizedTest
    @CsvSource({"2, , 5, 2", "30%, , 10, 3", "30%, , 5, 2", ", 2, 5, 3", ", 30%, 5, 3", ", 9, 5, 0"})
    void givenABudget_whenResolved_thenPercentagesRoundUp(String least, String most, int count, int desired) {
        PodDisruptionBudget budget = budget(least, most);

        assertThat(BudgetPlan.need(budget, count)).isEqualTo(new BudgetPlan.Need(count, desired));
    }

    @Test
    void givenAnEvictionUnderWay_whenCounted_thenItsPodIsNotHealthyForTwoMinutes() {
        PodDisruptionBudget budget = budget("1", null);
        budget.setStatus(new PodDisruptionBudgetStatus());
        budget.getStatus()
                .setDisruptedPods(Map.of(
                        "a", NOW.minusSeconds(60).toString(),
                        "b", NOW.minusSeconds(121).toString()));
        List<Pod> pods = List.of(
                SamplePods.ready("a", "n", "10.0.0.1"),
                SamplePods.ready("b", "n", "10.0.0.2"),
                SamplePods.running("c", "n"));

        BudgetPlan.Disrupted disrupted = BudgetPlan.disrupted(budget, pods, NOW);
        int healthy = BudgetPlan.healthy(pods, disrupted);
        PodDisruptionBudgetStatus status =
                BudgetPlan.status(budget, BudgetPlan.need(budget, 3), healthy, disrupted, NOW);

        assertThat(disrupted.waiting()).containsOnlyKeys("a");
        assertThat(disrupted.overdue())
                .extracting(p -> p.getMetadata().getName())
                .containsExactly("b");
        assertThat(disrupted.recheck()).isEqualTo(NOW.plusSeconds(60));
        assertThat(status.getCurrentHealthy()).isEqualTo(1);
        assertThat(status.getDisruptionsAllowed()).isZero();
        assertThat(status.getConditions().get(0).getReason()).isEqualTo("InsufficientPods");
    }

    @Test
    void givenAFailure_whenSafe_thenNothingMayBeDisrupted() {
        PodDisruptionBudgetStatus status = BudgetPlan.failSafe(budget("1", null), "oops", NOW);

        assertThat(status.getDisruptionsAllowed()).isZero();
        assertThat(status.getConditions().get(0).getReason()).isEqualTo("SyncFailed");
    }

    private static PodDisruptionBudget budget(String least, String most) {
        return new PodDisruptionBudgetBuilder()
                .withNewMetadata()
                .withName("p")
                .endMetadata()
                .withNewSpec()
                .withMinAvailable(value(least))
                .withMaxUnavailable(value(most))
                .endSpec()
                .build();
    }

    private static IntOrString value(String text) {
        if (text == null) {
            return null;
        }
        return text.endsWith("%") ? new IntOrString(text) : new IntOrString(Integer.valueOf(text));
    }
}
