package io.trimtab.apiserver.kinds;

import com.fasterxml.jackson.databind.JsonNode;
import io.trimtab.apiserver.errors.FieldErrors;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Rules for resource names and for what containers, pods and claims request and are limited to. Stateless. */
public final class ResourceRequirements {
    private static final Set<String> CONTAINER = Set.of("cpu", "memory", "ephemeral-storage");
    private static final Set<String> COUNTED = Set.of(
            "pods",
            "resourcequotas",
            "services",
            "replicationcontrollers",
            "secrets",
            "configmaps",
            "persistentvolumeclaims",
            "services.nodeports",
            "services.loadbalancers");
    private static final Set<String> QUOTA = union(
            COUNTED,
            Set.of(
                    "cpu",
                    "memory",
                    "ephemeral-storage",
                    "requests.cpu",
                    "requests.memory",
                    "requests.storage",
                    "requests.ephemeral-storage",
                    "limits.cpu",
                    "limits.memory",
                    "limits.ephemeral-storage"));
    private static final Set<String> STANDARD = union(QUOTA, Set.of("storage"));

    private ResourceRequirements() {}

    /** What a container requests and is limited to. */
    public static void container(
            FieldErrors errors, String path, @Nullable JsonNode requirements, Collection<String> claimNames) {
        validate(errors, path, requirements, claimNames, false);
    }

    /** What a whole pod requests and is limited to. */
    public static void pod(FieldErrors errors, String path, @Nullable JsonNode requirements) {
        validate(errors, path, requirements, Set.of(), true);
    }

    private static void validate(
            FieldErrors errors,
            String path,
            @Nullable JsonNode requirements,
            Collection<String> claimNames,
            boolean ofPod) {
        Map<String, JsonNode> limits = Trees.entries(requirements, "limits");
        Map<String, JsonNode> requests = Trees.entries(requirements, "requests");
        boolean hugePages = false;
        boolean compute = false;
        for (Map.Entry<String, JsonNode> limit : limits.entrySet()) {
            String name = limit.getKey();
            String at = path + ".limits[" + name + "]";
            name(errors, at, name, ofPod);
            quantity(errors, at, name, limit.getValue());
            if (isHugePages(name)) {
                hugePages = true;
                hugePages(errors, at, name, limit.getValue());
            }
            compute |= name.equals("cpu") || name.equals("memory");
        }
        for (Map.Entry<String, JsonNode> request : requests.entrySet()) {
            String name = request.getKey();
            String at = path + ".requests[" + name + "]";
            name(errors, at, name, ofPod);
            quantity(errors, at, name, request.getValue());
            JsonNode limit = limits.get(name);
            if (limit != null) {
                int order = Amounts.compare(request.getValue(), limit);
                if (order != 0 && !allowsOvercommit(name)) {
                    errors.invalid(
                            path + ".requests",
                            Amounts.text(request.getValue()),
                            "must be equal to " + name + " limit of " + Amounts.text(limit));
                } else if (order > 0) {
                    errors.invalid(
                            path + ".requests",
                            Amounts.text(request.getValue()),
                            "must be less than or equal to " + name + " limit of " + Amounts.text(limit));
                }
            } else if (!allowsOvercommit(name)) {
                errors.required(path + ".limits", "Limit must be set for non overcommitable resources");
            }
            if (isHugePages(name)) {
                hugePages = true;
                hugePages(errors, at, name, request.getValue());
            }
            compute |= name.equals("cpu") || name.equals("memory");
        }
        if (hugePages && !compute) {
            errors.forbidden(path, "HugePages require cpu or memory");
        }
        claims(errors, path + ".claims", requirements, claimNames);
    }

    private static void claims(
            FieldErrors errors, String path, @Nullable JsonNode requirements, Collection<String> claimNames) {
        Set<String> seen = new HashSet<>();
        int i = 0;
        for (JsonNode claim : Trees.items(requirements, "claims")) {
            String at = path + "[" + i++ + "]";
            String name = Trees.text(claim, "name");
            if (name.isEmpty()) {
                errors.required(at, "");
                continue;
            }
            if (seen.contains(name)) {
                errors.duplicate(at, Trees.textNode(name));
            } else {
                String request = Trees.text(claim, "request");
                String key = name;
                if (!request.isEmpty()) {
                    FieldRules.invalid(errors, at + ".request", request, Names.label(request));
                    key = name + "/" + request;
                }
                if (seen.contains(key)) {
                    errors.duplicate(at, Trees.textNode(key));
                } else if (request.isEmpty() && seen.stream().anyMatch(s -> s.startsWith(name + "/"))) {
                    errors.duplicate(at, Trees.textNode(name));
                }
                seen.add(key);
            }
            if (!claimNames.contains(name)) {
                errors.add(new FieldErrors.FieldError(
                        FieldErrors.Type.NOT_FOUND,
                        at,
                        "Not found: " + FieldErrors.quote(name)
                                + ": must be one of the names in pod.spec.resourceClaims"
                                + (claimNames.isEmpty()
                                        ? " which is empty"
                                        : ": " + String.join(", ", new TreeSet<>(claimNames)))));
            }
        }
    }

    private static void name(FieldErrors errors, String path, String name, boolean ofPod) {
        FieldErrors wrong = new FieldErrors();
        name(wrong, path, name);
        if (ofPod) {
            if (wrong.isEmpty() && !name.equals("cpu") && !name.equals("memory") && !isHugePages(name)) {
                wrong.notSupported(path, Trees.textNode(name), Set.of("cpu", "hugepages-", "memory"));
            }
        } else if (name.indexOf('/') < 0) {
            if (!CONTAINER.contains(name) && !isHugePages(name)) {
                wrong.invalid(path, name, "must be a standard resource for containers");
            }
        } else if (!isNative(name) && !isExtended(name)) {
            wrong.invalid(path, name, "doesn't follow extended resource name standard");
        }
        errors.addAll(wrong);
    }

    /** The name of a resource that a container may ask for. */
    public static void containerName(FieldErrors errors, String path, String name) {
        name(errors, path, name, false);
    }

    /** The name of a resource: qualified, and known if it has no prefix. */
    public static void name(FieldErrors errors, String path, String name) {
        var wrong = Names.qualified(name);
        FieldRules.invalid(errors, path, name, wrong);
        if (wrong.isEmpty() && name.indexOf('/') < 0 && !isStandard(name)) {
            errors.invalid(path, name, "must be a standard resource type or fully qualified");
        }
    }

    /** The name of a resource that a quota may limit. */
    public static void quotaName(FieldErrors errors, String path, String name) {
        name(errors, path, name);
        if (name.indexOf('/') < 0 && !isQuota(name)) {
            errors.invalid(path, name, "must be a standard resource for quota");
        }
    }

    /** Whether Kubernetes itself defines the resource as one that a quota may limit. */
    public static boolean isQuota(String name) {
        return QUOTA.contains(name) || isQuotaHugePages(name);
    }

    /** An amount of a resource: not negative, and whole where the resource is counted. */
    public static void quantity(FieldErrors errors, String path, String name, JsonNode quantity) {
        if (Amounts.sign(quantity) < 0) {
            errors.invalid(path, Amounts.text(quantity), FieldRules.NOT_NEGATIVE);
        }
        if ((COUNTED.contains(name) || isExtended(name)) && !Amounts.isWhole(quantity)) {
            errors.invalid(path, Amounts.text(quantity), "must be an integer");
        }
    }

    private static void hugePages(FieldErrors errors, String path, String name, JsonNode quantity) {
        if (!Amounts.isMultiple(quantity, name.substring("hugepages-".length()))) {
            errors.invalid(
                    path,
                    Amounts.text(quantity),
                    Amounts.text(quantity) + " is not positive integer multiple of " + name);
        }
    }

    /** Whether Kubernetes itself defines the resource. */
    public static boolean isNative(String name) {
        return name.indexOf('/') < 0 || name.contains("kubernetes.io/");
    }

    /** Whether a device plugin or someone else defines the resource. */
    public static boolean isExtended(String name) {
        return !isNative(name)
                && !name.startsWith("requests.")
                && Names.qualified("requests." + name).isEmpty();
    }

    /** Whether more of it may be promised than there is. */
    public static boolean allowsOvercommit(String name) {
        return isNative(name) && !isHugePages(name);
    }

    public static boolean isHugePages(String name) {
        return name.startsWith("hugepages-");
    }

    private static boolean isQuotaHugePages(String name) {
        return isHugePages(name) || name.startsWith("requests.hugepages-");
    }

    private static boolean isStandard(String name) {
        return STANDARD.contains(name) || isQuotaHugePages(name);
    }

    private static Set<String> union(Set<String> a, Set<String> b) {
        Set<String> all = new HashSet<>(a);
        all.addAll(b);
        return Set.copyOf(all);
    }
}
