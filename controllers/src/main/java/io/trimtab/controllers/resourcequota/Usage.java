package io.trimtab.controllers.resourcequota;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceQuota;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.ScopedResourceSelectorRequirement;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.trimtab.controllers.pods.Pods;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What an object uses of a quota. Pure functions. */
final class Usage {
    private static final Set<String> COMPUTE = Set.of("cpu", "memory", "ephemeral-storage");

    private Usage() {}

    // ---- pods

    static Amounts of(Pod pod, Instant now) {
        Amounts used = new Amounts();
        used.add("count/pods", 1);
        if (!counts(pod, now)) {
            return used;
        }
        used.add("pods", 1);
        resources(pod, false).quantities().forEach((name, quantity) -> {
            if (COMPUTE.contains(name)) {
                used.add(name, quantity);
                used.add("requests." + name, quantity);
            } else if (name.startsWith("hugepages-")) {
                used.add(name, quantity);
                used.add("requests." + name, quantity);
            } else if (isExtended(name)) {
                used.add("requests." + name, quantity);
            }
        });
        resources(pod, true).quantities().forEach((name, quantity) -> {
            if (COMPUTE.contains(name)) {
                used.add("limits." + name, quantity);
            }
        });
        return used;
    }

    /** Ended pods use nothing; nor do those that should long be gone from a node that does not answer. */
    private static boolean counts(Pod pod, Instant now) {
        if (Pods.isTerminal(pod)) {
            return false;
        }
        Instant deleted = Pods.time(pod.getMetadata().getDeletionTimestamp());
        Long grace = pod.getMetadata().getDeletionGracePeriodSeconds();
        return deleted == null || grace == null || !now.isAfter(deleted.plusSeconds(grace));
    }

    private static boolean isExtended(String name) {
        return name.contains("/") && !name.startsWith("kubernetes.io/") && !name.contains(".kubernetes.io/");
    }

    /** What a pod asks for: its containers together, or the most that its start takes, and what the pod itself costs. */
    static Amounts resources(Pod pod, boolean limits) {
        Amounts total = new Amounts();
        for (Container container : pod.getSpec().getContainers()) {
            total.add(of(container.getResources(), limits));
        }
        Amounts sidecars = new Amounts();
        Amounts start = new Amounts();
        for (Container container : pod.getSpec().getInitContainers()) {
            Amounts own = of(container.getResources(), limits);
            if ("Always".equals(container.getRestartPolicy())) {
                total.add(own);
                sidecars.add(own);
                start.max(sidecars);
            } else {
                own.add(sidecars);
                start.max(own);
            }
        }
        total.max(start);
        ResourceRequirements whole = pod.getSpec().getResources();
        if (whole != null) {
            Map<String, Quantity> own = limits ? whole.getLimits() : whole.getRequests();
            if (own != null) {
                own.forEach(total::set);
            }
        }
        Map<String, Quantity> overhead = pod.getSpec().getOverhead();
        if (overhead != null) {
            overhead.forEach((name, quantity) -> {
                if (!limits || total.contains(name)) {
                    total.add(name, quantity);
                }
            });
        }
        return total;
    }

    private static Amounts of(@Nullable ResourceRequirements resources, boolean limits) {
        Amounts amounts = new Amounts();
        Map<String, Quantity> named =
                resources == null ? null : limits ? resources.getLimits() : resources.getRequests();
        if (named != null) {
            named.forEach(amounts::add);
        }
        return amounts;
    }

    // ---- scopes

    /** True if the quota counts this pod. */
    static boolean isInScope(ResourceQuota quota, Pod pod) {
        return scopes(quota).stream().allMatch(scope -> matches(scope, pod));
    }

    /** True if the quota counts this claim: by the classes of attributes that it has, or is to get. */
    static boolean isInScope(ResourceQuota quota, PersistentVolumeClaim claim) {
        return scopes(quota).stream()
                .allMatch(scope -> "VolumeAttributesClass".equals(scope.getScopeName())
                        && matchesAttributes(scope, attributesClasses(claim)));
    }

    private static boolean matchesAttributes(ScopedResourceSelectorRequirement scope, Set<String> classes) {
        return switch (String.valueOf(scope.getOperator())) {
            case "Exists" -> !classes.isEmpty();
            case "DoesNotExist" -> classes.isEmpty();
            case "In" -> classes.stream().anyMatch(scope.getValues()::contains);
            case "NotIn" ->
                classes.isEmpty()
                        || classes.stream().anyMatch(name -> !scope.getValues().contains(name));
            default -> false;
        };
    }

    /** All the classes of attributes that a claim has to do with. */
    static Set<String> attributesClasses(PersistentVolumeClaim claim) {
        Set<String> names = new TreeSet<>();
        names.add(Objects.requireNonNullElse(claim.getSpec().getVolumeAttributesClassName(), ""));
        PersistentVolumeClaimStatus status = claim.getStatus();
        if (status != null) {
            names.add(Objects.requireNonNullElse(status.getCurrentVolumeAttributesClassName(), ""));
            if (status.getModifyVolumeStatus() != null) {
                names.add(Objects.requireNonNullElse(
                        status.getModifyVolumeStatus().getTargetVolumeAttributesClassName(), ""));
            }
        }
        names.remove("");
        return names;
    }

    private static List<ScopedResourceSelectorRequirement> scopes(ResourceQuota quota) {
        List<ScopedResourceSelectorRequirement> scopes = new ArrayList<>();
        if (quota.getSpec().getScopes() != null) {
            quota.getSpec()
                    .getScopes()
                    .forEach(scope -> scopes.add(new ScopedResourceSelectorRequirement("Exists", scope, List.of())));
        }
        if (quota.getSpec().getScopeSelector() != null) {
            scopes.addAll(quota.getSpec().getScopeSelector().getMatchExpressions());
        }
        return scopes;
    }

    static boolean hasScopes(ResourceQuota quota) {
        return quota.getSpec().getScopes() != null
                        && !quota.getSpec().getScopes().isEmpty()
                || quota.getSpec().getScopeSelector() != null
                        && !quota.getSpec()
                                .getScopeSelector()
                                .getMatchExpressions()
                                .isEmpty();
    }

    private static boolean matches(ScopedResourceSelectorRequirement scope, Pod pod) {
        return switch (String.valueOf(scope.getScopeName())) {
            case "Terminating" -> isTerminating(pod);
            case "NotTerminating" -> !isTerminating(pod);
            case "BestEffort" -> isBestEffort(pod);
            case "NotBestEffort" -> !isBestEffort(pod);
            case "PriorityClass" -> matchesPriority(scope, pod);
            case "CrossNamespacePodAffinity" -> crossesNamespaces(pod);
            default -> false;
        };
    }

    private static boolean isTerminating(Pod pod) {
        Long seconds = pod.getSpec().getActiveDeadlineSeconds();
        return seconds != null && seconds >= 0;
    }

    private static boolean isBestEffort(Pod pod) {
        List<Container> all = new ArrayList<>(pod.getSpec().getContainers());
        all.addAll(pod.getSpec().getInitContainers());
        return all.stream()
                .map(Container::getResources)
                .filter(Objects::nonNull)
                .allMatch(r -> hasNone(r.getRequests()) && hasNone(r.getLimits()));
    }

    private static boolean hasNone(@Nullable Map<String, Quantity> resources) {
        return resources == null
                || resources.entrySet().stream()
                        .noneMatch(e -> (e.getKey().equals("cpu") || e.getKey().equals("memory"))
                                && e.getValue().getNumericalAmount().signum() > 0);
    }

    private static boolean matchesPriority(ScopedResourceSelectorRequirement scope, Pod pod) {
        String name = Objects.requireNonNullElse(pod.getSpec().getPriorityClassName(), "");
        return switch (String.valueOf(scope.getOperator())) {
            case "Exists" -> !name.isEmpty();
            case "DoesNotExist" -> name.isEmpty();
            case "In" -> scope.getValues().contains(name);
            case "NotIn" -> !scope.getValues().contains(name);
            default -> false;
        };
    }

    private static boolean crossesNamespaces(Pod pod) {
        var affinity = pod.getSpec().getAffinity();
        if (affinity == null) {
            return false;
        }
        List<io.fabric8.kubernetes.api.model.PodAffinityTerm> terms = new ArrayList<>();
        if (affinity.getPodAffinity() != null) {
            terms.addAll(affinity.getPodAffinity().getRequiredDuringSchedulingIgnoredDuringExecution());
            affinity.getPodAffinity()
                    .getPreferredDuringSchedulingIgnoredDuringExecution()
                    .forEach(term -> terms.add(term.getPodAffinityTerm()));
        }
        if (affinity.getPodAntiAffinity() != null) {
            terms.addAll(affinity.getPodAntiAffinity().getRequiredDuringSchedulingIgnoredDuringExecution());
            affinity.getPodAntiAffinity()
                    .getPreferredDuringSchedulingIgnoredDuringExecution()
                    .forEach(term -> terms.add(term.getPodAffinityTerm()));
        }
        return terms.stream()
                .anyMatch(term -> term.getNamespaceSelector() != null
                        || term.getNamespaces() != null && !term.getNamespaces().isEmpty());
    }

    // ---- others

    static Amounts of(Service service) {
        Amounts used = new Amounts();
        used.add("services", 1);
        used.add("count/services", 1);
        List<ServicePort> ports = service.getSpec().getPorts();
        String type = String.valueOf(service.getSpec().getType());
        if (type.equals("NodePort")) {
            used.add("services.nodeports", ports.size());
        } else if (type.equals("LoadBalancer")) {
            boolean all = !Boolean.FALSE.equals(service.getSpec().getAllocateLoadBalancerNodePorts());
            used.add(
                    "services.nodeports",
                    all
                            ? ports.size()
                            : ports.stream()
                                    .filter(port -> port.getNodePort() != null && port.getNodePort() != 0)
                                    .count());
            used.add("services.loadbalancers", 1);
        }
        return used;
    }

    static Amounts of(PersistentVolumeClaim claim) {
        Amounts used = new Amounts();
        used.add("persistentvolumeclaims", 1);
        used.add("count/persistentvolumeclaims", 1);
        String storageClass = claim.getSpec().getStorageClassName();
        Map<String, String> annotations = claim.getMetadata().getAnnotations();
        if (annotations != null && annotations.containsKey("volume.beta.kubernetes.io/storage-class")) {
            storageClass = annotations.get("volume.beta.kubernetes.io/storage-class");
        }
        String prefix =
                storageClass == null || storageClass.isEmpty() ? null : storageClass + ".storageclass.storage.k8s.io/";
        if (prefix != null) {
            used.add(prefix + "persistentvolumeclaims", 1);
        }
        Quantity storage = claim.getSpec().getResources() == null
                        || claim.getSpec().getResources().getRequests() == null
                ? null
                : claim.getSpec().getResources().getRequests().get("storage");
        if (storage != null) {
            used.add("requests.storage", storage);
            if (prefix != null) {
                used.add(prefix + "requests.storage", storage);
            }
        }
        return used;
    }
}
