package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.quantity.Quantity;
import io.trimtab.runtime.Driver;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Counts pods that have not ended, and what they ask for. */
enum QuotaOfPods implements QuotaEvaluator {
    INSTANCE;

    private static final Set<String> NAMES = Set.of(
            "count/pods",
            "pods",
            "cpu",
            "memory",
            "ephemeral-storage",
            "requests.cpu",
            "requests.memory",
            "requests.ephemeral-storage",
            "limits.cpu",
            "limits.memory",
            "limits.ephemeral-storage");
    // What containers must say if a quota counts it.
    private static final Set<String> REQUIRED =
            Set.of("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory");

    @Override
    public boolean handles(AdmissionPlugin.Attributes attributes) {
        return switch (attributes.subresource()) {
            case "" ->
                attributes.operation() == AdmissionPlugin.Operation.CREATE
                        || attributes.operation() == AdmissionPlugin.Operation.UPDATE
                                && attributes.object() != null
                                && attributes.old() != null
                                && isTerminating(attributes.object()) != isTerminating(attributes.old());
            case "resize" -> attributes.operation() == AdmissionPlugin.Operation.UPDATE;
            default -> false;
        };
    }

    @Override
    public List<String> matching(Collection<String> names) {
        return names.stream()
                .filter(name -> NAMES.contains(name)
                        || name.startsWith("hugepages-")
                        || name.startsWith("requests.hugepages-")
                        || name.startsWith("requests.") && !ResourceNames.isNative(name))
                .toList();
    }

    @Override
    public TreeMap<String, Quantity> usage(ObjectNode pod, Driver driver) {
        TreeMap<String, Quantity> usage = new TreeMap<>();
        usage.put("count/pods", Quantity.of(1));
        if (!hasEnded(pod, driver)) {
            usage.putAll(compute(PodAmounts.total(pod, "requests"), PodAmounts.total(pod, "limits")));
        }
        return usage;
    }

    private static TreeMap<String, Quantity> compute(Map<String, Quantity> requests, Map<String, Quantity> limits) {
        TreeMap<String, Quantity> usage = new TreeMap<>();
        usage.put("pods", Quantity.of(1));
        requests.forEach((name, amount) -> {
            if (name.equals("cpu") || name.equals("memory") || name.equals("ephemeral-storage")) {
                usage.put(name, amount);
                usage.put("requests." + name, amount);
            } else if (name.startsWith("hugepages-")) {
                usage.put(name, amount);
                usage.put("requests." + name, amount);
            } else if (ResourceNames.isExtended(name)) {
                usage.put("requests." + name, amount);
            }
        });
        limits.forEach((name, amount) -> {
            if (name.equals("cpu") || name.equals("memory") || name.equals("ephemeral-storage")) {
                usage.put("limits." + name, amount);
            }
        });
        return usage;
    }

    private static boolean hasEnded(ObjectNode pod, Driver driver) {
        String phase = PodTrees.text(pod.path("status"), "phase");
        if (phase.equals("Failed") || phase.equals("Succeeded")) {
            return true;
        }
        JsonNode metadata = pod.path("metadata");
        if (!metadata.hasNonNull("deletionTimestamp") || !metadata.hasNonNull("deletionGracePeriodSeconds")) {
            return false;
        }
        Instant deleted = OffsetDateTime.parse(
                        metadata.path("deletionTimestamp").asText())
                .toInstant();
        return driver.now()
                .isAfter(deleted.plusSeconds(
                        metadata.path("deletionGracePeriodSeconds").asLong()));
    }

    @Override
    public String missing(Collection<String> names, ObjectNode pod) {
        JsonNode own = pod.path("spec").path("resources");
        if (!own.path("requests").isEmpty() || !own.path("limits").isEmpty()) {
            return ""; // the pod says it for all its containers
        }
        TreeMap<String, TreeSet<String>> missing = new TreeMap<>();
        for (ObjectNode container : PodTrees.containers(pod.path("spec"), "containers", "initContainers")) {
            Set<String> said = compute(
                            PodAmounts.amounts(container, "requests"), PodAmounts.amounts(container, "limits"))
                    .keySet();
            for (String name : names) {
                if (REQUIRED.contains(name) && !said.contains(name)) {
                    missing.computeIfAbsent(name, n -> new TreeSet<>()).add(PodTrees.text(container, "name"));
                }
            }
        }
        List<String> parts = new ArrayList<>();
        missing.forEach((name, containers) -> parts.add(name + " for: " + String.join(",", containers)));
        return String.join("; ", parts);
    }

    @Override
    public boolean matchesScope(String scope, String operator, List<String> values, ObjectNode pod) {
        return switch (scope) {
            case "Terminating" -> isTerminating(pod);
            case "NotTerminating" -> !isTerminating(pod);
            case "BestEffort" -> QualityOfService.isBestEffort(pod);
            case "NotBestEffort" -> !QualityOfService.isBestEffort(pod);
            case "PriorityClass" -> matchesPriority(operator, values, pod);
            case "CrossNamespacePodAffinity" -> crossesNamespaces(pod);
            default -> false;
        };
    }

    private static boolean matchesPriority(String operator, List<String> values, ObjectNode pod) {
        String name = PodTrees.text(pod.path("spec"), "priorityClassName");
        return switch (operator) {
            case "Exists" -> !name.isEmpty();
            case "DoesNotExist" -> name.isEmpty();
            case "In" -> !name.isEmpty() && values.contains(name);
            case "NotIn" -> name.isEmpty() || !values.contains(name);
            default -> false;
        };
    }

    private static boolean isTerminating(ObjectNode pod) {
        return pod.path("spec").path("activeDeadlineSeconds").asLong(-1) >= 0;
    }

    private static boolean crossesNamespaces(ObjectNode pod) {
        JsonNode affinity = pod.path("spec").path("affinity");
        for (String side : List.of("podAffinity", "podAntiAffinity")) {
            for (JsonNode term : affinity.path(side).path("requiredDuringSchedulingIgnoredDuringExecution")) {
                if (crosses(term)) {
                    return true;
                }
            }
            for (JsonNode term : affinity.path(side).path("preferredDuringSchedulingIgnoredDuringExecution")) {
                if (crosses(term.path("podAffinityTerm"))) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean crosses(JsonNode term) {
        return !term.path("namespaces").isEmpty() || term.hasNonNull("namespaceSelector");
    }
}
