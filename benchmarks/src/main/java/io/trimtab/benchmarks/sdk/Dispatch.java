package io.trimtab.benchmarks.sdk;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.api.config.informer.Informer;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.Event;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.AbstractEventSource;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.trimtab.client.FabricClient;
import io.trimtab.controller.Controller;
import io.trimtab.controller.DefaultManager;
import io.trimtab.controller.Enqueuer;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.informer.Lister;
import io.trimtab.runtime.Driver;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/** A controller of ConfigMaps that does nothing but look, and a way to wake it. Safe for use by any thread. */
interface Dispatch {
    /** Tells the controller that something happened to the object. */
    void wake(String name);

    /** How many reconciles have ended. */
    long done();

    static Dispatch trimtab(FabricClient client, Driver driver) throws InterruptedException {
        AtomicLong done = new AtomicLong();
        AtomicReference<Enqueuer> queue = new AtomicReference<>();
        DefaultManager manager = DefaultManager.builder(driver, client).build();
        Lister<ConfigMap> maps = manager.informers().informer(ConfigMap.class).lister();
        manager.add(Controller.of("benchmark", ConfigMap.class)
                .feeds(queue::set)
                .workers(2)
                .reconcile(request -> {
                    Objects.requireNonNull(
                            maps.get(request.namespace(), request.name()).orElse(null));
                    done.incrementAndGet();
                    return Result.done();
                }));
        manager.start();
        settle(done);
        Enqueuer enqueuer = Objects.requireNonNull(queue.get());
        return new Dispatch() {
            @Override
            public void wake(String name) {
                enqueuer.add(new Request("default", name));
            }

            @Override
            public long done() {
                return done.get();
            }
        };
    }

    static Dispatch josdk(KubernetesClient client) throws InterruptedException {
        Waker waker = new Waker();
        AtomicLong done = new AtomicLong();
        Operator operator = new Operator(
                configuration -> configuration.withKubernetesClient(client).withCloseClientOnStop(false));
        operator.register(new Idle(waker, done));
        operator.start();
        settle(done);
        return new Dispatch() {
            @Override
            public void wake(String name) {
                waker.wake(name);
            }

            @Override
            public long done() {
                return done.get();
            }
        };
    }

    /** Returns once the first look at each object is over. */
    private static void settle(AtomicLong done) throws InterruptedException {
        for (long before = -1; before != done.get() || before == 0; ) {
            before = done.get();
            Thread.sleep(1000);
        }
    }

    /** An event source whose events come from the benchmark. */
    final class Waker extends AbstractEventSource<ConfigMap, ConfigMap> {
        Waker() {
            super(ConfigMap.class, "waker");
        }

        void wake(String name) {
            getEventHandler().handleEvent(new Event(new ResourceID(name, "default")));
        }

        @Override
        public Set<ConfigMap> getSecondaryResources(ConfigMap primary) {
            return Set.of();
        }
    }

    /** Looks, and is content. */
    @ControllerConfiguration(informer = @Informer(namespaces = "default"), generationAwareEventProcessing = false)
    final class Idle implements Reconciler<ConfigMap> {
        private final Waker waker;
        private final AtomicLong done;

        Idle(Waker waker, AtomicLong done) {
            this.waker = waker;
            this.done = done;
        }

        @Override
        public List<EventSource<?, ConfigMap>> prepareEventSources(EventSourceContext<ConfigMap> context) {
            return List.of(waker);
        }

        @Override
        public UpdateControl<ConfigMap> reconcile(ConfigMap map, Context<ConfigMap> context) {
            Objects.requireNonNull(map.getMetadata().getName());
            done.incrementAndGet();
            return UpdateControl.noUpdate();
        }
    }
}
