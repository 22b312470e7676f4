package io.trimtab.apiserver.kinds.core;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.Trees;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What is accepted in pods and yet worth a Warning header. Stateless. */
public final class PodWarnings {
    private PodWarnings() {}

    static void add(JsonNode pod, List<String> warnings) {
        String name = Trees.text(Trees.child(pod, "metadata"), "name");
        List<String> wrong = Names.label(name);
        if (!name.isEmpty() && !wrong.isEmpty()) {
            warnings.add(
                    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS"
                            + " label is recommended: [" + String.join(" ", wrong) + "]");
        }
        spec(Trees.child(pod, "spec"), "spec", warnings);
    }

    /** The warnings about the template at {@code path} in a workload that is created, or whose template may have changed. */
    public static void template(JsonNode template, String path, List<String> warnings) {
        spec(Trees.child(template, "spec"), path + ".spec", warnings);
    }

    /** Amounts of bytes that are no whole number. */
    public static void fractionalBytes(JsonNode requirements, String path, List<String> warnings) {
        for (String list : List.of("requests", "limits")) {
            milli(Trees.at(requirements, list, "storage"), path + "." + list + "[storage]", warnings);
        }
    }

    /** The warnings that templates share with pods. */
    static void spec(JsonNode spec, String path, List<String> warnings) {
        for (String key : Trees.map(spec, "nodeSelector").keySet()) {
            String better = replacement(key);
            if (!better.isEmpty()) {
                warnings.add(path + ".nodeSelector[" + key + "]: deprecated since " + since(key) + "; use \"" + better
                        + "\" instead");
            }
        }
        int v = 0;
        for (JsonNode volume : Trees.items(spec, "volumes")) {
            if (Trees.has(volume, "gitRepo")) {
                warnings.add(
                        path + ".volumes[" + v + "].gitRepo: deprecated in v1.11, and disabled by default in v1.33+");
            }
            v++;
        }
        Set<String> hostAliases = new HashSet<>();
        int a = 0;
        for (JsonNode alias : Trees.items(spec, "hostAliases")) {
            if (!hostAliases.add(Trees.text(alias, "ip"))) {
                warnings.add(path + ".hostAliases[" + a + "].ip: duplicate ip \"" + Trees.text(alias, "ip") + "\"");
            }
            a++;
        }
        PodResources.containers(spec, path).forEach((at, container) -> container(container, at, warnings));
    }

    private static void container(JsonNode container, String at, List<String> warnings) {
        for (String list : List.of("requests", "limits")) {
            JsonNode storage = Trees.at(container, "resources", list, "ephemeral-storage");
            milli(storage, at + ".resources." + list + "[ephemeral-storage]", warnings);
            milli(Trees.at(container, "resources", list, "memory"), at + ".resources." + list + "[memory]", warnings);
        }
        Map<String, String> values = new HashMap<>();
        int i = 0;
        for (JsonNode variable : Trees.items(container, "env")) {
            String name = Trees.text(variable, "name");
            if (values.containsKey(name)) {
                String value = Trees.text(variable, "value");
                String earlier = values.get(name);
                if (value.isEmpty() || earlier.equals(value) || !value.contains("$(" + name + ")")) {
                    warnings.add(at + ".env[" + i + "]: hides previous definition of " + FieldErrors.quote(name)
                            + ", which may be dropped when using apply");
                }
            }
            values.put(name, Trees.text(variable, "value"));
            i++;
        }
    }

    private static void milli(JsonNode amount, String at, List<String> warnings) {
        if (!amount.isMissingNode() && amount.asText().endsWith("m")) {
            warnings.add(at + ": fractional byte value " + FieldErrors.quote(amount.asText())
                    + " is invalid, must be an integer");
        }
    }

    private static String since(String key) {
        return key.startsWith("beta.kubernetes.io/instance") || key.startsWith("failure-domain") ? "v1.17" : "v1.14";
    }

    private static String replacement(String key) {
        return switch (key) {
            case "beta.kubernetes.io/arch" -> "kubernetes.io/arch";
            case "beta.kubernetes.io/os" -> "kubernetes.io/os";
            case "failure-domain.beta.kubernetes.io/region" -> "topology.kubernetes.io/region";
            case "failure-domain.beta.kubernetes.io/zone" -> "topology.kubernetes.io/zone";
            case "beta.kubernetes.io/instance-type" -> "node.kubernetes.io/instance-type";
            default -> "";
        };
    }
}
