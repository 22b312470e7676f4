package io.trimtab.controllers.services;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodIP;
import io.fabric8.kubernetes.api.model.Service;
import io.trimtab.controller.Change;
import io.trimtab.controller.Request;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.selector.LabelSelectors;
import io.trimtab.selector.NamespacedSelectors;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * The Services whose selector matches a pod, found by a reverse index: a pod's event costs what matches, not what exists. Safe
 * for use by any thread; as new as the informer that feeds it.
 */
public final class ServiceSelectors {
    private final NamespacedSelectors<String> selectors = new NamespacedSelectors<>();

    /** To be told of every change of a Service. */
    public void onService(Change<Service> change) {
        Service service = change.latest();
        String namespace = service.getMetadata().getNamespace();
        String name = service.getMetadata().getName();
        Map<String, String> selector =
                service.getSpec() == null ? null : service.getSpec().getSelector();
        if (change.isDeleted() || selector == null || selector.isEmpty()) {
            selectors.remove(namespace, name);
        } else {
            selectors.put(namespace, name, LabelSelectors.of(selector));
        }
    }

    /**
     * The Services that a pod's change concerns: for a change of labels or host name alone, those that gained or lost it; for a
     * change of what Services see of it, all that had or have it; for anything else none.
     */
    public Set<Request> affected(Change<Pod> change) {
        Pod pod = change.latest();
        String namespace = pod.getMetadata().getNamespace();
        if (!change.isUpdated()) {
            return requests(namespace, selectors.matching(namespace, labels(pod)));
        }
        Pod old = Objects.requireNonNull(change.old());
        boolean addressed = isAddressChange(old, pod);
        boolean named = !labels(old).equals(labels(pod)) || isHostnameChange(old, pod);
        if (!addressed && !named) {
            return Set.of();
        }
        List<String> before = selectors.matching(namespace, labels(old));
        List<String> after = selectors.matching(namespace, labels(pod));
        Set<String> names = new LinkedHashSet<>(before);
        names.addAll(after);
        if (!addressed && !isHostnameChange(old, pod)) {
            // Those that have it before and after see no difference.
            names.removeIf(name -> before.contains(name) && after.contains(name));
        }
        return requests(namespace, names);
    }

    private static boolean isAddressChange(Pod old, Pod pod) {
        return Pods.isDeleting(old) != Pods.isDeleting(pod)
                || Pods.isReady(old) != Pods.isReady(pod)
                || Pods.isTerminal(old) != Pods.isTerminal(pod)
                || !addresses(old).equals(addresses(pod))
                || !Objects.equals(Pods.nodeName(old), Pods.nodeName(pod));
    }

    private static boolean isHostnameChange(Pod old, Pod pod) {
        return !Objects.equals(old.getSpec().getHostname(), pod.getSpec().getHostname())
                || !Objects.equals(old.getSpec().getSubdomain(), pod.getSpec().getSubdomain());
    }

    private static List<String> addresses(Pod pod) {
        return pod.getStatus() == null
                ? List.of()
                : pod.getStatus().getPodIPs().stream().map(PodIP::getIp).toList();
    }

    private static Map<String, String> labels(Pod pod) {
        return Objects.requireNonNullElse(pod.getMetadata().getLabels(), Map.of());
    }

    private static Set<Request> requests(String namespace, Iterable<String> names) {
        Set<Request> requests = new LinkedHashSet<>();
        names.forEach(name -> requests.add(new Request(namespace, name)));
        return requests;
    }
}
