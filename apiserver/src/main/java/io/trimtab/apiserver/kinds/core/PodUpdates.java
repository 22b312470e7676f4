package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.errors.FieldErrors.FieldError;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.IpAddresses;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.TreeDiff;
import io.trimtab.apiserver.kinds.Trees;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What may change in a pod. Stateless. */
final class PodUpdates {
    private static final String UPDATABLE = "`spec.containers[*].image`,`spec.initContainers[*].image`,"
            + "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
            + "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
    private static final String APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/";
    private static final String MIRROR = "kubernetes.io/config.mirror";
    private static final String REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";

    private PodUpdates() {}

    static void validate(ObjectNode pod, ObjectNode old, FieldErrors errors) {
        annotations(pod, old, errors);
        JsonNode spec = Trees.child(pod, "spec");
        JsonNode before = Trees.child(old, "spec");
        for (String list : List.of("containers", "initContainers")) {
            List<JsonNode> containers = Trees.items(spec, list);
            if (containers.size() != Trees.items(before, list).size()) {
                errors.forbidden("spec." + list, "pod updates may not add or remove containers");
                return;
            }
            for (int i = 0; i < containers.size(); i++) {
                if (Trees.text(containers.get(i), "image").isEmpty()) {
                    errors.required("spec." + list + "[" + i + "].image", "");
                }
                Containers.imageBlanks(errors, "spec." + list + "[" + i + "]", containers.get(i));
            }
        }
        if (!deadline(spec, before, errors)) {
            return;
        }
        addedTolerations(spec, before, errors);
        removedGates(spec, before, errors);
        if (Trees.same(spec, before)) {
            return;
        }
        ObjectNode munged = munge(spec.deepCopy(), before, errors);
        if (!Trees.same(munged, before)) {
            errors.forbidden(
                    "spec",
                    "pod updates may not change fields other than " + UPDATABLE + "\n"
                            + TreeDiff.of(before, munged, "core/v1.PodSpec"));
        }
    }

    private static boolean deadline(JsonNode spec, JsonNode before, FieldErrors errors) {
        String path = "spec.activeDeadlineSeconds";
        boolean had = Trees.has(before, "activeDeadlineSeconds");
        if (!Trees.has(spec, "activeDeadlineSeconds")) {
            if (had) {
                errors.invalid(path, (JsonNode) null, "must not update from a positive integer to nil value");
            }
            return true;
        }
        long deadline = Trees.number(spec, "activeDeadlineSeconds");
        if (deadline < 0 || deadline > Integer.MAX_VALUE) {
            FieldRules.invalid(errors, path, deadline, Names.inRange(deadline, 0, Integer.MAX_VALUE));
            return false;
        }
        if (had && Trees.number(before, "activeDeadlineSeconds") < deadline) {
            errors.invalid(path, deadline, "must be less than or equal to previous value");
            return false;
        }
        return true;
    }

    private static void addedTolerations(JsonNode spec, JsonNode before, FieldErrors errors) {
        List<ObjectNode> now = Trees.objects(spec, "tolerations");
        for (ObjectNode old : Trees.objects(before, "tolerations")) {
            boolean found = now.stream().anyMatch(toleration -> {
                ObjectNode clone = old.deepCopy();
                Trees.carry(clone, toleration, "tolerationSeconds");
                return Trees.same(clone, toleration);
            });
            if (!found) {
                errors.forbidden(
                        "spec.tolerations", "existing toleration can not be modified except its tolerationSeconds");
                return;
            }
        }
        Affinities.tolerations(errors, "spec.tolerations", Trees.items(spec, "tolerations"));
    }

    private static void removedGates(JsonNode spec, JsonNode before, FieldErrors errors) {
        Set<String> had = Trees.items(before, "schedulingGates").stream()
                .map(gate -> Trees.text(gate, "name"))
                .collect(Collectors.toSet());
        int i = 0;
        for (JsonNode gate : Trees.items(spec, "schedulingGates")) {
            String name = Trees.text(gate, "name");
            if (!had.contains(name)) {
                errors.forbidden(
                        "spec.schedulingGates[" + i + "].name",
                        "only deletion is allowed, but found new scheduling gate '" + name + "'");
            }
            i++;
        }
    }

    /** The new spec with everything put back that may change; what is still different may not. */
    private static ObjectNode munge(ObjectNode munged, JsonNode before, FieldErrors errors) {
        for (String list : List.of("containers", "initContainers")) {
            List<ObjectNode> containers = Trees.objects(munged, list);
            List<JsonNode> old = Trees.items(before, list);
            for (int i = 0; i < containers.size(); i++) {
                Trees.carry(containers.get(i), old.get(i), "image");
            }
        }
        Trees.carry(munged, before, "activeDeadlineSeconds");
        Trees.carry(munged, before, "schedulingGates");
        Trees.carry(munged, before, "tolerations");
        if (Trees.number(before, "terminationGracePeriodSeconds") < 0
                && Trees.number(munged, "terminationGracePeriodSeconds") == 1) {
            Trees.carry(munged, before, "terminationGracePeriodSeconds");
        }
        if (Trees.hasContent(before, "schedulingGates")) {
            mungePlacement(munged, before, errors);
        }
        return munged;
    }

    /** While a pod is gated, the set of nodes it may go to may shrink. */
    private static void mungePlacement(ObjectNode munged, JsonNode before, FieldErrors errors) {
        if (!Trees.same(munged, before, "nodeSelector")) {
            Map<String, String> now = Trees.map(munged, "nodeSelector");
            boolean kept = Trees.map(before, "nodeSelector").entrySet().stream()
                    .allMatch(e -> e.getValue().equals(now.get(e.getKey())));
            if (!kept) {
                errors.invalid(
                        "spec.nodeSelector",
                        Trees.shown(munged, "nodeSelector"),
                        "only additions to spec.nodeSelector are allowed (no mutations or deletions)");
            }
            Trees.carry(munged, before, "nodeSelector");
        }
        JsonNode oldAffinity = Trees.at(before, "affinity", "nodeAffinity");
        JsonNode newAffinity = Trees.at(munged, "affinity", "nodeAffinity");
        if (Trees.same(oldAffinity, newAffinity)) {
            return;
        }
        narrowed(oldAffinity, newAffinity, errors);
        ObjectNode affinity = Trees.make(munged, "affinity");
        Trees.carry(affinity, Trees.child(before, "affinity"), "nodeAffinity");
        if (affinity.isEmpty() && !Trees.has(before, "affinity")) {
            munged.remove("affinity");
        }
    }

    private static void narrowed(JsonNode before, JsonNode now, FieldErrors errors) {
        if (!Trees.has(before, REQUIRED)) {
            return;
        }
        String path = "spec.affinity.nodeAffinity." + REQUIRED + ".nodeSelectorTerms";
        List<JsonNode> oldTerms = Trees.items(before.get(REQUIRED), "nodeSelectorTerms");
        List<JsonNode> terms = Trees.items(Trees.child(now, REQUIRED), "nodeSelectorTerms");
        if (!oldTerms.isEmpty() && oldTerms.size() != terms.size()) {
            JsonNode shown = Trees.child(Trees.child(now, REQUIRED), "nodeSelectorTerms");
            errors.invalidShown(
                    path,
                    shown.isMissingNode() ? "null" : InternalForm.of(shown, "[]core/v1.NodeSelectorTerm"),
                    "no additions/deletions to non-empty NodeSelectorTerms list are allowed");
            return;
        }
        for (int i = 0; i < oldTerms.size(); i++) {
            if (!onlyAdds(terms.get(i), oldTerms.get(i))) {
                errors.invalidShown(
                        path + "[" + i + "]",
                        InternalForm.of(terms.get(i), "core/v1.NodeSelectorTerm"),
                        "only additions are allowed (no mutations or deletions)");
            }
        }
    }

    private static boolean onlyAdds(JsonNode term, JsonNode old) {
        boolean wasEmpty = !Trees.hasContent(old, "matchExpressions") && !Trees.hasContent(old, "matchFields");
        if (wasEmpty && (Trees.hasContent(term, "matchExpressions") || Trees.hasContent(term, "matchFields"))) {
            return false;
        }
        for (String list : List.of("matchExpressions", "matchFields")) {
            List<JsonNode> before = Trees.items(old, list);
            List<JsonNode> now = Trees.items(term, list);
            if (now.size() < before.size()) {
                return false;
            }
            for (int i = 0; i < before.size(); i++) {
                if (!Trees.same(before.get(i), now.get(i))) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Annotations that describe what the kubelet has done already. */
    private static void annotations(ObjectNode pod, ObjectNode old, FieldErrors errors) {
        Map<String, String> now = Trees.map(pod.get("metadata"), "annotations");
        Map<String, String> before = Trees.map(old.get("metadata"), "annotations");
        new TreeMap<>(before).forEach((key, value) -> {
            if (!value.equals(now.get(key))) {
                if (key.startsWith(APP_ARMOR)) {
                    errors.forbidden(
                            "metadata.annotations[" + key + "]", "may not remove or update AppArmor annotations");
                }
                if (key.equals(MIRROR)) {
                    errors.forbidden(
                            "metadata.annotations[" + key + "]", "may not remove or update mirror pod annotation");
                }
            }
        });
        new TreeMap<>(now).forEach((key, value) -> {
            if (!before.containsKey(key)) {
                if (key.startsWith(APP_ARMOR)) {
                    errors.forbidden("metadata.annotations[" + key + "]", "may not add AppArmor annotations");
                }
                if (key.equals(MIRROR)) {
                    errors.forbidden("metadata.annotations[" + key + "]", "may not add mirror pod annotation");
                }
            }
        });
    }

    static void ephemeralContainers(ObjectNode pod, ObjectNode old, FieldErrors errors) {
        if (Trees.map(old.get("metadata"), "annotations").containsKey(MIRROR)) {
            errors.forbidden("", "static pods do not support ephemeral containers");
            return;
        }
        Map<String, JsonNode> now = new HashMap<>();
        Trees.items(Trees.child(pod, "spec"), "ephemeralContainers").forEach(c -> now.put(Trees.text(c, "name"), c));
        for (JsonNode before : Trees.items(Trees.child(old, "spec"), "ephemeralContainers")) {
            String name = Trees.text(before, "name");
            JsonNode container = now.get(name);
            if (container == null) {
                errors.forbidden(
                        "spec.ephemeralContainers",
                        "existing ephemeral containers " + FieldErrors.quote(name) + " may not be removed\n");
            } else if (!Trees.same(before, container)) {
                errors.forbidden(
                        "spec.ephemeralContainers",
                        "existing ephemeral containers " + FieldErrors.quote(name) + " may not be changed\n"
                                + TreeDiff.of(before, container, "core/v1.EphemeralContainer"));
            }
        }
    }

    static void status(ObjectNode pod, ObjectNode old, FieldErrors errors) {
        annotations(pod, old, errors);
        JsonNode status = Trees.child(pod, "status");
        JsonNode before = Trees.child(old, "status");
        JsonNode spec = Trees.child(old, "spec");
        conditions(status, errors);
        String nominated = Trees.text(status, "nominatedNodeName");
        if (!nominated.isEmpty() && !nominated.equals(Trees.text(before, "nominatedNodeName"))) {
            FieldRules.invalid(errors, "status.nominatedNodeName", nominated, Names.subdomain(nominated));
            if (Trees.hasContent(spec, "nodeName")) {
                errors.forbidden("status.nominatedNodeName", "may not be set on pods that are already bound to a node");
            }
        }
        if (Trees.number(status, "observedGeneration") < 0) {
            errors.invalid(
                    "status.observedGeneration",
                    Trees.number(status, "observedGeneration"),
                    "must be a non-negative integer");
        }
        FieldRules.immutable(errors, "status", status, before, "qosClass");
        String policy = Trees.text(spec, "restartPolicy");
        transitions(errors, status, before, "containerStatuses", policy, Set.of());
        Set<String> sidecars = Trees.items(spec, "initContainers").stream()
                .filter(c -> Trees.text(c, "restartPolicy").equals("Always"))
                .map(c -> Trees.text(c, "name"))
                .collect(Collectors.toSet());
        transitions(errors, status, before, "initContainerStatuses", policy, sidecars);
        transitions(errors, status, before, "ephemeralContainerStatuses", "Never", Set.of());
        ips(errors, status, "podIPs");
        if (Trees.hasContent(status, "hostIPs")) {
            String first = Trees.text(Trees.items(status, "hostIPs").get(0), "ip");
            if (!first.equals(Trees.text(status, "hostIP"))) {
                errors.invalid("status.hostIPs[0].ip", first, "must be equal to `hostIP`");
            }
            ips(errors, status, "hostIPs");
        }
    }

    private static void conditions(JsonNode status, FieldErrors errors) {
        int i = 0;
        for (JsonNode condition : Trees.items(status, "conditions")) {
            String at = "status.conditions[" + i++ + "]";
            long generation = Trees.number(condition, "observedGeneration");
            if (generation < 0) {
                errors.invalid(at + ".observedGeneration", generation, "must be a non-negative integer");
            }
            String type = Trees.text(condition, "type");
            FieldRules.invalid(errors, at + ".Type", type, Names.qualified(type));
        }
    }

    /** A container that has ended for good stays so. */
    private static void transitions(
            FieldErrors errors, JsonNode status, JsonNode before, String list, String policy, Set<String> restarting) {
        if (policy.equals("Always")) {
            return;
        }
        int i = 0;
        for (JsonNode old : Trees.items(before, list)) {
            int index = i++;
            JsonNode ended = Trees.at(old, "state", "terminated");
            if (ended.isMissingNode()
                    || Trees.number(ended, "exitCode") != 0 && policy.equals("OnFailure")
                    || restarting.contains(Trees.text(old, "name"))) {
                continue;
            }
            for (JsonNode now : Trees.items(status, list)) {
                if (Trees.text(now, "name").equals(Trees.text(old, "name"))
                        && Trees.at(now, "state", "terminated").isMissingNode()) {
                    errors.forbidden(
                            "status." + list + "[" + index + "].state",
                            "may not be transitioned to non-terminated state");
                }
            }
        }
    }

    private static void ips(FieldErrors errors, JsonNode status, String list) {
        List<JsonNode> ips = Trees.items(status, list);
        for (int i = 0; i < ips.size(); i++) {
            IpAddresses.validate(errors, "status." + list + "[" + i + "]", Trees.text(ips.get(i), "ip"));
        }
        if (ips.size() > 1) {
            boolean both = ips.size() == 2
                    && IpAddresses.isV6(Trees.text(ips.get(0), "ip")) != IpAddresses.isV6(Trees.text(ips.get(1), "ip"));
            if (!both) {
                errors.add(new FieldError(
                        FieldErrors.Type.INVALID,
                        "status." + list,
                        "Invalid value: "
                                + InternalForm.of(
                                        Trees.child(status, list),
                                        "[]core/v1." + (list.equals("podIPs") ? "PodIP" : "HostIP"))
                                + ": may specify no more than one IP for each IP family"));
            }
        }
    }
}
