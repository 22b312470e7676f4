package io.trimtab.bugs;

import static io.trimtab.junit.Workloads.service;

import io.fabric8.kubernetes.api.model.ConfigMap;
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
import java.util.TreeMap;

/** Enters each Service into a register that it does not watch, and takes a conflict for done: nothing wakes it again. */
class ConflictSwallowedTest extends BugContract {
    private static Controller controller(Manager manager, boolean mended) {
        Client client = manager.client("registrar");
        var services = manager.informers().informer(Service.class).lister();
        return Controller.of("registrar", Service.class).reconcile(request -> {
            ConfigMap register = client.get(CONFIG_MAPS, "default", "register").orElseThrow();
            Map<String, String> entries = new TreeMap<>(register.getData());
            if (services.get(request.namespace(), request.name()).isPresent()) {
                entries.put(request.name(), "known");
            } else {
                entries.remove(request.name());
            }
            if (!entries.equals(register.getData())) {
                register.setData(entries);
                try {
                    client.update(CONFIG_MAPS, register);
                } catch (ApiException e) {
                    if (mended || !e.isConflict()) {
                        throw e;
                    }
                }
            }
            return Result.done();
        });
    }

    @Override
    void play(Cluster cluster, boolean mended) {
        cluster.apply(configMap("register", Map.of("none", "known")))
                .run(manager -> controller(manager, mended))
                .apply(service("web"))
                .settle()
                .apply(service("db"))
                .settle();
    }

    @Override
    Set<Oracle> violated() {
        return Set.of(Oracle.CONVERGENCE, Oracle.IDEMPOTENCE, Oracle.SAME_END_STATE);
    }
}
