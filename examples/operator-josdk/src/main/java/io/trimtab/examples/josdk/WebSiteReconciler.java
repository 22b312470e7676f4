package io.trimtab.examples.josdk;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.javaoperatorsdk.operator.api.reconciler.Cleaner;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.DeleteControl;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.api.reconciler.Workflow;
import io.javaoperatorsdk.operator.api.reconciler.dependent.Dependent;
import java.util.Map;
import java.util.Objects;

/** Makes what a WebSite asks for. The dependents are the SDK's business; the host, in another namespace, is this class's. */
@ControllerConfiguration(finalizerName = "examples.trimtab.io/host")
@Workflow(
        dependents = {
            @Dependent(name = "deployment", type = SiteDeployment.class),
            @Dependent(name = "service", type = SiteService.class)
        })
public final class WebSiteReconciler implements Reconciler<WebSite>, Cleaner<WebSite> {
    static final String HOSTS = "hosts";

    @Override
    public UpdateControl<WebSite> reconcile(WebSite site, Context<WebSite> context) {
        String wanted = site.getSpec().host;
        if (wanted == null || wanted.isEmpty()) {
            host(site, context).delete();
        } else {
            host(site, context).forceConflicts().serverSideApply();
        }
        site.getStatus().readyReplicas = context.getSecondaryResource(Deployment.class)
                .map(deployment -> deployment.getStatus())
                .map(status -> status.getReadyReplicas())
                .orElse(0);
        site.getStatus().observedGeneration = site.getMetadata().getGeneration();
        site.getStatus().address = "http://" + site.getMetadata().getName() + "."
                + site.getMetadata().getNamespace() + ".svc";
        return UpdateControl.patchStatus(site);
    }

    @Override
    public DeleteControl cleanup(WebSite site, Context<WebSite> context) {
        host(site, context).delete();
        return DeleteControl.defaultDelete();
    }

    private static Resource<ConfigMap> host(WebSite site, Context<WebSite> context) {
        return context.getClient()
                .resource(new ConfigMapBuilder()
                        .withNewMetadata()
                        .withName(site.getMetadata().getNamespace() + "."
                                + site.getMetadata().getName())
                        .withNamespace(HOSTS)
                        .endMetadata()
                        .withData(Map.of("host", Objects.requireNonNullElse(site.getSpec().host, "")))
                        .build());
    }
}
