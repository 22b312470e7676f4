package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Amounts;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.InternalForm;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Times;
import io.trimtab.apiserver.kinds.TreeDiff;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** PersistentVolumes. Stateless. */
public final class PersistentVolumeKind implements Kind {
    /** Volumes whose drivers are gone, in the order in which they are looked for. */
    private static final Map<String, String> GONE = new LinkedHashMap<>();

    private static final Map<String, String> DEPRECATED = new LinkedHashMap<>();

    static {
        GONE.put("cephfs", "v1.28, non-functional in v1.31+");
        GONE.put("photonPersistentDisk", "v1.11, non-functional in v1.16+");
        GONE.put("scaleIO", "v1.16, non-functional in v1.22+");
        GONE.put("storageos", "v1.22, non-functional in v1.25+");
        GONE.put("glusterfs", "v1.25, non-functional in v1.26+");
        GONE.put("rbd", "v1.28, non-functional in v1.31+");
        DEPRECATED.put(
                "volume.beta.kubernetes.io/storage-class",
                "deprecated since v1.8; use \"storageClassName\" attribute instead");
        DEPRECATED.put(
                "volume.beta.kubernetes.io/mount-options",
                "deprecated since v1.31; use \"mountOptions\" attribute instead");
    }

    private static final List<String> POLICIES = List.of("Delete", "Recycle", "Retain");

    private interface SourceRule {
        void check(FieldErrors errors, String path, JsonNode source, String volumeName);
    }

    private record Source(String field, String path, SourceRule rule) {}

    private static final List<Source> SOURCES = List.of(
            new Source("hostPath", "hostPath", (e, p, s, n) -> Volumes.hostPath(e, p, s)),
            new Source("gcePersistentDisk", "persistentDisk", (e, p, s, n) -> VolumeSources.gcePersistentDisk(e, p, s)),
            new Source(
                    "awsElasticBlockStore",
                    "awsElasticBlockStore",
                    (e, p, s, n) -> VolumeSources.awsElasticBlockStore(e, p, s)),
            new Source("glusterfs", "glusterfs", (e, p, s, n) -> VolumeSources.glusterfsPersistent(e, p, s)),
            new Source("flocker", "flocker", (e, p, s, n) -> VolumeSources.flocker(e, p, s)),
            new Source("nfs", "nfs", (e, p, s, n) -> VolumeSources.nfs(e, p, s)),
            new Source("rbd", "rbd", (e, p, s, n) -> VolumeSources.rbd(e, p, s)),
            new Source("quobyte", "quobyte", (e, p, s, n) -> VolumeSources.quobyte(e, p, s)),
            new Source("cephfs", "cephfs", (e, p, s, n) -> VolumeSources.cephfs(e, p, s)),
            new Source("iscsi", "iscsi", VolumeSources::iscsiPersistent),
            new Source("cinder", "cinder", (e, p, s, n) -> VolumeSources.cinderPersistent(e, p, s)),
            new Source("fc", "fc", (e, p, s, n) -> VolumeSources.fc(e, p, s)),
            new Source("flexVolume", "flexVolume", (e, p, s, n) -> VolumeSources.flexVolume(e, p, s)),
            new Source("azureFile", "azureFile", (e, p, s, n) -> VolumeSources.azureFilePersistent(e, p, s)),
            new Source("vsphereVolume", "vsphereVolume", (e, p, s, n) -> Volumes.required(e, p, s, "volumePath")),
            new Source(
                    "photonPersistentDisk", "photonPersistentDisk", (e, p, s, n) -> Volumes.required(e, p, s, "pdID")),
            new Source("portworxVolume", "portworxVolume", (e, p, s, n) -> Volumes.required(e, p, s, "volumeID")),
            new Source("azureDisk", "azureDisk", (e, p, s, n) -> VolumeSources.azureDisk(e, p, s)),
            new Source("scaleIO", "scaleIO", (e, p, s, n) -> VolumeSources.scaleIo(e, p, s)),
            new Source("local", "local", (e, p, s, n) -> VolumeSources.local(e, p, s)),
            new Source("storageos", "storageos", (e, p, s, n) -> VolumeSources.storageOsPersistent(e, p, s)),
            new Source("csi", "csi", (e, p, s, n) -> VolumeSources.csiPersistent(e, p, s)));

    @Override
    public void defaults(ObjectNode volume) {
        ObjectNode spec = Trees.make(volume, "spec");
        PodDefaults.volumeSource(spec);
        Trees.fill(spec, "persistentVolumeReclaimPolicy", "Retain");
        Trees.fill(spec, "volumeMode", "Filesystem");
        Trees.fill(Trees.make(volume, "status"), "phase", "Pending");
    }

    @Override
    public void prepareCreate(ObjectNode volume, WriteContext context) {
        volume.putObject("status")
                .put("phase", "Pending")
                .put("lastPhaseTransitionTime", Times.seconds(context.driver().now()));
    }

    @Override
    public void prepareStatusUpdate(ObjectNode volume, ObjectNode old, WriteContext context) {
        ObjectNode status = Trees.make(volume, "status");
        JsonNode before = Trees.child(old, "status");
        if (Trees.text(status, "phase").equals(Trees.text(before, "phase"))) {
            if (!Trees.has(status, "lastPhaseTransitionTime")) {
                Trees.carry(status, before, "lastPhaseTransitionTime");
            }
        } else if (Trees.same(status, before, "lastPhaseTransitionTime")) {
            status.put("lastPhaseTransitionTime", Times.seconds(context.driver().now()));
        }
    }

    @Override
    public void validateCreate(ObjectNode volume, FieldErrors errors, WriteContext context) {
        JsonNode spec = Trees.child(volume, "spec");
        List<String> modes = Trees.texts(spec, "accessModes");
        if (modes.isEmpty()) {
            errors.required("spec.accessModes", "");
        }
        ClaimRules.accessModes(errors, "spec.accessModes", modes);
        capacity(errors, spec);
        String policy = Trees.text(spec, "persistentVolumeReclaimPolicy");
        if (!policy.isEmpty() && !POLICIES.contains(policy)) {
            errors.notSupported(
                    "spec.persistentVolumeReclaimPolicy", spec.get("persistentVolumeReclaimPolicy"), POLICIES);
        }
        JsonNode required = Trees.at(spec, "nodeAffinity", "required");
        if (Trees.has(spec, "nodeAffinity")) {
            if (required.isMissingNode()) {
                errors.required("spec.nodeAffinity.required", "must specify required node constraints");
            } else {
                Affinities.nodeSelector(errors, "spec.nodeAffinity.required", required, true);
            }
        }
        sources(errors, "spec", spec, Trees.text(volume.get("metadata"), "name"), !required.isMissingNode());
        if (policy.equals("Recycle")
                && Trees.has(spec, "hostPath")
                && Trees.text(spec.get("hostPath"), "path")
                        .replaceAll("/+", "/")
                        .equals("/")) {
            errors.forbidden("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'");
        }
        String storageClass = Trees.text(spec, "storageClassName");
        if (!storageClass.isEmpty()) {
            FieldRules.invalid(errors, "spec.storageClassName", storageClass, Names.subdomain(storageClass));
        }
        FieldRules.choice(errors, "spec", spec, "volumeMode", ClaimRules.VOLUME_MODES);
        if (Trees.has(spec, "volumeAttributesClassName")) {
            String name = Trees.text(spec, "volumeAttributesClassName");
            if (name.isEmpty()) {
                errors.required("spec.volumeAttributesClassName", "an empty string is disallowed");
            } else {
                FieldRules.invalid(errors, "spec.volumeAttributesClassName", name, Names.subdomain(name));
            }
            if (!Trees.has(spec, "csi")) {
                errors.required("spec.csi", "has to be specified when using volumeAttributesClassName");
            }
        }
    }

    /** What is wrong with a volume that stands in another object, for a driver to attach. */
    public static void inline(JsonNode spec, String path, FieldErrors errors) {
        String inline = "may not be specified in the context of inline volumes";
        if (Trees.has(spec, "claimRef")) {
            errors.forbidden(path + ".claimRef", inline);
        }
        if (Trees.hasContent(spec, "capacity")) {
            errors.forbidden(path + ".capacity", inline);
        }
        if (!Trees.has(spec, "csi")) {
            errors.required(path + ".csi", "has to be specified in the context of inline volumes");
        }
        List<String> modes = Trees.texts(spec, "accessModes");
        if (modes.isEmpty()) {
            errors.required(path + ".accessModes", "");
        }
        ClaimRules.accessModes(errors, path + ".accessModes", modes);
        String policy = Trees.text(spec, "persistentVolumeReclaimPolicy");
        if (!policy.isEmpty() && !policy.equals("Retain")) {
            errors.forbidden(
                    path + ".persistentVolumeReclaimPolicy", "may only be Retain in the context of inline volumes");
        }
        if (Trees.has(spec, "nodeAffinity")) {
            errors.forbidden(path + ".nodeAffinity", inline);
        }
        sources(errors, path, spec, "", false);
        if (Trees.hasContent(spec, "storageClassName")) {
            errors.forbidden(path + ".storageClassName", inline);
        }
        if (Trees.has(spec, "volumeMode") && !Trees.text(spec, "volumeMode").equals("Filesystem")) {
            errors.forbidden(
                    path + ".volumeMode",
                    "may not specify volumeMode other than Filesystem in the context of inline volumes");
        }
        if (Trees.has(spec, "volumeAttributesClassName")) {
            String name = Trees.text(spec, "volumeAttributesClassName");
            if (name.isEmpty()) {
                errors.required(path + ".volumeAttributesClassName", "an empty string is disallowed");
            } else {
                FieldRules.invalid(errors, path + ".volumeAttributesClassName", name, Names.subdomain(name));
            }
            if (!Trees.has(spec, "csi")) {
                errors.required(path + ".csi", "has to be specified when using volumeAttributesClassName");
            }
        }
    }

    private static void capacity(FieldErrors errors, JsonNode spec) {
        Map<String, JsonNode> capacity = Trees.entries(spec, "capacity");
        if (capacity.isEmpty()) {
            errors.required("spec.capacity", "");
        }
        if (!capacity.containsKey("storage") || capacity.size() > 1) {
            JsonNode shown = Trees.child(spec, "capacity");
            errors.notSupported(
                    "spec.capacity",
                    shown.isObject() ? JsonNodeFactory.instance.objectNode().setAll(capacity) : null,
                    List.of("storage"));
        }
        capacity.forEach((name, amount) -> {
            String at = "spec.capacity[" + name + "]";
            if (Amounts.sign(amount) < 0) {
                errors.invalid(at, Amounts.of(amount).toLong(), "must be a valid resource quantity");
            }
            if (Amounts.sign(amount) <= 0) {
                errors.invalid(at, Amounts.text(amount), "must be greater than zero");
            }
        });
    }

    private static void sources(FieldErrors errors, String path, JsonNode spec, String name, boolean affine) {
        int count = 0;
        for (Source source : SOURCES) {
            if (!Trees.has(spec, source.field())) {
                continue;
            }
            // Kubernetes never asks what stands before a flexVolume.
            if (count++ > 0 && !source.field().equals("flexVolume")) {
                String shown = source.field().equals("cephfs") ? "cephFS" : source.field();
                errors.forbidden(path + "." + shown, "may not specify more than 1 volume type");
                continue;
            }
            source.rule().check(errors, path + "." + source.path(), spec.get(source.field()), name);
            if (source.field().equals("local") && !affine) {
                errors.required(path + ".nodeAffinity", "Local volume requires node affinity");
            }
        }
        if (count == 0) {
            errors.required(path, "must specify a volume type");
        }
    }

    @Override
    public void validateUpdate(ObjectNode volume, ObjectNode old, FieldErrors errors, WriteContext context) {
        validateCreate(volume, errors, context);
        JsonNode spec = Trees.child(volume, "spec");
        JsonNode before = Trees.child(old, "spec");
        ObjectNode now = volume.objectNode();
        ObjectNode had = volume.objectNode();
        for (Source source : SOURCES) {
            Trees.carry(now, spec, source.field());
            Trees.carry(had, before, source.field());
        }
        ObjectNode csi = Trees.object(now, "csi");
        // A secret for expansion may come later; nothing else of a source may.
        if (csi != null && Trees.has(had, "csi") && !Trees.has(had.get("csi"), "controllerExpandSecretRef")) {
            csi.remove("controllerExpandSecretRef");
        }
        if (!Trees.same(now, had)) {
            errors.forbidden(
                    "spec.persistentvolumesource",
                    "spec.persistentvolumesource is immutable after creation\n"
                            + TreeDiff.of(had, now, "core/v1.PersistentVolumeSource"));
        }
        if (!Trees.same(spec, before, "volumeMode")) {
            errors.invalid("volumeMode", Trees.shown(spec, "volumeMode"), FieldRules.IMMUTABLE);
        }
        if (Trees.has(before, "nodeAffinity") && !Trees.same(spec, before, "nodeAffinity")) {
            errors.invalidShown(
                    "nodeAffinity",
                    Trees.has(spec, "nodeAffinity")
                            ? InternalForm.of(spec.get("nodeAffinity"), "core/v1.VolumeNodeAffinity")
                            : "null",
                    "field is immutable, except for updating from beta label to GA");
        }
        if (Trees.has(before, "volumeAttributesClassName") && !Trees.has(spec, "volumeAttributesClassName")) {
            errors.forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden");
        }
    }

    @Override
    public boolean returnsDeletedObject() {
        return true;
    }

    @Override
    public void warn(ObjectNode volume, @Nullable ObjectNode old, List<String> warnings) {
        Map<String, String> annotations = Trees.map(volume.get("metadata"), "annotations");
        DEPRECATED.forEach((key, message) -> {
            if (annotations.containsKey(key)) {
                warnings.add("metadata.annotations[" + key + "]: " + message);
            }
        });
        JsonNode spec = Trees.child(volume, "spec");
        if (Trees.text(spec, "persistentVolumeReclaimPolicy").equals("Recycle")) {
            warnings.add("spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the"
                    + " recommended approach is to use dynamic provisioning.");
        }
        int i = 0;
        for (JsonNode term : Trees.items(Trees.at(spec, "nodeAffinity", "required"), "nodeSelectorTerms")) {
            String at = "spec.nodeAffinity.required.nodeSelectorTerms[" + i++ + "]";
            PodWarnings.nodeSelectorTerm(term, false, at, warnings);
        }
        GONE.forEach((field, when) -> {
            if (Trees.has(spec, field)) {
                String shown = field.equals("storageos") ? "storageOS" : field;
                warnings.add("spec." + shown + ": deprecated in " + when);
            }
        });
    }

    @Override
    public boolean isValidatedAsNewToo() {
        return true;
    }
}
