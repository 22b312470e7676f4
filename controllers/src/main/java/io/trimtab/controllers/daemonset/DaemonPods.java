package io.trimtab.controllers.daemonset;

import io.fabric8.kubernetes.api.model.Affinity;
import io.fabric8.kubernetes.api.model.AffinityBuilder;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeSelectorRequirement;
import io.fabric8.kubernetes.api.model.NodeSelectorRequirementBuilder;
import io.fabric8.kubernetes.api.model.NodeSelectorTerm;
import io.fabric8.kubernetes.api.model.NodeSelectorTermBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Toleration;
import io.fabric8.kubernetes.api.model.TolerationBuilder;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.trimtab.controllers.nodes.NodeAffinities;
import io.trimtab.controllers.nodes.NodeTaints;
import io.trimtab.controllers.nodes.Nodes;
import io.trimtab.controllers.nodes.Tolerations;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.controllers.revisions.Revisions;
import io.trimtab.ownership.OwnerReferences;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** The pods of a DaemonSet: for which nodes, how they are made, and which revision they are of. Pure functions. */
final class DaemonPods {
    private static final String GENERATION_ANNOTATION = "deprecated.daemonset.template.generation";
    private static final String GENERATION_LABEL = "pod-template-generation";
    private static final String NAME_FIELD = "metadata.name";

    private DaemonPods() {}

    /** @param run a pod should be started there; @param stay one that runs there may go on */
    record Decision(boolean run, boolean stay) {}

    static Decision decide(DaemonSet set, Node node) {
        PodSpec spec = set.getSpec().getTemplate().getSpec();
        String name = node.getMetadata().getName();
        boolean named = spec.getNodeName() == null
                || spec.getNodeName().isEmpty()
                || spec.getNodeName().equals(name);
        if (!named || !NodeAffinities.matches(spec, node)) {
            return new Decision(false, false);
        }
        List<Toleration> tolerations = tolerations(spec);
        boolean mayStart = true;
        boolean mayStay = true;
        for (var taint : Nodes.taints(node)) {
            if (!Tolerations.anyTolerates(tolerations, taint)) {
                mayStart &= !NodeTaints.NO_EXECUTE.equals(taint.getEffect())
                        && !NodeTaints.NO_SCHEDULE.equals(taint.getEffect());
                mayStay &= !NodeTaints.NO_EXECUTE.equals(taint.getEffect());
            }
        }
        return new Decision(mayStart, mayStay);
    }

    /** Those of the template, and those without which a daemon could not do its work on a node that is not well. */
    static List<Toleration> tolerations(PodSpec spec) {
        List<Toleration> all = new ArrayList<>(spec.getTolerations());
        add(all, NodeTaints.NOT_READY, NodeTaints.NO_EXECUTE);
        add(all, NodeTaints.UNREACHABLE, NodeTaints.NO_EXECUTE);
        add(all, "node.kubernetes.io/disk-pressure", NodeTaints.NO_SCHEDULE);
        add(all, "node.kubernetes.io/memory-pressure", NodeTaints.NO_SCHEDULE);
        add(all, "node.kubernetes.io/pid-pressure", NodeTaints.NO_SCHEDULE);
        add(all, "node.kubernetes.io/unschedulable", NodeTaints.NO_SCHEDULE);
        if (Boolean.TRUE.equals(spec.getHostNetwork())) {
            add(all, "node.kubernetes.io/network-unavailable", NodeTaints.NO_SCHEDULE);
        }
        return all;
    }

    private static void add(List<Toleration> all, String key, String effect) {
        Toleration wanted = new TolerationBuilder()
                .withKey(key)
                .withOperator("Exists")
                .withEffect(effect)
                .build();
        all.removeIf(t -> key.equals(t.getKey())
                && effect.equals(t.getEffect())
                && "Exists".equals(t.getOperator())
                && (t.getValue() == null || t.getValue().isEmpty()));
        all.add(wanted);
    }

    /** A pod that the scheduler can put on this node only. */
    static Pod pod(DaemonSet set, String node, String hash) {
        Pod pod = PodControl.fromTemplate(set.getSpec().getTemplate(), set, OwnerReferences.newControllerRef(set));
        Map<String, String> labels =
                new HashMap<>(Objects.requireNonNullElse(pod.getMetadata().getLabels(), Map.of()));
        String generation = templateGeneration(set);
        if (generation != null) {
            labels.put(GENERATION_LABEL, generation);
        }
        labels.put(Revisions.HASH_LABEL, hash);
        Affinity affinity = pod.getSpec().getAffinity();
        NodeSelectorTerm term = new NodeSelectorTermBuilder()
                .withMatchFields(new NodeSelectorRequirementBuilder()
                        .withKey(NAME_FIELD)
                        .withOperator("In")
                        .withValues(node)
                        .build())
                .build();
        return new PodBuilder(pod)
                .editMetadata()
                .withLabels(labels)
                .endMetadata()
                .editSpec()
                .withTolerations(tolerations(set.getSpec().getTemplate().getSpec()))
                .withAffinity((affinity == null ? new AffinityBuilder() : new AffinityBuilder(affinity))
                        .editOrNewNodeAffinity()
                        .withNewRequiredDuringSchedulingIgnoredDuringExecution()
                        .withNodeSelectorTerms(term)
                        .endRequiredDuringSchedulingIgnoredDuringExecution()
                        .endNodeAffinity()
                        .build())
                .endSpec()
                .build();
    }

    /** The node a pod is on or is meant for; null if it is meant for none. */
    static @Nullable String targetNode(Pod pod) {
        String assigned = Pods.nodeName(pod);
        if (assigned != null) {
            return assigned;
        }
        Affinity affinity = pod.getSpec().getAffinity();
        if (affinity == null
                || affinity.getNodeAffinity() == null
                || affinity.getNodeAffinity().getRequiredDuringSchedulingIgnoredDuringExecution() == null) {
            return null;
        }
        for (NodeSelectorTerm term : affinity.getNodeAffinity()
                .getRequiredDuringSchedulingIgnoredDuringExecution()
                .getNodeSelectorTerms()) {
            for (NodeSelectorRequirement field : term.getMatchFields()) {
                if (NAME_FIELD.equals(field.getKey())
                        && "In".equals(field.getOperator())
                        && field.getValues().size() == 1) {
                    return field.getValues().get(0);
                }
            }
        }
        return null;
    }

    /** By its hash, or by the generation that sets had before they had hashes. */
    static boolean isUpdated(DaemonSet set, Pod pod, String hash) {
        Map<String, String> labels =
                Objects.requireNonNullElse(pod.getMetadata().getLabels(), Map.of());
        String generation = templateGeneration(set);
        return hash.equals(labels.get(Revisions.HASH_LABEL))
                || generation != null && generation.equals(labels.get(GENERATION_LABEL));
    }

    private static @Nullable String templateGeneration(DaemonSet set) {
        Map<String, String> annotations = set.getMetadata().getAnnotations();
        String generation = annotations == null ? null : annotations.get(GENERATION_ANNOTATION);
        return generation != null && generation.matches("-?[0-9]{1,18}") ? generation : null;
    }
}
