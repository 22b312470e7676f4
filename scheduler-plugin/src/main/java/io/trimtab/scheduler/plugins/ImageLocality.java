package io.trimtab.scheduler.plugins;

import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.Handle;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.NodeLocal;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.ScorePlugin;
import io.trimtab.scheduler.framework.Snapshot;

/** Prefers nodes that hold the pod's images, the more the larger they are and the more common. */
final class ImageLocality implements ScorePlugin, NodeLocal {
    static final String NAME = "ImageLocality";
    private static final long MIB = 1024 * 1024;
    private static final long LEAST = 23 * MIB;
    private static final long MOST_PER_CONTAINER = 1000 * MIB;

    private final Handle handle;

    ImageLocality(Handle handle) {
        this.handle = handle;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public long epoch(Snapshot snapshot) {
        return snapshot.imagesEpoch();
    }

    @Override
    public long score(CycleState state, PodInfo pod, NodeInfo node) {
        if (node.images().isEmpty()) {
            return 0;
        }
        Snapshot snapshot = handle.snapshot();
        long sum = 0;
        for (String image : pod.images()) {
            Long size = node.images().get(image);
            if (size != null) {
                sum += scaled(
                        size,
                        snapshot.imageNodes().getOrDefault(image, 0),
                        snapshot.nodes().size());
            }
        }
        return score(sum, pod.containerCount());
    }

    /** Images that few nodes hold count less, so that pods do not crowd there. */
    static long scaled(long size, int holders, int nodes) {
        return (long) (size * ((double) holders / nodes));
    }

    static long score(long sum, int containers) {
        long most = MOST_PER_CONTAINER * containers;
        long bounded = Math.max(LEAST, Math.min(sum, most));
        return MAX_SCORE * (bounded - LEAST) / (most - LEAST);
    }
}
