package io.trimtab.controllers.namespace;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.NamespaceCondition;
import java.util.List;
import org.junit.jupiter.api.Test;

class NamespaceConditionsTest {

    @Test
    void givenNothingFound_whenMerged_thenAllFiveAreFine() {
        List<NamespaceCondition> conditions =
                NamespaceConditions.merge(List.of(), new NamespaceConditions.Findings(), "now");

        assertThat(conditions).hasSize(5).allMatch(c -> c.getStatus().equals("False"));
        assertThat(conditions)
                .extracting(NamespaceCondition::getReason)
                .containsExactlyInAnyOrder(
                        "ResourcesDiscovered",
                        "ParsedGroupVersions",
                        "ContentDeleted",
                        "ContentRemoved",
                        "ContentHasNoFinalizers");
    }

    @Test
    void givenWhatRemains_whenMerged_thenItIsCountedByResourceAndFinalizer() {
        NamespaceConditions.Findings findings = new NamespaceConditions.Findings();
        findings.remaining.put("pods.", 2);
        findings.remaining.put("deployments.apps", 1);
        findings.finalizers.put("custom.io/finalizer", 1);

        List<NamespaceCondition> conditions = NamespaceConditions.merge(List.of(), findings, "now");

        assertThat(conditions)
                .extracting(NamespaceCondition::getMessage)
                .contains(
                        "Some resources are remaining: deployments.apps has 1 resource instances, pods. has 2 resource"
                                + " instances",
                        "Some content in the namespace has finalizers remaining: custom.io/finalizer in 1 resource"
                                + " instances");
    }

    @Test
    void givenAnEarlierCondition_whenItStays_thenItsTimeStays() {
        List<NamespaceCondition> first =
                NamespaceConditions.merge(List.of(), new NamespaceConditions.Findings(), "early");

        List<NamespaceCondition> second = NamespaceConditions.merge(first, new NamespaceConditions.Findings(), "late");

        assertThat(second).allMatch(c -> c.getLastTransitionTime().equals("early"));
    }
}
