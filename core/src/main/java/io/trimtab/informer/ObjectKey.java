package io.trimtab.informer;

import io.fabric8.kubernetes.api.model.HasMetadata;

/** Where an object lies in a cache: its namespace (empty for cluster-scoped objects) and name. */
record ObjectKey(String namespace, String name) {
    static ObjectKey of(HasMetadata object) {
        String namespace = object.getMetadata().getNamespace();
        return new ObjectKey(
                namespace == null ? "" : namespace, object.getMetadata().getName());
    }
}
