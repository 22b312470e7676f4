package io.trimtab.controllers.podautoscaler;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.autoscaling.v1.Scale;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Discovery;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.ResourceType;
import io.trimtab.runtime.Driver;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Finds the resources of a kind, and their scale. What the server offers is asked for anew after 30 seconds, or when a kind is
 * missing. Thread-safe.
 */
final class ScaleTargets {
    private static final Duration KEPT = Duration.ofSeconds(30);

    private final Client client;
    private final Driver driver;
    private volatile @Nullable Known known;

    private record Known(List<Discovery.Served> resources, Instant until) {}

    /** A scale, and of which resource it is. */
    record Target(ResourceType<GenericKubernetesResource> type, Scale scale) {}

    ScaleTargets(Client client, Driver driver) {
        this.client = client;
        this.driver = driver;
    }

    /**
     * The resources that hold this kind; never empty.
     *
     * @throws MetricsException if there is none
     * @throws ApiException if the server cannot be asked
     */
    List<ResourceType<GenericKubernetesResource>> types(@Nullable String apiVersion, String kind) {
        String group = group(apiVersion);
        Known held = known;
        List<ResourceType<GenericKubernetesResource>> found =
                held == null || driver.now().isAfter(held.until) ? List.of() : matching(held.resources, group, kind);
        if (found.isEmpty()) {
            List<Discovery.Served> fresh = Discovery.preferredResources(client).resources();
            known = new Known(fresh, driver.now().plus(KEPT));
            found = matching(fresh, group, kind);
        }
        if (found.isEmpty()) {
            throw new MetricsException("no matches for kind \"" + kind + "\" in group \"" + group + "\"");
        }
        return found;
    }

    private static String group(@Nullable String apiVersion) {
        if (apiVersion == null || apiVersion.isEmpty()) {
            return "";
        }
        String[] parts = apiVersion.split("/", -1);
        if (parts.length > 2) {
            throw new MetricsException("unexpected GroupVersion string: " + apiVersion);
        }
        return parts.length == 1 ? "" : parts[0];
    }

    private static List<ResourceType<GenericKubernetesResource>> matching(
            List<Discovery.Served> resources, String group, String kind) {
        return resources.stream()
                .map(Discovery.Served::type)
                .filter(type -> type.kind().equals(kind) && type.group().equals(group))
                .toList();
    }

    /** The scale of an object of this kind: of several resources that hold it, the first that has one. */
    Target find(String namespace, @Nullable String apiVersion, String kind, String name) {
        ApiException first = null;
        for (ResourceType<GenericKubernetesResource> type : types(apiVersion, kind)) {
            try {
                return new Target(type, read(type, namespace, name));
            } catch (ApiException e) {
                first = first == null ? e : first;
            }
        }
        throw first == null ? new MetricsException("unrecognized resource") : first;
    }

    Scale read(ResourceType<?> type, String namespace, String name) {
        String path = type.path(namespace, name) + "/scale";
        try {
            return KubernetesJson.mapper().readValue(client.raw("GET", path, null), Scale.class);
        } catch (IOException e) {
            throw new ApiException("the reply to GET " + path + " is no Scale", e);
        }
    }

    void write(Target target, String namespace, String name, Scale scale) {
        client.updateSubresource(target.type, namespace, name, "scale", scale, Scale.class);
    }
}
