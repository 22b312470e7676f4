package ${package};

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.api.reconciler.Workflow;
import io.javaoperatorsdk.operator.api.reconciler.dependent.Dependent;
import io.javaoperatorsdk.operator.processing.dependent.CRUDKubernetesBulkDependentResource;
import io.javaoperatorsdk.operator.processing.dependent.kubernetes.KubernetesDependentResource;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Keeps as many ConfigMaps with the message as a ${kind} wants. */
@Workflow(dependents = @Dependent(type = ${kind}Reconciler.Copies.class))
public final class ${kind}Reconciler implements Reconciler<${kind}> {

    /** One ConfigMap for each copy. */
    public static final class Copies extends KubernetesDependentResource<ConfigMap, ${kind}>
            implements CRUDKubernetesBulkDependentResource<ConfigMap, ${kind}> {
        @Override
        public Map<ResourceID, ConfigMap> desiredResources(${kind} object, Context<${kind}> context) {
            return IntStream.range(0, object.getSpec().getCopies())
                    .mapToObj(i -> copy(object, i))
                    .collect(Collectors.toMap(ResourceID::fromResource, Function.identity()));
        }

        @Override
        public Map<ResourceID, ConfigMap> getSecondaryResources(${kind} object, Context<${kind}> context) {
            return context.getSecondaryResourcesAsStream(ConfigMap.class)
                    .collect(Collectors.toMap(ResourceID::fromResource, Function.identity()));
        }
    }

    @Override
    public UpdateControl<${kind}> reconcile(${kind} object, Context<${kind}> context) {
        object.getStatus().setCopies(object.getSpec().getCopies());
        object.getStatus().setObservedGeneration(object.getMetadata().getGeneration());
        return UpdateControl.patchStatus(object);
    }

    private static ConfigMap copy(${kind} object, int index) {
        return new ConfigMapBuilder()
                .withNewMetadata()
                .withName(object.getMetadata().getName() + "-" + index)
                .withNamespace(object.getMetadata().getNamespace())
                .endMetadata()
                .withData(Map.of("message", object.getSpec().getMessage()))
                .build();
    }
}
