package io.trimtab.controllers.clusterrole;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.api.model.rbac.ClusterRoleBuilder;
import io.fabric8.kubernetes.api.model.rbac.PolicyRuleBuilder;
import java.util.List;
import org.junit.jupiter.api.Test;

class ClusterRoleAggregationTest {

    @Test
    void givenSelectedRoles_whenAggregated_thenEachRuleIsThereOnceInTheOrderOfNames() {
        ClusterRole aggregate = new ClusterRoleBuilder(role("a-view", "get", "view"))
                .withNewAggregationRule()
                .withClusterRoleSelectors(new LabelSelectorBuilder()
                        .addToMatchLabels("to", "view")
                        .build())
                .endAggregationRule()
                .build();

        assertThat(ClusterRoleAggregationController.aggregate(
                        aggregate,
                        List.of(
                                role("c", "watch", "view"),
                                role("b", "list", "view"),
                                role("d", "list", "view"),
                                role("e", "delete", "edit"),
                                aggregate)))
                .extracting(rule -> rule.getVerbs().get(0))
                .containsExactly("list", "watch");
    }

    private static ClusterRole role(String name, String verb, String label) {
        return new ClusterRoleBuilder()
                .withNewMetadata()
                .withName(name)
                .addToLabels("to", label)
                .endMetadata()
                .withRules(new PolicyRuleBuilder().withVerbs(verb).build())
                .build();
    }
}
