package io.trimtab.examples.josdk;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.processing.dependent.kubernetes.CRUDKubernetesDependentResource;
import java.util.Map;

/** The address of a site. */
public final class SiteService extends CRUDKubernetesDependentResource<Service, WebSite> {
    @Override
    protected Service desired(WebSite site, Context<WebSite> context) {
        return new ServiceBuilder()
                .withNewMetadata()
                .withName(site.getMetadata().getName())
                .withNamespace(site.getMetadata().getNamespace())
                .endMetadata()
                .withNewSpec()
                .withSelector(Map.of("website", site.getMetadata().getName()))
                .addNewPort()
                .withPort(80)
                .endPort()
                .endSpec()
                .build();
    }
}
