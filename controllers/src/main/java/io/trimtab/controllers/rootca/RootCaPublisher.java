package io.trimtab.controllers.rootca;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.Namespace;
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
import java.util.HashMap;
import java.util.Map;

/** Publishes the API server's certificate authority as ConfigMap {@code kube-root-ca.crt} in each active namespace. */
public final class RootCaPublisher implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "root-ca-certificate-publisher-controller";

    private static final String CONFIG_MAP = "kube-root-ca.crt";
    private static final String KEY = "ca.crt";
    private static final String DESCRIPTION_KEY = "kubernetes.io/description";
    private static final String DESCRIPTION = "Contains a CA bundle that can be used to verify the kube-apiserver when"
            + " using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is"
            + " guaranteed across distributions of Kubernetes clusters.";
    private static final ResourceType<ConfigMap> CONFIG_MAPS = ResourceType.of(ConfigMap.class);

    private final Client client;
    private final String certificates;
    private final Lister<Namespace> namespaces;
    private final Lister<ConfigMap> configMaps;

    private RootCaPublisher(Manager manager, String certificates) {
        this.client = manager.client("root-ca-cert-publisher");
        this.certificates = certificates;
        this.namespaces = manager.informers().informer(Namespace.class).lister();
        this.configMaps = manager.informers().informer(ConfigMap.class).lister();
    }

    /**
     * The controller, to be added to the manager.
     *
     * @param certificates in PEM form
     */
    public static Controller controller(Manager manager, String certificates) {
        return Controller.of(NAME, Namespace.class)
                .watches(ConfigMap.class, (change, queue) -> {
                    if (!change.isCreated()
                            && CONFIG_MAP.equals(change.latest().getMetadata().getName())) {
                        queue.add(new Request("", change.latest().getMetadata().getNamespace()));
                    }
                })
                .reconcile(new RootCaPublisher(manager, certificates));
    }

    @Override
    public Result reconcile(Request request) {
        Namespace namespace = namespaces.get(null, request.name()).orElse(null);
        if (namespace == null || namespace.getMetadata().getDeletionTimestamp() != null) {
            return Result.done();
        }
        ConfigMap current = configMaps.get(request.name(), CONFIG_MAP).orElse(null);
        try {
            if (current == null) {
                client.create(
                        CONFIG_MAPS,
                        new ConfigMapBuilder()
                                .withNewMetadata()
                                .withNamespace(request.name())
                                .withName(CONFIG_MAP)
                                .addToAnnotations(DESCRIPTION_KEY, DESCRIPTION)
                                .endMetadata()
                                .addToData(KEY, certificates)
                                .build());
            } else if (!isRight(current)) {
                Map<String, String> annotations = new HashMap<>();
                if (current.getMetadata().getAnnotations() != null) {
                    annotations.putAll(current.getMetadata().getAnnotations());
                }
                annotations.put(DESCRIPTION_KEY, DESCRIPTION);
                client.update(
                        CONFIG_MAPS,
                        new ConfigMapBuilder(current)
                                .editMetadata()
                                .withAnnotations(annotations)
                                .endMetadata()
                                .withData(Map.of(KEY, certificates))
                                .build());
            }
        } catch (ApiException e) {
            if (!e.isAlreadyExists() && !PodControl.isNamespaceTerminating(e)) {
                throw e;
            }
        }
        return Result.done();
    }

    private boolean isRight(ConfigMap current) {
        Map<String, String> annotations = current.getMetadata().getAnnotations();
        return Map.of(KEY, certificates).equals(current.getData())
                && annotations != null
                && annotations.containsKey(DESCRIPTION_KEY);
    }
}
