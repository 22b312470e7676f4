package io.trimtab.examples.website;

import io.trimtab.client.ClientOptions;
import io.trimtab.client.Clients;
import io.trimtab.controller.ManagerProgram;
import io.trimtab.webhook.WebhookServer;

/** The operator as a program: on whatever cluster the environment names, as one of several that elect a leader. */
public final class WebSiteOperator {
    private WebSiteOperator() {}

    private static ManagerProgram.Options options() {
        ManagerProgram.Options options =
                new ManagerProgram.Options(WebSiteController.NAME, true, ClientOptions.DEFAULT);
        // On a developer's machine the API server could not call us, and would let nobody write sites any more.
        boolean inPod = System.getenv("KUBERNETES_SERVICE_HOST") != null;
        return inPod
                ? options.withHealth("0.0.0.0:8081")
                        .withBeside((driver, client) -> new WebhookServer(
                                driver, client, WebSiteWebhooks.webhooks(), WebSiteWebhooks.options()))
                : options;
    }

    /** Runs until the process is asked to end. */
    public static void main(String[] args) {
        System.exit(ManagerProgram.run(
                Clients.fromEnvironment(), options(), manager -> manager.add(WebSiteController.controller(manager))));
    }
}
