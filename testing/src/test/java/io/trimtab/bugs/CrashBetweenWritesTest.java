package io.trimtab.bugs;

import static io.trimtab.junit.Workloads.service;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.Service;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Result;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Oracle;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes a child of a drawn name, then writes the name down. Who dies in between makes another one. */
class CrashBetweenWritesTest extends BugContract {
    private static final ResourceType<Service> SERVICES = ResourceType.of(Service.class);

    private static Controller controller(Manager manager, boolean mended) {
        Client client = manager.client("drawer");
        return Controller.of("drawer", Service.class).reconcile(request -> {
            Service service =
                    client.get(SERVICES, request.namespace(), request.name()).orElse(null);
            if (service == null || "kubernetes".equals(request.name())) {
                return Result.done();
            }
            Map<String, String> annotations = service.getMetadata().getAnnotations();
            if (annotations != null && annotations.containsKey("example.com/child")) {
                return Result.done();
            }
            ConfigMap child = mended ? existing(client, service) : null;
            if (child == null) {
                child = client.create(
                        CONFIG_MAPS,
                        new ConfigMapBuilder()
                                .withNewMetadata()
                                .withGenerateName(request.name() + "-")
                                .withNamespace(request.namespace())
                                .withOwnerReferences(ownedBy(service))
                                .endMetadata()
                                .build());
            }
            client.patch(
                    SERVICES,
                    request.namespace(),
                    request.name(),
                    Patch.merge("{\"metadata\":{\"annotations\":{\"example.com/child\":\""
                            + child.getMetadata().getName() + "\"}}}"));
            return Result.done();
        });
    }

    private static ConfigMap existing(Client client, Service owner) {
        List<ConfigMap> all =
                client.list(CONFIG_MAPS, "default", new ListOptions()).items();
        return all.stream()
                .filter(child -> child.getMetadata().getOwnerReferences().contains(ownedBy(owner)))
                .findFirst()
                .orElse(null);
    }

    @Override
    void play(Cluster cluster, boolean mended) {
        cluster.run(manager -> controller(manager, mended))
                .apply(service("web"))
                .settle();
    }

    @Override
    Set<Oracle> violated() {
        return Set.of(Oracle.SAME_END_STATE);
    }
}
