package io.trimtab.apiserver.admission;

import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.storage.StoredObject;
import java.util.Set;

/** Keeps objects out of namespaces that do not exist or are going, and the namespaces alive that a cluster needs. */
final class NamespaceLifecycle implements AdmissionPlugin {
    private static final Set<String> IMMORTAL = Set.of("default", "kube-system", "kube-public");

    @Override
    public String name() {
        return "NamespaceLifecycle";
    }

    @Override
    public void admit(Attributes attributes) {
        ApiResource resource = attributes.resource();
        if (resource.group().isEmpty() && resource.plural().equals("namespaces")) {
            if (attributes.operation() == Operation.DELETE && IMMORTAL.contains(attributes.name())) {
                throw Statuses.forbidden("", "namespaces", attributes.name(), "this namespace may not be deleted");
            }
            return;
        }
        // Whoever asks about access in a namespace need not have one yet.
        boolean isReview = resource.group().equals("authorization.k8s.io")
                && resource.plural().equals("localsubjectaccessreviews");
        boolean creates = attributes.operation() == Operation.CREATE;
        if (attributes.namespace().isEmpty() || isReview || !creates && attributes.operation() != Operation.UPDATE) {
            return;
        }
        StoredObject namespace = NamespaceExists.find(attributes);
        if (creates && PodTrees.text(namespace.tree().path("status"), "phase").equals("Terminating")) {
            throw terminating(attributes);
        }
    }

    private static StatusException terminating(Attributes attributes) {
        String namespace = attributes.namespace();
        StatusException refusal = Refusals.forbidden(
                attributes,
                "unable to create new content in namespace " + namespace + " because it is being terminated");
        refusal.status()
                .withObjectProperty("details")
                .putArray("causes")
                .addObject()
                .put("reason", "NamespaceTerminating")
                .put("message", "namespace " + namespace + " is being terminated")
                .put("field", "metadata.namespace");
        return refusal;
    }
}
