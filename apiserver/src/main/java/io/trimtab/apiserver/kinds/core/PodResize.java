package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Trees;
import java.util.List;
import java.util.Map;

/** The {@code resize} subresource of pods: CPU and memory of running containers. Stateless. */
final class PodResize {
    private PodResize() {}

    /** Leaves only resources and resize policies of what was sent; other changes of the container list stay, to be refused. */
    static void dropAllBut(ObjectNode pod, ObjectNode old) {
        JsonNode sent = Trees.child(pod, "spec");
        JsonNode before = Trees.child(old, "spec");
        for (String list : List.of("containers", "initContainers")) {
            if (Trees.items(sent, list).size() != Trees.items(before, list).size()) {
                return;
            }
        }
        ObjectNode spec = before.deepCopy();
        for (String list : List.of("containers", "initContainers")) {
            List<ObjectNode> kept = Trees.objects(spec, list);
            List<JsonNode> containers = Trees.items(sent, list);
            boolean renamed = false;
            for (int i = 0; i < kept.size(); i++) {
                renamed |= !Trees.text(kept.get(i), "name").equals(Trees.text(containers.get(i), "name"));
            }
            if (renamed) {
                Trees.carry(spec, sent, list);
                continue;
            }
            for (int i = 0; i < kept.size(); i++) {
                Trees.carry(kept.get(i), containers.get(i), "resources");
                Trees.carry(kept.get(i), containers.get(i), "resizePolicy");
            }
        }
        pod.set("spec", spec);
    }

    static void validate(ObjectNode pod, ObjectNode old, FieldErrors errors) {
        JsonNode spec = Trees.child(pod, "spec");
        JsonNode before = Trees.child(old, "spec");
        if (limitsWhole(before) || limitsWhole(spec)) {
            errors.forbidden("", "pods with pod-level resources cannot be resized");
            return;
        }
        if (Trees.map(old.get("metadata"), "annotations").containsKey("kubernetes.io/config.mirror")) {
            errors.forbidden("", "static pods cannot be resized");
            return;
        }
        if (Trees.text(Trees.child(before, "os"), "name").equals("windows")) {
            errors.forbidden("", "windows pods cannot be resized");
            return;
        }
        String qos = Trees.text(Trees.child(old, "status"), "qosClass");
        if (!(qos.isEmpty() ? PodResources.qosClass(before) : qos).equals(PodResources.qosClass(spec))) {
            errors.invalid("spec", qos, "Pod QOS Class may not change as a result of resizing");
        }
        for (JsonNode status : Trees.items(Trees.child(old, "status"), "containerStatuses")) {
            if (!Trees.at(status, "state", "running").isMissingNode()) {
                if (!Trees.has(status, "resources")) {
                    errors.forbidden("spec", "Pod running on node without support for resize");
                }
                break;
            }
        }
        if (!sameContainers(errors, spec, before)) {
            return;
        }
        FieldErrors resized = new FieldErrors();
        for (String list : List.of("initContainers", "containers")) {
            containers(resized, spec, before, list);
        }
        errors.addAll(resized);
    }

    private static boolean limitsWhole(JsonNode spec) {
        JsonNode resources = Trees.child(spec, "resources");
        return Trees.hasContent(resources, "requests") || Trees.hasContent(resources, "limits");
    }

    private static boolean sameContainers(FieldErrors errors, JsonNode spec, JsonNode before) {
        boolean same = true;
        for (String list : List.of("containers", "initContainers")) {
            List<JsonNode> now = Trees.items(spec, list);
            List<JsonNode> old = Trees.items(before, list);
            if (now.size() != old.size()) {
                errors.forbidden("spec." + list, list + " may not be added or removed on resize");
                same = false;
                continue;
            }
            for (int i = 0; i < now.size(); i++) {
                if (!Trees.text(now.get(i), "name").equals(Trees.text(old.get(i), "name"))) {
                    errors.forbidden(
                            "spec." + list + "[" + i + "].name", list + " may not be renamed or reordered on resize");
                    same = false;
                }
            }
        }
        return same;
    }

    private static void containers(FieldErrors errors, JsonNode spec, JsonNode before, String list) {
        boolean init = list.equals("initContainers");
        List<JsonNode> now = Trees.items(spec, list);
        List<JsonNode> old = Trees.items(before, list);
        for (int i = 0; i < now.size(); i++) {
            boolean resizable = !init || Trees.text(old.get(i), "restartPolicy").equals("Always");
            if (!resizable) {
                if (!Trees.same(now.get(i), old.get(i))) {
                    errors.forbidden("spec", "resources for non-sidecar init containers are immutable");
                }
                continue;
            }
            JsonNode resources = Trees.child(now.get(i), "resources");
            JsonNode had = Trees.child(old.get(i), "resources");
            for (String kind : List.of("requests", "limits")) {
                Map<String, JsonNode> names = Trees.entries(resources, kind);
                if (!names.keySet().containsAll(Trees.entries(had, kind).keySet())) {
                    errors.forbidden(
                            "spec." + list + "[" + i + "].resources." + kind,
                            "resource " + kind + " cannot be removed");
                }
            }
            if (!onlyComputeChanged(now.get(i), old.get(i))) {
                errors.forbidden(
                        "spec",
                        init
                                ? "only cpu and memory resources for sidecar containers are mutable"
                                : "only cpu and memory resources are mutable");
            }
        }
    }

    private static boolean onlyComputeChanged(JsonNode now, JsonNode old) {
        ObjectNode munged = now.deepCopy();
        ObjectNode resources = Trees.make(munged, "resources");
        JsonNode had = Trees.child(old, "resources");
        for (String kind : List.of("requests", "limits")) {
            if (!Trees.has(had, kind)) {
                resources.remove(kind);
                continue;
            }
            ObjectNode amounts = Trees.make(resources, kind);
            Trees.carry(amounts, had.get(kind), "cpu");
            Trees.carry(amounts, had.get(kind), "memory");
        }
        return Trees.same(munged, old);
    }
}
