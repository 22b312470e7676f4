package io.trimtab.apiserver.resource;

import java.util.Map;

/** Where objects of a resource are stored: Kubernetes' own layout, so that a store can change hands. */
final class KeyLayout {
    // Kubernetes keeps these under historical names (pkg/registry, storage factory's special paths).
    private static final Map<String, String> SPECIAL = Map.of(
            "nodes", "minions",
            "services", "services/specs",
            "endpoints", "services/endpoints",
            "replicationcontrollers", "controllers");

    private KeyLayout() {}

    /** The last ones asked for, by hash; races only lose one. */
    private static final Known[] KNOWN = new Known[256];

    private record Known(ApiResource resource, String prefix) {}

    static String prefix(ApiResource resource) {
        int slot = (31 * resource.plural().hashCode() + resource.group().hashCode()) * 0x9e3779b9 >>> 24;
        Known known = KNOWN[slot];
        if (known == null || known.resource != resource) {
            known = new Known(resource, make(resource));
            KNOWN[slot] = known;
        }
        return known.prefix;
    }

    private static String make(ApiResource resource) {
        if (resource.group().isEmpty()) {
            return "/registry/" + SPECIAL.getOrDefault(resource.plural(), resource.plural()) + "/";
        }
        // Custom resources, and the groups that came through the aggregator, carry their group in the key; events of
        // both groups are one resource.
        if (resource.group().equals("events.k8s.io")) {
            return "/registry/events/";
        }
        if (resource.custom() || resource.group().endsWith(".k8s.io") && isLateGroup(resource.group())) {
            return "/registry/" + resource.group() + "/" + resource.plural() + "/";
        }
        if (resource.group().equals("networking.k8s.io") && resource.plural().equals("ingresses")) {
            return "/registry/ingress/";
        }
        return "/registry/" + resource.plural() + "/";
    }

    private static boolean isLateGroup(String group) {
        return group.equals("apiextensions.k8s.io") || group.equals("apiregistration.k8s.io");
    }
}
