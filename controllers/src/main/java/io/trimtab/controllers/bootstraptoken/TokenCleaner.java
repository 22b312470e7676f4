package io.trimtab.controllers.bootstraptoken;

import io.fabric8.kubernetes.api.model.Secret;
import io.trimtab.client.Client;
import io.trimtab.client.Deletions;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.informer.Lister;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;

/** Deletes bootstrap tokens when they end. */
public final class TokenCleaner implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "token-cleaner-controller";

    private static final ResourceType<Secret> SECRETS = ResourceType.of(Secret.class);

    private final Client client;
    private final Driver driver;
    private final Lister<Secret> secrets;

    private TokenCleaner(Manager manager) {
        this.client = manager.client("token-cleaner");
        this.driver = manager.driver();
        this.secrets = manager.informers().informer(Secret.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        return Controller.<Secret>of(
                        NAME, SECRETS, change -> !change.isDeleted() && BootstrapToken.isOne(change.latest()))
                .reconcile(new TokenCleaner(manager));
    }

    @Override
    public Result reconcile(Request request) {
        Secret secret = secrets.get(request.namespace(), request.name()).orElse(null);
        Instant end = secret == null || !BootstrapToken.isOne(secret) ? null : BootstrapToken.end(secret);
        if (secret == null || end == null) {
            return Result.done();
        }
        Instant now = driver.now();
        if (now.isBefore(end)) {
            return Result.after(Duration.between(now, end));
        }
        Deletions.exactly(client, SECRETS, secret);
        return Result.done();
    }
}
