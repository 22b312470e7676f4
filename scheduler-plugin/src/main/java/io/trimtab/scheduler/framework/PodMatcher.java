package io.trimtab.scheduler.framework;

import io.trimtab.selector.LabelSelector;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Selects pods by namespace and labels: those that match all the selectors. Immutable.
 *
 * @param namespaces null for all
 * @param selectors all must match
 * @param terminating whether pods that are being deleted count
 */
public record PodMatcher(@Nullable Set<String> namespaces, List<LabelSelector> selectors, boolean terminating) {
    public PodMatcher {
        namespaces = namespaces == null ? null : Set.copyOf(namespaces);
        selectors = List.copyOf(selectors);
    }

    public boolean matches(PodInfo pod) {
        if (!terminating && pod.isTerminating() || namespaces != null && !namespaces.contains(pod.namespace())) {
            return false;
        }
        for (LabelSelector selector : selectors) {
            if (!selector.matches(pod.labels())) {
                return false;
            }
        }
        return true;
    }
}
