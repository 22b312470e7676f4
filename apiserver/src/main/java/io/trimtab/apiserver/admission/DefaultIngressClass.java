package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.CoreResources;
import io.trimtab.apiserver.storage.StoredObject;

/** Gives ingresses without a class the default one. */
final class DefaultIngressClass implements AdmissionPlugin {
    @Override
    public String name() {
        return "DefaultIngressClass";
    }

    @Override
    public void admit(Attributes attributes) {
        ObjectNode ingress = attributes.object();
        if (ingress == null
                || attributes.operation() != Operation.CREATE
                || !attributes.isFor("networking.k8s.io", "ingresses")
                || ingress.path("spec").hasNonNull("ingressClassName")
                || ingress.path("metadata").path("annotations").has("kubernetes.io/ingress.class")) {
            return;
        }
        StoredObject standard = Newest.annotated(
                attributes.context().storage(),
                CoreResources.INGRESS_CLASSES,
                "ingressclass.kubernetes.io/is-default-class");
        if (standard != null) {
            PodTrees.spec(ingress).put("ingressClassName", standard.name());
        }
    }
}
