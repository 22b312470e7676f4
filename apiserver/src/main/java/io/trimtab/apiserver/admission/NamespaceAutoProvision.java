package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.Storage;
import io.trimtab.runtime.Driver;
import java.time.Instant;
import java.util.UUID;

/** Makes the namespace that a write needs. */
final class NamespaceAutoProvision implements AdmissionPlugin {
    @Override
    public String name() {
        return "NamespaceAutoProvision";
    }

    @Override
    public void admit(Attributes attributes) {
        String name = attributes.namespace();
        boolean isNamespace = attributes.resource().group().isEmpty()
                && attributes.resource().plural().equals("namespaces");
        Storage storage = attributes.context().storage();
        if (attributes.context().dryRun()
                || name.isEmpty()
                || isNamespace
                || attributes.operation() != Operation.CREATE
                || storage.get(CoreResources.NAMESPACES, null, name).isPresent()) {
            return;
        }
        Driver driver = attributes.context().driver();
        ObjectNode namespace = JsonNodeFactory.instance.objectNode();
        namespace.put("apiVersion", "v1").put("kind", "Namespace");
        ObjectNode metadata = namespace.putObject("metadata");
        long high = driver.random().nextLong() & 0xffffffffffff0fffL | 0x4000L;
        long low = driver.random().nextLong() & 0x3fffffffffffffffL | 0x8000000000000000L;
        metadata.put("name", name)
                .put("uid", new UUID(high, low).toString())
                .put(
                        "creationTimestamp",
                        Instant.ofEpochSecond(driver.now().getEpochSecond()).toString());
        metadata.putObject("labels").put("kubernetes.io/metadata.name", name);
        namespace.putObject("spec").putArray("finalizers").add("kubernetes");
        namespace.putObject("status").put("phase", "Active");
        try {
            storage.create(CoreResources.NAMESPACES, namespace);
        } catch (StatusException e) {
            if (e.code() != 409) {
                throw Refusals.forbidden(attributes, String.valueOf(e.getMessage()));
            }
        }
    }
}
