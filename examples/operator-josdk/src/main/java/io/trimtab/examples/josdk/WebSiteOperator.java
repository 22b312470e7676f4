package io.trimtab.examples.josdk;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.controller.ManagerProgram;
import io.trimtab.josdk.JosdkOperator;
import io.trimtab.runtime.Driver;
import io.trimtab.runtime.RealDriver;
import io.trimtab.runtime.Shutdown;

/** The operator as a program: on whatever cluster the environment names, as one of several that elect a leader. */
public final class WebSiteOperator {
    private WebSiteOperator() {}

    /** Runs until the process is asked to end. */
    public static void main(String[] args) {
        Shutdown shutdown = Shutdown.listen();
        try (Driver driver = RealDriver.create();
                KubernetesClient client = new KubernetesClientBuilder().build();
                ManagerProgram program = ManagerProgram.start(
                        driver,
                        Clients.fromEnvironment(),
                        new ManagerProgram.Options("website-operator", true, ClientOptions.DEFAULT),
                        manager -> manager.add(JosdkOperator.builder(client, driver)
                                .register(new WebSiteReconciler())
                                .build()))) {
            // Who is no longer the leader does not know what it may do: the next start of the process finds out.
            program.leadershipLost().thenRun(() -> System.exit(1));
            shutdown.await();
        } finally {
            shutdown.done();
        }
    }
}
