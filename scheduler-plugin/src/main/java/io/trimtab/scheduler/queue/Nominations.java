package io.trimtab.scheduler.queue;

import io.trimtab.scheduler.framework.PodInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The pods for which room is being made, and where. Used on the scheduler's lane only. */
public final class Nominations {
    private final Map<String, String> nodeByUid = new HashMap<>();
    private final Map<String, Map<String, PodInfo>> byNode = new HashMap<>();

    /** Nominates the pod to the node its status names, if any. */
    void add(PodInfo pod) {
        add(pod, null);
    }

    /**
     * Nominates the pod.
     *
     * @param node null for the node its status names; empty for none
     */
    public void add(PodInfo pod, @Nullable String node) {
        remove(pod.uid());
        String where = node == null ? pod.nominatedNode() : node;
        if (where.isEmpty() || !pod.nodeName().isEmpty()) {
            return;
        }
        nodeByUid.put(pod.uid(), where);
        byNode.computeIfAbsent(where, n -> new LinkedHashMap<>()).put(pod.uid(), pod);
    }

    /** The pod changed: keeps a nomination that its status does not know yet, unless the status took it back. */
    void update(PodInfo before, PodInfo after) {
        String known = nodeByUid.get(before.uid());
        boolean silent =
                before.nominatedNode().isEmpty() && after.nominatedNode().isEmpty();
        add(after, silent && known != null ? known : null);
    }

    public void remove(String uid) {
        String node = nodeByUid.remove(uid);
        if (node != null) {
            Map<String, PodInfo> there = byNode.get(node);
            if (there != null && there.remove(uid) != null && there.isEmpty()) {
                byNode.remove(node);
            }
        }
    }

    /** The pods nominated to a node. */
    public List<PodInfo> to(String node) {
        Map<String, PodInfo> there = byNode.get(node);
        return there == null ? List.of() : new ArrayList<>(there.values());
    }

    public boolean isEmpty() {
        return byNode.isEmpty();
    }
}
