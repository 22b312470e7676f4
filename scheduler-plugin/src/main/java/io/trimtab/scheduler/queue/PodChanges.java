package io.trimtab.scheduler.queue;

import io.trimtab.scheduler.framework.ClusterEvent;
import io.trimtab.scheduler.framework.PodInfo;
import java.util.ArrayList;
import java.util.List;

/** Says what of a pod changed, as far as scheduling cares. Pure. */
public final class PodChanges {
    private PodChanges() {}

    /** The events of an update, by kind of pod (pending or on a node). */
    public static List<ClusterEvent> of(PodInfo before, PodInfo after) {
        String resource = after.nodeName().isEmpty() ? ClusterEvent.UNSCHEDULED_POD : ClusterEvent.ASSIGNED_POD;
        List<ClusterEvent> events = new ArrayList<>();
        if (!before.labels().equals(after.labels())) {
            events.add(new ClusterEvent(resource, ClusterEvent.UPDATE_POD_LABEL));
        }
        if (isScaledDown(before.requests(), after.requests())) {
            events.add(new ClusterEvent(resource, ClusterEvent.UPDATE_POD_SCALE_DOWN));
        }
        if (!before.spec().getSchedulingGates().isEmpty()
                && after.spec().getSchedulingGates().isEmpty()) {
            events.add(new ClusterEvent(resource, ClusterEvent.UPDATE_POD_GATES_ELIMINATED));
        }
        if (!before.tolerations().equals(after.tolerations())) {
            events.add(new ClusterEvent(resource, ClusterEvent.UPDATE_POD_TOLERATION));
        }
        if (events.isEmpty()) {
            events.add(new ClusterEvent(resource, ClusterEvent.UPDATE_OTHER));
        }
        return events;
    }

    private static boolean isScaledDown(long[] before, long[] after) {
        for (int i = 0; i < before.length; i++) {
            if ((i < after.length ? after[i] : 0) < before[i]) {
                return true;
            }
        }
        return false;
    }
}
