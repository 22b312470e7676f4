package io.trimtab.bugs;

import static io.trimtab.junit.Workloads.service;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Result;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Oracle;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Takes all finalizers off an object when it has done its own part: others', who still had work to do, too. */
class FinalizerRaceTest extends BugContract {
    private static final ResourceType<Service> SERVICES = ResourceType.of(Service.class);
    private static final String OWN = "example.com/cleanup";

    private static Controller controller(Manager manager, boolean mended) {
        Client client = manager.client("cleaner");
        var services = manager.informers().informer(Service.class).lister();
        return Controller.of("cleaner", Service.class).reconcile(request -> {
            Service cached = services.get(request.namespace(), request.name()).orElse(null);
            if (cached == null || request.name().equals("kubernetes")) {
                return Result.done();
            }
            List<String> finalizers = new ArrayList<>(cached.getMetadata().getFinalizers());
            boolean deleting = cached.getMetadata().getDeletionTimestamp() != null;
            if (deleting && finalizers.contains(OWN) && !mended) {
                client.patch(
                        SERVICES,
                        request.namespace(),
                        request.name(),
                        Patch.merge("{\"metadata\":{\"finalizers\":null}}"));
            } else if (deleting ? finalizers.remove(OWN) : !finalizers.contains(OWN) && finalizers.add(OWN)) {
                Service changed = KubernetesJson.copy(cached);
                changed.getMetadata().setFinalizers(finalizers);
                try {
                    client.update(SERVICES, changed);
                } catch (ApiException e) {
                    if (!e.isNotFound()) {
                        throw e;
                    }
                }
            }
            return Result.done();
        });
    }

    @Override
    void play(Cluster cluster, boolean mended) {
        Service web = new ServiceBuilder(service("web"))
                .editMetadata()
                .addToFinalizers("backup.example.com/hold")
                .endMetadata()
                .build();
        cluster.run(manager -> controller(manager, mended)).apply(web).settle();
        cluster.delete(web).settle();
    }

    @Override
    Set<Oracle> violated() {
        return Set.of(Oracle.FINALIZERS_KEPT);
    }
}
