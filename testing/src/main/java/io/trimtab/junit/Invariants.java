package io.trimtab.junit;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ReplicationController;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.trimtab.controllers.ControllerTable;
import io.trimtab.runtime.VirtualDriver;
import io.trimtab.standalone.ClusterOptions;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What holds of every cluster that was left to itself for a while. Stateless. */
final class Invariants {
    /** The garbage collector's first retries, with room: what it has not done by then it will not do. */
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    /** Kinds whose pods are looked at; other owners are their own authors' business. */
    private static final Map<String, Class<? extends HasMetadata>> OWNERS = Map.of(
            "ReplicaSet", ReplicaSet.class,
            "ReplicationController", ReplicationController.class,
            "StatefulSet", StatefulSet.class,
            "DaemonSet", DaemonSet.class,
            "Job", Job.class);

    private Invariants() {}

    static void check(Cluster cluster, ClusterOptions options) {
        noStepFailed(cluster);
        cluster.settle();
        if (ControllerTable.isSelected("garbage-collector-controller", options.controllers())
                && !orphans(cluster).isEmpty()) {
            cluster.driver().runUntil(() -> orphans(cluster).isEmpty(), PATIENCE);
            List<Pod> left = orphans(cluster);
            if (!left.isEmpty()) {
                throw new AssertionError("expected no pod to outlive its owner, but these do: "
                        + left.stream().map(Pods::describe).toList() + "\n" + cluster.describe());
            }
        }
        noStepFailed(cluster);
    }

    private static void noStepFailed(Cluster cluster) {
        List<VirtualDriver.Failure> failures = cluster.driver().failures();
        if (!failures.isEmpty()) {
            throw new AssertionError(
                    "expected no step to throw, but " + failures.size() + " did, first " + failures.get(0) + "\n"
                            + cluster.describe(),
                    failures.get(0).cause());
        }
    }

    private static List<Pod> orphans(Cluster cluster) {
        List<Pod> pods = cluster.pods();
        Set<String> kinds = new HashSet<>();
        pods.forEach(pod -> pod.getMetadata().getOwnerReferences().forEach(owner -> kinds.add(owner.getKind())));
        Set<String> alive = new HashSet<>();
        OWNERS.forEach((kind, type) -> {
            if (kinds.contains(kind)) {
                cluster.list(type)
                        .forEach(object -> alive.add(object.getMetadata().getUid()));
            }
        });
        return pods.stream()
                .filter(pod -> !Pods.isTerminating(pod))
                .filter(pod -> !pod.getMetadata().getOwnerReferences().isEmpty())
                .filter(pod -> pod.getMetadata().getOwnerReferences().stream().allMatch(owner -> isGone(owner, alive)))
                .toList();
    }

    private static boolean isGone(OwnerReference owner, Set<String> alive) {
        return OWNERS.containsKey(owner.getKind()) && !alive.contains(owner.getUid());
    }
}
