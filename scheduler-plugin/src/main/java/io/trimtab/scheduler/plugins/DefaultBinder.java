package io.trimtab.scheduler.plugins;

import io.fabric8.kubernetes.api.model.Binding;
import io.fabric8.kubernetes.api.model.BindingBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.trimtab.client.ApiException;
import io.trimtab.client.ResourceType;
import io.trimtab.scheduler.framework.BindPlugin;
import io.trimtab.scheduler.framework.CycleState;
import io.trimtab.scheduler.framework.Handle;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.Status;

/** Binds by posting to the pod's {@code binding} subresource. Immutable. */
final class DefaultBinder implements BindPlugin {
    static final String NAME = "DefaultBinder";
    private static final ResourceType<Pod> PODS = ResourceType.of(Pod.class);

    private final Handle handle;

    DefaultBinder(Handle handle) {
        this.handle = handle;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Status bind(CycleState state, PodInfo pod, String nodeName) {
        Binding binding = new BindingBuilder()
                .withNewMetadata()
                .withNamespace(pod.namespace())
                .withName(pod.name())
                .withUid(pod.pod().getMetadata().getUid())
                .endMetadata()
                .withNewTarget()
                .withKind("Node")
                .withName(nodeName)
                .endTarget()
                .build();
        try {
            handle.client()
                    .createSubresource(
                            PODS,
                            pod.namespace(),
                            pod.name(),
                            "binding",
                            binding,
                            io.fabric8.kubernetes.api.model.Status.class);
            return Status.SUCCESS;
        } catch (ApiException e) {
            return Status.error(e);
        }
    }
}
