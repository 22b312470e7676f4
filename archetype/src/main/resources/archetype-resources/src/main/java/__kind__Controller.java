package ${package};

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.client.Apply;
import io.trimtab.client.Client;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Finalizers;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.informer.Lister;
import io.trimtab.ownership.OwnerReferences;
import java.util.List;
import java.util.Map;

/** Keeps as many ConfigMaps with the message as a ${kind} wants. Every reconcile says the whole of it again. */
public final class ${kind}Controller implements Reconciler {
    static final String NAME = "${artifactId}";

    private static final ResourceType<ConfigMap> MAPS = ResourceType.of(ConfigMap.class);

    private final Client client;
    private final Apply apply;
    private final Lister<${kind}> wanted;
    private final Lister<ConfigMap> maps;

    private ${kind}Controller(Manager manager) {
        client = manager.client(NAME);
        apply = Apply.as(NAME, client);
        wanted = manager.informers().informer(${kind}.class).lister();
        maps = manager.informers().informer(ConfigMap.class).lister();
    }

    public static Controller controller(Manager manager) {
        return Controller.of(NAME, ${kind}.class).owns(ConfigMap.class).reconcile(new ${kind}Controller(manager));
    }

    @Override
    public Result reconcile(Request request) {
        ${kind} object = wanted.get(request.namespace(), request.name()).orElse(null);
        if (object == null || Finalizers.isDeleting(object)) {
            return Result.done(); // what it owned is collected
        }
        int copies = object.getSpec().getCopies();
        for (int i = 0; i < copies; i++) {
            apply.object(copy(object, i));
        }
        List<ConfigMap> surplus = maps.list(request.namespace()).stream()
                .filter(map -> OwnerReferences.isControlledBy(map, object) && index(map) >= copies)
                .toList();
        surplus.forEach(this::delete);

        ${kind} answer = new ${kind}();
        answer.setMetadata(new ObjectMetaBuilder()
                .withName(request.name())
                .withNamespace(request.namespace())
                .build());
        answer.getStatus().setCopies(copies);
        answer.getStatus().setObservedGeneration(object.getMetadata().getGeneration());
        apply.status(answer);
        return Result.done();
    }

    private void delete(ConfigMap map) {
        try {
            client.delete(
                    MAPS, map.getMetadata().getNamespace(), map.getMetadata().getName(), new DeleteOptions());
        } catch (ApiException e) {
            if (!e.isNotFound()) {
                throw e;
            }
        }
    }

    private static int index(ConfigMap map) {
        String name = map.getMetadata().getName();
        return Integer.parseInt(name.substring(name.lastIndexOf('-') + 1));
    }

    private static ConfigMap copy(${kind} object, int index) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withName(object.getMetadata().getName() + "-" + index)
                .withNamespace(object.getMetadata().getNamespace())
                .withOwnerReferences(new OwnerReferenceBuilder()
                        .withApiVersion(object.getApiVersion())
                        .withKind(object.getKind())
                        .withName(object.getMetadata().getName())
                        .withUid(object.getMetadata().getUid())
                        .withController(true)
                        .withBlockOwnerDeletion(true)
                        .build())
                .endMetadata()
                .withData(Map.of("message", object.getSpec().getMessage()))
                .build();
    }
}
