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

/** Counts its reconciles on the object that it reconciles: each write wakes it for the next. */
class HotLoopTest extends BugContract {
    private static Controller controller(Manager manager, boolean mended) {
        Client client = manager.client("counter");
        var services = manager.informers().informer(Service.class).lister();
        return Controller.of("counter", Service.class).reconcile(request -> {
            Service cached = services.get(request.namespace(), request.name()).orElse(null);
            if (cached == null || !"default".equals(request.namespace()) || "kubernetes".equals(request.name())) {
                return Result.done();
            }
            Map<String, String> annotations = cached.getMetadata().getAnnotations();
            String seen = annotations == null ? null : annotations.get("example.com/seen");
            String next = mended ? "yes" : Integer.toString(seen == null ? 1 : Integer.parseInt(seen) + 1);
            if (!next.equals(seen)) {
                Service changed = KubernetesJson.copy(cached);
                changed.getMetadata().getAnnotations().put("example.com/seen", next);
                client.update(ResourceType.of(Service.class), changed);
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
        return Set.of(Oracle.NO_HOT_LOOP);
    }
}
