package io.trimtab.client;

import io.fabric8.kubernetes.api.model.HasMetadata;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Reads an object, changes it, and writes it back; if somebody else wrote in between, again from the start. For the few places
 * where a program changes what others change as well; a reconciler that meets a conflict does better to look again at
 * everything. Stateless.
 *
 * @since 0.1
 */
public final class Edits {
    /** client-go's number: five in a row mean that something is wrong. */
    private static final int TRIES = 5;

    private Edits() {}

    /**
     * Changes an object; returns it as stored.
     *
     * @param change is given the object as it is now, which it may change in place; perhaps more than once. To change nothing, it
     *     returns null
     * @throws ApiException if the object is not there, or keeps changing, or the server refuses
     */
    public static <T extends HasMetadata> T object(
            Client client,
            ResourceType<T> type,
            @Nullable String namespace,
            String name,
            UnaryOperator<@Nullable T> change) {
        return edit(client, type, namespace, name, change, false);
    }

    /** The same for its status. */
    public static <T extends HasMetadata> T status(
            Client client,
            ResourceType<T> type,
            @Nullable String namespace,
            String name,
            UnaryOperator<@Nullable T> change) {
        return edit(client, type, namespace, name, change, true);
    }

    private static <T extends HasMetadata> T edit(
            Client client,
            ResourceType<T> type,
            @Nullable String namespace,
            String name,
            UnaryOperator<@Nullable T> change,
            boolean status) {
        for (int i = 1; ; i++) {
            T now = client.get(type, namespace, name)
                    .orElseThrow(() -> new ApiException(new io.fabric8.kubernetes.api.model.StatusBuilder()
                            .withStatus("Failure")
                            .withCode(404)
                            .withReason("NotFound")
                            .withMessage(type.qualifiedName() + " \"" + name + "\" not found")
                            .build()));
            T changed = change.apply(KubernetesJson.copy(now));
            if (changed == null || changed.equals(now)) {
                return now;
            }
            try {
                return status ? client.updateStatus(type, changed) : client.update(type, changed);
            } catch (ApiException e) {
                if (!e.isConflict() || i == TRIES) {
                    throw e;
                }
            }
        }
    }
}
