package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Amounts;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.LabelSelectorRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Rules for the volumes of pods. Stateless. */
public final class Volumes {
    private static final String ONE_TYPE = "may not specify more than 1 volume type";
    private static final String MODE = "must be a number between 0 and 0777 (octal), both inclusive";
    private static final List<String> HOST_PATH_TYPES = List.of(
            "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket");

    /** What may be said about one source, in the order in which Kubernetes looks at them. */
    private interface SourceRule {
        void check(FieldErrors errors, String path, JsonNode source);
    }

    /**
     * @param field the source's field
     * @param conflictPath how the path is spelled when it is one too many: not always like the field
     * @param path how it is spelled inside
     */
    private record Source(String field, String conflictPath, String path, SourceRule rule) {
        Source(String field, SourceRule rule) {
            this(field, field, field, rule);
        }
    }

    private static final List<Source> SOURCES = List.of(
            new Source("hostPath", Volumes::hostPath),
            new Source("gitRepo", Volumes::gitRepo),
            new Source("gcePersistentDisk", "gcePersistentDisk", "persistentDisk", VolumeSources::gcePersistentDisk),
            new Source("awsElasticBlockStore", VolumeSources::awsElasticBlockStore),
            new Source("secret", (errors, path, source) -> keyed(errors, path, source, "secretName")),
            new Source("nfs", VolumeSources::nfs),
            new Source("iscsi", VolumeSources::iscsi),
            new Source("glusterfs", VolumeSources::glusterfs),
            new Source("flocker", VolumeSources::flocker),
            new Source("persistentVolumeClaim", (errors, path, source) -> required(errors, path, source, "claimName")),
            new Source("rbd", VolumeSources::rbd),
            new Source("cinder", VolumeSources::cinder),
            new Source("cephfs", "cephFS", "cephfs", VolumeSources::cephfs),
            new Source("quobyte", VolumeSources::quobyte),
            new Source("downwardAPI", "downwarAPI", "downwardAPI", Volumes::downward),
            new Source("fc", VolumeSources::fc),
            new Source("flexVolume", VolumeSources::flexVolume),
            new Source("configMap", (errors, path, source) -> keyed(errors, path, source, "name")),
            new Source("azureFile", VolumeSources::azureFile),
            new Source("vsphereVolume", (errors, path, source) -> required(errors, path, source, "volumePath")),
            new Source("photonPersistentDisk", (errors, path, source) -> required(errors, path, source, "pdID")),
            new Source("portworxVolume", (errors, path, source) -> required(errors, path, source, "volumeID")),
            new Source("azureDisk", VolumeSources::azureDisk),
            new Source("storageos", VolumeSources::storageOs),
            new Source("projected", Volumes::projected),
            new Source("scaleIO", VolumeSources::scaleIo),
            new Source("csi", Volumes::csi),
            new Source("ephemeral", Volumes::ephemeral),
            new Source("image", (errors, path, source) -> {
                if (Trees.text(source, "reference").isEmpty()) {
                    errors.required(path + ".reference", "");
                }
                Containers.pullPolicy(errors, path + ".pullPolicy", source, "pullPolicy");
            }));

    private Volumes() {}

    /**
     * Says what is wrong with volumes.
     *
     * @param podName empty in templates
     * @return the volumes that may be mounted, by name
     */
    static Map<String, JsonNode> validate(FieldErrors errors, String path, List<JsonNode> volumes, String podName) {
        Map<String, JsonNode> good = new LinkedHashMap<>();
        Set<String> created = new HashSet<>();
        if (!podName.isEmpty()) {
            for (JsonNode volume : volumes) {
                if (Trees.has(volume, "ephemeral")) {
                    created.add(podName + "-" + Trees.text(volume, "name"));
                }
            }
        }
        for (int i = 0; i < volumes.size(); i++) {
            JsonNode volume = volumes.get(i);
            String at = path + "[" + i + "]";
            String name = Trees.text(volume, "name");
            FieldErrors wrong = new FieldErrors();
            source(wrong, at, volume, name, podName);
            FieldRules.requiredLabel(wrong, at + ".name", name);
            if (good.containsKey(name)) {
                wrong.duplicate(at + ".name", Trees.textNode(name));
            }
            if (wrong.isEmpty()) {
                good.put(name, volume);
            } else {
                errors.addAll(wrong);
            }
            String claim = Trees.text(Trees.child(volume, "persistentVolumeClaim"), "claimName");
            if (Trees.has(volume, "persistentVolumeClaim") && created.contains(claim)) {
                errors.invalid(
                        at + ".persistentVolumeClaim.claimName",
                        claim,
                        "must not reference a PVC that gets created for an ephemeral volume");
            }
        }
        return good;
    }

    private static void source(FieldErrors errors, String path, JsonNode volume, String name, String podName) {
        int count = 0;
        if (Trees.has(volume, "emptyDir")) {
            count++;
            if (Amounts.sign(Trees.at(volume, "emptyDir", "sizeLimit")) < 0) {
                errors.forbidden(path + ".emptyDir.sizeLimit", "SizeLimit field must be a valid resource quantity");
            }
        }
        for (Source source : SOURCES) {
            if (!Trees.has(volume, source.field())) {
                continue;
            }
            if (count > 0) {
                errors.forbidden(path + "." + source.conflictPath(), ONE_TYPE);
            } else {
                count++;
                source.rule().check(errors, path + "." + source.path(), volume.get(source.field()));
                if (source.field().equals("ephemeral") && !podName.isEmpty() && !name.isEmpty()) {
                    String claim = podName + "-" + name;
                    for (String sentence : Names.subdomain(claim)) {
                        errors.invalid(path + ".name", name, "PVC name " + FieldErrors.quote(claim) + ": " + sentence);
                    }
                }
            }
            if (source.field().equals("iscsi")
                    && Trees.has(volume.get("iscsi"), "initiatorName")
                    && (name + ":" + Trees.text(volume.get("iscsi"), "targetPortal")).length() > 64) {
                errors.invalid(
                        path + ".name",
                        name,
                        "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if"
                                + " iscsi.initiatorName is specified.");
            }
        }
        if (count == 0) {
            errors.required(path, "must specify a volume type");
        }
    }

    static void required(FieldErrors errors, String path, JsonNode source, String field) {
        if (!Trees.hasContent(source, field)) {
            errors.required(path + "." + field, "");
        }
    }

    static void hostPath(FieldErrors errors, String path, JsonNode source) {
        String value = Trees.text(source, "path");
        if (value.isEmpty()) {
            errors.required(path + ".path", "");
            return;
        }
        noBacksteps(errors, path + ".path", value);
        FieldRules.choice(errors, path, source, "type", HOST_PATH_TYPES);
    }

    private static void gitRepo(FieldErrors errors, String path, JsonNode source) {
        required(errors, path, source, "repository");
        descending(errors, path + ".directory", Trees.text(source, "directory"));
    }

    private static void keyed(FieldErrors errors, String path, JsonNode source, String nameField) {
        required(errors, path, source, nameField);
        mode(errors, path, source, "defaultMode");
        int i = 0;
        for (JsonNode item : Trees.items(source, "items")) {
            keyToPath(errors, path + ".items[" + i++ + "]", item);
        }
    }

    private static void keyToPath(FieldErrors errors, String path, JsonNode item) {
        required(errors, path, item, "key");
        required(errors, path, item, "path");
        localPath(errors, path + ".path", Trees.text(item, "path"));
        mode(errors, path, item, "mode");
    }

    private static void mode(FieldErrors errors, String path, JsonNode source, String field) {
        long mode = Trees.number(source, field);
        if (mode < 0 || mode > 0777) {
            errors.invalid(path + "." + field, mode, MODE);
        }
    }

    private static void downward(FieldErrors errors, String path, JsonNode source) {
        mode(errors, path, source, "defaultMode");
        for (JsonNode file : Trees.items(source, "items")) {
            downwardFile(errors, path, file);
        }
    }

    private static void downwardFile(FieldErrors errors, String path, JsonNode file) {
        required(errors, path, file, "path");
        localPath(errors, path + ".path", Trees.text(file, "path"));
        if (Trees.has(file, "fieldRef")) {
            Environment.fieldRef(errors, path + ".fieldRef", file.get("fieldRef"), Environment.VOLUME_FIELDS);
            if (Trees.has(file, "resourceFieldRef")) {
                errors.invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
            }
        } else if (Trees.has(file, "resourceFieldRef")) {
            Environment.resourceFieldRef(errors, path + ".resourceFieldRef", file.get("resourceFieldRef"), true);
        } else {
            errors.required(path, "one of fieldRef and resourceFieldRef is required");
        }
        mode(errors, path, file, "mode");
    }

    private static void projected(FieldErrors errors, String path, JsonNode projection) {
        mode(errors, path, projection, "defaultMode");
        Set<String> paths = new HashSet<>();
        int i = 0;
        for (JsonNode source : Trees.items(projection, "sources")) {
            String at = path + ".sources[" + i++ + "]";
            int count = 0;
            for (String kind : List.of("secret", "configMap")) {
                if (Trees.has(source, kind)) {
                    count++;
                    JsonNode content = source.get(kind);
                    required(errors, at + "." + kind, content, "name");
                    int j = 0;
                    for (JsonNode item : Trees.items(content, "items")) {
                        keyToPath(errors, at + "." + kind + ".items[" + j++ + "]", item);
                        String target = Trees.text(item, "path");
                        if (!target.isEmpty() && !paths.add(target)) {
                            errors.invalid(path, Trees.text(content, "name"), "conflicting duplicate paths");
                        }
                    }
                }
            }
            if (Trees.has(source, "downwardAPI")) {
                count++;
                for (JsonNode file : Trees.items(source.get("downwardAPI"), "items")) {
                    downwardFile(errors, at + ".downwardAPI", file);
                    String target = Trees.text(file, "path");
                    if (!target.isEmpty() && !paths.add(target)) {
                        errors.invalid(path, target, "conflicting duplicate paths");
                    }
                }
            }
            if (Trees.has(source, "serviceAccountToken")) {
                count++;
                token(errors, path, at + ".serviceAccountToken", source.get("serviceAccountToken"));
            }
            if (Trees.has(source, "clusterTrustBundle")) {
                count++;
                trustBundle(errors, path, at + ".clusterTrustBundle", source.get("clusterTrustBundle"), paths);
            }
            if (count > 1) {
                errors.forbidden(at, ONE_TYPE + " per source");
            }
        }
    }

    private static void token(FieldErrors errors, String path, String at, JsonNode token) {
        long seconds = Trees.number(token, "expirationSeconds");
        if (seconds < 600) {
            errors.invalid(at + ".expirationSeconds", seconds, "may not specify a duration less than 10 minutes");
        }
        if (seconds > 1L << 32) {
            errors.invalid(at + ".expirationSeconds", seconds, "may not specify a duration larger than 2^32 seconds");
        }
        if (Trees.text(token, "path").isEmpty()) {
            errors.required(path + ".path", "");
        } else {
            localPath(errors, path + ".path", Trees.text(token, "path"));
        }
    }

    private static void trustBundle(FieldErrors errors, String path, String at, JsonNode bundle, Set<String> paths) {
        boolean byName = Trees.has(bundle, "name");
        boolean bySigner = Trees.has(bundle, "signerName");
        if (byName && bySigner) {
            errors.invalid(at, bundle, "only one of name and signerName may be used");
        } else if (byName) {
            if (Trees.text(bundle, "name").isEmpty()) {
                errors.required(at + ".name", "must be a valid object name");
            }
            if (Trees.has(bundle, "labelSelector")) {
                errors.invalid(
                        at + ".labelSelector",
                        bundle.get("labelSelector"),
                        "labelSelector must be unset if name is specified");
            }
        } else if (bySigner) {
            if (Trees.text(bundle, "signerName").isEmpty()) {
                errors.required(at + ".signerName", "must be a valid signer name");
            }
            LabelSelectorRules.validate(errors, at + ".labelSelector", bundle.get("labelSelector"));
        } else {
            errors.required(at, "either name or signerName must be specified");
        }
        String target = Trees.text(bundle, "path");
        if (target.isEmpty()) {
            errors.required(at + ".path", "");
        }
        localPath(errors, at + ".path", target);
        if (!paths.add(target)) {
            errors.invalid(path, target, "conflicting duplicate paths");
        }
    }

    private static void csi(FieldErrors errors, String path, JsonNode source) {
        VolumeSources.driverName(errors, path + ".driver", Trees.text(source, "driver"));
        if (Trees.has(source, "nodePublishSecretRef")) {
            String name = Trees.text(source.get("nodePublishSecretRef"), "name");
            if (name.isEmpty()) {
                errors.required(path + ".nodePublishSecretRef.name", "");
            } else {
                FieldRules.invalid(errors, path + ".name", name, Names.subdomain(name));
            }
        }
    }

    private static void ephemeral(FieldErrors errors, String path, JsonNode source) {
        if (!Trees.has(source, "volumeClaimTemplate")) {
            errors.required(path + ".volumeClaimTemplate", "");
            return;
        }
        JsonNode template = source.get("volumeClaimTemplate");
        String at = path + ".volumeClaimTemplate";
        templateMetadata(errors, at + ".metadata", Trees.child(template, "metadata"));
        ClaimRules.spec(errors, at + ".spec", Trees.child(template, "spec"));
    }

    /** The metadata of an object that will be made of a template: labels and annotations only. */
    public static void templateMetadata(FieldErrors errors, String path, JsonNode metadata) {
        FieldRules.annotations(errors, path + ".annotations", Trees.map(metadata, "annotations"));
        FieldRules.labels(errors, path + ".labels", Trees.map(metadata, "labels"));
        for (String field : List.of(
                "name",
                "generateName",
                "namespace",
                "selfLink",
                "uid",
                "resourceVersion",
                "generation",
                "creationTimestamp",
                "deletionTimestamp",
                "deletionGracePeriodSeconds",
                "ownerReferences",
                "finalizers",
                "managedFields")) {
            if (Trees.hasContent(metadata, field)
                    || Trees.child(metadata, field).isArray()) {
                // Kubernetes makes the path of the names that Go has.
                errors.forbidden(path + "." + (field.equals("uid") ? "uID" : field), "cannot be set");
            }
        }
    }

    /** A relative path that stays where it is. */
    static void descending(FieldErrors errors, String path, String value) {
        if (value.startsWith("/")) {
            errors.invalid(path, value, "must be a relative path");
        }
        noBacksteps(errors, path, value);
    }

    static void noBacksteps(FieldErrors errors, String path, String value) {
        if (List.of(value.split("/", -1)).contains("..")) {
            errors.invalid(path, value, "must not contain '..'");
        }
    }

    private static void localPath(FieldErrors errors, String path, String value) {
        descending(errors, path, value);
        if (value.startsWith("..") && !value.startsWith("../")) {
            errors.invalid(path, value, "must not start with '..'");
        }
    }
}
