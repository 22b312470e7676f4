package io.trimtab.scheduler.framework;

import io.fabric8.kubernetes.api.model.Affinity;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.NodeAffinity;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodAffinityTerm;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.Toleration;
import io.fabric8.kubernetes.api.model.WeightedPodAffinityTerm;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import io.trimtab.selector.model.ModelSelectors;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A pod, with what scheduling needs of it worked out once. Immutable by agreement, like the pod itself; safe for use by any
 * thread.
 */
public final class PodInfo {
    private final Pod pod;
    private final String key;
    private final Map<String, String> labels;
    private final long[] requests;
    private final long[] scoredRequests;
    private final List<HostPort> hostPorts;
    private final List<AffinityTerm> terms;
    private final boolean requiredAntiAffinity;
    private final List<String> images;
    private final int containerCount;
    private @Nullable Signature signature;

    /**
     * The part of a pod that {@link NodeLocal} plugins look at. Pods of one template have equal signatures.
     *
     * @param schedulerName the profile
     * @param nodeName the node asked for
     * @param nodeSelector labels the node must have
     * @param nodeAffinity what else the node must have
     * @param tolerations taints the pod stands
     * @param requests what it asks for
     * @param scoredRequests the same, with defaults
     * @param hostPorts ports it takes
     * @param images its images, one for each container
     */
    public record Signature(
            String schedulerName,
            String nodeName,
            Map<String, String> nodeSelector,
            @Nullable NodeAffinity nodeAffinity,
            List<Toleration> tolerations,
            List<Long> requests,
            List<Long> scoredRequests,
            List<HostPort> hostPorts,
            List<String> images) {}

    private PodInfo(Pod pod) {
        this.pod = pod;
        this.key = pod.getMetadata().getNamespace() + "/" + pod.getMetadata().getName();
        Map<String, String> given = pod.getMetadata().getLabels();
        this.labels = given == null ? Map.of() : given;
        this.requests = PodRequests.of(pod, false);
        this.scoredRequests = PodRequests.of(pod, true);
        PodSpec spec = pod.getSpec();
        this.hostPorts = hostPorts(spec);
        this.terms = terms(pod);
        this.requiredAntiAffinity =
                terms.stream().anyMatch(term -> term.kind() == AffinityTerm.Kind.REQUIRED_ANTI_AFFINITY);
        List<String> names = new ArrayList<>();
        spec.getInitContainers().forEach(container -> names.add(imageName(container)));
        spec.getContainers().forEach(container -> names.add(imageName(container)));
        this.images = List.copyOf(names);
        this.containerCount =
                spec.getContainers().size() + spec.getInitContainers().size();
    }

    public static PodInfo of(Pod pod) {
        return new PodInfo(pod);
    }

    public Pod pod() {
        return pod;
    }

    public String uid() {
        String uid = pod.getMetadata().getUid();
        return uid == null ? key : uid;
    }

    public String namespace() {
        return pod.getMetadata().getNamespace();
    }

    public String name() {
        return pod.getMetadata().getName();
    }

    /** {@code namespace/name}. */
    public String key() {
        return key;
    }

    public Map<String, String> labels() {
        return labels;
    }

    public PodSpec spec() {
        return pod.getSpec();
    }

    /** The node the pod is bound to or asks for; empty if none. */
    public String nodeName() {
        String name = pod.getSpec().getNodeName();
        return name == null ? "" : name;
    }

    public String schedulerName() {
        String name = pod.getSpec().getSchedulerName();
        return name == null || name.isEmpty() ? "default-scheduler" : name;
    }

    public int priority() {
        Integer priority = pod.getSpec().getPriority();
        return priority == null ? 0 : priority;
    }

    public boolean isTerminating() {
        return pod.getMetadata().getDeletionTimestamp() != null;
    }

    /** True if it has ended and uses nothing any more. */
    public boolean isTerminal() {
        PodStatus status = pod.getStatus();
        return status != null && ("Succeeded".equals(status.getPhase()) || "Failed".equals(status.getPhase()));
    }

    /** The node it is nominated to; empty if none. */
    public String nominatedNode() {
        String node = pod.getStatus() == null ? null : pod.getStatus().getNominatedNodeName();
        return node == null ? "" : node;
    }

    /** What it asks for, by {@link Resources} number; not to be changed. */
    public long[] requests() {
        return requests;
    }

    /** The same with defaults for containers that ask for no CPU or memory: what nodes are ranked by. Not to be changed. */
    public long[] scoredRequests() {
        return scoredRequests;
    }

    public List<HostPort> hostPorts() {
        return hostPorts;
    }

    /** All terms of its affinity to pods. */
    public List<AffinityTerm> terms() {
        return terms;
    }

    /** The terms of one list. */
    public List<AffinityTerm> terms(AffinityTerm.Kind kind) {
        if (terms.isEmpty()) {
            return terms;
        }
        return terms.stream().filter(term -> term.kind() == kind).toList();
    }

    public boolean hasRequiredAntiAffinity() {
        return requiredAntiAffinity;
    }

    /** The images of its containers, init containers first, each with a tag. */
    public List<String> images() {
        return images;
    }

    /** Init containers and containers. */
    public int containerCount() {
        return containerCount;
    }

    public List<Toleration> tolerations() {
        List<Toleration> tolerations = pod.getSpec().getTolerations();
        return tolerations == null ? List.of() : tolerations;
    }

    public @Nullable NodeAffinity nodeAffinity() {
        Affinity affinity = pod.getSpec().getAffinity();
        return affinity == null ? null : affinity.getNodeAffinity();
    }

    public Map<String, String> nodeSelector() {
        Map<String, String> selector = pod.getSpec().getNodeSelector();
        return selector == null ? Map.of() : selector;
    }

    /** What {@link NodeLocal} plugins may look at. */
    public Signature signature() {
        Signature known = signature;
        if (known == null) {
            known = new Signature(
                    schedulerName(),
                    nodeName(),
                    nodeSelector(),
                    nodeAffinity(),
                    tolerations(),
                    Arrays.stream(requests).boxed().toList(),
                    Arrays.stream(scoredRequests).boxed().toList(),
                    hostPorts,
                    images);
            signature = known;
        }
        return known;
    }

    @Override
    public String toString() {
        return key;
    }

    private static String imageName(Container container) {
        return withTag(container.getImage() == null ? "" : container.getImage());
    }

    /** The image with {@code :latest} if it has neither tag nor digest: how nodes name what they hold. */
    public static String withTag(String image) {
        return image.lastIndexOf(':') <= image.lastIndexOf('/') ? image + ":latest" : image;
    }

    private static List<HostPort> hostPorts(PodSpec spec) {
        List<HostPort> ports = new ArrayList<>();
        for (Container container : spec.getInitContainers()) {
            if ("Always".equals(container.getRestartPolicy())) {
                addPorts(container, ports);
            }
        }
        spec.getContainers().forEach(container -> addPorts(container, ports));
        return List.copyOf(ports);
    }

    private static void addPorts(Container container, List<HostPort> ports) {
        for (ContainerPort port : container.getPorts()) {
            if (port.getHostPort() != null && port.getHostPort() > 0) {
                String ip = port.getHostIP();
                String protocol = port.getProtocol();
                ports.add(new HostPort(
                        ip == null || ip.isEmpty() ? HostPort.ANY : ip,
                        protocol == null || protocol.isEmpty() ? "TCP" : protocol,
                        port.getHostPort()));
            }
        }
    }

    private static List<AffinityTerm> terms(Pod pod) {
        Affinity affinity = pod.getSpec().getAffinity();
        if (affinity == null || affinity.getPodAffinity() == null && affinity.getPodAntiAffinity() == null) {
            return List.of();
        }
        List<AffinityTerm> terms = new ArrayList<>();
        if (affinity.getPodAffinity() != null) {
            for (PodAffinityTerm term : affinity.getPodAffinity().getRequiredDuringSchedulingIgnoredDuringExecution()) {
                terms.add(term(pod, AffinityTerm.Kind.REQUIRED_AFFINITY, term, 0));
            }
            for (WeightedPodAffinityTerm term :
                    affinity.getPodAffinity().getPreferredDuringSchedulingIgnoredDuringExecution()) {
                terms.add(term(pod, AffinityTerm.Kind.PREFERRED_AFFINITY, term.getPodAffinityTerm(), term.getWeight()));
            }
        }
        if (affinity.getPodAntiAffinity() != null) {
            for (PodAffinityTerm term :
                    affinity.getPodAntiAffinity().getRequiredDuringSchedulingIgnoredDuringExecution()) {
                terms.add(term(pod, AffinityTerm.Kind.REQUIRED_ANTI_AFFINITY, term, 0));
            }
            for (WeightedPodAffinityTerm term :
                    affinity.getPodAntiAffinity().getPreferredDuringSchedulingIgnoredDuringExecution()) {
                terms.add(term(
                        pod, AffinityTerm.Kind.PREFERRED_ANTI_AFFINITY, term.getPodAffinityTerm(), term.getWeight()));
            }
        }
        return List.copyOf(terms);
    }

    private static AffinityTerm term(Pod pod, AffinityTerm.Kind kind, PodAffinityTerm term, @Nullable Integer weight) {
        List<String> listed = term.getNamespaces() == null ? List.of() : term.getNamespaces();
        Set<String> namespaces = listed.isEmpty() && term.getNamespaceSelector() == null
                ? Set.of(Objects.requireNonNull(pod.getMetadata().getNamespace()))
                : Set.copyOf(listed);
        LabelSelector selector = ModelSelectors.of(term.getLabelSelector());
        Map<String, String> labels = pod.getMetadata().getLabels() == null
                ? Map.of()
                : pod.getMetadata().getLabels();
        selector = withLabelKeys(selector, term.getMatchLabelKeys(), labels);
        return new AffinityTerm(
                kind,
                namespaces,
                ModelSelectors.of(term.getNamespaceSelector()),
                selector,
                term.getTopologyKey(),
                weight == null ? 0 : weight);
    }

    /** The selector, narrowed to pods with the same values of these labels. */
    public static LabelSelector withLabelKeys(
            LabelSelector selector, @Nullable List<String> keys, Map<String, String> labels) {
        if (keys == null || keys.isEmpty()) {
            return selector;
        }
        LabelSelector narrowed = selector;
        for (String key : keys) {
            String value = labels.get(key);
            if (value != null && selector.requiredValue(key).isEmpty()) {
                narrowed = LabelSelectors.and(narrowed, LabelSelectors.of(Map.of(key, value)));
            }
        }
        return narrowed;
    }
}
