package io.trimtab.scheduler.plugins;

import io.trimtab.scheduler.framework.QueueSortPlugin;
import io.trimtab.scheduler.framework.QueuedPodInfo;

/** The pod of higher priority first, then the one that waits longer. Stateless. */
final class PrioritySort implements QueueSortPlugin {
    static final String NAME = "PrioritySort";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int compare(QueuedPodInfo a, QueuedPodInfo b) {
        int byPriority = Integer.compare(b.pod().priority(), a.pod().priority());
        return byPriority != 0 ? byPriority : a.timestamp().compareTo(b.timestamp());
    }
}
