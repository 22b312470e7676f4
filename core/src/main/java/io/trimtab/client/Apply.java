package io.trimtab.client;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Server-side apply on behalf of one field owner: say what you want, and only that; what others have set stays theirs, and what
 * you no longer say goes. Takes fields from other owners; {@link #polite} asks first. Safe for use by any thread.
 *
 * <pre>{@code
 * Apply apply = Apply.as("website-operator", client);
 * apply.object(deployment);
 * apply.status(website);
 * }</pre>
 */
public final class Apply {
    /** What the server sets, and refuses or ignores from others. */
    private static final List<String> SERVERS_OWN =
            List.of("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink");

    private final Client client;
    private final String owner;
    private final boolean force;

    private Apply(Client client, String owner, boolean force) {
        this.client = client;
        this.owner = owner;
        this.force = force;
    }

    /**
     * Applies as this owner.
     *
     * @param owner shows in {@code metadata.managedFields}; one for each program, the same over its restarts
     */
    public static Apply as(String owner, Client client) {
        return new Apply(client, owner, true);
    }

    /** The same, but refused with a conflict where another owner has set a field to something else. */
    public Apply polite() {
        return new Apply(client, owner, false);
    }

    /**
     * Makes the object be, and as this says; its status is left out. Returns it as stored.
     *
     * @param object with {@code metadata.name}, and a namespace if its kind has one; its class tells the resource
     * @throws ApiException if the server refuses
     */
    public <T extends HasMetadata> T object(T object) {
        return object(typeOf(object), object);
    }

    /** The same for an object whose class does not tell the resource. */
    public <T extends HasMetadata> T object(ResourceType<T> type, T object) {
        ObjectNode tree = tree(object);
        tree.remove("status");
        return send(type, object, tree, null);
    }

    /** Sets the status, and nothing else. Returns the object as stored. */
    public <T extends HasMetadata> T status(T object) {
        return status(typeOf(object), object);
    }

    /** The same for an object whose class does not tell the resource. */
    public <T extends HasMetadata> T status(ResourceType<T> type, T object) {
        ObjectNode whole = tree(object);
        ObjectNode tree = whole.objectNode();
        for (String field : List.of("apiVersion", "kind", "status")) {
            if (whole.has(field)) {
                tree.set(field, whole.get(field));
            }
        }
        // Labels and the like are not the status' business: to name them would be to own them.
        tree.putObject("metadata").put("name", object.getMetadata().getName());
        return send(type, object, tree, "status");
    }

    private <T extends HasMetadata> T send(
            ResourceType<T> type, T object, ObjectNode tree, @Nullable String subresource) {
        Patch patch = Patch.apply(tree.toString(), owner, force);
        return client.patch(
                type,
                object.getMetadata().getNamespace(),
                object.getMetadata().getName(),
                subresource == null ? patch : patch.on(subresource));
    }

    private static ObjectNode tree(HasMetadata object) {
        ObjectMapper mapper = KubernetesJson.mapper();
        ObjectNode tree = mapper.valueToTree(object);
        if (tree.get("metadata") instanceof ObjectNode metadata) {
            metadata.remove(SERVERS_OWN);
        }
        return tree;
    }

    @SuppressWarnings("unchecked") // an object's class is the class of its kind
    private static <T extends HasMetadata> ResourceType<T> typeOf(T object) {
        return ResourceType.of((Class<T>) object.getClass());
    }
}
