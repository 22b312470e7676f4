package io.trimtab.junit;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentCondition;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatus;
import java.util.Objects;
import org.assertj.core.api.AbstractAssert;

/** Assertions about a Deployment. */
public final class DeploymentAssert extends AbstractAssert<DeploymentAssert, Deployment> {
    DeploymentAssert(Deployment actual) {
        super(actual, DeploymentAssert.class);
    }

    /** All its pods are of the newest template and available, none is left of older ones, and its controller knows. */
    public DeploymentAssert isComplete() {
        isNotNull();
        int wanted = number(actual.getSpec().getReplicas(), 1);
        DeploymentStatus status = status();
        long observed = status.getObservedGeneration() == null ? 0 : status.getObservedGeneration();
        if (observed < actual.getMetadata().getGeneration()
                || number(status.getReplicas(), 0) != wanted
                || number(status.getUpdatedReplicas(), 0) != wanted
                || number(status.getAvailableReplicas(), 0) != wanted) {
            throw failure(
                    "Expected %s to be complete: %d replicas, all updated and available, at generation %d; found %d"
                            + " replicas, %d updated, %d available, generation %d observed; conditions %s",
                    Cluster.name(actual),
                    wanted,
                    actual.getMetadata().getGeneration(),
                    number(status.getReplicas(), 0),
                    number(status.getUpdatedReplicas(), 0),
                    number(status.getAvailableReplicas(), 0),
                    observed,
                    status.getConditions());
        }
        return this;
    }

    /** It has a condition of this type and status, for this reason. */
    public DeploymentAssert hasCondition(String type, String status, String reason) {
        isNotNull();
        for (DeploymentCondition condition : status().getConditions()) {
            if (type.equals(condition.getType())) {
                if (status.equals(condition.getStatus()) && reason.equals(condition.getReason())) {
                    return this;
                }
                throw failure(
                        "Expected condition %s of %s to be %s for %s, found %s for %s: %s",
                        type,
                        Cluster.name(actual),
                        status,
                        reason,
                        condition.getStatus(),
                        condition.getReason(),
                        condition.getMessage());
            }
        }
        throw failure(
                "Expected %s to have a condition %s, found %s", Cluster.name(actual), type, status().getConditions());
    }

    private DeploymentStatus status() {
        return Objects.requireNonNullElseGet(actual.getStatus(), DeploymentStatus::new);
    }

    private static int number(@org.jspecify.annotations.Nullable Integer value, int absent) {
        return value == null ? absent : value;
    }
}
