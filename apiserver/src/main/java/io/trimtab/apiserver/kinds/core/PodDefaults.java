package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.kinds.ResourceRequirements;
import io.trimtab.apiserver.kinds.Trees;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Fills in what a pod's spec leaves unsaid. All methods change the tree in place and are idempotent. Stateless. */
public final class PodDefaults {
    private static final List<String> VOLUME_SOURCES = List.of(
            "emptyDir",
            "hostPath",
            "gitRepo",
            "gcePersistentDisk",
            "awsElasticBlockStore",
            "secret",
            "nfs",
            "iscsi",
            "glusterfs",
            "flocker",
            "persistentVolumeClaim",
            "rbd",
            "cinder",
            "cephfs",
            "quobyte",
            "downwardAPI",
            "fc",
            "flexVolume",
            "configMap",
            "azureFile",
            "vsphereVolume",
            "photonPersistentDisk",
            "portworxVolume",
            "azureDisk",
            "storageos",
            "projected",
            "scaleIO",
            "csi",
            "ephemeral",
            "image");

    private PodDefaults() {}

    /** A template of pods; makes its metadata and spec if they are absent. */
    public static void template(ObjectNode template) {
        Trees.make(template, "metadata");
        spec(Trees.make(template, "spec"));
    }

    /** The template in a field of the given spec; nothing if there is none. */
    public static void templateOf(ObjectNode spec) {
        ObjectNode template = Trees.object(spec, "template");
        if (template != null) {
            template(template);
        }
    }

    /** A spec, of a pod or in a template. */
    public static void spec(ObjectNode spec) {
        Trees.objects(spec, "volumes").forEach(PodDefaults::volume);
        Trees.objects(spec, "initContainers").forEach(PodDefaults::container);
        Trees.objects(spec, "containers").forEach(PodDefaults::container);
        Trees.objects(spec, "ephemeralContainers").forEach(PodDefaults::container);
        Trees.fill(spec, "restartPolicy", "Always");
        Trees.fill(spec, "terminationGracePeriodSeconds", 30);
        Trees.fill(spec, "dnsPolicy", "ClusterFirst");
        // The old name of the field mirrors the new one in every answer, and stands in for it in requests.
        String account = Trees.text(spec, "serviceAccountName");
        if (account.isEmpty()) {
            account = Trees.text(spec, "serviceAccount");
        }
        if (account.isEmpty()) {
            spec.remove("serviceAccountName");
            spec.remove("serviceAccount");
        } else {
            spec.put("serviceAccountName", account);
            spec.put("serviceAccount", account);
        }
        if (!Trees.has(spec, "securityContext")) {
            spec.putObject("securityContext");
        }
        Trees.fill(spec, "schedulerName", "default-scheduler");
    }

    /** What holds for pods but not for templates. */
    static void pod(ObjectNode spec) {
        // Of pods only: templates keep what they were given (pkg/apis/core/v1/conversion.go).
        if (spec.path("terminationGracePeriodSeconds").asLong(0) < 0) {
            spec.put("terminationGracePeriodSeconds", 1L);
        }
        List<ObjectNode> containers = new ArrayList<>(Trees.objects(spec, "containers"));
        containers.addAll(Trees.objects(spec, "initContainers"));
        for (ObjectNode container : containers) {
            requestsFromLimits(Trees.object(container, "resources"));
            if (Trees.flag(spec, "hostNetwork")) {
                for (ObjectNode port : Trees.objects(container, "ports")) {
                    Trees.fillZero(port, "hostPort", Trees.number(port, "containerPort"));
                }
            }
        }
        podResources(spec);
        Trees.fill(spec, "enableServiceLinks", true);
    }

    private static void requestsFromLimits(@Nullable ObjectNode resources) {
        if (resources == null || !Trees.has(resources, "limits")) {
            return;
        }
        ObjectNode requests = Trees.make(resources, "requests");
        resources.path("limits").fields().forEachRemaining(limit -> {
            if (!requests.has(limit.getKey())) {
                requests.set(limit.getKey(), limit.getValue());
            }
        });
    }

    /** Pod-level requests: what the containers request together, else the pod's limit. */
    private static void podResources(ObjectNode spec) {
        ObjectNode resources = Trees.object(spec, "resources");
        if (resources == null || !Trees.hasContent(resources, "limits")) {
            return;
        }
        Map<String, JsonNode> together = PodResources.requests(spec);
        ObjectNode requests = Trees.make(resources, "requests");
        together.forEach((name, amount) -> {
            if (isPodLevel(name) && ResourceRequirements.allowsOvercommit(name) && !requests.has(name)) {
                requests.set(name, amount);
            }
        });
        Trees.entries(resources, "limits").forEach((name, amount) -> {
            if (isPodLevel(name) && !requests.has(name)) {
                requests.set(name, amount);
            }
        });
    }

    private static boolean isPodLevel(String name) {
        return name.equals("cpu") || name.equals("memory") || ResourceRequirements.isHugePages(name);
    }

    private static void container(ObjectNode container) {
        for (ObjectNode port : Trees.objects(container, "ports")) {
            Trees.fill(port, "protocol", "TCP");
        }
        for (ObjectNode variable : Trees.objects(container, "env")) {
            ObjectNode source = Trees.object(variable, "valueFrom");
            if (source != null) {
                fieldRef(Trees.object(source, "fieldRef"));
                resourceFieldRef(Trees.object(source, "resourceFieldRef"));
            }
        }
        Trees.make(container, "resources");
        for (String probe : List.of("livenessProbe", "readinessProbe", "startupProbe")) {
            probe(Trees.object(container, probe));
        }
        ObjectNode lifecycle = Trees.object(container, "lifecycle");
        if (lifecycle != null) {
            for (String hook : List.of("postStart", "preStop")) {
                ObjectNode handler = Trees.object(lifecycle, hook);
                if (handler != null) {
                    httpGet(Trees.object(handler, "httpGet"));
                }
            }
        }
        Trees.fill(container, "terminationMessagePath", "/dev/termination-log");
        Trees.fill(container, "terminationMessagePolicy", "File");
        Trees.fill(container, "imagePullPolicy", ImageNames.defaultPullPolicy(Trees.text(container, "image")));
    }

    private static void probe(@Nullable ObjectNode probe) {
        if (probe == null) {
            return;
        }
        httpGet(Trees.object(probe, "httpGet"));
        ObjectNode grpc = Trees.object(probe, "grpc");
        if (grpc != null && !Trees.has(grpc, "service")) {
            grpc.put("service", "");
        }
        Trees.fillZero(probe, "timeoutSeconds", 1);
        Trees.fillZero(probe, "periodSeconds", 10);
        Trees.fillZero(probe, "successThreshold", 1);
        Trees.fillZero(probe, "failureThreshold", 3);
    }

    private static void httpGet(@Nullable ObjectNode get) {
        if (get != null) {
            Trees.fill(get, "path", "/");
            Trees.fill(get, "scheme", "HTTP");
        }
    }

    private static void fieldRef(@Nullable ObjectNode ref) {
        if (ref != null) {
            Trees.fill(ref, "apiVersion", "v1");
        }
    }

    /** The divisor has no "absent": it is written as zero. */
    private static void resourceFieldRef(@Nullable ObjectNode ref) {
        if (ref != null && !Trees.has(ref, "divisor")) {
            ref.put("divisor", "0");
        }
    }

    private static void volume(ObjectNode volume) {
        boolean none = VOLUME_SOURCES.stream().noneMatch(source -> Trees.has(volume, source));
        if (none) {
            volume.putObject("emptyDir");
            return;
        }
        for (String source : List.of("secret", "configMap", "downwardAPI", "projected")) {
            ObjectNode content = Trees.object(volume, source);
            if (content != null) {
                Trees.fill(content, "defaultMode", 420);
            }
        }
        downwardFiles(Trees.object(volume, "downwardAPI"));
        ObjectNode projected = Trees.object(volume, "projected");
        if (projected != null) {
            for (ObjectNode source : Trees.objects(projected, "sources")) {
                ObjectNode token = Trees.object(source, "serviceAccountToken");
                if (token != null) {
                    Trees.fill(token, "expirationSeconds", 3600);
                }
                downwardFiles(Trees.object(source, "downwardAPI"));
            }
        }
        volumeSource(volume);
        ObjectNode ephemeral = Trees.object(volume, "ephemeral");
        ObjectNode claim = ephemeral == null ? null : Trees.object(ephemeral, "volumeClaimTemplate");
        if (claim != null) {
            Trees.make(claim, "metadata");
            ObjectNode claimSpec = Trees.make(claim, "spec");
            Trees.make(claimSpec, "resources");
            Trees.fill(claimSpec, "volumeMode", "Filesystem");
        }
        ObjectNode image = Trees.object(volume, "image");
        if (image != null) {
            Trees.fill(image, "pullPolicy", ImageNames.defaultPullPolicy(Trees.text(image, "reference")));
        }
    }

    /** The sources that volumes of pods and persistent volumes have in common. */
    static void volumeSource(ObjectNode volume) {
        ObjectNode hostPath = Trees.object(volume, "hostPath");
        if (hostPath != null && !Trees.has(hostPath, "type")) {
            hostPath.put("type", "");
        }
        ObjectNode iscsi = Trees.object(volume, "iscsi");
        if (iscsi != null) {
            Trees.fill(iscsi, "iscsiInterface", "default");
        }
        ObjectNode rbd = Trees.object(volume, "rbd");
        if (rbd != null) {
            Trees.fill(rbd, "pool", "rbd");
            Trees.fill(rbd, "user", "admin");
            Trees.fill(rbd, "keyring", "/etc/ceph/keyring");
        }
        ObjectNode azure = Trees.object(volume, "azureDisk");
        if (azure != null) {
            if (!Trees.has(azure, "cachingMode")) {
                azure.put("cachingMode", "ReadWrite");
            }
            if (!Trees.has(azure, "fsType")) {
                azure.put("fsType", "ext4");
            }
            Trees.fill(azure, "readOnly", false);
            if (!Trees.has(azure, "kind")) {
                azure.put("kind", "Shared");
            }
        }
        ObjectNode scaleIo = Trees.object(volume, "scaleIO");
        if (scaleIo != null) {
            Trees.fill(scaleIo, "storageMode", "ThinProvisioned");
            Trees.fill(scaleIo, "fsType", "xfs");
        }
    }

    private static void downwardFiles(@Nullable ObjectNode downward) {
        if (downward != null) {
            for (ObjectNode file : Trees.objects(downward, "items")) {
                fieldRef(Trees.object(file, "fieldRef"));
                resourceFieldRef(Trees.object(file, "resourceFieldRef"));
            }
        }
    }
}
