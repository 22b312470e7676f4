package io.trimtab.bugs;

import static io.trimtab.junit.Workloads.service;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Service;
import io.trimtab.client.Client;
import io.trimtab.client.KubernetesJson;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Result;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Oracle;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes a child first and gives it its owner afterwards: what is made in between belongs to nobody. */
class OrphanOnPartialCreateTest extends BugContract {
    private static Controller controller(Manager manager, boolean mended) {
        Client client = manager.client("adopter");
        var services = manager.informers().informer(Service.class).lister();
        return Controller.of("adopter", Service.class).reconcile(request -> {
            Service service = services.get(request.namespace(), request.name()).orElse(null);
            if (service == null || request.name().equals("kubernetes")) {
                return Result.done();
            }
            ConfigMap child = client.get(CONFIG_MAPS, "default", request.name()).orElse(null);
            if (child == null) {
                ConfigMap made = configMap(request.name(), Map.of());
                if (mended) {
                    made.getMetadata().setOwnerReferences(List.of(ownedBy(service)));
                    client.create(CONFIG_MAPS, made);
                } else {
                    ConfigMap stored = KubernetesJson.copy(client.create(CONFIG_MAPS, made));
                    stored.getMetadata().setOwnerReferences(List.of(ownedBy(service)));
                    client.update(CONFIG_MAPS, stored);
                }
            } else if (mended && !child.getMetadata().getOwnerReferences().contains(ownedBy(service))) {
                return Result.again(); // an old one's, about to be collected
            }
            return Result.done();
        });
    }

    @Override
    void play(Cluster cluster, boolean mended) {
        Service web = service("web");
        cluster.run(manager -> controller(manager, mended)).apply(web).settle();
        cluster.delete(web).settle();
    }

    @Override
    Set<Oracle> violated() {
        return Set.of(Oracle.NO_ORPHANS, Oracle.SAME_END_STATE);
    }
}
