package io.trimtab.benchmarks.sdk;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.controller.Controller;
import io.trimtab.controller.DefaultManager;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Result;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** An operator of ConfigMaps that own Secrets, with either SDK; it is ready when it was called for the first object. */
final class Operators {
    private static final long IDLE_MILLIS = 10_000;

    private Operators() {}

    static void run(String side, Path kubeconfig) throws Exception {
        Config config = Config.fromKubeconfig(kubeconfig.toFile());
        CountDownLatch called = new CountDownLatch(1);
        if (side.equals("trimtab")) {
            trimtab(config, called);
        } else {
            josdk(config, called);
        }
        called.await();
        System.out.println("ready start-" + side);
        Thread.sleep(IDLE_MILLIS);
        Measurement.result("resident-" + side, Measurement.residentKilobytes());
    }

    private static void trimtab(Config config, CountDownLatch called) {
        Driver driver = RealDriver.create("operator");
        Manager manager = DefaultManager.builder(driver, Clients.connect(config, driver, ClientOptions.DEFAULT))
                .build();
        manager.add(
                Controller.of("operator", ConfigMap.class).owns(Secret.class).reconcile(request -> {
                    called.countDown();
                    return Result.done();
                }));
        manager.start();
    }

    private static void josdk(Config config, CountDownLatch called) {
        KubernetesClient client =
                new KubernetesClientBuilder().withConfig(config).build();
        Operator operator = new Operator(configuration -> configuration.withKubernetesClient(client));
        operator.register(new Reconciler<ConfigMap>() {
            @Override
            public List<EventSource<?, ConfigMap>> prepareEventSources(EventSourceContext<ConfigMap> context) {
                return List.of(new InformerEventSource<>(
                        InformerEventSourceConfiguration.from(Secret.class, ConfigMap.class)
                                .build(),
                        context));
            }

            @Override
            public UpdateControl<ConfigMap> reconcile(ConfigMap map, Context<ConfigMap> context) {
                called.countDown();
                return UpdateControl.noUpdate();
            }
        });
        operator.start();
    }
}
