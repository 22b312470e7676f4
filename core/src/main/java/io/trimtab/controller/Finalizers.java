package io.trimtab.controller;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import java.util.ArrayList;
import java.util.List;

/**
 * The finalizer that keeps an object until a controller has cleaned up what Kubernetes cannot. Each change names the
 * resourceVersion it was decided by, so that two controllers never undo each other's: on a conflict the reconcile fails and comes
 * again with the newer object. Stateless.
 *
 * <pre>{@code
 * if (Finalizers.isDeleting(site)) {
 *     dns.remove(site.getSpec().getHost());
 *     Finalizers.remove(client, SITES, site, FINALIZER);
 *     return Result.done();
 * }
 * site = Finalizers.add(client, SITES, site, FINALIZER);
 * }</pre>
 */
public final class Finalizers {
    private Finalizers() {}

    /** Whether the object only waits for its finalizers. */
    public static boolean isDeleting(HasMetadata object) {
        return object.getMetadata().getDeletionTimestamp() != null;
    }

    /** Whether the object has this finalizer. */
    public static boolean has(HasMetadata object, String finalizer) {
        return object.getMetadata().getFinalizers().contains(finalizer);
    }

    /**
     * Adds the finalizer, if it is not there and the object is not on its way out. Returns the object as stored; do nothing that
     * must be cleaned up before.
     *
     * @throws ApiException if the object has changed meanwhile, or the server refuses
     */
    public static <T extends HasMetadata> T add(Client client, ResourceType<T> type, T object, String finalizer) {
        if (has(object, finalizer) || isDeleting(object)) {
            return object;
        }
        List<String> finalizers = new ArrayList<>(object.getMetadata().getFinalizers());
        finalizers.add(finalizer);
        return set(client, type, object, finalizers);
    }

    /**
     * Removes the finalizer, if it is there. An object that is gone already is no failure.
     *
     * @throws ApiException if the object has changed meanwhile, or the server refuses
     */
    public static <T extends HasMetadata> void remove(Client client, ResourceType<T> type, T object, String finalizer) {
        if (!has(object, finalizer)) {
            return;
        }
        List<String> finalizers = new ArrayList<>(object.getMetadata().getFinalizers());
        finalizers.remove(finalizer);
        try {
            set(client, type, object, finalizers);
        } catch (ApiException e) {
            if (!e.isNotFound()) {
                throw e;
            }
        }
    }

    private static <T extends HasMetadata> T set(
            Client client, ResourceType<T> type, T object, List<String> finalizers) {
        ObjectNode body = KubernetesJson.mapper().createObjectNode();
        ObjectNode metadata = body.putObject("metadata")
                .put("resourceVersion", object.getMetadata().getResourceVersion())
                .put("uid", object.getMetadata().getUid());
        ArrayNode list = metadata.putArray("finalizers");
        finalizers.forEach(list::add);
        return client.patch(
                type,
                object.getMetadata().getNamespace(),
                object.getMetadata().getName(),
                Patch.merge(body.toString()));
    }
}
