package io.trimtab.scheduler.framework;

import io.fabric8.kubernetes.api.model.ContainerImage;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.Taint;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A node, its pods (those assumed to run there included) and what they use, in arrays by {@link Resources} number. The cache
 * changes it from pod to pod; a plugin changes only a {@link #copy}. Not safe for use by several threads.
 */
public final class NodeInfo {
    private final String name;
    private final int slot;
    private @Nullable Node node;
    private Map<String, String> labels = Map.of();
    private List<Taint> taints = List.of();
    private boolean unschedulable;
    private long[] allocatable = new long[3];
    private long allowedPods;
    private long[] requested = new long[3];
    private long[] scored = new long[3];
    private Map<String, Long> images = Map.of();
    private final List<PodInfo> pods = new ArrayList<>();
    private final List<HostPort> ports = new ArrayList<>();
    private int requiredAntiAffinityPods;
    private long generation;

    /**
     * An empty node that is not there yet.
     *
     * @param slot its place in arrays that hold something for each node
     */
    public NodeInfo(String name, int slot) {
        this.name = name;
        this.slot = slot;
    }

    /** A node of its own, for a dry run. */
    public NodeInfo copy() {
        NodeInfo copy = new NodeInfo(name, slot);
        copy.node = node;
        copy.labels = labels;
        copy.taints = taints;
        copy.unschedulable = unschedulable;
        copy.allocatable = allocatable;
        copy.allowedPods = allowedPods;
        copy.requested = requested.clone();
        copy.scored = scored.clone();
        copy.images = images;
        copy.pods.addAll(pods);
        copy.ports.addAll(ports);
        copy.requiredAntiAffinityPods = requiredAntiAffinityPods;
        copy.generation = -1;
        return copy;
    }

    public String name() {
        return name;
    }

    /** Its place in arrays that hold something for each node. */
    public int slot() {
        return slot;
    }

    /** The node; only those that exist are in a snapshot. */
    public @Nullable Node node() {
        return node;
    }

    public Map<String, String> labels() {
        return labels;
    }

    public List<Taint> taints() {
        return taints;
    }

    public boolean isUnschedulable() {
        return unschedulable;
    }

    /** What the node offers; not to be changed. */
    public long[] allocatable() {
        return allocatable;
    }

    public long allowedPods() {
        return allowedPods;
    }

    /** What its pods ask for; not to be changed. */
    public long[] requested() {
        return requested;
    }

    /** The same with defaults for containers that ask for nothing; not to be changed. */
    public long[] scored() {
        return scored;
    }

    /** The sizes in bytes of the images it holds, by name. */
    public Map<String, Long> images() {
        return images;
    }

    public List<PodInfo> pods() {
        return Collections.unmodifiableList(pods);
    }

    public List<HostPort> ports() {
        return ports;
    }

    public int requiredAntiAffinityPods() {
        return requiredAntiAffinityPods;
    }

    /** Different after every change. */
    public long generation() {
        return generation;
    }

    public void setGeneration(long value) {
        generation = value;
    }

    /** Sets the node, or removes it while its pods remain. */
    public void setNode(@Nullable Node newer) {
        node = newer;
        if (newer == null) {
            return;
        }
        Map<String, String> given = newer.getMetadata().getLabels();
        labels = given == null ? Map.of() : given;
        taints = newer.getSpec() == null ? List.of() : newer.getSpec().getTaints();
        unschedulable =
                newer.getSpec() != null && Boolean.TRUE.equals(newer.getSpec().getUnschedulable());
        Map<String, Quantity> offered =
                newer.getStatus() == null ? null : newer.getStatus().getAllocatable();
        allocatable = Resources.amounts(offered);
        Quantity count = offered == null ? null : offered.get("pods");
        allowedPods = count == null ? 0 : Resources.whole(count);
        Map<String, Long> sizes = new HashMap<>();
        if (newer.getStatus() != null && newer.getStatus().getImages() != null) {
            for (ContainerImage image : newer.getStatus().getImages()) {
                for (String imageName : image.getNames()) {
                    sizes.put(imageName, image.getSizeBytes() == null ? 0 : image.getSizeBytes());
                }
            }
        }
        images = sizes;
    }

    public void addPod(PodInfo pod) {
        pods.add(pod);
        requested = Resources.plus(requested, pod.requests());
        scored = Resources.plus(scored, pod.scoredRequests());
        ports.addAll(pod.hostPorts());
        if (pod.hasRequiredAntiAffinity()) {
            requiredAntiAffinityPods++;
        }
    }

    /** Removes the pod of this one's uid. Returns what was there, or null. */
    public @Nullable PodInfo removePod(PodInfo pod) {
        for (int i = pods.size() - 1; i >= 0; i--) {
            PodInfo there = pods.get(i);
            if (there == pod || there.uid().equals(pod.uid())) {
                pods.remove(i);
                requested = Resources.minus(requested, there.requests());
                scored = Resources.minus(scored, there.scoredRequests());
                there.hostPorts().forEach(ports::remove);
                if (there.hasRequiredAntiAffinity()) {
                    requiredAntiAffinityPods--;
                }
                return there;
            }
        }
        return null;
    }

    @Override
    public String toString() {
        return name;
    }
}
