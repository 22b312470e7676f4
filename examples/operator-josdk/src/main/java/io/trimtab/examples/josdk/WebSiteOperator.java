package io.trimtab.examples.josdk;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.controller.ManagerProgram;
import io.trimtab.josdk.JosdkOperator;

/** The operator as a program: on whatever cluster the environment names, as one of several that elect a leader. */
public final class WebSiteOperator {
    private WebSiteOperator() {}

    /** Runs until the process is asked to end. */
    public static void main(String[] args) {
        var options = new ManagerProgram.Options("website-operator", true, ClientOptions.DEFAULT);
        int exit;
        try (KubernetesClient client = new KubernetesClientBuilder().build()) {
            exit = ManagerProgram.run(
                    Clients.fromEnvironment(),
                    options,
                    manager -> manager.add(JosdkOperator.builder(client, manager.driver())
                            .register(new WebSiteReconciler())
                            .build()));
        }
        System.exit(exit);
    }
}
