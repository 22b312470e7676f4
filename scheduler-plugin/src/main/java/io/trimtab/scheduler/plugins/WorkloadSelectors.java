package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.ReplicationController;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.trimtab.informer.InformerFactory;
import io.trimtab.informer.Lister;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import io.trimtab.selector.model.ModelSelectors;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** Finds the pods that belong together with a pod: by the services that select it and the workload that owns it. */
final class WorkloadSelectors implements Function<PodInfo, LabelSelector> {
    private final Lister<Service> services;
    private final Lister<ReplicationController> controllers;
    private final Lister<ReplicaSet> replicaSets;
    private final Lister<StatefulSet> statefulSets;

    WorkloadSelectors(InformerFactory informers) {
        this.services = informers.informer(Service.class).lister();
        this.controllers = informers.informer(ReplicationController.class).lister();
        this.replicaSets = informers.informer(ReplicaSet.class).lister();
        this.statefulSets = informers.informer(StatefulSet.class).lister();
    }

    /** Everything if the pod belongs to nothing. */
    @Override
    public LabelSelector apply(PodInfo pod) {
        Map<String, String> labels = new TreeMap<>();
        for (Service service : services.list(pod.namespace())) {
            Map<String, String> selector =
                    service.getSpec() == null ? null : service.getSpec().getSelector();
            if (selector != null
                    && !selector.isEmpty()
                    && pod.labels().entrySet().containsAll(selector.entrySet())) {
                labels.putAll(selector);
            }
        }
        for (OwnerReference owner : owners(pod)) {
            if (Boolean.TRUE.equals(owner.getController())) {
                return owned(pod, owner, labels);
            }
        }
        return LabelSelectors.of(labels);
    }

    private static List<OwnerReference> owners(PodInfo pod) {
        List<OwnerReference> owners = pod.pod().getMetadata().getOwnerReferences();
        return owners == null ? List.of() : owners;
    }

    private LabelSelector owned(PodInfo pod, OwnerReference owner, Map<String, String> labels) {
        String kind = owner.getApiVersion() + "/" + owner.getKind();
        io.fabric8.kubernetes.api.model.LabelSelector own =
                switch (kind) {
                    case "v1/ReplicationController" ->
                        controllers
                                .get(pod.namespace(), owner.getName())
                                .map(rc -> new LabelSelectorBuilder()
                                        .withMatchLabels(rc.getSpec().getSelector())
                                        .build())
                                .orElse(null);
                    case "apps/v1/ReplicaSet" ->
                        replicaSets
                                .get(pod.namespace(), owner.getName())
                                .map(set -> set.getSpec().getSelector())
                                .orElse(null);
                    case "apps/v1/StatefulSet" ->
                        statefulSets
                                .get(pod.namespace(), owner.getName())
                                .map(set -> set.getSpec().getSelector())
                                .orElse(null);
                    default -> null;
                };
        LabelSelector ofServices = LabelSelectors.of(labels);
        return own == null ? ofServices : LabelSelectors.and(ofServices, ModelSelectors.of(own));
    }
}
