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

/** Adopts what its selector matches, without asking whose it is: two owners pull at one child. */
class StolenChildTest extends BugContract {
    private static Controller controller(Manager manager, boolean mended) {
        Client client = manager.client("greedy");
        var services = manager.informers().informer(Service.class).lister();
        return Controller.of("greedy", Service.class).reconcile(request -> {
            Service service = services.get(request.namespace(), request.name()).orElse(null);
            if (service == null || request.name().equals("kubernetes")) {
                return Result.done();
            }
            ConfigMap shared = client.get(CONFIG_MAPS, "default", "shared").orElse(null);
            if (shared != null
                    && !shared.getMetadata().getOwnerReferences().contains(ownedBy(service))
                    && (!mended || shared.getMetadata().getOwnerReferences().isEmpty())) {
                ConfigMap adopted = KubernetesJson.copy(shared);
                adopted.getMetadata().setOwnerReferences(List.of(ownedBy(service)));
                client.update(CONFIG_MAPS, adopted);
            }
            return Result.done();
        });
    }

    @Override
    io.trimtab.junit.Trials trials() {
        // Who comes first gets it: that may well be another one when things go wrong.
        return super.trials().without(Oracle.SAME_END_STATE, Oracle.CONVERGENCE, Oracle.IDEMPOTENCE);
    }

    @Override
    void play(Cluster cluster, boolean mended) {
        cluster.apply(configMap("shared", Map.of()))
                .run(manager -> controller(manager, mended))
                .apply(service("web"), service("db"))
                .settle();
    }

    @Override
    Set<Oracle> violated() {
        return Set.of(Oracle.ONE_OWNER);
    }
}
