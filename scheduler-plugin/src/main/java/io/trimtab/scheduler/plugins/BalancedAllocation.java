package io.trimtab.scheduler.plugins;

import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.NodeLocal;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.PreScorePlugin;
import io.trimtab.scheduler.framework.Resources;
import io.trimtab.scheduler.framework.ScorePlugin;
import io.trimtab.scheduler.framework.Snapshot;
import io.trimtab.scheduler.framework.Status;
import java.util.List;

/** Prefers nodes whose resources are used to a similar degree. Immutable. */
final class BalancedAllocation implements PreScorePlugin, ScorePlugin, NodeLocal {
    static final String NAME = "NodeResourcesBalancedAllocation";

    private final int[] resources;

    /**
     * The plugin.
     *
     * @param resources what counts, as {@link Resources} numbers
     */
    BalancedAllocation(int... resources) {
        this.resources = resources.clone();
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Status preScore(CycleState state, PodInfo pod, List<NodeInfo> nodes, Snapshot snapshot) {
        for (int resource : resources) {
            if (Resources.amount(pod.requests(), resource) > 0) {
                return Status.SUCCESS;
            }
        }
        return Status.SKIP;
    }

    @Override
    public long score(CycleState state, PodInfo pod, NodeInfo node) {
        double[] fractions = new double[resources.length];
        int count = 0;
        for (int resource : resources) {
            long capacity = Resources.amount(node.allocatable(), resource);
            long wanted = Resources.amount(pod.requests(), resource);
            if (capacity == 0 || wanted == 0 && resource > Resources.EPHEMERAL_STORAGE) {
                continue;
            }
            fractions[count++] =
                    Math.min(1, (double) (Resources.amount(node.requested(), resource) + wanted) / capacity);
        }
        return balance(fractions, count);
    }

    /** 100 if all fractions are equal; less by their standard deviation. */
    static long balance(double[] fractions, int count) {
        double deviation = 0;
        if (count == 2) {
            deviation = Math.abs(fractions[0] - fractions[1]) / 2;
        } else if (count > 2) {
            double mean = 0;
            for (int i = 0; i < count; i++) {
                mean += fractions[i] / count;
            }
            double squares = 0;
            for (int i = 0; i < count; i++) {
                squares += (fractions[i] - mean) * (fractions[i] - mean);
            }
            deviation = Math.sqrt(squares / count);
        }
        return (long) ((1 - deviation) * MAX_SCORE);
    }
}
