package io.trimtab.client;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import org.jspecify.annotations.Nullable;

/**
 * Deletions for which it is no failure that somebody else was first. Stateless.
 *
 * @since 0.1
 */
public final class Deletions {
    private Deletions() {}

    /**
     * Deletes whatever has the name and namespace of an object.
     *
     * @return false if nothing had
     * @throws ApiException if the server refuses for another reason
     */
    public static boolean ifThere(Client client, ResourceType<?> type, HasMetadata object) {
        return ifThere(
                client,
                type,
                object.getMetadata().getNamespace(),
                object.getMetadata().getName());
    }

    /**
     * Deletes whatever has this name.
     *
     * @param namespace null for what lives in none
     * @return false if nothing had
     * @throws ApiException if the server refuses for another reason
     */
    public static boolean ifThere(Client client, ResourceType<?> type, @Nullable String namespace, String name) {
        return ifThere(client, type, namespace, name, new DeleteOptions());
    }

    /** The same with options. */
    public static boolean ifThere(
            Client client, ResourceType<?> type, @Nullable String namespace, String name, DeleteOptions options) {
        try {
            client.delete(type, namespace, name, options);
            return true;
        } catch (ApiException e) {
            if (e.isNotFound()) {
                return false;
            }
            throw e;
        }
    }

    /**
     * Deletes this very object, by its uid, and never another that has taken its name meanwhile.
     *
     * @return false if it was gone
     * @throws ApiException if the server refuses for another reason
     */
    public static boolean exactly(Client client, ResourceType<?> type, HasMetadata object) {
        return exactly(client, type, object, new DeleteOptions());
    }

    /** The same with options, to whose preconditions the uid is added. */
    public static boolean exactly(Client client, ResourceType<?> type, HasMetadata object, DeleteOptions options) {
        DeleteOptions exact = new DeleteOptionsBuilder(options)
                .editOrNewPreconditions()
                .withUid(object.getMetadata().getUid())
                .endPreconditions()
                .build();
        try {
            return ifThere(
                    client,
                    type,
                    object.getMetadata().getNamespace(),
                    object.getMetadata().getName(),
                    exact);
        } catch (ApiException e) {
            if (e.isConflict()) {
                return false;
            }
            throw e;
        }
    }
}
