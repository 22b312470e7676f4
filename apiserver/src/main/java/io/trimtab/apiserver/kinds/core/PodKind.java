package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.DisabledFields;
import io.trimtab.apiserver.kinds.Times;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Pods. Their spec hardly changes once they exist; the subresources {@code ephemeralcontainers} and {@code resize}, which come
 * here as updates with that subresource in the context, change what the main one may not. Stateless.
 */
public final class PodKind implements Kind {

    private final DisabledFields disabled;

    /** Stateless but for what it is told of the cluster. */
    public PodKind(DisabledFields disabled) {
        this.disabled = disabled;
    }

    @Override
    public void dropDisabled(ObjectNode object) {
        disabled.ofPodSpec(Trees.object(object, "spec"));
        disabled.ofPodStatus(Trees.object(object, "status"));
    }

    @Override
    public void defaults(ObjectNode pod) {
        ObjectNode spec = Trees.make(pod, "spec");
        PodDefaults.spec(spec);
        PodDefaults.pod(spec);
        Trees.make(pod, "status");
    }

    @Override
    public void prepareCreate(ObjectNode pod, WriteContext context) {
        ObjectNode spec = Trees.make(pod, "spec");
        ObjectNode status = pod.putObject("status").put("phase", "Pending");
        if (Trees.hasContent(spec, "schedulingGates")) {
            status.putArray("conditions")
                    .addObject()
                    .put("type", "PodScheduled")
                    .put("status", "False")
                    .put("lastTransitionTime", Times.seconds(context.driver().now()))
                    .put("reason", "SchedulingGated")
                    .put("message", "Scheduling is blocked due to non-empty scheduling gates");
        }
        status.put("qosClass", PodResources.qosClass(spec));
        mergeLabelKeys(pod, spec);
    }

    /** Label keys that terms and constraints name are resolved once, with the labels the pod is born with. */
    private static void mergeLabelKeys(ObjectNode pod, ObjectNode spec) {
        Map<String, String> labels = Trees.map(pod.get("metadata"), "labels");
        ObjectNode affinity = Trees.object(spec, "affinity");
        for (String kind : List.of("podAffinity", "podAntiAffinity")) {
            ObjectNode ofPods = Trees.object(affinity, kind);
            for (ObjectNode term : Trees.objects(ofPods, "preferredDuringSchedulingIgnoredDuringExecution")) {
                ObjectNode inner = Trees.object(term, "podAffinityTerm");
                if (inner != null) {
                    mergeLabelKeys(inner, labels);
                }
            }
            Trees.objects(ofPods, "requiredDuringSchedulingIgnoredDuringExecution")
                    .forEach(term -> mergeLabelKeys(term, labels));
        }
        Trees.objects(spec, "topologySpreadConstraints").forEach(constraint -> mergeLabelKeys(constraint, labels));
    }

    private static void mergeLabelKeys(ObjectNode term, Map<String, String> labels) {
        ObjectNode selector = Trees.object(term, "labelSelector");
        if (selector == null) {
            return;
        }
        for (String list : List.of("matchLabelKeys", "mismatchLabelKeys")) {
            for (String key : Trees.texts(term, list)) {
                String value = labels.get(key);
                if (value != null) {
                    ObjectNode requirement = Trees.makeList(selector, "matchExpressions")
                            .addObject()
                            .put("key", key)
                            .put("operator", list.equals("matchLabelKeys") ? "In" : "NotIn");
                    requirement.putArray("values").add(value);
                }
            }
        }
    }

    @Override
    public void prepareUpdate(ObjectNode pod, ObjectNode old, WriteContext context) {
        Trees.carry(pod, old, "status");
        switch (context.subresource()) {
            case "ephemeralcontainers" -> {
                JsonNode containers = Trees.at(pod, "spec", "ephemeralContainers");
                ObjectNode spec = Trees.child(old, "spec").deepCopy();
                if (containers.isMissingNode()) {
                    spec.remove("ephemeralContainers");
                } else {
                    spec.set("ephemeralContainers", containers.deepCopy());
                }
                pod.set("spec", spec);
                keepMetadata(pod, old);
            }
            case "resize" -> {
                PodResize.dropAllBut(pod, old);
                keepMetadata(pod, old);
            }
            default -> {}
        }
    }

    private static void keepMetadata(ObjectNode pod, ObjectNode old) {
        ObjectNode metadata = Trees.make(pod, "metadata");
        for (String field :
                List.of("deletionTimestamp", "generation", "labels", "annotations", "finalizers", "ownerReferences")) {
            Trees.carry(metadata, old.get("metadata"), field);
        }
    }

    @Override
    public void prepareStatusUpdate(ObjectNode pod, ObjectNode old, WriteContext context) {
        ObjectNode metadata = Trees.make(pod, "metadata");
        Trees.carry(metadata, old.get("metadata"), "ownerReferences");
        ObjectNode status = Trees.make(pod, "status");
        JsonNode before = Trees.child(old, "status");
        if (Trees.text(status, "qosClass").isEmpty()) {
            Trees.carry(status, before, "qosClass");
        }
        if (Trees.number(status, "observedGeneration") == 0) {
            Trees.carry(status, before, "observedGeneration");
        }
        List<JsonNode> left = new ArrayList<>(Trees.items(before, "conditions"));
        for (ObjectNode condition : Trees.objects(status, "conditions")) {
            String type = Trees.text(condition, "type");
            for (JsonNode candidate : left) {
                if (Trees.text(candidate, "type").equals(type)) {
                    left.remove(candidate);
                    if (Trees.number(condition, "observedGeneration") == 0) {
                        Trees.carry(condition, candidate, "observedGeneration");
                    }
                    break;
                }
            }
        }
    }

    @Override
    public void validateCreate(ObjectNode pod, FieldErrors errors, WriteContext context) {
        validate(pod, errors);
        JsonNode spec = Trees.child(pod, "spec");
        if (Trees.hasContent(spec, "ephemeralContainers")) {
            errors.forbidden("spec.ephemeralContainers", "cannot be set on create");
        }
        if (Trees.hasContent(spec, "nodeName") && Trees.hasContent(spec, "schedulingGates")) {
            errors.forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared");
        }
    }

    @Override
    public void warn(ObjectNode pod, @Nullable ObjectNode old, List<String> warnings) {
        if (old == null) {
            PodWarnings.add(pod, warnings);
        }
    }

    private static void validate(ObjectNode pod, FieldErrors errors) {
        JsonNode spec = Trees.child(pod, "spec");
        PodSpecRules.annotations(errors, "metadata.annotations", Trees.map(pod.get("metadata"), "annotations"), spec);
        PodSpecRules.validate(errors, "spec", spec, pod);
        if (Trees.text(spec, "serviceAccountName").isEmpty()) {
            int i = 0;
            for (JsonNode volume : Trees.items(spec, "volumes")) {
                int j = 0;
                for (JsonNode source : Trees.items(Trees.child(volume, "projected"), "sources")) {
                    if (Trees.has(source, "serviceAccountToken")) {
                        errors.forbidden(
                                "spec.volumes[" + i + "].projected.sources[" + j + "].serviceAccountToken",
                                "must not be specified when serviceAccountName is not set");
                    }
                    j++;
                }
                i++;
            }
        }
        for (String list : List.of("containers", "initContainers")) {
            int i = 0;
            for (JsonNode container : Trees.items(spec, list)) {
                Containers.imageBlanks(errors, "spec." + list + "[" + i++ + "]", container);
            }
        }
    }

    @Override
    public void validateUpdate(ObjectNode pod, ObjectNode old, FieldErrors errors, WriteContext context) {
        validate(pod, errors);
        switch (context.subresource()) {
            case "ephemeralcontainers" -> PodUpdates.ephemeralContainers(pod, old, errors);
            case "resize" -> PodResize.validate(pod, old, errors);
            default -> PodUpdates.validate(pod, old, errors);
        }
    }

    @Override
    public void validateStatusUpdate(ObjectNode pod, ObjectNode old, FieldErrors errors, WriteContext context) {
        PodUpdates.status(pod, old, errors);
    }

    @Override
    public boolean managesGeneration() {
        return true;
    }

    @Override
    public boolean isSpecChange(ObjectNode pod, ObjectNode old) {
        return !Trees.same(pod, old, "spec");
    }

    @Override
    public boolean returnsDeletedObject() {
        return true;
    }

    @Override
    public OptionalLong gracePeriod(ObjectNode pod, OptionalLong asked) {
        JsonNode spec = Trees.child(pod, "spec");
        String phase = Trees.text(Trees.child(pod, "status"), "phase");
        if (Trees.text(spec, "nodeName").isEmpty() || phase.equals("Succeeded") || phase.equals("Failed")) {
            return OptionalLong.of(0);
        }
        long period = asked.orElseGet(() -> Trees.number(spec, "terminationGracePeriodSeconds"));
        return OptionalLong.of(period < 0 ? 1 : period);
    }

    @Override
    public Map<String, Function<JsonNode, String>> selectableFields() {
        return Map.of(
                "spec.nodeName", pod -> Trees.text(Trees.child(pod, "spec"), "nodeName"),
                "spec.host", pod -> Trees.text(Trees.child(pod, "spec"), "nodeName"),
                "spec.restartPolicy", pod -> Trees.text(Trees.child(pod, "spec"), "restartPolicy"),
                "spec.schedulerName", pod -> Trees.text(Trees.child(pod, "spec"), "schedulerName"),
                "spec.serviceAccountName", pod -> Trees.text(Trees.child(pod, "spec"), "serviceAccountName"),
                "spec.hostNetwork", pod -> Boolean.toString(Trees.flag(Trees.child(pod, "spec"), "hostNetwork")),
                "status.phase", pod -> Trees.text(Trees.child(pod, "status"), "phase"),
                "status.podIP", pod -> podIps(pod, true),
                "status.podIPs", pod -> podIps(pod, false),
                "status.nominatedNodeName", pod -> Trees.text(Trees.child(pod, "status"), "nominatedNodeName"));
    }

    private static String podIps(JsonNode pod, boolean first) {
        JsonNode status = Trees.child(pod, "status");
        List<JsonNode> ips = Trees.items(status, "podIPs");
        if (ips.isEmpty()) {
            return Trees.text(status, "podIP");
        }
        if (first) {
            return Trees.text(ips.get(0), "ip");
        }
        List<String> all = ips.stream().map(ip -> Trees.text(ip, "ip")).toList();
        return String.join(",", all);
    }
}
