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

/** Makes an object that can never be valid, and tries again for ever. Mended, it takes the refusal for an answer. */
class RetriedForEverTest extends BugContract {
    private static Controller controller(Manager manager, boolean mended) {
        Client client = manager.client("stubborn");
        var services = manager.informers().informer(Service.class).lister();
        return Controller.of("stubborn", Service.class).reconcile(request -> {
            Service service = services.get(request.namespace(), request.name()).orElse(null);
            if (service == null || request.name().equals("kubernetes")) {
                return Result.done();
            }
            try {
                client.create(
                        CONFIG_MAPS,
                        new ConfigMapBuilder()
                                .withNewMetadata()
                                .withName("Settings_of_" + request.name())
                                .withNamespace("default")
                                .withOwnerReferences(ownedBy(service))
                                .endMetadata()
                                .build());
            } catch (ApiException e) {
                if (!mended || !e.isInvalid()) {
                    throw e;
                }
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
        return Set.of(Oracle.NO_REPEATED_FAILURE);
    }
}
