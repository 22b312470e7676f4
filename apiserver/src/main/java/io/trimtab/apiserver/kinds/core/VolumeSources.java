package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Rules for the sources that both pods and persistent volumes can name. Stateless. */
final class VolumeSources {
    private static final Pattern IQN = Pattern.compile("iqn\\.\\d{4}-\\d{2}\\.([\\p{Alnum}.-]+)(:[^,;*&$|\\s]+)$");
    private static final Pattern EUI = Pattern.compile("^eui.\\p{Alnum}{16}$");
    private static final Pattern NAA = Pattern.compile("^naa.\\p{Alnum}{32}$");

    private VolumeSources() {}

    static void gcePersistentDisk(FieldErrors errors, String path, JsonNode source) {
        Volumes.required(errors, path, source, "pdName");
        partition(errors, path, source);
    }

    static void awsElasticBlockStore(FieldErrors errors, String path, JsonNode source) {
        Volumes.required(errors, path, source, "volumeID");
        partition(errors, path, source);
    }

    private static void partition(FieldErrors errors, String path, JsonNode source) {
        long partition = Trees.number(source, "partition");
        if (partition < 0 || partition > 255) {
            errors.invalid(path + ".partition", partition, "must be between 1 and 255, inclusive");
        }
    }

    static void nfs(FieldErrors errors, String path, JsonNode source) {
        Volumes.required(errors, path, source, "server");
        Volumes.required(errors, path, source, "path");
        if (!Trees.text(source, "path").startsWith("/")) {
            errors.invalid(path + ".path", Trees.text(source, "path"), "must be an absolute path");
        }
    }

    static void iscsi(FieldErrors errors, String path, JsonNode source) {
        Volumes.required(errors, path, source, "targetPortal");
        iscsiName(errors, path, source, "must be valid format starting with iqn, eui, or naa");
        if ((Trees.flag(source, "chapAuthDiscovery") || Trees.flag(source, "chapAuthSession"))
                && !Trees.has(source, "secretRef")) {
            errors.required(path + ".secretRef", "");
        }
        iscsiInitiator(errors, path, source, "must be valid format starting with iqn, eui, or naa");
    }

    static void iscsiPersistent(FieldErrors errors, String path, JsonNode source, String volumeName) {
        Volumes.required(errors, path, source, "targetPortal");
        String portal = Trees.text(source, "targetPortal");
        if (Trees.has(source, "initiatorName") && (volumeName + ":" + portal).length() > 64) {
            errors.invalid(
                    path + ".targetportal",
                    portal,
                    "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if"
                            + " iscsi.initiatorName is specified.");
        }
        iscsiName(errors, path, source, "must be valid format");
        if ((Trees.flag(source, "chapAuthDiscovery") || Trees.flag(source, "chapAuthSession"))
                && !Trees.has(source, "secretRef")) {
            errors.required(path + ".secretRef", "");
        }
        if (Trees.has(source, "secretRef")) {
            Volumes.required(errors, path + ".secretRef", source.get("secretRef"), "name");
        }
        iscsiInitiator(errors, path, source, "must be valid format");
    }

    private static void iscsiName(FieldErrors errors, String path, JsonNode source, String otherwise) {
        String name = Trees.text(source, "iqn");
        if (name.isEmpty()) {
            errors.required(path + ".iqn", "");
        } else if (!isIscsi(name)) {
            errors.invalid(path + ".iqn", name, otherwise);
        } else if (!isWellFormed(name)) {
            errors.invalid(path + ".iqn", name, "must be valid format");
        }
        long lun = Trees.number(source, "lun");
        if (lun < 0 || lun > 255) {
            errors.invalid(path + ".lun", lun, "must be between 0 and 255, inclusive");
        }
    }

    private static void iscsiInitiator(FieldErrors errors, String path, JsonNode source, String otherwise) {
        if (Trees.has(source, "initiatorName")) {
            String name = Trees.text(source, "initiatorName");
            if (!isIscsi(name)) {
                errors.invalid(path + ".initiatorname", name, otherwise);
            } else if (!isWellFormed(name)) {
                errors.invalid(path + ".initiatorname", name, "must be valid format");
            }
        }
    }

    private static boolean isIscsi(String name) {
        return name.startsWith("iqn") || name.startsWith("eui") || name.startsWith("naa");
    }

    private static boolean isWellFormed(String name) {
        Pattern pattern = name.startsWith("iqn") ? IQN : name.startsWith("eui") ? EUI : NAA;
        return pattern.matcher(name).find();
    }

    static void glusterfs(FieldErrors errors, String path, JsonNode source) {
        Volumes.required(errors, path, source, "endpoints");
        Volumes.required(errors, path, source, "path");
    }

    static void glusterfsPersistent(FieldErrors errors, String path, JsonNode source) {
        glusterfs(errors, path, source);
        if (Trees.has(source, "endpointsNamespace")) {
            String namespace = Trees.text(source, "endpointsNamespace");
            if (namespace.isEmpty()) {
                errors.invalid(
                        path + ".endpointsNamespace",
                        namespace,
                        "if the endpointnamespace is set, it must be a valid namespace name");
            } else {
                FieldRules.invalid(errors, path + ".endpointsNamespace", namespace, Names.label(namespace));
            }
        }
    }

    static void flocker(FieldErrors errors, String path, JsonNode source) {
        boolean name = Trees.hasContent(source, "datasetName");
        boolean uuid = Trees.hasContent(source, "datasetUUID");
        if (!name && !uuid) {
            errors.required(path, "one of datasetName and datasetUUID is required");
        }
        if (name && uuid) {
            errors.invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously");
        }
        if (Trees.text(source, "datasetName").contains("/")) {
            errors.invalid(path + ".datasetName", Trees.text(source, "datasetName"), "must not contain '/'");
        }
    }

    static void rbd(FieldErrors errors, String path, JsonNode source) {
        Volumes.required(errors, path, source, "monitors");
        Volumes.required(errors, path, source, "image");
    }

    static void cinder(FieldErrors errors, String path, JsonNode source) {
        Volumes.required(errors, path, source, "volumeID");
        if (Trees.has(source, "secretRef")) {
            Volumes.required(errors, path + ".secretRef", source.get("secretRef"), "name");
        }
    }

    static void cinderPersistent(FieldErrors errors, String path, JsonNode source) {
        cinder(errors, path, source);
        if (Trees.has(source, "secretRef")) {
            Volumes.required(errors, path + ".secretRef", source.get("secretRef"), "namespace");
        }
    }

    static void cephfs(FieldErrors errors, String path, JsonNode source) {
        Volumes.required(errors, path, source, "monitors");
    }

    static void quobyte(FieldErrors errors, String path, JsonNode source) {
        String registry = Trees.text(source, "registry");
        String pairs = "must be a host:port pair or multiple pairs separated by commas";
        if (registry.isEmpty()) {
            errors.required(path + ".registry", pairs);
        } else if (Trees.text(source, "tenant").length() >= 65) {
            errors.required(path + ".tenant", "must be a UUID and may not exceed a length of 64 characters");
        } else {
            for (String pair : registry.split(",", -1)) {
                if (pair.indexOf(':') < 0 || pair.indexOf(':') != pair.lastIndexOf(':') && !pair.startsWith("[")) {
                    errors.invalid(path + ".registry", registry, pairs);
                }
            }
        }
        Volumes.required(errors, path, source, "volume");
    }

    static void fc(FieldErrors errors, String path, JsonNode source) {
        boolean targets = Trees.hasContent(source, "targetWWNs");
        boolean ids = Trees.hasContent(source, "wwids");
        if (!targets && !ids) {
            errors.required(path + ".targetWWNs", "must specify either targetWWNs or wwids, but not both");
        }
        if (targets && ids) {
            errors.invalid(
                    path + ".targetWWNs",
                    source.get("targetWWNs"),
                    "targetWWNs and wwids can not be specified simultaneously");
        }
        if (targets) {
            if (!Trees.has(source, "lun")) {
                errors.required(path + ".lun", "lun is required if targetWWNs is specified");
            } else {
                FieldRules.invalid(
                        errors,
                        path + ".lun",
                        Trees.number(source, "lun"),
                        Names.inRange(Trees.number(source, "lun"), 0, 255));
            }
        }
    }

    static void flexVolume(FieldErrors errors, String path, JsonNode source) {
        Volumes.required(errors, path, source, "driver");
        for (String key : Trees.entries(source, "options").keySet()) {
            int slash = key.indexOf('/');
            String domain = "." + (slash < 0 ? key : key.substring(0, slash)).toLowerCase(Locale.ROOT);
            if (domain.endsWith(".kubernetes.io") || domain.endsWith(".k8s.io")) {
                errors.invalid(path + ".options[" + key + "]", key, "kubernetes.io and k8s.io namespaces are reserved");
            }
        }
    }

    static void azureFile(FieldErrors errors, String path, JsonNode source) {
        Volumes.required(errors, path, source, "secretName");
        Volumes.required(errors, path, source, "shareName");
    }

    static void azureFilePersistent(FieldErrors errors, String path, JsonNode source) {
        azureFile(errors, path, source);
        if (Trees.has(source, "secretNamespace")) {
            Volumes.required(errors, path, source, "secretNamespace");
        }
    }

    static void azureDisk(FieldErrors errors, String path, JsonNode source) {
        Volumes.required(errors, path, source, "diskName");
        Volumes.required(errors, path, source, "diskURI");
        FieldRules.choice(errors, path, source, "cachingMode", List.of("None", "ReadOnly", "ReadWrite"));
        FieldRules.choice(errors, path, source, "kind", List.of("Dedicated", "Managed", "Shared"));
        if (Trees.has(source, "kind")) {
            String uri = Trees.text(source, "diskURI");
            boolean managed = Trees.text(source, "kind").equals("Managed");
            if (managed && !uri.startsWith("/subscriptions/")) {
                errors.notSupportedInOrder(
                        path + ".diskURI",
                        Trees.textNode(uri),
                        List.of(
                                "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"));
            }
            if (!managed && !uri.startsWith("https://")) {
                errors.notSupportedInOrder(
                        path + ".diskURI",
                        Trees.textNode(uri),
                        List.of("https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"));
            }
        }
    }

    static void storageOs(FieldErrors errors, String path, JsonNode source) {
        FieldRules.requiredLabel(errors, path + ".volumeName", Trees.text(source, "volumeName"));
        String namespace = Trees.text(source, "volumeNamespace");
        if (!namespace.isEmpty()) {
            FieldRules.invalid(errors, path + ".volumeNamespace", namespace, Names.label(namespace));
        }
        if (Trees.has(source, "secretRef")) {
            Volumes.required(errors, path + ".secretRef", source.get("secretRef"), "name");
        }
    }

    static void storageOsPersistent(FieldErrors errors, String path, JsonNode source) {
        storageOs(errors, path, source);
        if (Trees.has(source, "secretRef")) {
            Volumes.required(errors, path + ".secretRef", source.get("secretRef"), "namespace");
        }
    }

    static void scaleIo(FieldErrors errors, String path, JsonNode source) {
        Volumes.required(errors, path, source, "gateway");
        Volumes.required(errors, path, source, "system");
        Volumes.required(errors, path, source, "volumeName");
    }

    static void local(FieldErrors errors, String path, JsonNode source) {
        String value = Trees.text(source, "path");
        if (value.isEmpty()) {
            errors.required(path + ".path", "");
        } else {
            Volumes.noBacksteps(errors, path + ".path", value);
        }
    }

    static void driverName(FieldErrors errors, String path, String name) {
        if (name.isEmpty()) {
            errors.required(path, "");
        }
        if (name.length() > 63) {
            errors.tooLong(path, 63);
        }
        FieldRules.invalid(errors, path, name, Names.subdomain(name.toLowerCase(Locale.ROOT)));
    }

    static void csiPersistent(FieldErrors errors, String path, JsonNode source) {
        driverName(errors, path + ".driver", Trees.text(source, "driver"));
        Volumes.required(errors, path, source, "volumeHandle");
        for (String ref : List.of(
                "controllerPublishSecretRef",
                "controllerExpandSecretRef",
                "nodePublishSecretRef",
                "nodeExpandSecretRef")) {
            if (Trees.has(source, ref)) {
                String name = Trees.text(source.get(ref), "name");
                if (name.isEmpty()) {
                    errors.required(path + "." + ref + ".name", "");
                } else {
                    FieldRules.invalid(errors, path + "." + ref + ".name", name, Names.subdomain(name));
                }
                FieldRules.requiredLabel(
                        errors, path + "." + ref + ".namespace", Trees.text(source.get(ref), "namespace"));
            }
        }
    }
}
