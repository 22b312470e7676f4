package io.trimtab.controllers.replicaset;

import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetBuilder;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetCondition;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetStatus;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.ownership.OwnerReferences;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.model.ModelSelectors;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** ReplicaSets, for the {@link ReplicaEngine}. */
public final class ReplicaSetController implements ReplicaKind<ReplicaSet> {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "replicaset-controller";

    private static final ResourceType<ReplicaSet> TYPE = ResourceType.of(ReplicaSet.class);

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        return ReplicaEngine.controller(new ReplicaSetController(), manager);
    }

    @Override
    public ResourceType<ReplicaSet> type() {
        return TYPE;
    }

    @Override
    public String controllerName() {
        return NAME;
    }

    @Override
    public int replicas(ReplicaSet owner) {
        Integer replicas = owner.getSpec().getReplicas();
        return replicas == null ? 1 : replicas;
    }

    @Override
    public LabelSelector selector(ReplicaSet owner) {
        return ModelSelectors.of(owner.getSpec().getSelector());
    }

    @Override
    public @Nullable PodTemplateSpec template(ReplicaSet owner) {
        return owner.getSpec().getTemplate();
    }

    @Override
    public int minReadySeconds(ReplicaSet owner) {
        Integer seconds = owner.getSpec().getMinReadySeconds();
        return seconds == null ? 0 : seconds;
    }

    @Override
    public ReplicaStatus status(ReplicaSet owner) {
        ReplicaSetStatus status = owner.getStatus();
        if (status == null) {
            return new ReplicaStatus(0, 0, 0, 0, 0, List.of());
        }
        return new ReplicaStatus(
                orZero(status.getReplicas()),
                orZero(status.getFullyLabeledReplicas()),
                orZero(status.getReadyReplicas()),
                orZero(status.getAvailableReplicas()),
                status.getObservedGeneration() == null ? 0 : status.getObservedGeneration(),
                status.getConditions().stream()
                        .map(c -> new Condition(
                                c.getType(), c.getStatus(), c.getReason(), c.getMessage(), c.getLastTransitionTime()))
                        .toList());
    }

    @Override
    public ReplicaSet withStatus(ReplicaSet owner, ReplicaStatus status) {
        return new ReplicaSetBuilder(owner)
                .withNewStatus()
                .withReplicas(status.replicas())
                .withFullyLabeledReplicas(status.fullyLabeled())
                .withReadyReplicas(status.ready())
                .withAvailableReplicas(status.available())
                .withObservedGeneration(status.observedGeneration())
                .withConditions(status.conditions().stream()
                        .map(c -> new ReplicaSetCondition(
                                c.lastTransitionTime(), c.message(), c.reason(), c.status(), c.type()))
                        .toList())
                .endStatus()
                .build();
    }

    @Override
    public @Nullable String controllerUid(ReplicaSet owner) {
        return OwnerReferences.controllerOf(owner).map(OwnerReference::getUid).orElse(null);
    }

    private static int orZero(@Nullable Integer number) {
        return number == null ? 0 : number;
    }
}
