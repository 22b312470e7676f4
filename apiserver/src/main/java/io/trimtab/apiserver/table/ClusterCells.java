package io.trimtab.apiserver.table;

import static io.trimtab.apiserver.table.Texts.name;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The groups storage, scheduling, coordination, node and resource. */
final class ClusterCells {
    private ClusterCells() {}

    static void register(Map<String, RowFunction> rows) {
        rows.put("storageclasses.storage.k8s.io", ClusterCells::storageClass);
        rows.put("csidrivers.storage.k8s.io", ClusterCells::csiDriver);
        rows.put(
                "csinodes.storage.k8s.io",
                (o, now) -> new Row()
                        .add(name(o))
                        .add(o.path("spec").path("drivers").size())
                        .add(Ages.of(o, now)));
        rows.put(
                "volumeattachments.storage.k8s.io",
                (o, now) -> new Row()
                        .add(name(o))
                        .add(o.path("spec").path("attacher").asText(""))
                        .add(o.path("spec")
                                .path("source")
                                .path("persistentVolumeName")
                                .asText(""))
                        .add(o.path("spec").path("nodeName").asText(""))
                        .add(o.path("status").path("attached").asBoolean())
                        .add(Ages.of(o, now)));
        rows.put(
                "volumeattributesclasses.storage.k8s.io",
                (o, now) -> new Row()
                        .add(name(o))
                        .add(o.path("driverName").asText(""))
                        .add(Ages.of(o, now)));
        rows.put(
                "priorityclasses.scheduling.k8s.io",
                (o, now) -> new Row()
                        .add(name(o))
                        .add(o.path("value").asLong())
                        .add(o.path("globalDefault").asBoolean())
                        .add(Ages.of(o, now))
                        .add(o.path("preemptionPolicy").asText("")));
        rows.put(
                "leases.coordination.k8s.io",
                (o, now) -> new Row()
                        .add(name(o))
                        .add(o.path("spec").path("holderIdentity").asText(""))
                        .add(Ages.of(o, now)));
        rows.put(
                "runtimeclasses.node.k8s.io",
                (o, now) ->
                        new Row().add(name(o)).add(o.path("handler").asText("")).add(Ages.of(o, now)));
        rows.put("deviceclasses.resource.k8s.io", ClusterCells::nameAndAge);
        rows.put("resourceclaimtemplates.resource.k8s.io", ClusterCells::nameAndAge);
        rows.put(
                "resourceclaims.resource.k8s.io",
                (o, now) -> new Row().add(name(o)).add(claimState(o)).add(Ages.of(o, now)));
        rows.put(
                "resourceslices.resource.k8s.io",
                (o, now) -> new Row()
                        .add(name(o))
                        .add(o.path("spec").path("nodeName").asText(""))
                        .add(o.path("spec").path("driver").asText(""))
                        .add(o.path("spec").path("pool").path("name").asText(""))
                        .add(Ages.of(o, now)));
    }

    private static Row nameAndAge(JsonNode o, Instant now) {
        return new Row().add(name(o)).add(Ages.of(o, now));
    }

    private static Row storageClass(JsonNode o, Instant now) {
        JsonNode annotations = o.path("metadata").path("annotations");
        boolean isDefault = annotations
                        .path("storageclass.kubernetes.io/is-default-class")
                        .asText("")
                        .equals("true")
                || annotations
                        .path("storageclass.beta.kubernetes.io/is-default-class")
                        .asText("")
                        .equals("true");
        return new Row()
                .add(isDefault ? name(o) + " (default)" : name(o))
                .add(o.path("provisioner").asText(""))
                .add(o.path("reclaimPolicy").asText("Delete"))
                .add(o.path("volumeBindingMode").asText("Immediate"))
                .add(o.path("allowVolumeExpansion").asBoolean())
                .add(Ages.of(o, now));
    }

    private static Row csiDriver(JsonNode o, Instant now) {
        JsonNode spec = o.path("spec");
        List<String> audiences = new ArrayList<>();
        spec.path("tokenRequests").forEach(r -> audiences.add(r.path("audience").asText("")));
        String modes = Texts.join(",", spec.path("volumeLifecycleModes"));
        return new Row()
                .add(name(o))
                .add(spec.path("attachRequired").asBoolean(true))
                .add(spec.path("podInfoOnMount").asBoolean())
                .add(spec.path("storageCapacity").asBoolean())
                .add(spec.has("tokenRequests") ? String.join(",", audiences) : Texts.UNSET)
                .add(spec.path("requiresRepublish").asBoolean())
                .add(modes.isEmpty() ? Texts.NONE : modes)
                .add(Ages.of(o, now));
    }

    private static String claimState(JsonNode o) {
        List<String> states = new ArrayList<>();
        if (Texts.isDeleting(o)) {
            states.add("deleted");
        }
        if (!o.path("status").path("allocation").isObject()) {
            if (states.isEmpty()) {
                states.add("pending");
            }
        } else {
            states.add("allocated");
            states.add(o.path("status").path("reservedFor").isEmpty() ? "" : "reserved");
            states.remove("");
        }
        return String.join(",", states);
    }
}
