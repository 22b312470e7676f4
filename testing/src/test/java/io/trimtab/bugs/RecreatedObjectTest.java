package io.trimtab.bugs;

import static io.trimtab.junit.Workloads.service;

import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Result;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Oracle;
import java.util.HashSet;
import java.util.Set;

/** Remembers by name which Services it has served: a new one of an old name is not served. */
class RecreatedObjectTest extends BugContract {
    private static Controller controller(Manager manager, boolean mended) {
        Client client = manager.client("settings");
        var services = manager.informers().informer(Service.class).lister();
        Set<String> done = new HashSet<>();
        return Controller.of("settings", Service.class).reconcile(request -> {
            Service service = services.get(request.namespace(), request.name()).orElse(null);
            if (service == null || request.name().equals("kubernetes")) {
                return Result.done();
            }
            String key = mended ? service.getMetadata().getUid() : request.toString();
            if (done.contains(key)) {
                return Result.done();
            }
            try {
                client.create(
                        CONFIG_MAPS,
                        new ConfigMapBuilder()
                                .withNewMetadata()
                                .withName(request.name())
                                .withNamespace("default")
                                .withOwnerReferences(ownedBy(service))
                                .endMetadata()
                                .build());
            } catch (ApiException e) {
                boolean own = e.isAlreadyExists()
                        && client.get(CONFIG_MAPS, "default", request.name())
                                .filter(c ->
                                        c.getMetadata().getOwnerReferences().contains(ownedBy(service)))
                                .isPresent();
                if (!own) {
                    throw e; // the old one's is still being collected
                }
            }
            done.add(key);
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
        return Set.of(Oracle.CONVERGENCE, Oracle.SAME_END_STATE);
    }
}
