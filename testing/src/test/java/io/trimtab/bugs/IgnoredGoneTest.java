package io.trimtab.bugs;

import static io.trimtab.junit.Workloads.service;

import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.ListWatch;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchEvent;
import io.trimtab.client.WatchScope;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Oracle;
import io.trimtab.junit.Surroundings;
import java.time.Duration;
import java.util.Set;

/** Watches by hand, and opens the watch again where it ended: if that is too old, it does so for ever. */
class IgnoredGoneTest extends BugContract {
    private static final ResourceType<Service> SERVICES = ResourceType.of(Service.class);

    /** A list, then a watch, then another watch. */
    private static final class Loop implements AutoCloseable {
        private final Surroundings process;
        private final Client client;
        private final boolean mended;
        private final ListWatch<Service> services;
        private String revision = "";
        private AutoCloseable watch = () -> {};
        private boolean closed;

        Loop(Surroundings process, boolean mended) {
            this.process = process;
            this.client = process.api();
            this.mended = mended;
            this.services = client.listWatch(SERVICES, WatchScope.namespace("default"));
            process.driver().execute(this::list);
        }

        private void list() {
            try {
                var page = services.list(null, 0, null);
                revision = page.resourceVersion();
                page.items().forEach(this::serve);
                watch();
            } catch (ApiException e) {
                process.driver().schedule(Duration.ofSeconds(1), this::list);
            }
        }

        private void watch() {
            if (!closed) {
                watch = services.watch(revision, false, Duration.ofHours(1), this::hear);
            }
        }

        private void hear(WatchEvent<Service> event) {
            if (event instanceof WatchEvent.Added<Service> added) {
                revision = added.object().getMetadata().getResourceVersion();
                serve(added.object());
            } else if (event instanceof WatchEvent.Modified<Service> changed) {
                revision = changed.object().getMetadata().getResourceVersion();
                serve(changed.object());
            } else if (event instanceof WatchEvent.Closed<Service> end && !closed) {
                boolean expired = end.cause() != null && end.cause().isExpired();
                process.driver().schedule(Duration.ofSeconds(1), expired && mended ? this::list : this::watch);
            }
        }

        private void serve(Service service) {
            String name = service.getMetadata().getName();
            if (name.equals("kubernetes")) {
                return;
            }
            try {
                if (client.get(CONFIG_MAPS, "default", name)
                        .filter(c -> c.getMetadata().getOwnerReferences().contains(ownedBy(service)))
                        .isEmpty()) {
                    client.create(
                            CONFIG_MAPS,
                            new ConfigMapBuilder()
                                    .withNewMetadata()
                                    .withName(name)
                                    .withNamespace("default")
                                    .withOwnerReferences(ownedBy(service))
                                    .endMetadata()
                                    .build());
                }
            } catch (ApiException e) {
                process.driver().schedule(Duration.ofSeconds(1), () -> again(name));
            }
        }

        private void again(String name) {
            try {
                client.get(SERVICES, "default", name).ifPresent(this::serve);
            } catch (ApiException e) {
                process.driver().schedule(Duration.ofSeconds(1), () -> again(name));
            }
        }

        @Override
        public void close() throws Exception {
            closed = true;
            watch.close();
        }
    }

    @Override
    void play(Cluster cluster, boolean mended) {
        cluster.run("hand-made", process -> new Loop(process, mended)).settle();
        for (String name : new String[] {"web", "db", "mail"}) {
            cluster.apply(service(name)).settle();
        }
    }

    @Override
    Set<Oracle> violated() {
        return Set.of(Oracle.NO_REPEATED_FAILURE, Oracle.CONVERGENCE, Oracle.NO_HOT_LOOP, Oracle.SAME_END_STATE);
    }
}
