package io.trimtab.controllers.replicaset;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.trimtab.client.ResourceType;
import io.trimtab.selector.LabelSelector;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the engine has to know of a kind that keeps replicas. Stateless.
 *
 * @param <T> the kind's class
 */
public interface ReplicaKind<T extends HasMetadata> {

    ResourceType<T> type();

    /** The controller's name: source of its events, and its user agent. */
    String controllerName();

    /** {@code spec.replicas}; 1 if unset. */
    int replicas(T owner);

    /** @throws IllegalArgumentException if the selector cannot be read */
    LabelSelector selector(T owner);

    @Nullable
    PodTemplateSpec template(T owner);

    int minReadySeconds(T owner);

    ReplicaStatus status(T owner);

    /** A copy of the owner with this status. */
    T withStatus(T owner, ReplicaStatus status);

    /**
     * The uid of the owner's own controller (a Deployment), by which sets are siblings; null if it has none, or if the kind has
     * no such thing.
     */
    @Nullable
    String controllerUid(T owner);

    /**
     * Counts and conditions, the same for both kinds.
     *
     * @param replicas active pods that are ours
     * @param fullyLabeled of these, those with all labels of the template
     * @param ready of these, those that are ready
     * @param available of these, those that have been ready for long enough
     * @param observedGeneration the generation the counts belong to
     */
    record ReplicaStatus(
            int replicas,
            int fullyLabeled,
            int ready,
            int available,
            long observedGeneration,
            List<Condition> conditions) {}

    /** One condition. */
    record Condition(String type, String status, String reason, String message, String lastTransitionTime) {}
}
