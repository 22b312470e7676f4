package io.trimtab.examples.josdk;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.processing.dependent.kubernetes.CRUDKubernetesDependentResource;
import java.util.Map;

/** The pods of a site. */
public final class SiteDeployment extends CRUDKubernetesDependentResource<Deployment, WebSite> {
    @Override
    protected Deployment desired(WebSite site, Context<WebSite> context) {
        Map<String, String> labels = Map.of("website", site.getMetadata().getName());
        return new DeploymentBuilder()
                .withNewMetadata()
                .withName(site.getMetadata().getName())
                .withNamespace(site.getMetadata().getNamespace())
                .endMetadata()
                .withNewSpec()
                .withReplicas(site.getSpec().replicas)
                .withNewSelector()
                .withMatchLabels(labels)
                .endSelector()
                .withNewTemplate()
                .withNewMetadata()
                .withLabels(labels)
                .endMetadata()
                .withNewSpec()
                .addNewContainer()
                .withName("site")
                .withImage(site.getSpec().image)
                .endContainer()
                .endSpec()
                .endTemplate()
                .endSpec()
                .build();
    }
}
