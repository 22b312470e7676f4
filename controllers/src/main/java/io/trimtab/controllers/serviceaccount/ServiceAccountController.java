package io.trimtab.controllers.serviceaccount;

import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.ServiceAccountBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.informer.Lister;

/** Sees to it that each active namespace has a ServiceAccount {@code default}. */
public final class ServiceAccountController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "serviceaccount-controller";

    private static final String DEFAULT = "default";
    private static final ResourceType<ServiceAccount> ACCOUNTS = ResourceType.of(ServiceAccount.class);

    private final Client client;
    private final Lister<Namespace> namespaces;
    private final Lister<ServiceAccount> accounts;

    private ServiceAccountController(Manager manager) {
        this.client = manager.client("service-account-controller");
        this.namespaces = manager.informers().informer(Namespace.class).lister();
        this.accounts = manager.informers().informer(ServiceAccount.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        return Controller.of(NAME, Namespace.class)
                .watches(ServiceAccount.class, (change, queue) -> {
                    if (change.isDeleted()
                            && DEFAULT.equals(change.latest().getMetadata().getName())) {
                        queue.add(new Request("", change.latest().getMetadata().getNamespace()));
                    }
                })
                .reconcile(new ServiceAccountController(manager));
    }

    @Override
    public Result reconcile(Request request) {
        Namespace namespace = namespaces.get(null, request.name()).orElse(null);
        if (namespace == null
                || namespace.getMetadata().getDeletionTimestamp() != null
                || accounts.get(request.name(), DEFAULT).isPresent()) {
            return Result.done();
        }
        try {
            client.create(
                    ACCOUNTS,
                    new ServiceAccountBuilder()
                            .withNewMetadata()
                            .withNamespace(request.name())
                            .withName(DEFAULT)
                            .endMetadata()
                            .build());
        } catch (ApiException e) {
            if (!e.isAlreadyExists() && !PodControl.isNamespaceTerminating(e)) {
                throw e;
            }
        }
        return Result.done();
    }
}
