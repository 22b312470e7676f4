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
import java.util.Set;

/** Logs an error, and says that it is done: nobody tries again. */
class RequeueLostTest extends BugContract {
    private static Controller controller(Manager manager, boolean mended) {
        Client client = manager.client("careless");
        var services = manager.informers().informer(Service.class).lister();
        return Controller.of("careless", Service.class).reconcile(request -> {
            Service service = services.get(request.namespace(), request.name()).orElse(null);
            if (service == null || request.name().equals("kubernetes")) {
                return Result.done();
            }
            try {
                if (client.get(CONFIG_MAPS, "default", request.name())
                        .filter(c -> c.getMetadata().getOwnerReferences().contains(ownedBy(service)))
                        .isEmpty()) {
                    client.create(
                            CONFIG_MAPS,
                            new ConfigMapBuilder()
                                    .withNewMetadata()
                                    .withName(request.name())
                                    .withNamespace("default")
                                    .withOwnerReferences(ownedBy(service))
                                    .endMetadata()
                                    .build());
                }
            } catch (ApiException e) {
                return mended ? Result.again() : Result.done();
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
        return Set.of(Oracle.CONVERGENCE, Oracle.IDEMPOTENCE, Oracle.SAME_END_STATE);
    }
}
