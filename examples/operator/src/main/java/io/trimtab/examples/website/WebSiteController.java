package io.trimtab.examples.website;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.client.Apply;
import io.trimtab.client.Client;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Finalizers;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import java.util.Map;

/**
 * Makes what a WebSite asks for. Every reconcile says the whole of it again, by server-side apply: that is idempotent, so it does
 * not matter after which write the last one was interrupted.
 */
public final class WebSiteController implements Reconciler {
    static final String NAME = "website-operator";
    static final String FINALIZER = "examples.trimtab.io/host";
    /** Where hosts are published. Nothing in it can be owned by a site of another namespace, so no garbage collector cleans it. */
    static final String HOSTS = "hosts";

    private static final ResourceType<WebSite> SITES = ResourceType.of(WebSite.class);
    private static final ResourceType<ConfigMap> MAPS = ResourceType.of(ConfigMap.class);

    private final Client client;
    private final Apply apply;
    private final EventRecorder events;
    private final Lister<WebSite> sites;
    private final Lister<Deployment> deployments;

    private WebSiteController(Manager manager) {
        client = manager.client(NAME);
        apply = Apply.as(NAME, client);
        events = manager.events(NAME);
        sites = manager.informers().informer(WebSite.class).lister();
        deployments = manager.informers().informer(Deployment.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        return Controller.of(NAME, WebSite.class)
                .owns(Deployment.class)
                .owns(Service.class)
                .workers(2)
                .reconcile(new WebSiteController(manager));
    }

    @Override
    public Result reconcile(Request request) {
        WebSite site = sites.get(request.namespace(), request.name()).orElse(null);
        if (site == null) {
            return Result.done();
        }
        if (Finalizers.isDeleting(site)) {
            withdraw(site);
            return Result.done();
        }
        // Before anything that it would have to clean up.
        site = Finalizers.add(client, SITES, site, FINALIZER);
        apply.object(deployment(site));
        apply.object(service(site));
        publish(site);
        report(site);
        return Result.done();
    }

    private void publish(WebSite site) {
        if (site.getSpec().host.isEmpty()) {
            unpublish(site);
        } else {
            apply.object(host(site));
        }
    }

    private void withdraw(WebSite site) {
        if (Finalizers.has(site, FINALIZER)) {
            unpublish(site);
            Finalizers.remove(client, SITES, site, FINALIZER);
        }
    }

    private void unpublish(WebSite site) {
        String name = host(site).getMetadata().getName();
        if (client.get(MAPS, HOSTS, name).isPresent()) {
            try {
                client.delete(MAPS, HOSTS, name, new DeleteOptions());
            } catch (ApiException e) {
                if (!e.isNotFound()) {
                    throw e;
                }
            }
        }
    }

    private void report(WebSite site) {
        int ready = deployments
                .get(site.getMetadata().getNamespace(), site.getMetadata().getName())
                .map(deployment ->
                        deployment.getStatus() == null || deployment.getStatus().getReadyReplicas() == null
                                ? 0
                                : deployment.getStatus().getReadyReplicas())
                .orElse(0);
        WebSite.Status before = site.getStatus();
        boolean isUp = ready >= site.getSpec().replicas;
        if (isUp && before.readyReplicas < site.getSpec().replicas) {
            events.normal(site, "Up", "All " + ready + " replicas are ready");
        }
        WebSite answer = new WebSite();
        answer.setMetadata(new ObjectMetaBuilder()
                .withName(site.getMetadata().getName())
                .withNamespace(site.getMetadata().getNamespace())
                .build());
        answer.getStatus().readyReplicas = ready;
        answer.getStatus().observedGeneration = site.getMetadata().getGeneration();
        answer.getStatus().address = "http://" + site.getMetadata().getName() + "."
                + site.getMetadata().getNamespace() + ".svc";
        apply.status(answer);
    }

    // ---- what a site is made of: pure

    static Deployment deployment(WebSite site) {
        Map<String, String> labels = Map.of("website", site.getMetadata().getName());
        return new DeploymentBuilder()
                .withNewMetadata()
                .withName(site.getMetadata().getName())
                .withNamespace(site.getMetadata().getNamespace())
                .withOwnerReferences(ownedBy(site))
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

    static Service service(WebSite site) {
        return new ServiceBuilder()
                .withNewMetadata()
                .withName(site.getMetadata().getName())
                .withNamespace(site.getMetadata().getNamespace())
                .withOwnerReferences(ownedBy(site))
                .endMetadata()
                .withNewSpec()
                .withSelector(Map.of("website", site.getMetadata().getName()))
                .addNewPort()
                .withPort(80)
                .endPort()
                .endSpec()
                .build();
    }

    static ConfigMap host(WebSite site) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withName(site.getMetadata().getNamespace() + "."
                        + site.getMetadata().getName())
                .withNamespace(HOSTS)
                .endMetadata()
                .withData(Map.of("host", site.getSpec().host))
                .build();
    }

    private static OwnerReference ownedBy(WebSite site) {
        return new OwnerReferenceBuilder()
                .withApiVersion(site.getApiVersion())
                .withKind(site.getKind())
                .withName(site.getMetadata().getName())
                .withUid(site.getMetadata().getUid())
                .withController(true)
                .withBlockOwnerDeletion(true)
                .build();
    }
}
