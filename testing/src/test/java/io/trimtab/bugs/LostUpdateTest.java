package io.trimtab.bugs;

import static io.trimtab.junit.Workloads.service;

import io.fabric8.kubernetes.api.model.Service;
import io.trimtab.client.Client;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Result;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Oracle;
import java.util.Set;

/** Puts back the whole object as it was cached, without saying of which revision: what others wrote since is gone. */
class LostUpdateTest extends BugContract {
    private static Controller controller(Manager manager, boolean mended) {
        Client client = manager.client("stamper");
        var services = manager.informers().informer(Service.class).lister();
        return Controller.of("stamper", Service.class).reconcile(request -> {
            Service cached = services.get(request.namespace(), request.name()).orElse(null);
            if (cached != null
                    && !request.name().equals("kubernetes")
                    && !"yes".equals(cached.getMetadata().getAnnotations().get("example.com/stamp"))) {
                Service service = KubernetesJson.copy(cached);
                service.getMetadata().getAnnotations().put("example.com/stamp", "yes");
                if (!mended) {
                    service.getMetadata().setResourceVersion(null); // "to get rid of these conflicts"
                }
                client.update(ResourceType.of(Service.class), service);
            }
            return Result.done();
        });
    }

    @Override
    void play(Cluster cluster, boolean mended) {
        cluster.run(manager -> controller(manager, mended))
                .apply(service("web"))
                .settle();
    }

    @Override
    Set<Oracle> violated() {
        return Set.of(Oracle.NO_LOST_UPDATE);
    }
}
