package io.trimtab.apiserver.admission;

import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.StoredObject;

/** Refuses every write in a namespace that does not exist. */
final class NamespaceExists implements AdmissionPlugin {
    @Override
    public String name() {
        return "NamespaceExists";
    }

    @Override
    public void validate(Attributes attributes) {
        boolean isNamespace = attributes.resource().group().isEmpty()
                && attributes.resource().plural().equals("namespaces");
        if (!attributes.namespace().isEmpty() && !isNamespace && attributes.operation() != Operation.CONNECT) {
            find(attributes);
        }
    }

    /** The namespace in which the write happens; 404 if it does not exist. */
    static StoredObject find(Attributes attributes) {
        return attributes
                .context()
                .storage()
                .get(CoreResources.NAMESPACES, null, attributes.namespace())
                .orElseThrow(() -> Statuses.notFound("", "namespaces", attributes.namespace()));
    }
}
