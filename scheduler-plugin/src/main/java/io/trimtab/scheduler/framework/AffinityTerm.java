package io.trimtab.scheduler.framework;

import io.trimtab.selector.LabelSelector;
import java.util.Map;
import java.util.Set;

/**
 * One term of a pod's affinity to other pods, compiled. Immutable; equal terms mean the same.
 *
 * @param kind which of the four lists it stands in
 * @param namespaces listed namespaces, or the pod's own if the term says nothing of namespaces
 * @param namespaceSelector further namespaces, by their labels
 * @param selector the pods
 * @param topologyKey the node label whose value makes a domain
 * @param weight of preferred terms; 0 for required ones
 */
public record AffinityTerm(
        Kind kind,
        Set<String> namespaces,
        LabelSelector namespaceSelector,
        LabelSelector selector,
        String topologyKey,
        int weight) {

    /** The four lists. */
    public enum Kind {
        REQUIRED_AFFINITY,
        REQUIRED_ANTI_AFFINITY,
        PREFERRED_AFFINITY,
        PREFERRED_ANTI_AFFINITY
    }

    /** True if the term speaks of this pod. */
    public boolean matches(PodInfo pod, Map<String, String> namespaceLabels) {
        return (namespaces.contains(pod.namespace()) || namespaceSelector.matches(namespaceLabels))
                && selector.matches(pod.labels());
    }
}
