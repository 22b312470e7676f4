package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Amounts;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import java.util.List;
import java.util.Set;

/** Rules for environment variables, and for the references to fields of the pod that they share with volumes. Stateless. */
final class Environment {
    static final Set<String> VOLUME_FIELDS =
            Set.of("metadata.name", "metadata.namespace", "metadata.labels", "metadata.annotations", "metadata.uid");
    private static final Set<String> ENV_FIELDS = Set.of(
            "metadata.name",
            "metadata.namespace",
            "metadata.uid",
            "spec.nodeName",
            "spec.serviceAccountName",
            "status.hostIP",
            "status.hostIPs",
            "status.podIP",
            "status.podIPs");
    private static final Set<String> POD_FIELDS = Set.of(
            "metadata.annotations",
            "metadata.labels",
            "metadata.name",
            "metadata.namespace",
            "metadata.uid",
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.serviceAccountName",
            "spec.schedulerName",
            "status.phase",
            "status.hostIP",
            "status.hostIPs",
            "status.podIP",
            "status.podIPs");
    private static final Set<String> RESOURCES = Set.of(
            "limits.cpu",
            "limits.memory",
            "limits.ephemeral-storage",
            "requests.cpu",
            "requests.memory",
            "requests.ephemeral-storage");
    private static final Set<String> CPU_DIVISORS = Set.of("1m", "1");
    private static final Set<String> BYTE_DIVISORS =
            Set.of("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei");

    private Environment() {}

    static void variables(FieldErrors errors, String path, List<JsonNode> variables) {
        for (int i = 0; i < variables.size(); i++) {
            JsonNode variable = variables.get(i);
            String at = path + "[" + i + "]";
            String name = Trees.text(variable, "name");
            if (name.isEmpty()) {
                errors.required(at + ".name", "");
            } else {
                FieldRules.invalid(errors, at + ".name", name, Names.envVar(name));
            }
            if (Trees.has(variable, "valueFrom")) {
                valueFrom(errors, at + ".valueFrom", variable.get("valueFrom"), Trees.text(variable, "value"));
            }
        }
    }

    private static void valueFrom(FieldErrors errors, String path, JsonNode from, String value) {
        int sources = 0;
        if (Trees.has(from, "fieldRef")) {
            sources++;
            fieldRef(errors, path + ".fieldRef", from.get("fieldRef"), ENV_FIELDS);
        }
        if (Trees.has(from, "resourceFieldRef")) {
            sources++;
            resourceFieldRef(errors, path + ".resourceFieldRef", from.get("resourceFieldRef"), false);
        }
        for (String ref : List.of("configMapKeyRef", "secretKeyRef")) {
            if (Trees.has(from, ref)) {
                sources++;
                keyRef(errors, path + "." + ref, from.get(ref));
            }
        }
        if (sources == 0) {
            errors.invalid(
                    path,
                    "",
                    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`");
        } else if (!value.isEmpty()) {
            errors.invalid(path, "", "may not be specified when `value` is not empty");
        } else if (sources > 1) {
            errors.invalid(path, "", "may not have more than one field specified at a time");
        }
    }

    private static void keyRef(FieldErrors errors, String path, JsonNode ref) {
        String name = Trees.text(ref, "name");
        FieldRules.invalid(errors, path + ".name", name, Names.subdomain(name));
        String key = Trees.text(ref, "key");
        if (key.isEmpty()) {
            errors.required(path + ".key", "");
        } else {
            FieldRules.invalid(errors, path + ".key", key, Names.configKey(key));
        }
    }

    static void from(FieldErrors errors, String path, List<JsonNode> sources) {
        for (int i = 0; i < sources.size(); i++) {
            JsonNode source = sources.get(i);
            String at = path + "[" + i + "]";
            String prefix = Trees.text(source, "prefix");
            if (!prefix.isEmpty()) {
                FieldRules.invalid(errors, at + ".prefix", prefix, Names.envVar(prefix));
            }
            int count = 0;
            for (String ref : List.of("configMapRef", "secretRef")) {
                if (Trees.has(source, ref)) {
                    count++;
                    String name = Trees.text(source.get(ref), "name");
                    if (name.isEmpty()) {
                        errors.required(at + "." + ref + ".name", "");
                    } else {
                        FieldRules.invalid(
                                errors, at + "." + ref + ".name", name, Names.subdomain(Names.maskTrailingDash(name)));
                    }
                }
            }
            // The path is that of the list, without the index: so Kubernetes has it.
            if (count == 0) {
                errors.invalid(path, "", "must specify one of: `configMapRef` or `secretRef`");
            } else if (count > 1) {
                errors.invalid(path, "", "may not have more than one field specified at a time");
            }
        }
    }

    static void fieldRef(FieldErrors errors, String path, JsonNode ref, Set<String> allowed) {
        String version = Trees.text(ref, "apiVersion");
        String field = Trees.text(ref, "fieldPath");
        if (version.isEmpty()) {
            errors.required(path + ".apiVersion", "");
            return;
        }
        if (field.isEmpty()) {
            errors.required(path + ".fieldPath", "");
            return;
        }
        if (!version.equals("v1")) {
            errors.invalid(
                    path + ".fieldPath", field, "error converting fieldPath: unsupported pod version: " + version);
            return;
        }
        int bracket = field.indexOf("['");
        if (bracket >= 0 && field.endsWith("']") && field.length() > bracket + 4) {
            String base = field.substring(0, bracket);
            String key = field.substring(bracket + 2, field.length() - 2);
            if (base.equals("metadata.annotations")) {
                String lower = key.toLowerCase(java.util.Locale.ROOT);
                FieldRules.invalid(errors, path, lower, Names.qualified(lower));
            } else if (base.equals("metadata.labels")) {
                FieldRules.invalid(errors, path, key, Names.qualified(key));
            } else {
                errors.invalid(
                        path + ".fieldPath",
                        field,
                        "error converting fieldPath: field label does not support subscript: " + field);
            }
            return;
        }
        String internal = field.equals("spec.host") ? "spec.nodeName" : field;
        if (!POD_FIELDS.contains(internal)) {
            errors.invalid(
                    path + ".fieldPath", field, "error converting fieldPath: field label not supported: " + field);
        } else if (!allowed.contains(internal)) {
            errors.notSupported(path + ".fieldPath", Trees.textNode(internal), allowed);
        }
    }

    static void resourceFieldRef(FieldErrors errors, String path, JsonNode ref, boolean inVolume) {
        String resource = Trees.text(ref, "resource");
        boolean hugePages = resource.startsWith("limits.hugepages-") || resource.startsWith("requests.hugepages-");
        if (inVolume && Trees.text(ref, "containerName").isEmpty()) {
            errors.required(path + ".containerName", "");
        } else if (resource.isEmpty()) {
            errors.required(path + ".resource", "");
        } else if (!RESOURCES.contains(resource) && !hugePages) {
            errors.notSupported(path + ".resource", Trees.textNode(resource), RESOURCES);
        }
        if (Amounts.sign(Trees.child(ref, "divisor")) == 0) {
            return;
        }
        String divisor = Amounts.text(Trees.child(ref, "divisor"));
        if (resource.endsWith(".cpu")) {
            if (!CPU_DIVISORS.contains(divisor)) {
                errors.invalid(
                        path + ".divisor",
                        resource,
                        "only divisor's values 1m and 1 are supported with the cpu resource");
            }
        } else if (!BYTE_DIVISORS.contains(divisor)) {
            String what = resource.endsWith(".memory")
                    ? "memory"
                    : resource.endsWith(".ephemeral-storage")
                            ? "local ephemeral storage"
                            : hugePages ? "hugepages" : "";
            if (!what.isEmpty()) {
                errors.invalid(
                        path + ".divisor",
                        resource,
                        "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with"
                                + " the " + what + " resource");
            }
        }
    }
}
