package io.trimtab.bugs;

import static io.trimtab.junit.Workloads.service;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.trimtab.junit.Cluster;
import io.trimtab.junit.Oracle;
import io.trimtab.junit.Surroundings;
import io.trimtab.junit.Trials;
import io.trimtab.junit.fault.Fault;
import java.time.Duration;
import java.util.Map;
import java.util.Set;

/**
 * A plain Fabric8 program: keeps two ConfigMaps for each Service, and counts in its cache how many there are. Two events that come
 * close to each other let it count twice before its own creations show. Mended, a name stands for each child: the second creation
 * is refused.
 */
class StaleReadTest extends BugContract {
    private static final int WANTED = 2;

    /** One informer for each type, and a queue that is a step of the driver. */
    private static final class Twins implements AutoCloseable {
        private final Surroundings process;
        private final boolean mended;
        private final SharedIndexInformer<Service> services;
        private final SharedIndexInformer<ConfigMap> children;

        Twins(Surroundings process, boolean mended) {
            this.process = process;
            this.mended = mended;
            this.services = process.client().services().inNamespace("default").runnableInformer(0);
            this.children = process.client().configMaps().inNamespace("default").runnableInformer(0);
            services.addEventHandler(new ResourceEventHandler<>() {
                @Override
                public void onAdd(Service service) {
                    process.driver().execute(() -> reconcile(service));
                }

                @Override
                public void onUpdate(Service old, Service service) {
                    onAdd(service);
                }

                @Override
                public void onDelete(Service service, boolean unknown) {}
            });
            // Services are listened to when the children are known.
            children.start().thenAccept(ready -> services.start());
        }

        private void reconcile(Service service) {
            if (service.getMetadata().getName().equals("kubernetes")) {
                return;
            }
            long there = children.getStore().list().stream()
                    .filter(child -> child.getMetadata().getOwnerReferences().stream()
                            .anyMatch(
                                    o -> o.getUid().equals(service.getMetadata().getUid())))
                    .count();
            try {
                for (long i = there; i < WANTED; i++) {
                    create(service, i);
                }
            } catch (KubernetesClientException e) {
                if (e.getCode() == 409 && mended) {
                    return; // there already, the cache only does not show it yet
                }
                process.driver().schedule(Duration.ofSeconds(1), () -> reconcile(service));
            }
        }

        private void create(Service service, long number) {
            String name = service.getMetadata().getName() + "-";
            ConfigMapBuilder child = new ConfigMapBuilder()
                    .withNewMetadata()
                    .withNamespace("default")
                    .withOwnerReferences(ownedBy(service))
                    .endMetadata();
            process.client()
                    .resource(
                            mended
                                    ? child.editMetadata()
                                            .withName(name + number)
                                            .endMetadata()
                                            .build()
                                    : child.editMetadata()
                                            .withGenerateName(name)
                                            .endMetadata()
                                            .build())
                    .create();
        }

        @Override
        public void close() {
            services.stop();
            children.stop();
        }
    }

    @Override
    Trials trials() {
        // Fabric8's informers reconnect in real time, and stop for good when their first list fails: not today's
        // subject.
        return Trials.small()
                .crashAtEveryWrite()
                .faults(
                        Fault.STALE_READS,
                        Fault.LATE_EVENTS,
                        Fault.DUPLICATED_EVENTS,
                        Fault.LOST_ANSWERS,
                        Fault.SLOW_REQUESTS)
                .runs(24);
    }

    @Override
    void play(Cluster cluster, boolean mended) {
        Service web = service("web");
        cluster.run("twins", process -> new Twins(process, mended)).settle();
        cluster.apply(web);
        later(cluster, Duration.ofMillis(1), web, s -> s.getMetadata().setLabels(Map.of("team", "blue")));
        cluster.settle().advance(Duration.ofSeconds(1));
    }

    @Override
    Set<Oracle> violated() {
        return Set.of(Oracle.SAME_END_STATE);
    }
}
