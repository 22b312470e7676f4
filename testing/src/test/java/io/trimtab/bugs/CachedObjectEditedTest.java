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
import java.util.Map;
import java.util.Set;

/** Changes the object that its cache shares with everybody, and writes that. When the write fails, the cache lies. */
class CachedObjectEditedTest extends BugContract {
    private static Controller controller(Manager manager, boolean mended) {
        Client client = manager.client("labeller");
        var services = manager.informers().informer(Service.class).lister();
        return Controller.of("labeller", Service.class).reconcile(request -> {
            Service cached = services.get(request.namespace(), request.name()).orElse(null);
            if (cached != null
                    && !request.name().equals("kubernetes")
                    && !"yes".equals(cached.getMetadata().getAnnotations().get("example.com/checked"))) {
                Service service = mended ? KubernetesJson.copy(cached) : cached;
                service.getMetadata().setAnnotations(Map.of("example.com/checked", "yes"));
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
        return Set.of(Oracle.CACHE_UNTOUCHED);
    }
}
