package io.trimtab.apiserver.kinds;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.features.FeatureGates;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Takes out of objects what belongs to features whose gate is closed, as Kubernetes does before it looks at anything else. Since
 * it always has been taken out, there is no older object that may keep it. Stateless.
 *
 * @param gates which features are there
 */
public record DisabledFields(FeatureGates gates) {
    private static final List<String> CONTAINERS = List.of("containers", "initContainers", "ephemeralContainers");

    /** In the spec of a pod or of a pod's template. */
    public void ofPodSpec(@Nullable ObjectNode spec) {
        if (spec == null) {
            return;
        }
        drop("HostnameOverride", spec, "hostnameOverride");
        for (String list : CONTAINERS) {
            for (ObjectNode container : Trees.objects(spec, list)) {
                ofContainer(list, container);
            }
        }
        if (!gates.enabled("ImageVolume")) {
            imageVolumes(spec);
        }
        for (ObjectNode volume : Trees.objects(spec, "volumes")) {
            for (ObjectNode source : Trees.objects(volume.get("projected"), "sources")) {
                drop("ClusterTrustBundleProjection", source, "clusterTrustBundle");
                drop("PodCertificateRequest", source, "podCertificate");
            }
        }
    }

    private void ofContainer(String list, ObjectNode container) {
        if (!gates.enabled("ContainerRestartRules")) {
            container.remove("restartPolicyRules");
            if (!list.equals("initContainers")
                    || !Trees.text(container, "restartPolicy").equals("Always")) {
                container.remove("restartPolicy");
            }
        }
        ObjectNode lifecycle = Trees.object(container, "lifecycle");
        if (lifecycle != null && lifecycle.has("stopSignal") && !gates.enabled("ContainerStopSignals")) {
            lifecycle.remove("stopSignal");
            if (lifecycle.isEmpty()) {
                container.remove("lifecycle");
            }
        }
        for (ObjectNode variable : Trees.objects(container, "env")) {
            drop("EnvFiles", Trees.object(variable, "valueFrom"), "fileKeyRef");
        }
    }

    private static void imageVolumes(ObjectNode spec) {
        Set<String> gone = new HashSet<>();
        if (!(spec.get("volumes") instanceof ArrayNode volumes)) {
            return;
        }
        for (Iterator<JsonNode> each = volumes.iterator(); each.hasNext(); ) {
            JsonNode volume = each.next();
            if (Trees.has(volume, "image")) {
                gone.add(Trees.text(volume, "name"));
                each.remove();
            }
        }
        if (gone.isEmpty()) {
            return;
        }
        if (volumes.isEmpty()) {
            spec.remove("volumes");
        }
        for (String list : CONTAINERS) {
            for (ObjectNode container : Trees.objects(spec, list)) {
                if (container.get("volumeMounts") instanceof ArrayNode mounts) {
                    for (Iterator<JsonNode> each = mounts.iterator(); each.hasNext(); ) {
                        if (gone.contains(Trees.text(each.next(), "name"))) {
                            each.remove();
                        }
                    }
                    if (mounts.isEmpty()) {
                        container.remove("volumeMounts");
                    }
                }
            }
        }
    }

    /** In the status of a pod. */
    public void ofPodStatus(@Nullable ObjectNode status) {
        drop("DRAExtendedResource", status, "extendedResourceClaimStatus");
        for (String list : List.of("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")) {
            for (ObjectNode container : Trees.objects(status, list)) {
                drop("ResourceHealthStatus", container, "allocatedResourcesStatus");
                drop("ContainerStopSignals", container, "stopSignal");
            }
        }
    }

    /** A field, if the gate of its feature is closed. */
    public void drop(String gate, @Nullable ObjectNode parent, String field) {
        if (parent != null && parent.has(field) && !gates.enabled(gate)) {
            parent.remove(field);
        }
    }
}
