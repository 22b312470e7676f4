package io.trimtab.leader;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.trimtab.client.Client;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.ListWatch;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.client.WriteMode;
import io.trimtab.client.Written;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A client that writes only while a {@link Fence} holds. Each write is checked just before it is sent, and refused with a
 * {@link FencedException} otherwise; reads always go through.
 *
 * <p>If it stamps, objects that are created, updated, applied or merged carry the fence's token in an annotation, so that the
 * server itself can refuse an older one: {@link FencePolicy}. Status writes, JSON patches, subresources and deletions carry none,
 * because nothing in them is the writer's to annotate; those are checked here only. Safe for use by any thread.
 *
 * @since 0.1
 */
public final class FencedClient implements Client {
    /** What the annotation's key begins with; the lease's name follows. */
    public static final String ANNOTATION = "fence.trimtab.io/";

    private final Client client;
    private final Fence fence;
    private final @Nullable String annotation;

    private FencedClient(Client client, Fence fence, @Nullable String annotation) {
        this.client = client;
        this.fence = fence;
        this.annotation = annotation;
    }

    /** Checks each write. */
    public static FencedClient checking(Client client, Fence fence) {
        return new FencedClient(client, fence, null);
    }

    /**
     * Checks each write, and stamps objects with the token.
     *
     * @param leaseName names the annotation
     */
    public static FencedClient stamping(Client client, Fence fence, String leaseName) {
        return new FencedClient(client, fence, ANNOTATION + leaseName);
    }

    private void check(String verb, ResourceType<?> type, @Nullable String namespace, @Nullable String name) {
        if (!fence.holds()) {
            throw new FencedException(
                    fence,
                    verb + " " + type + " " + (namespace == null ? "" : namespace + "/") + (name == null ? "" : name));
        }
    }

    private void check(String verb, ResourceType<?> type, HasMetadata object) {
        check(
                verb,
                type,
                object.getMetadata().getNamespace(),
                object.getMetadata().getName());
    }

    private <T extends HasMetadata> T stamped(T object) {
        if (annotation == null) {
            return object;
        }
        T copy = KubernetesJson.copy(object);
        Map<String, String> annotations = new LinkedHashMap<>();
        if (copy.getMetadata().getAnnotations() != null) {
            annotations.putAll(copy.getMetadata().getAnnotations());
        }
        annotations.put(annotation, Long.toString(fence.token()));
        copy.getMetadata().setAnnotations(annotations);
        return copy;
    }

    private Patch stamped(Patch patch) {
        if (annotation == null || patch.subresource() != null || patch.kind() == Patch.Kind.JSON) {
            return patch;
        }
        try {
            JsonNode body = KubernetesJson.mapper().readTree(patch.body());
            if (!(body instanceof ObjectNode object)) {
                return patch;
            }
            object.withObject("/metadata").withObject("/annotations").put(annotation, Long.toString(fence.token()));
            return new Patch(patch.kind(), object.toString(), null, patch.fieldManager(), patch.force());
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("expected a patch in JSON: " + e.getOriginalMessage(), e);
        }
    }

    @Override
    public <T extends HasMetadata> Optional<T> get(ResourceType<T> type, @Nullable String namespace, String name) {
        return client.get(type, namespace, name);
    }

    @Override
    public <T extends HasMetadata> Page<T> list(ResourceType<T> type, @Nullable String namespace, ListOptions options) {
        return client.list(type, namespace, options);
    }

    @Override
    public <T extends HasMetadata> T create(ResourceType<T> type, T object) {
        check("create", type, object);
        return client.create(type, stamped(object));
    }

    @Override
    public <T extends HasMetadata> Written createOnly(ResourceType<T> type, T object) {
        check("create", type, object);
        return client.createOnly(type, stamped(object));
    }

    @Override
    public <T extends HasMetadata> T update(ResourceType<T> type, T object) {
        check("update", type, object);
        return client.update(type, stamped(object));
    }

    @Override
    public <T extends HasMetadata> T updateStatus(ResourceType<T> type, T object) {
        check("update status of", type, object);
        return client.updateStatus(type, object);
    }

    @Override
    public <T extends HasMetadata> Written updateStatusOnly(ResourceType<T> type, T object) {
        check("update status of", type, object);
        return client.updateStatusOnly(type, object);
    }

    @Override
    public <T extends HasMetadata> T patch(ResourceType<T> type, @Nullable String namespace, String name, Patch patch) {
        check("patch", type, namespace, name);
        return client.patch(type, namespace, name, stamped(patch));
    }

    @Override
    public <T extends HasMetadata> Written patchOnly(
            ResourceType<T> type, @Nullable String namespace, String name, Patch patch) {
        check("patch", type, namespace, name);
        return client.patchOnly(type, namespace, name, stamped(patch));
    }

    @Override
    public void delete(ResourceType<?> type, @Nullable String namespace, String name, DeleteOptions options) {
        check("delete", type, namespace, name);
        client.delete(type, namespace, name, options);
    }

    @Override
    public void deleteCollection(
            ResourceType<?> type, @Nullable String namespace, DeleteOptions options, ListOptions list) {
        check("delete collection of", type, namespace, null);
        client.deleteCollection(type, namespace, options, list);
    }

    @Override
    public <R> R createSubresource(
            ResourceType<?> type,
            @Nullable String namespace,
            String name,
            String subresource,
            Object body,
            Class<R> answer) {
        check("create " + subresource + " of", type, namespace, name);
        return client.createSubresource(type, namespace, name, subresource, body, answer);
    }

    @Override
    public <R> R updateSubresource(
            ResourceType<?> type,
            @Nullable String namespace,
            String name,
            String subresource,
            Object body,
            Class<R> answer) {
        check("update " + subresource + " of", type, namespace, name);
        return client.updateSubresource(type, namespace, name, subresource, body, answer);
    }

    @Override
    public WriteMode writes() {
        return client.writes();
    }

    @Override
    public byte[] raw(String method, String pathAndQuery, byte @Nullable [] body) {
        if (!method.equals("GET") && !fence.holds()) {
            throw new FencedException(fence, method + " " + pathAndQuery);
        }
        return client.raw(method, pathAndQuery, body);
    }

    @Override
    public <T extends HasMetadata> ListWatch<T> listWatch(ResourceType<T> type, WatchScope scope) {
        return client.listWatch(type, scope);
    }
}
