package io.trimtab.controllers.namespace;

import io.fabric8.kubernetes.api.model.NamespaceCondition;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The conditions that say why a namespace is not gone yet. Pure. */
final class NamespaceConditions {
    private NamespaceConditions() {}

    /** What a pass found. */
    static final class Findings {
        final List<String> discoveryFailures = new ArrayList<>();
        final List<String> contentFailures = new ArrayList<>();
        /** Objects left, by {@code resource.group}. */
        final Map<String, Integer> remaining = new TreeMap<>();
        /** Objects left, by finalizer. */
        final Map<String, Integer> finalizers = new TreeMap<>();
    }

    /** All five conditions; the time of a transition stays where the status does. */
    static List<NamespaceCondition> merge(List<NamespaceCondition> old, Findings findings, String now) {
        List<NamespaceCondition> conditions = new ArrayList<>(old);
        set(
                conditions,
                "NamespaceDeletionDiscoveryFailure",
                !findings.discoveryFailures.isEmpty(),
                "DiscoveryFailed",
                "Discovery failed for some groups, " + findings.discoveryFailures.size() + " failing: "
                        + String.join(", ", findings.discoveryFailures),
                "ResourcesDiscovered",
                "All resources successfully discovered",
                now);
        set(
                conditions,
                "NamespaceDeletionGroupVersionParsingFailure",
                false,
                "GroupVersionParsingFailed",
                "",
                "ParsedGroupVersions",
                "All legacy kube types successfully parsed",
                now);
        set(
                conditions,
                "NamespaceDeletionContentFailure",
                !findings.contentFailures.isEmpty(),
                "ContentDeletionFailed",
                "Failed to delete all resource types, " + findings.contentFailures.size() + " remaining: "
                        + String.join(", ", findings.contentFailures),
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization",
                now);
        set(
                conditions,
                "NamespaceContentRemaining",
                !findings.remaining.isEmpty(),
                "SomeResourcesRemain",
                "Some resources are remaining: "
                        + findings.remaining.entrySet().stream()
                                .map(e -> e.getKey() + " has " + e.getValue() + " resource instances")
                                .collect(Collectors.joining(", ")),
                "ContentRemoved",
                "All content successfully removed",
                now);
        set(
                conditions,
                "NamespaceFinalizersRemaining",
                !findings.finalizers.isEmpty(),
                "SomeFinalizersRemain",
                "Some content in the namespace has finalizers remaining: "
                        + findings.finalizers.entrySet().stream()
                                .map(e -> e.getKey() + " in " + e.getValue() + " resource instances")
                                .collect(Collectors.joining(", ")),
                "ContentHasNoFinalizers",
                "All content-preserving finalizers finished",
                now);
        return conditions;
    }

    private static void set(
            List<NamespaceCondition> conditions,
            String type,
            boolean bad,
            String badReason,
            String badMessage,
            String goodReason,
            String goodMessage,
            String now) {
        NamespaceCondition condition = new NamespaceCondition();
        condition.setType(type);
        condition.setStatus(bad ? "True" : "False");
        condition.setReason(bad ? badReason : goodReason);
        condition.setMessage(bad ? badMessage : goodMessage);
        condition.setLastTransitionTime(now);
        for (int i = 0; i < conditions.size(); i++) {
            NamespaceCondition present = conditions.get(i);
            if (type.equals(present.getType())) {
                if (present.getStatus().equals(condition.getStatus())) {
                    condition.setLastTransitionTime(present.getLastTransitionTime());
                }
                conditions.set(i, condition);
                return;
            }
        }
        conditions.add(condition);
    }
}
