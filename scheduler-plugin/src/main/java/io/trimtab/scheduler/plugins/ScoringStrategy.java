package io.trimtab.scheduler.plugins;

import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.Resources;
import io.trimtab.scheduler.framework.ScorePlugin;
import java.util.List;

/**
 * Ranks nodes by how full they would be. Immutable.
 *
 * @param type which nodes are better
 * @param resources what counts, and how much
 * @param shape for {@link Type#REQUESTED_TO_CAPACITY_RATIO}: the score at each utilization, ascending; the score between two
 *     points lies on the line between them
 */
record ScoringStrategy(Type type, List<WeightedResource> resources, List<ShapePoint> shape) {

    /** Which nodes are better. */
    enum Type {
        LEAST_ALLOCATED,
        MOST_ALLOCATED,
        REQUESTED_TO_CAPACITY_RATIO
    }

    /**
     * A resource that counts.
     *
     * @param number as {@link Resources} counts
     * @param weight from 1 to 100
     */
    record WeightedResource(int number, long weight) {}

    /**
     * A point of the shape.
     *
     * @param utilization in percent
     * @param score from 0 to 100
     */
    record ShapePoint(long utilization, long score) {}

    static final ScoringStrategy DEFAULT = new ScoringStrategy(
            Type.LEAST_ALLOCATED,
            List.of(new WeightedResource(Resources.CPU, 1), new WeightedResource(Resources.MEMORY, 1)),
            List.of());

    long score(PodInfo pod, NodeInfo node) {
        long sum = 0;
        long weights = 0;
        for (WeightedResource resource : resources) {
            int number = resource.number();
            long capacity = Resources.amount(node.allocatable(), number);
            long wanted = Resources.amount(pod.scoredRequests(), number);
            if (capacity == 0 || wanted == 0 && number > Resources.EPHEMERAL_STORAGE) {
                continue;
            }
            long requested = Resources.amount(node.scored(), number) + wanted;
            long one = one(requested, capacity);
            if (type == Type.REQUESTED_TO_CAPACITY_RATIO && one == 0) {
                continue;
            }
            sum += one * resource.weight();
            weights += resource.weight();
        }
        if (weights == 0) {
            return 0;
        }
        return type == Type.REQUESTED_TO_CAPACITY_RATIO ? Math.round((double) sum / weights) : sum / weights;
    }

    private long one(long requested, long capacity) {
        return switch (type) {
            case LEAST_ALLOCATED -> requested > capacity ? 0 : percent(capacity - requested, capacity);
            case MOST_ALLOCATED -> percent(Math.min(requested, capacity), capacity);
            case REQUESTED_TO_CAPACITY_RATIO -> onShape(requested > capacity ? 100 : percent(requested, capacity));
        };
    }

    private static long percent(long part, long whole) {
        // Bytes of very large nodes times a hundred still fit; what does not is nobody's node.
        return part * ScorePlugin.MAX_SCORE / whole;
    }

    private long onShape(long utilization) {
        for (int i = 0; i < shape.size(); i++) {
            ShapePoint to = shape.get(i);
            if (utilization <= to.utilization()) {
                if (i == 0) {
                    return to.score();
                }
                ShapePoint from = shape.get(i - 1);
                return from.score()
                        + (to.score() - from.score())
                                * (utilization - from.utilization())
                                / (to.utilization() - from.utilization());
            }
        }
        return shape.get(shape.size() - 1).score();
    }
}
