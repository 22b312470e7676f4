package io.trimtab.controllers.deployment;

import static io.trimtab.controllers.deployment.Deployments.condition;
import static io.trimtab.controllers.deployment.Deployments.newCondition;
import static io.trimtab.controllers.deployment.Deployments.orZero;
import static io.trimtab.controllers.deployment.Deployments.removeCondition;
import static io.trimtab.controllers.deployment.Deployments.setCondition;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentCondition;
import io.fabric8.kubernetes.api.model.apps.DeploymentConditionBuilder;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatus;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetCondition;
import io.trimtab.controllers.pods.Pods;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The status of a Deployment: counts, conditions, and whether the rollout moves, is done or has run out of time. Pure. */
final class Progress {
    static final String AVAILABLE = "Available";
    static final String PROGRESSING = "Progressing";
    static final String REPLICA_FAILURE = "ReplicaFailure";
    static final String DONE = "NewReplicaSetAvailable";
    static final String TIMED_OUT = "ProgressDeadlineExceeded";

    private Progress() {}

    /** The counts, and the Available condition; the other conditions are taken over. */
    static DeploymentStatus status(
            Deployment deployment, List<ReplicaSet> allSets, @Nullable ReplicaSet newSet, Instant now) {
        DeploymentStatus old = statusOf(deployment);
        int available = Deployments.sumAvailable(allSets);
        DeploymentStatus status = new DeploymentStatus();
        status.setObservedGeneration(deployment.getMetadata().getGeneration());
        // Nothing is absent on the wire, not zero: so that an unchanged status equals the one that was read.
        status.setReplicas(
                orAbsent(allSets.stream().mapToInt(Deployments::actual).sum()));
        status.setUpdatedReplicas(orAbsent(newSet == null ? 0 : Deployments.actual(newSet)));
        status.setReadyReplicas(
                orAbsent(allSets.stream().mapToInt(Deployments::ready).sum()));
        status.setAvailableReplicas(orAbsent(available));
        status.setUnavailableReplicas(orAbsent(Math.max(0, Deployments.sumReplicas(allSets) - available)));
        status.setCollisionCount(old.getCollisionCount());
        List<DeploymentCondition> conditions = new ArrayList<>();
        old.getConditions().forEach(c -> conditions.add(new DeploymentConditionBuilder(c).build()));
        status.setConditions(conditions);
        boolean enough = available
                >= Deployments.replicas(deployment) - Fenceposts.of(deployment).unavailable();
        setCondition(
                status,
                enough
                        ? newCondition(
                                AVAILABLE,
                                "True",
                                "MinimumReplicasAvailable",
                                "Deployment has minimum availability.",
                                now)
                        : newCondition(
                                AVAILABLE,
                                "False",
                                "MinimumReplicasUnavailable",
                                "Deployment does not have minimum availability.",
                                now));
        return status;
    }

    /** The same, with the verdict on the rollout. */
    static DeploymentStatus rolloutStatus(
            Deployment deployment, List<ReplicaSet> allSets, @Nullable ReplicaSet newSet, Instant now) {
        DeploymentStatus status = status(deployment, allSets, newSet, now);
        boolean deadline = Deployments.hasProgressDeadline(deployment);
        if (!deadline) {
            removeCondition(status, PROGRESSING);
        }
        DeploymentCondition current = condition(statusOf(deployment), PROGRESSING);
        boolean wasDone = orZero(status.getReplicas()) == orZero(status.getUpdatedReplicas())
                && current != null
                && DONE.equals(current.getReason());
        if (deadline && !wasDone) {
            String subject = newSet == null
                    ? "Deployment \"" + deployment.getMetadata().getName() + "\""
                    : "ReplicaSet \"" + newSet.getMetadata().getName() + "\"";
            if (isComplete(deployment, status)) {
                setCondition(
                        status,
                        newCondition(PROGRESSING, "True", DONE, subject + " has successfully progressed.", now));
            } else if (isProgressing(statusOf(deployment), status)) {
                DeploymentCondition moved =
                        newCondition(PROGRESSING, "True", "ReplicaSetUpdated", subject + " is progressing.", now);
                if (current != null && "True".equals(current.getStatus())) {
                    moved.setLastTransitionTime(current.getLastTransitionTime());
                }
                // Replaced even if equal: lastUpdateTime is what the deadline counts from.
                removeCondition(status, PROGRESSING);
                setCondition(status, moved);
            } else if (isTimedOut(deployment, status, now)) {
                setCondition(
                        status,
                        newCondition(PROGRESSING, "False", TIMED_OUT, subject + " has timed out progressing.", now));
            }
        }
        ReplicaSetCondition failure = failure(allSets, newSet);
        if (failure == null) {
            removeCondition(status, REPLICA_FAILURE);
        } else {
            setCondition(
                    status,
                    new DeploymentConditionBuilder()
                            .withType(failure.getType())
                            .withStatus(failure.getStatus())
                            .withReason(failure.getReason())
                            .withMessage(failure.getMessage())
                            .withLastTransitionTime(failure.getLastTransitionTime())
                            .withLastUpdateTime(failure.getLastTransitionTime())
                            .build());
        }
        return status;
    }

    private static @Nullable Integer orAbsent(int number) {
        return number == 0 ? null : number;
    }

    static boolean isComplete(Deployment deployment, DeploymentStatus status) {
        int wanted = Deployments.replicas(deployment);
        return orZero(status.getUpdatedReplicas()) == wanted
                && orZero(status.getReplicas()) == wanted
                && orZero(status.getAvailableReplicas()) == wanted
                && orZero(status.getObservedGeneration())
                        >= orZero(deployment.getMetadata().getGeneration());
    }

    private static boolean isProgressing(DeploymentStatus old, DeploymentStatus status) {
        int oldOld = orZero(old.getReplicas()) - orZero(old.getUpdatedReplicas());
        int newOld = orZero(status.getReplicas()) - orZero(status.getUpdatedReplicas());
        return orZero(status.getUpdatedReplicas()) > orZero(old.getUpdatedReplicas())
                || newOld < oldOld
                || orZero(status.getReadyReplicas()) > orZero(old.getReadyReplicas())
                || orZero(status.getAvailableReplicas()) > orZero(old.getAvailableReplicas());
    }

    private static boolean isTimedOut(Deployment deployment, DeploymentStatus status, Instant now) {
        DeploymentCondition condition = condition(status, PROGRESSING);
        if (condition == null || DONE.equals(condition.getReason())) {
            return false;
        }
        if (TIMED_OUT.equals(condition.getReason())) {
            return true;
        }
        Instant deadline = deadline(deployment, condition);
        return deadline != null && deadline.isBefore(now);
    }

    private static @Nullable Instant deadline(Deployment deployment, DeploymentCondition condition) {
        Instant from = Pods.time(condition.getLastUpdateTime());
        Integer seconds = deployment.getSpec().getProgressDeadlineSeconds();
        return from == null || seconds == null ? null : from.plusSeconds(seconds);
    }

    /** When an unfinished rollout must be looked at again though nothing may happen; null if never. */
    static @Nullable Duration untilDeadline(Deployment deployment, DeploymentStatus status, Instant now) {
        DeploymentCondition condition = condition(statusOf(deployment), PROGRESSING);
        if (!Deployments.hasProgressDeadline(deployment)
                || condition == null
                || isComplete(deployment, status)
                || TIMED_OUT.equals(condition.getReason())) {
            return null;
        }
        Instant deadline = deadline(deployment, condition);
        return deadline == null ? null : Duration.between(now, deadline);
    }

    private static @Nullable ReplicaSetCondition failure(List<ReplicaSet> allSets, @Nullable ReplicaSet newSet) {
        ReplicaSetCondition found = newSet == null ? null : failure(newSet);
        for (ReplicaSet set : allSets) {
            if (found == null) {
                found = failure(set);
            }
        }
        return found;
    }

    private static @Nullable ReplicaSetCondition failure(ReplicaSet set) {
        if (set.getStatus() == null) {
            return null;
        }
        return set.getStatus().getConditions().stream()
                .filter(c -> REPLICA_FAILURE.equals(c.getType()))
                .findFirst()
                .orElse(null);
    }

    static DeploymentStatus statusOf(Deployment deployment) {
        return Objects.requireNonNullElseGet(deployment.getStatus(), DeploymentStatus::new);
    }
}
