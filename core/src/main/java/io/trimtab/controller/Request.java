package io.trimtab.controller;

import io.fabric8.kubernetes.api.model.HasMetadata;

/**
 * What to look at: a name, never an event. Level-based controllers look at the world as it is when they run.
 *
 * @param namespace empty for cluster-scoped objects
 * @param name the object's name
 */
public record Request(String namespace, String name) {

    public static Request of(HasMetadata object) {
        String namespace = object.getMetadata().getNamespace();
        return new Request(
                namespace == null ? "" : namespace, object.getMetadata().getName());
    }

    @Override
    public String toString() {
        return namespace.isEmpty() ? name : namespace + "/" + name;
    }
}
