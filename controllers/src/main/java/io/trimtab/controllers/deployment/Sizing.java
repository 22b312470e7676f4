package io.trimtab.controllers.deployment;

import static io.trimtab.controllers.deployment.Deployments.active;
import static io.trimtab.controllers.deployment.Deployments.all;
import static io.trimtab.controllers.deployment.Deployments.available;
import static io.trimtab.controllers.deployment.Deployments.number;
import static io.trimtab.controllers.deployment.Deployments.replicas;
import static io.trimtab.controllers.deployment.Deployments.sumAvailable;
import static io.trimtab.controllers.deployment.Deployments.sumReplicas;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How large each ReplicaSet of a Deployment should be next: the arithmetic of rolling updates and of proportional scaling. Pure
 * functions of what was observed.
 */
final class Sizing {
    private Sizing() {}

    /** The size of the new set: as large as the surge allows, while others still have pods. */
    static int newSet(Deployment deployment, List<ReplicaSet> allSets, ReplicaSet newSet) {
        int wanted = replicas(deployment);
        if (!Fenceposts.isRolling(deployment)) {
            return wanted;
        }
        int limit = wanted + Fenceposts.of(deployment).surge();
        int total = sumReplicas(allSets);
        if (total >= limit) {
            return replicas(newSet);
        }
        return replicas(newSet) + Math.min(limit - total, wanted - replicas(newSet));
    }

    /**
     * The sizes of the old sets in the next step of a rolling update. First go replicas that are not available anyway, oldest
     * set first; then available ones, as far as the new set stands in for them.
     *
     * @return the sets whose size changes, with the new size, in the order to be carried out
     */
    static Map<ReplicaSet, Integer> oldSets(Deployment deployment, List<ReplicaSet> old, @Nullable ReplicaSet newSet) {
        Map<ReplicaSet, Integer> sizes = new LinkedHashMap<>();
        List<ReplicaSet> sorted =
                active(old).stream().sorted(Deployments.BY_AGE).toList();
        int oldPods = sumReplicas(sorted);
        if (oldPods == 0) {
            return sizes;
        }
        int minAvailable = replicas(deployment) - Fenceposts.of(deployment).unavailable();
        int newUnavailable = newSet == null ? 0 : replicas(newSet) - available(newSet);
        int newPods = newSet == null ? 0 : replicas(newSet);
        int budget = oldPods + newPods - minAvailable - newUnavailable;
        if (budget <= 0) {
            return sizes;
        }
        for (ReplicaSet set : sorted) {
            int unhealthy = replicas(set) - available(set);
            int less = Math.min(budget, unhealthy);
            if (less > 0) {
                sizes.put(set, replicas(set) - less);
                budget -= less;
            }
        }
        int spare = sumAvailable(sorted) + (newSet == null ? 0 : available(newSet)) - minAvailable;
        for (ReplicaSet set : sorted) {
            int size = sizes.getOrDefault(set, replicas(set));
            int less = Math.min(size, spare);
            if (less > 0) {
                sizes.put(set, size - less);
                spare -= less;
            }
        }
        return sizes;
    }

    /** The only set that wants pods; if none does, the new one, or else the newest old one; empty if several do. */
    static Optional<ReplicaSet> activeOrLatest(List<ReplicaSet> old, @Nullable ReplicaSet newSet) {
        List<ReplicaSet> active = active(all(old, newSet));
        if (active.size() > 1) {
            return Optional.empty();
        }
        if (active.size() == 1) {
            return Optional.of(active.get(0));
        }
        return newSet != null ? Optional.of(newSet) : old.stream().max(Deployments.BY_AGE);
    }

    /** The new set has, wants and offers all the pods of the Deployment. */
    static boolean isSaturated(Deployment deployment, @Nullable ReplicaSet newSet) {
        if (newSet == null) {
            return false;
        }
        Integer desired = number(newSet, Deployments.DESIRED_REPLICAS);
        int wanted = replicas(deployment);
        return desired != null && desired == wanted && replicas(newSet) == wanted && available(newSet) == wanted;
    }

    /**
     * Shares a change of the Deployment's size between sets that all have pods, in proportion, so that a rollout that is
     * scaled half-way stays half-way.
     *
     * @param active the sets that want pods
     * @return the size of each, in the order to be carried out
     */
    static Map<ReplicaSet, Integer> proportional(Deployment deployment, List<ReplicaSet> active) {
        int wanted = replicas(deployment);
        int allowed = wanted > 0 ? wanted + Fenceposts.of(deployment).surge() : 0;
        int toAdd = allowed - sumReplicas(active);
        Comparator<ReplicaSet> bigger =
                Comparator.comparingInt((ReplicaSet set) -> replicas(set)).reversed();
        List<ReplicaSet> sorted = new ArrayList<>(active);
        sorted.sort(bigger.thenComparing(toAdd > 0 ? Deployments.BY_AGE.reversed() : Deployments.BY_AGE));
        Map<ReplicaSet, Integer> sizes = new LinkedHashMap<>();
        int added = 0;
        for (ReplicaSet set : sorted) {
            int share = toAdd == 0 ? 0 : share(deployment, set, toAdd, added);
            added += share;
            sizes.put(set, replicas(set) + share);
        }
        if (toAdd != 0 && !sorted.isEmpty()) {
            // What rounding left over goes to the largest set.
            ReplicaSet first = sorted.get(0);
            int size = sizes.getOrDefault(first, 0) + toAdd - added;
            sizes.put(first, Math.max(0, size));
        }
        return sizes;
    }

    private static int share(Deployment deployment, ReplicaSet set, int toAdd, int added) {
        if (replicas(set) == 0 || toAdd == added) {
            return 0;
        }
        int fraction = fraction(deployment, set);
        int left = toAdd - added;
        return toAdd > 0 ? Math.min(fraction, left) : Math.max(fraction, left);
    }

    private static int fraction(Deployment deployment, ReplicaSet set) {
        int wanted = replicas(deployment);
        if (wanted == 0) {
            return -replicas(set);
        }
        Integer before = number(set, Deployments.MAX_REPLICAS);
        if (before == null || before == 0) {
            // A set from before the annotation: the status still shows the size the Deployment had.
            before = deployment.getStatus() == null
                    ? 0
                    : Deployments.orZero(deployment.getStatus().getReplicas());
            if (before == 0) {
                return 0;
            }
        }
        double size =
                (double) replicas(set) * (wanted + Fenceposts.of(deployment).surge()) / before;
        return (int) Math.floor(size + 0.5) - replicas(set);
    }
}
