package io.trimtab.controllers.replicationcontroller;

import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.ReplicationController;
import io.fabric8.kubernetes.api.model.ReplicationControllerBuilder;
import io.fabric8.kubernetes.api.model.ReplicationControllerCondition;
import io.fabric8.kubernetes.api.model.ReplicationControllerStatus;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controllers.replicaset.ReplicaEngine;
import io.trimtab.controllers.replicaset.ReplicaKind;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** ReplicationControllers: the ReplicaSet engine under an older name, with a plain map for a selector. */
public final class ReplicationControllerController implements ReplicaKind<ReplicationController> {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "replicationcontroller-controller";

    /** What its events and its user agent call it, for history's sake. */
    private static final String COMPONENT = "replication-controller";

    private static final ResourceType<ReplicationController> TYPE = ResourceType.of(ReplicationController.class);

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        return ReplicaEngine.controller(new ReplicationControllerController(), manager);
    }

    @Override
    public ResourceType<ReplicationController> type() {
        return TYPE;
    }

    @Override
    public String controllerName() {
        return COMPONENT;
    }

    @Override
    public int replicas(ReplicationController owner) {
        Integer replicas = owner.getSpec().getReplicas();
        return replicas == null ? 1 : replicas;
    }

    @Override
    public LabelSelector selector(ReplicationController owner) {
        Map<String, String> selector = owner.getSpec().getSelector();
        return selector == null || selector.isEmpty() ? LabelSelectors.nothing() : LabelSelectors.of(selector);
    }

    @Override
    public @Nullable PodTemplateSpec template(ReplicationController owner) {
        return owner.getSpec().getTemplate();
    }

    @Override
    public int minReadySeconds(ReplicationController owner) {
        return orZero(owner.getSpec().getMinReadySeconds());
    }

    @Override
    public ReplicaStatus status(ReplicationController owner) {
        ReplicationControllerStatus status =
                Objects.requireNonNullElseGet(owner.getStatus(), ReplicationControllerStatus::new);
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
    public ReplicationController withStatus(ReplicationController owner, ReplicaStatus status) {
        return new ReplicationControllerBuilder(owner)
                .withNewStatus()
                .withReplicas(status.replicas())
                .withFullyLabeledReplicas(status.fullyLabeled())
                .withReadyReplicas(status.ready())
                .withAvailableReplicas(status.available())
                .withObservedGeneration(status.observedGeneration())
                .withConditions(status.conditions().stream()
                        .map(c -> new ReplicationControllerCondition(
                                c.lastTransitionTime(), c.message(), c.reason(), c.status(), c.type()))
                        .toList())
                .endStatus()
                .build();
    }

    /** ReplicationControllers are nobody's parts: they have no siblings. */
    @Override
    public @Nullable String controllerUid(ReplicationController owner) {
        return null;
    }

    private static int orZero(@Nullable Integer number) {
        return number == null ? 0 : number;
    }
}
