package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Keeps volumes and claims from vanishing while they are in use; a controller takes the finalizer away. */
final class StorageObjectInUseProtection implements AdmissionPlugin {
    @Override
    public String name() {
        return "StorageObjectInUseProtection";
    }

    @Override
    public void admit(Attributes attributes) {
        ObjectNode object = attributes.object();
        if (object == null || attributes.operation() != Operation.CREATE) {
            return;
        }
        if (attributes.isFor("", "persistentvolumes")) {
            add(object, "kubernetes.io/pv-protection");
        } else if (attributes.isFor("", "persistentvolumeclaims")) {
            add(object, "kubernetes.io/pvc-protection");
        } else if (attributes.isFor("storage.k8s.io", "volumeattributesclasses")) {
            add(object, "kubernetes.io/vac-protection");
        }
    }

    private static void add(ObjectNode object, String finalizer) {
        ArrayNode finalizers = PodTrees.array(PodTrees.object(object, "metadata"), "finalizers");
        for (JsonNode there : finalizers) {
            if (there.asText().equals(finalizer)) {
                return;
            }
        }
        finalizers.add(finalizer);
    }
}
