package io.trimtab.junit;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ReplicationController;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import org.assertj.core.api.AbstractAssert;
import org.jspecify.annotations.Nullable;

/** Assertions about a ReplicaSet or ReplicationController. */
public final class ReplicasAssert<T extends HasMetadata> extends AbstractAssert<ReplicasAssert<T>, T> {
    private final Counts counts;

    /** The numbers that both kinds have. */
    private record Counts(int wanted, int replicas, int ready, int available, int labeled, long observed) {}

    private ReplicasAssert(T actual, Counts counts) {
        super(actual, ReplicasAssert.class);
        this.counts = counts;
    }

    static ReplicasAssert<ReplicaSet> of(ReplicaSet set) {
        var status = set.getStatus();
        return new ReplicasAssert<>(
                set,
                status == null
                        ? new Counts(number(set.getSpec().getReplicas()), 0, 0, 0, 0, 0)
                        : new Counts(
                                number(set.getSpec().getReplicas()),
                                number(status.getReplicas()),
                                number(status.getReadyReplicas()),
                                number(status.getAvailableReplicas()),
                                number(status.getFullyLabeledReplicas()),
                                status.getObservedGeneration() == null ? 0 : status.getObservedGeneration()));
    }

    static ReplicasAssert<ReplicationController> of(ReplicationController controller) {
        var status = controller.getStatus();
        return new ReplicasAssert<>(
                controller,
                status == null
                        ? new Counts(number(controller.getSpec().getReplicas()), 0, 0, 0, 0, 0)
                        : new Counts(
                                number(controller.getSpec().getReplicas()),
                                number(status.getReplicas()),
                                number(status.getReadyReplicas()),
                                number(status.getAvailableReplicas()),
                                number(status.getFullyLabeledReplicas()),
                                status.getObservedGeneration() == null ? 0 : status.getObservedGeneration()));
    }

    private static int number(@Nullable Integer value) {
        return value == null ? 0 : value;
    }

    /** It has as many pods as it wants, all available, and its controller knows. */
    public ReplicasAssert<T> isComplete() {
        return hasStatus(counts.wanted, counts.wanted, counts.wanted);
    }

    /** Its status, for its current generation, counts this many pods. */
    public ReplicasAssert<T> hasStatus(int replicas, int ready, int available) {
        if (counts.replicas != replicas
                || counts.ready != ready
                || counts.available != available
                || counts.observed != actual.getMetadata().getGeneration()) {
            throw failure(
                    "Expected the status of %s at generation %d to say %d replicas, %d ready, %d available; found %s",
                    Cluster.name(actual), actual.getMetadata().getGeneration(), replicas, ready, available, counts);
        }
        return this;
    }
}
