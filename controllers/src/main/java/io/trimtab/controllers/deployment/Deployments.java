package io.trimtab.controllers.deployment;

import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentCondition;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatus;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.trimtab.controllers.pods.Pods;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** What Deployments and their ReplicaSets say about themselves: numbers, annotations, conditions. Pure functions. */
final class Deployments {
    static final String HASH_LABEL = "pod-template-hash";
    static final String REVISION = "deployment.kubernetes.io/revision";
    static final String REVISION_HISTORY = "deployment.kubernetes.io/revision-history";
    static final String DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas";
    static final String MAX_REPLICAS = "deployment.kubernetes.io/max-replicas";
    static final String ROLLBACK_TO = "deprecated.deployment.rollback.to";
    static final String LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

    /** Oldest first; of one second, by name. */
    static final Comparator<ReplicaSet> BY_AGE = Comparator.comparing(
                    (ReplicaSet set) -> set.getMetadata().getCreationTimestamp() == null
                            ? ""
                            : set.getMetadata().getCreationTimestamp())
            .thenComparing(set -> set.getMetadata().getName());

    private Deployments() {}

    static int replicas(Deployment deployment) {
        Integer replicas = deployment.getSpec().getReplicas();
        return replicas == null ? 1 : replicas;
    }

    static int replicas(ReplicaSet set) {
        Integer replicas = set.getSpec().getReplicas();
        return replicas == null ? 1 : replicas;
    }

    static int available(ReplicaSet set) {
        return set.getStatus() == null ? 0 : orZero(set.getStatus().getAvailableReplicas());
    }

    static int ready(ReplicaSet set) {
        return set.getStatus() == null ? 0 : orZero(set.getStatus().getReadyReplicas());
    }

    /** The pods that there are, by its status. */
    static int actual(ReplicaSet set) {
        return set.getStatus() == null ? 0 : orZero(set.getStatus().getReplicas());
    }

    static int sumReplicas(List<ReplicaSet> sets) {
        return sets.stream().mapToInt(Deployments::replicas).sum();
    }

    static int sumAvailable(List<ReplicaSet> sets) {
        return sets.stream().mapToInt(Deployments::available).sum();
    }

    static int orZero(@Nullable Integer number) {
        return number == null ? 0 : number;
    }

    static long orZero(@Nullable Long number) {
        return number == null ? 0 : number;
    }

    static boolean isDeleting(ReplicaSet set) {
        return set.getMetadata().getDeletionTimestamp() != null;
    }

    /** Those that want pods. */
    static List<ReplicaSet> active(List<ReplicaSet> sets) {
        return sets.stream().filter(set -> replicas(set) > 0).toList();
    }

    /** Old ones, and the new one if there is one. */
    static List<ReplicaSet> all(List<ReplicaSet> old, @Nullable ReplicaSet newSet) {
        List<ReplicaSet> all = new ArrayList<>(old);
        if (newSet != null) {
            all.add(newSet);
        }
        return all;
    }

    static boolean isPaused(Deployment deployment) {
        return Boolean.TRUE.equals(deployment.getSpec().getPaused());
    }

    /** The largest int stands for "no deadline". */
    static boolean hasProgressDeadline(Deployment deployment) {
        Integer deadline = deployment.getSpec().getProgressDeadlineSeconds();
        return deadline != null && deadline != Integer.MAX_VALUE;
    }

    /** The largest int stands for "keep all". */
    static boolean hasHistoryLimit(Deployment deployment) {
        Integer limit = deployment.getSpec().getRevisionHistoryLimit();
        return limit != null && limit != Integer.MAX_VALUE;
    }

    // ---- templates

    /** Templates are compared by value, never by hash: a hash may collide, and differs between implementations. */
    static boolean sameTemplate(PodTemplateSpec a, PodTemplateSpec b) {
        return withoutHash(a).equals(withoutHash(b));
    }

    static PodTemplateSpec withoutHash(PodTemplateSpec template) {
        PodTemplateSpec copy = new PodTemplateSpecBuilder(template).build();
        if (copy.getMetadata() != null) {
            if (copy.getMetadata().getLabels() != null) {
                Map<String, String> labels = new HashMap<>(copy.getMetadata().getLabels());
                labels.remove(HASH_LABEL);
                copy.getMetadata().setLabels(labels);
            }
            copy.getMetadata().setCreationTimestamp(null);
        }
        return copy;
    }

    /** The oldest set with the Deployment's template: if two match (after a race), all agree on one. */
    static Optional<ReplicaSet> findNew(Deployment deployment, List<ReplicaSet> sets) {
        PodTemplateSpec wanted = withoutHash(deployment.getSpec().getTemplate());
        return sets.stream()
                .sorted(BY_AGE)
                .filter(set -> withoutHash(set.getSpec().getTemplate()).equals(wanted))
                .findFirst();
    }

    static List<ReplicaSet> findOld(Deployment deployment, List<ReplicaSet> sets) {
        String newUid =
                findNew(deployment, sets).map(set -> set.getMetadata().getUid()).orElse("");
        return sets.stream()
                .filter(set -> !newUid.equals(set.getMetadata().getUid()))
                .toList();
    }

    // ---- annotations

    static @Nullable String annotation(io.fabric8.kubernetes.api.model.HasMetadata object, String key) {
        Map<String, String> annotations = object.getMetadata().getAnnotations();
        return annotations == null ? null : annotations.get(key);
    }

    /** The revision a set stands for: 0 if none is noted, empty if the note cannot be read. */
    static OptionalLong revision(ReplicaSet set) {
        String text = annotation(set, REVISION);
        if (text == null) {
            return OptionalLong.of(0);
        }
        try {
            return OptionalLong.of(Long.parseLong(text));
        } catch (NumberFormatException e) {
            return OptionalLong.empty();
        }
    }

    static long maxRevision(List<ReplicaSet> sets) {
        return sets.stream()
                .map(Deployments::revision)
                .filter(OptionalLong::isPresent)
                .mapToLong(OptionalLong::getAsLong)
                .max()
                .orElse(0);
    }

    /** The revision before the highest; 0 if there is none. */
    static long lastRevision(List<ReplicaSet> sets) {
        long max = 0;
        long second = 0;
        for (ReplicaSet set : sets) {
            OptionalLong revision = revision(set);
            if (revision.isEmpty()) {
                continue;
            }
            long value = revision.getAsLong();
            if (value >= max) {
                second = max;
                max = value;
            } else if (value > second) {
                second = value;
            }
        }
        return second;
    }

    static @Nullable Integer number(ReplicaSet set, String key) {
        String text = annotation(set, key);
        if (text == null) {
            return null;
        }
        try {
            return Integer.valueOf(text);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    // ---- conditions

    static @Nullable DeploymentCondition condition(DeploymentStatus status, String type) {
        for (DeploymentCondition condition : status.getConditions()) {
            if (type.equals(condition.getType())) {
                return condition;
            }
        }
        return null;
    }

    static DeploymentCondition newCondition(String type, String status, String reason, String message, Instant now) {
        DeploymentCondition condition = new DeploymentCondition();
        condition.setType(type);
        condition.setStatus(status);
        condition.setReason(reason);
        condition.setMessage(message);
        condition.setLastUpdateTime(Pods.time(now));
        condition.setLastTransitionTime(Pods.time(now));
        return condition;
    }

    /** Sets a condition, unless one of the same status and reason is there; the time of a transition is kept if it is none. */
    static void setCondition(DeploymentStatus status, DeploymentCondition condition) {
        DeploymentCondition current = condition(status, condition.getType());
        if (current != null
                && current.getStatus().equals(condition.getStatus())
                && java.util.Objects.equals(current.getReason(), condition.getReason())) {
            return;
        }
        if (current != null && current.getStatus().equals(condition.getStatus())) {
            condition.setLastTransitionTime(current.getLastTransitionTime());
        }
        removeCondition(status, condition.getType());
        List<DeploymentCondition> conditions = new ArrayList<>(status.getConditions());
        conditions.add(condition);
        status.setConditions(conditions);
    }

    static void removeCondition(DeploymentStatus status, String type) {
        List<DeploymentCondition> kept = new ArrayList<>(status.getConditions());
        kept.removeIf(c -> type.equals(c.getType()));
        status.setConditions(kept);
    }
}
