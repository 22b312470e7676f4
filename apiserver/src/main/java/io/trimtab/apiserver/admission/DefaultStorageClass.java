package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.StoredObject;

/** Gives claims without a class the default one. */
final class DefaultStorageClass implements AdmissionPlugin {
    private static final String CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";

    @Override
    public String name() {
        return "DefaultStorageClass";
    }

    @Override
    public void admit(Attributes attributes) {
        ObjectNode claim = attributes.object();
        if (claim == null
                || attributes.operation() != Operation.CREATE
                || !attributes.isFor("", "persistentvolumeclaims")
                || claim.path("metadata").path("annotations").has(CLASS_ANNOTATION)
                || claim.path("spec").hasNonNull("storageClassName")) {
            return;
        }
        StoredObject standard = Newest.annotated(
                attributes.context().storage(),
                CoreResources.STORAGE_CLASSES,
                "storageclass.kubernetes.io/is-default-class",
                "storageclass.beta.kubernetes.io/is-default-class");
        if (standard != null) {
            PodTrees.spec(claim).put("storageClassName", standard.name());
        }
    }

    /** The class that a claim names, also in the way of old; empty for none. */
    static String classOf(JsonNode claim) {
        JsonNode annotation = claim.path("metadata").path("annotations").path(CLASS_ANNOTATION);
        return annotation.isTextual() ? annotation.asText() : PodTrees.text(claim.path("spec"), "storageClassName");
    }
}
