package io.trimtab.controller;

import io.fabric8.kubernetes.api.model.HasMetadata;
import org.jspecify.annotations.Nullable;

/**
 * What to look at: a name, never an event. Level-based controllers look at the world as it is when they run.
 *
 * @param namespace empty for cluster-scoped objects
 * @param name the object's name
 * @param cluster which cluster it is in; empty for the manager's own
 */
public record Request(String namespace, String name, String cluster) {

    /** In the manager's own cluster. */
    public Request(String namespace, String name) {
        this(namespace, name, "");
    }

    /** The same name in another cluster. */
    public Request in(String otherCluster) {
        return new Request(namespace, name, otherCluster);
    }

    public static Request of(HasMetadata object) {
        String namespace = object.getMetadata().getNamespace();
        return new Request(
                namespace == null ? "" : namespace, object.getMetadata().getName());
    }

    // By hand: caches and queues ask for every event, and what is made for a record is slow until it is well warmed up.
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Request request && name.equals(request.name) && namespace.equals(request.namespace);
    }

    @Override
    public int hashCode() {
        return namespace.hashCode() * 31 + name.hashCode();
    }

    @Override
    public String toString() {
        String inCluster = namespace.isEmpty() ? name : namespace + "/" + name;
        return cluster.isEmpty() ? inCluster : cluster + ":" + inCluster;
    }
}
