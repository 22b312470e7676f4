package io.trimtab.scheduler.cache;

import io.fabric8.kubernetes.api.model.Node;
import io.trimtab.scheduler.framework.NodeInfo;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.PodMatcher;
import io.trimtab.scheduler.framework.Snapshot;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Nodes and the pods on them, pods included that the scheduler has placed but the API server has not confirmed.
 *
 * <p>One lane feeds it and schedules from it, so between two steps it is its own snapshot: nothing is copied. Every change of a
 * node gives it a new generation, by which results that were worked out before are known to be old.
 */
public final class ClusterCache implements Snapshot {
    private static final String REGION = "topology.kubernetes.io/region";
    private static final String ZONE = "topology.kubernetes.io/zone";

    /** Where a pod is. */
    private record Placement(PodInfo pod, String node, boolean assumed) {}

    private final Map<String, NodeInfo> byName = new HashMap<>();
    private final List<@Nullable NodeInfo> bySlot = new ArrayList<>();
    private final Map<String, Placement> placements = new HashMap<>();
    private final Map<String, Map<String, NodeInfo>> zones = new LinkedHashMap<>();
    private final PodCounts counts = new PodCounts();
    private final TermCounts terms = new TermCounts();
    private final Map<String, Integer> imageNodes = new HashMap<>();
    private final Map<String, Map<String, String>> namespaces = new HashMap<>();
    private @Nullable List<NodeInfo> order;
    private long generation;
    private long imagesEpoch;
    private int nodesWithAnti;

    /** Adds or changes a node. Returns what is known of it now. */
    public NodeInfo setNode(Node node) {
        NodeInfo info = entry(node.getMetadata().getName());
        Node before = info.node();
        Map<String, Long> imagesBefore = info.images();
        String zoneBefore = before == null ? null : zone(info);
        info.setNode(node);
        touch(info);
        if (before == null || !imagesBefore.keySet().equals(info.images().keySet())) {
            if (before != null) {
                imagesBefore.keySet().forEach(image -> imageNodes.merge(image, -1, ClusterCache::sum));
            }
            info.images().keySet().forEach(image -> imageNodes.merge(image, 1, ClusterCache::sum));
            imagesEpoch++;
        }
        String zone = zone(info);
        if (!zone.equals(zoneBefore)) {
            if (zoneBefore != null) {
                leaveZone(zoneBefore, info.name());
            }
            zones.computeIfAbsent(zone, z -> new LinkedHashMap<>()).put(info.name(), info);
            order = null;
        }
        return info;
    }

    /** Removes a node; its pods stay known until they are gone themselves. */
    public void removeNode(String name) {
        NodeInfo info = byName.get(name);
        if (info == null || info.node() == null) {
            return;
        }
        leaveZone(zone(info), name);
        info.images().keySet().forEach(image -> imageNodes.merge(image, -1, ClusterCache::sum));
        imagesEpoch++;
        order = null;
        info.setNode(null);
        touch(info);
        dropIfEmpty(info);
    }

    /** A pod is on a node, says the API server: adds it, confirms an assumed one, or moves it. */
    public void setPod(PodInfo pod) {
        take(pod.uid());
        put(pod, pod.nodeName(), false);
    }

    /** Places a pod before the API server knows. */
    public void assume(PodInfo pod, String node) {
        if (placements.containsKey(pod.uid())) {
            throw new IllegalStateException("pod " + pod.key() + " is placed already, expected it to be pending");
        }
        put(pod, node, true);
    }

    /** Takes back {@link #assume}; does nothing once the API server has confirmed. */
    public void forget(PodInfo pod) {
        Placement placement = placements.get(pod.uid());
        if (placement != null && placement.assumed()) {
            take(pod.uid());
        }
    }

    public void removePod(PodInfo pod) {
        take(pod.uid());
    }

    public boolean isAssumed(PodInfo pod) {
        Placement placement = placements.get(pod.uid());
        return placement != null && placement.assumed();
    }

    /** The pod of this uid, if it is on a node. */
    public @Nullable PodInfo placed(String uid) {
        Placement placement = placements.get(uid);
        return placement == null ? null : placement.pod();
    }

    public int podCount() {
        return placements.size();
    }

    public void setNamespace(String name, @Nullable Map<String, String> labels) {
        namespaces.put(name, labels == null ? Map.of() : labels);
    }

    public void removeNamespace(String name) {
        namespaces.remove(name);
    }

    @Override
    public List<NodeInfo> nodes() {
        List<NodeInfo> known = order;
        if (known == null) {
            known = interleaved();
            order = known;
        }
        return known;
    }

    @Override
    public @Nullable NodeInfo node(String name) {
        NodeInfo info = byName.get(name);
        return info == null || info.node() == null ? null : info;
    }

    @Override
    public int slots() {
        return bySlot.size();
    }

    @Override
    public int nodesWithRequiredAntiAffinity() {
        return nodesWithAnti;
    }

    @Override
    public int[] counts(PodMatcher matcher) {
        return counts.of(matcher, bySlot);
    }

    @Override
    public Collection<? extends TermCount> terms() {
        return terms.all(bySlot.size());
    }

    @Override
    public Map<String, Integer> imageNodes() {
        return imageNodes;
    }

    @Override
    public long imagesEpoch() {
        return imagesEpoch;
    }

    @Override
    public Map<String, String> namespaceLabels(String namespace) {
        return namespaces.getOrDefault(namespace, Map.of());
    }

    @Override
    public Collection<String> namespaces() {
        return Collections.unmodifiableSet(namespaces.keySet());
    }

    /** One node of each zone in turn, zones and nodes in the order of their arrival. */
    private List<NodeInfo> interleaved() {
        List<List<NodeInfo>> rows = new ArrayList<>();
        int longest = 0;
        for (Map<String, NodeInfo> zone : zones.values()) {
            rows.add(List.copyOf(zone.values()));
            longest = Math.max(longest, zone.size());
        }
        List<NodeInfo> all = new ArrayList<>();
        for (int i = 0; i < longest; i++) {
            for (List<NodeInfo> row : rows) {
                if (i < row.size()) {
                    all.add(row.get(i));
                }
            }
        }
        return Collections.unmodifiableList(all);
    }

    private static String zone(NodeInfo info) {
        return info.labels().getOrDefault(REGION, "") + ":\0:" + info.labels().getOrDefault(ZONE, "");
    }

    private void leaveZone(String zone, String node) {
        Map<String, NodeInfo> members = zones.get(zone);
        if (members != null && members.remove(node) != null && members.isEmpty()) {
            zones.remove(zone);
        }
    }

    private static @Nullable Integer sum(Integer one, Integer other) {
        int sum = one + other;
        return sum == 0 ? null : sum;
    }

    private NodeInfo entry(String name) {
        NodeInfo known = byName.get(name);
        if (known != null) {
            return known;
        }
        int slot = bySlot.indexOf(null);
        if (slot < 0) {
            slot = bySlot.size();
            bySlot.add(null);
        }
        NodeInfo made = new NodeInfo(name, slot);
        bySlot.set(slot, made);
        byName.put(name, made);
        touch(made);
        return made;
    }

    private void dropIfEmpty(NodeInfo info) {
        if (info.node() == null && info.pods().isEmpty()) {
            byName.remove(info.name());
            bySlot.set(info.slot(), null);
        }
    }

    private void touch(NodeInfo info) {
        info.setGeneration(++generation);
    }

    private void put(PodInfo pod, String nodeName, boolean assumed) {
        NodeInfo info = entry(nodeName);
        boolean anti = info.requiredAntiAffinityPods() > 0;
        info.addPod(pod);
        nodesWithAnti += (info.requiredAntiAffinityPods() > 0 ? 1 : 0) - (anti ? 1 : 0);
        touch(info);
        counts.add(pod, info.slot(), 1);
        terms.add(pod, info.slot(), 1, bySlot.size());
        placements.put(pod.uid(), new Placement(pod, nodeName, assumed));
    }

    private void take(String uid) {
        Placement placement = placements.remove(uid);
        if (placement == null) {
            return;
        }
        NodeInfo info = byName.get(placement.node());
        if (info == null) {
            throw new IllegalStateException(
                    "pod " + placement.pod().key() + " is on node " + placement.node() + ", which is not known");
        }
        boolean anti = info.requiredAntiAffinityPods() > 0;
        info.removePod(placement.pod());
        nodesWithAnti += (info.requiredAntiAffinityPods() > 0 ? 1 : 0) - (anti ? 1 : 0);
        touch(info);
        counts.add(placement.pod(), info.slot(), -1);
        terms.add(placement.pod(), info.slot(), -1, bySlot.size());
        dropIfEmpty(info);
    }
}
