package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.IpAddresses;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What is accepted in pods and yet worth a Warning header. Stateless. */
public final class PodWarnings {
    private static final Map<String, String> DEPRECATED_LABELS = Map.of(
            "beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead",
            "beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead",
            "failure-domain.beta.kubernetes.io/region",
                    "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
            "failure-domain.beta.kubernetes.io/zone",
                    "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
            "beta.kubernetes.io/instance-type",
                    "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
            "app.kubernetes.io/created-by", "deprecated since v1.9",
            "scheduler.alpha.kubernetes.io/preferAvoidPods",
                    "deprecated since v1.22; use Taints and Tolerations instead",
            "node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead");

    private static final Map<String, String> DEPRECATED_ANNOTATIONS = new TreeMap<>(Map.of(
            "scheduler.alpha.kubernetes.io/critical-pod",
                    "non-functional in v1.16+; use the \"priorityClassName\" field instead",
            "security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead",
            "security.alpha.kubernetes.io/unsafe-sysctls",
                    "non-functional in v1.11+; use the \"sysctls\" field instead"));

    /** Volumes whose drivers are gone, in the order in which they are looked for. */
    private static final List<List<String>> GONE = List.of(
            List.of("photonPersistentDisk", "photonPersistentDisk", "v1.11, non-functional in v1.16+"),
            List.of("gitRepo", "gitRepo", "v1.11, and disabled by default in v1.33+"),
            List.of("scaleIO", "scaleIO", "v1.16, non-functional in v1.22+"),
            List.of("flocker", "flocker", "v1.22, non-functional in v1.25+"),
            List.of("storageos", "storageOS", "v1.22, non-functional in v1.25+"),
            List.of("quobyte", "quobyte", "v1.22, non-functional in v1.25+"),
            List.of("glusterfs", "glusterfs", "v1.25, non-functional in v1.26+"),
            List.of("ephemeral", "", ""),
            List.of("cephfs", "cephfs", "v1.28, non-functional in v1.31+"),
            List.of("rbd", "rbd", "v1.28, non-functional in v1.31+"));

    private static final String SECCOMP = "non-functional in v1.27+; use the \"seccompProfile\" field instead";

    private PodWarnings() {}

    static void add(JsonNode pod, List<String> warnings) {
        String name = Trees.text(Trees.child(pod, "metadata"), "name");
        List<String> wrong = Names.label(name);
        if (!name.isEmpty() && !wrong.isEmpty()) {
            warnings.add(
                    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS"
                            + " label is recommended: [" + String.join(" ", wrong) + "]");
        }
        all(pod, "", warnings);
    }

    /** The warnings about the template at {@code path} in a workload that is created, or whose template may have changed. */
    public static void template(JsonNode template, String path, List<String> warnings) {
        all(template, path + ".", warnings);
    }

    /** Amounts of bytes that are no whole number. */
    public static void fractionalBytes(JsonNode requirements, String path, List<String> warnings) {
        for (String list : List.of("requests", "limits")) {
            milli(Trees.at(requirements, list, "storage"), path + "." + list + "[storage]", warnings);
        }
    }

    /** What is said of a label of nodes that has another name now; empty if nothing is. */
    public static String deprecatedLabel(String key) {
        return DEPRECATED_LABELS.getOrDefault(key, "");
    }

    /** Of the keys of a node selector term, and of its values if asked for. */
    static void nodeSelectorTerm(JsonNode term, boolean values, String path, List<String> warnings) {
        int i = 0;
        for (JsonNode expression : Trees.items(term, "matchExpressions")) {
            String at = path + ".matchExpressions[" + i++ + "]";
            String key = Trees.text(expression, "key");
            String message = deprecatedLabel(key);
            if (!message.isEmpty()) {
                warnings.add(at + ".key: " + key + " is " + message);
            }
            List<String> texts = values ? Trees.texts(expression, "values") : List.of();
            for (int v = 0; v < texts.size(); v++) {
                for (String wrong : Names.labelValue(texts.get(v))) {
                    warnings.add(at + ".values[" + v + "]: " + texts.get(v) + " is invalid, " + wrong);
                }
            }
        }
    }

    private static void all(JsonNode pod, String prefix, List<String> warnings) {
        JsonNode spec = Trees.child(pod, "spec");
        String path = prefix + "spec";
        String annotationsPath = prefix + "metadata.annotations[";
        Map<String, String> annotations = Trees.map(pod.get("metadata"), "annotations");
        for (String key : Trees.map(spec, "nodeSelector").keySet()) {
            String message = deprecatedLabel(key);
            if (!message.isEmpty()) {
                warnings.add(path + ".nodeSelector[" + key + "]: " + message);
            }
        }
        affinity(spec, path, warnings);
        DEPRECATED_ANNOTATIONS.forEach((key, message) -> {
            if (annotations.containsKey(key)) {
                warnings.add(annotationsPath + key + "]: " + message);
            }
        });
        volumes(spec, path, warnings);
        VolumePaths.warn(spec, warnings);
        Set<String> seen = new HashSet<>();
        int a = 0;
        for (JsonNode alias : Trees.items(spec, "hostAliases")) {
            String ip = Trees.text(alias, "ip");
            if (!seen.add(ip)) {
                warnings.add(path + ".hostAliases[" + a + "].ip: duplicate ip " + FieldErrors.quote(ip));
            }
            a++;
        }
        pullSecrets(spec, path + ".imagePullSecrets[", warnings);
        for (String resource : List.of("memory", "ephemeral-storage")) {
            milli(Trees.at(spec, "overhead", resource), path + ".overhead[" + resource + "]", warnings);
        }
        if (!Trees.has(Trees.child(spec, "securityContext"), "seccompProfile")
                && annotations.containsKey("seccomp.security.alpha.kubernetes.io/pod")) {
            warnings.add(annotationsPath + "seccomp.security.alpha.kubernetes.io/pod]: " + SECCOMP);
        }
        Map<String, ObjectNode> containers = PodResources.containers(spec, path);
        containers.forEach((at, container) -> {
            profiles(container, spec, annotations, annotationsPath, !prefix.isEmpty(), warnings);
            container(container, at, warnings);
        });
        ports(containers, warnings);
        portNames(containers, warnings);
        if (Trees.number(spec, "terminationGracePeriodSeconds") < 0) {
            warnings.add(path + ".terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be"
                    + " treated as 1");
        }
        podAffinity(spec, path, warnings);
        List<String> servers = Trees.texts(Trees.child(spec, "dnsConfig"), "nameservers");
        for (int i = 0; i < servers.size(); i++) {
            IpAddresses.warn(path + ".dnsConfig.nameservers[" + i + "]", servers.get(i), warnings);
        }
        a = 0;
        for (JsonNode alias : Trees.items(spec, "hostAliases")) {
            IpAddresses.warn(path + ".hostAliases[" + a++ + "].ip", Trees.text(alias, "ip"), warnings);
        }
    }

    private static void affinity(JsonNode spec, String path, List<String> warnings) {
        JsonNode node = Trees.at(spec, "affinity", "nodeAffinity");
        String at = path + ".affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[";
        int i = 0;
        for (JsonNode term :
                Trees.items(Trees.child(node, "requiredDuringSchedulingIgnoredDuringExecution"), "nodeSelectorTerms")) {
            nodeSelectorTerm(term, false, at + i++ + "]", warnings);
        }
        i = 0;
        at = path + ".affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[";
        for (JsonNode term : Trees.items(node, "preferredDuringSchedulingIgnoredDuringExecution")) {
            nodeSelectorTerm(Trees.child(term, "preference"), true, at + i++ + "].preference", warnings);
        }
        i = 0;
        for (JsonNode constraint : Trees.items(spec, "topologySpreadConstraints")) {
            at = path + ".topologySpreadConstraints[" + i++ + "]";
            String key = Trees.text(constraint, "topologyKey");
            String message = deprecatedLabel(key);
            if (!message.isEmpty()) {
                warnings.add(at + ".topologyKey: " + key + " is " + message);
            }
            nullSelector(constraint, at, warnings);
        }
    }

    private static void podAffinity(JsonNode spec, String path, List<String> warnings) {
        for (String kind : List.of("podAffinity", "podAntiAffinity")) {
            JsonNode affinity = Trees.at(spec, "affinity", kind);
            for (String list : List.of(
                    "requiredDuringSchedulingIgnoredDuringExecution",
                    "preferredDuringSchedulingIgnoredDuringExecution")) {
                int i = 0;
                for (JsonNode term : Trees.items(affinity, list)) {
                    String at = path + ".affinity." + kind + "." + list + "[" + i++ + "]";
                    if (list.startsWith("required")) {
                        nullSelector(term, at, warnings);
                    } else {
                        nullSelector(Trees.child(term, "podAffinityTerm"), at + ".podAffinityTerm", warnings);
                    }
                }
            }
        }
    }

    private static void nullSelector(JsonNode parent, String at, List<String> warnings) {
        if (!Trees.has(parent, "labelSelector")) {
            warnings.add(at + ".labelSelector: a null labelSelector results in matching no pod");
        }
    }

    private static void volumes(JsonNode spec, String path, List<String> warnings) {
        int i = 0;
        for (JsonNode volume : Trees.items(spec, "volumes")) {
            String at = path + ".volumes[" + i++ + "].";
            for (List<String> gone : GONE) {
                if (!Trees.has(volume, gone.get(0))) {
                    continue;
                }
                if (gone.get(0).equals("ephemeral")) {
                    fractionalBytes(
                            Trees.at(volume, "ephemeral", "volumeClaimTemplate", "spec", "resources"),
                            at + "ephemeral.volumeClaimTemplate.spec.resources",
                            warnings);
                } else {
                    warnings.add(at + gone.get(1) + ": deprecated in " + gone.get(2));
                }
            }
        }
    }

    private static void pullSecrets(JsonNode spec, String at, List<String> warnings) {
        List<JsonNode> secrets = Trees.items(spec, "imagePullSecrets");
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < secrets.size(); i++) {
            String name = Trees.text(secrets.get(i), "name");
            if (!seen.add(name)) {
                warnings.add(at + i + "].name: duplicate name " + FieldErrors.quote(name));
            }
        }
        for (int i = 0; i < secrets.size(); i++) {
            if (Trees.text(secrets.get(i), "name").isEmpty()) {
                warnings.add(at + i + "].name: invalid empty name \"\"");
            }
        }
    }

    private static void profiles(
            JsonNode container,
            JsonNode spec,
            Map<String, String> annotations,
            String annotationsPath,
            boolean template,
            List<String> warnings) {
        JsonNode context = Trees.child(container, "securityContext");
        String name = Trees.text(container, "name");
        String seccomp = "container.seccomp.security.alpha.kubernetes.io/" + name;
        if (!Trees.has(context, "seccompProfile") && annotations.containsKey(seccomp)) {
            warnings.add(annotationsPath + seccomp + "]: " + SECCOMP);
        }
        String appArmor = "container.apparmor.security.beta.kubernetes.io/" + name;
        if (template
                && !Trees.has(context, "appArmorProfile")
                && annotations.containsKey(appArmor)
                && !says(Trees.at(spec, "securityContext", "appArmorProfile"), annotations.get(appArmor))) {
            warnings.add(annotationsPath + appArmor
                    + "]: deprecated since v1.30; use the \"appArmorProfile\" field instead");
        }
    }

    /** Whether a pod's AppArmor profile is the one that an annotation names. */
    private static boolean says(JsonNode profile, String annotation) {
        String type = Trees.text(profile, "type");
        return annotation.equals("runtime/default") && type.equals("RuntimeDefault")
                || annotation.equals("unconfined") && type.equals("Unconfined")
                || annotation.startsWith("localhost/")
                        && type.equals("Localhost")
                        && Trees.text(profile, "localhostProfile").equals(annotation.substring("localhost/".length()));
    }

    private static void container(JsonNode container, String at, List<String> warnings) {
        for (String resource : List.of("memory", "ephemeral-storage")) {
            for (String list : List.of("limits", "requests")) {
                milli(
                        Trees.at(container, "resources", list, resource),
                        at + ".resources." + list + "[" + resource + "]",
                        warnings);
            }
        }
        Set<String> seen = new HashSet<>();
        int i = 0;
        for (JsonNode variable : Trees.items(container, "env")) {
            String name = Trees.text(variable, "name");
            String value = Trees.text(variable, "value");
            String reference = "$(" + name + ")";
            if (!seen.add(name)
                    && (Trees.has(variable, "valueFrom") || value.equals(reference) || !value.contains(reference))) {
                warnings.add(at + ".env[" + i + "]: hides previous definition of " + FieldErrors.quote(name)
                        + ", which may be dropped when using apply");
            }
            i++;
        }
    }

    private record Port(String at, JsonNode port) {}

    private static void ports(Map<String, ObjectNode> containers, List<String> warnings) {
        Map<String, List<Port>> all = new HashMap<>();
        containers.forEach((path, container) -> {
            int i = 0;
            for (JsonNode port : Trees.items(container, "ports")) {
                String at = path + ".ports[" + i++ + "]";
                String ip = Trees.text(port, "hostIP");
                long number = Trees.number(port, "hostPort");
                if (!ip.isEmpty() && number == 0) {
                    warnings.add(at + ": hostIP set without hostPort: {Name:" + Trees.text(port, "name")
                            + " HostPort:0 ContainerPort:" + Trees.number(port, "containerPort") + " Protocol:"
                            + Trees.text(port, "protocol") + " HostIP:" + ip + "}");
                }
                String key = Trees.number(port, "containerPort") + "/" + Trees.text(port, "protocol");
                List<Port> others = all.computeIfAbsent(key, k -> new ArrayList<>());
                for (Port other : others) {
                    String otherIp = Trees.text(other.port(), "hostIP");
                    long otherNumber = Trees.number(other.port(), "hostPort");
                    @Nullable String how = null;
                    if (ip.equals(otherIp) && number == otherNumber) {
                        how = "duplicate";
                    } else if (number == 0 || otherNumber == 0) {
                        how = "overlapping";
                    } else if (number == otherNumber && ip.isEmpty() != otherIp.isEmpty()) {
                        how = "dangerously ambiguous";
                    }
                    if (how != null) {
                        warnings.add(at + ": " + how + " port definition with " + other.at());
                    }
                }
                others.add(new Port(at, port));
            }
        });
    }

    private static void portNames(Map<String, ObjectNode> containers, List<String> warnings) {
        Map<String, String> names = new HashMap<>();
        containers.forEach((path, container) -> {
            int i = 0;
            for (JsonNode port : Trees.items(container, "ports")) {
                String at = path + ".ports[" + i++ + "]";
                String name = Trees.text(port, "name");
                @Nullable String other = name.isEmpty() ? null : names.putIfAbsent(name, at);
                if (other != null) {
                    warnings.add(at + ": duplicate port name " + FieldErrors.quote(name) + " with " + other
                            + ", services and probes that select ports by name will use " + other);
                }
            }
        });
    }

    private static void milli(JsonNode amount, String at, List<String> warnings) {
        if (!amount.isMissingNode() && amount.asText().endsWith("m")) {
            warnings.add(at + ": fractional byte value " + FieldErrors.quote(amount.asText())
                    + " is invalid, must be an integer");
        }
    }
}
