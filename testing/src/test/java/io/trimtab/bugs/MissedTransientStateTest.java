package io.trimtab.bugs;

import static io.trimtab.junit.Workloads.service;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.Service;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Result;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Oracle;
import java.util.Map;
import java.util.Set;

/**
 * Opens a firewall rule for each Service, and closes it when it is told of the deletion: which a program that was down then is
 * never told of. Mended, it compares the rules that are there with the Services that are there.
 */
class MissedTransientStateTest extends BugContract {
    private static Controller controller(Manager manager, boolean mended) {
        Client client = manager.client("firewall");
        var services = manager.informers().informer(Service.class).lister();
        var rules = manager.informers()
                .informer(io.fabric8.kubernetes.api.model.ConfigMap.class)
                .lister();
        Controller.Builder controller = Controller.of("firewall", Service.class);
        if (mended) {
            // Each rule wakes the key of its Service, be that there or not.
            controller.watches(io.fabric8.kubernetes.api.model.ConfigMap.class, (change, queue) -> {
                String name = change.latest().getMetadata().getName();
                if (name.startsWith("rule-")) {
                    queue.add(new io.trimtab.controller.Request("default", name.substring("rule-".length())));
                }
            });
        }
        return controller.reconcile(request -> {
            String rule = "rule-" + request.name();
            boolean wanted = services.get(request.namespace(), request.name()).isPresent();
            boolean there = rules.get("default", rule).isPresent();
            if (wanted && !there) {
                try {
                    client.create(CONFIG_MAPS, configMap(rule, Map.of("port", "80")));
                } catch (ApiException e) {
                    if (!e.isAlreadyExists()) {
                        throw e;
                    }
                }
            } else if (!wanted && there) {
                client.delete(CONFIG_MAPS, "default", rule, new DeleteOptions());
            }
            return Result.done();
        });
    }

    @Override
    void play(Cluster cluster, boolean mended) {
        Service web = service("web");
        cluster.run(manager -> controller(manager, mended))
                .apply(web, service("db"))
                .settle();
        cluster.delete(web).settle();
    }

    @Override
    Set<Oracle> violated() {
        return Set.of(Oracle.NO_ORPHANS, Oracle.SAME_END_STATE);
    }
}
