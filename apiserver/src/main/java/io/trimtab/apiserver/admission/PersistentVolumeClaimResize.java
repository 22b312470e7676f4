package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.quantity.Quantity;
import io.trimtab.apiserver.resource.CoreResources;

/** Lets claims grow only where their class says that its volumes can. */
final class PersistentVolumeClaimResize implements AdmissionPlugin {
    @Override
    public String name() {
        return "PersistentVolumeClaimResize";
    }

    @Override
    public void validate(Attributes attributes) {
        ObjectNode claim = attributes.object();
        ObjectNode old = attributes.old();
        if (claim == null
                || old == null
                || attributes.operation() != Operation.UPDATE
                || !attributes.isFor("", "persistentvolumeclaims")
                || size(claim).compareTo(size(old)) <= 0) {
            return;
        }
        if (!PodTrees.text(old.path("status"), "phase").equals("Bound")) {
            throw Refusals.forbidden(attributes, "Only bound persistent volume claims can be expanded");
        }
        String name = DefaultStorageClass.classOf(claim);
        boolean allowed = !name.isEmpty()
                && name.equals(DefaultStorageClass.classOf(old))
                && attributes
                        .context()
                        .storage()
                        .get(CoreResources.STORAGE_CLASSES, null, name)
                        .map(found -> found.tree().path("allowVolumeExpansion").asBoolean(false))
                        .orElse(false);
        if (!allowed) {
            throw Refusals.forbidden(
                    attributes,
                    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must"
                            + " support resize");
        }
    }

    private static Quantity size(ObjectNode claim) {
        JsonNode size = claim.path("spec").path("resources").path("requests").get("storage");
        return size == null ? Quantity.ZERO : Quantity.parse(size.asText());
    }
}
