package io.trimtab.informer;

import io.fabric8.kubernetes.api.model.HasMetadata;
import org.jspecify.annotations.Nullable;

/** Where an object lies in a cache: its namespace (empty for cluster-scoped objects) and name. */
record ObjectKey(String namespace, String name) {
    static ObjectKey of(HasMetadata object) {
        String namespace = object.getMetadata().getNamespace();
        return new ObjectKey(
                namespace == null ? "" : namespace, object.getMetadata().getName());
    }

    // By hand: caches and queues ask for every event, and what is made for a record is slow until it is well warmed up.
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ObjectKey key && name.equals(key.name) && namespace.equals(key.namespace);
    }

    @Override
    public int hashCode() {
        return namespace.hashCode() * 31 + name.hashCode();
    }
}
