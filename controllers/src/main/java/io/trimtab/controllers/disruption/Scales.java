package io.trimtab.controllers.disruption;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ReplicationController;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.controller.Manager;
import io.trimtab.informer.Lister;
import io.trimtab.ownership.OwnerReferences;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/** How many pods the controllers of some pods want. Safe for use by several threads. */
final class Scales {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Client client;
    private final Lister<ReplicationController> replicationControllers;
    private final Lister<ReplicaSet> replicaSets;
    private final Lister<Deployment> deployments;
    private final Lister<StatefulSet> statefulSets;

    Scales(Manager manager, Client client) {
        this.client = client;
        this.replicationControllers =
                manager.informers().informer(ReplicationController.class).lister();
        this.replicaSets = manager.informers().informer(ReplicaSet.class).lister();
        this.deployments = manager.informers().informer(Deployment.class).lister();
        this.statefulSets = manager.informers().informer(StatefulSet.class).lister();
    }

    /** @param unmanaged pods without a controller, by name */
    record Expected(int count, List<String> unmanaged) {}

    /** One controller, by uid, and its scale. */
    private record Scale(String uid, int replicas) {}

    /**
     * Adds up what the pods' controllers want, each once.
     *
     * @throws IllegalStateException if a controller cannot be found, or has no scale
     */
    Expected expected(List<Pod> pods) {
        Map<String, Integer> byController = new HashMap<>();
        Map<String, Boolean> seen = new HashMap<>();
        List<String> unmanaged = new java.util.ArrayList<>();
        for (Pod pod : pods) {
            OwnerReference reference = OwnerReferences.controllerOf(pod).orElse(null);
            if (reference == null) {
                unmanaged.add(pod.getMetadata().getName());
                continue;
            }
            if (seen.putIfAbsent(reference.getUid(), true) != null) {
                continue;
            }
            Scale scale = find(pod.getMetadata().getNamespace(), reference);
            if (scale == null) {
                throw new IllegalStateException(
                        "found no controllers for pod \"" + pod.getMetadata().getName() + "\"");
            }
            byController.put(scale.uid, scale.replicas);
        }
        return new Expected(
                byController.values().stream().mapToInt(Integer::intValue).sum(), unmanaged);
    }

    private @Nullable Scale find(String namespace, OwnerReference reference) {
        if (OwnerReferences.isOfKind(reference, "", "ReplicationController")) {
            return of(
                    replicationControllers.get(namespace, reference.getName()),
                    reference,
                    rc -> rc.getSpec().getReplicas());
        }
        if (OwnerReferences.isOfKind(reference, "apps", "StatefulSet")) {
            return of(
                    statefulSets.get(namespace, reference.getName()),
                    reference,
                    set -> set.getSpec().getReplicas());
        }
        if (OwnerReferences.isOfKind(reference, "apps", "ReplicaSet")) {
            Optional<ReplicaSet> set = replicaSets
                    .get(namespace, reference.getName())
                    .filter(s -> s.getMetadata().getUid().equals(reference.getUid()));
            OwnerReference parent = set.flatMap(OwnerReferences::controllerOf).orElse(null);
            if (parent != null && OwnerReferences.isOfKind(parent, "apps", "Deployment")) {
                return of(
                        deployments.get(namespace, parent.getName()),
                        parent,
                        d -> d.getSpec().getReplicas());
            }
            return of(set, reference, s -> s.getSpec().getReplicas());
        }
        return subresource(namespace, reference);
    }

    private static <T extends HasMetadata> @Nullable Scale of(
            Optional<T> object, OwnerReference reference, ToIntFunction<T> replicas) {
        return object.filter(o -> o.getMetadata().getUid().equals(reference.getUid()))
                .map(o -> new Scale(reference.getUid(), replicas.applyAsInt(o)))
                .orElse(null);
    }

    /** Any kind can say how many pods it wants, by its scale. */
    private @Nullable Scale subresource(String namespace, OwnerReference reference) {
        String apiVersion = reference.getApiVersion();
        String base = (apiVersion.contains("/") ? "/apis/" : "/api/") + apiVersion;
        String plural = null;
        boolean scalable = false;
        JsonNode resources = read(base).path("resources");
        for (JsonNode resource : resources) {
            String name = resource.path("name").asText();
            if (reference.getKind().equals(resource.path("kind").asText()) && !name.contains("/")) {
                plural = name;
            }
        }
        for (JsonNode resource : resources) {
            scalable |= (plural + "/scale").equals(resource.path("name").asText());
        }
        if (plural == null) {
            return null;
        }
        int slash = apiVersion.indexOf('/');
        String qualified = slash < 0 ? plural : plural + "." + apiVersion.substring(0, slash);
        if (!scalable) {
            throw new IllegalStateException(qualified + " does not implement the scale subresource");
        }
        try {
            JsonNode scale =
                    read(base + "/namespaces/" + namespace + "/" + plural + "/" + reference.getName() + "/scale");
            return scale.path("metadata").path("uid").asText().equals(reference.getUid())
                    ? new Scale(
                            reference.getUid(),
                            scale.path("spec").path("replicas").asInt())
                    : null;
        } catch (ApiException e) {
            if (e.isNotFound()) {
                return null;
            }
            throw e;
        }
    }

    private JsonNode read(String path) {
        try {
            return JSON.readTree(client.raw("GET", path, null));
        } catch (IOException e) {
            throw new ApiException("the reply to GET " + path + " is no JSON", e);
        }
    }
}
