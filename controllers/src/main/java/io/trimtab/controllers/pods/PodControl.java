package io.trimtab.controllers.pods;

import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.ResourceType;
import io.trimtab.client.Written;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Result;
import io.trimtab.events.EventRecorder;

/**
 * Makes and deletes pods on behalf of an owner, and tells the owner's events. Safe for use by several threads.
 *
 * <p>A create that is refused because the namespace is going away is no news: it throws, but records no event.
 */
public final class PodControl {
    public static final ResourceType<Pod> PODS = ResourceType.of(Pod.class);
    private static final int LONGEST_NAME = 253;

    private final Client client;
    private final EventRecorder events;

    public PodControl(Client client, EventRecorder events) {
        this.client = client;
        this.events = events;
    }

    /** A pod as the template says, named after its owner, controlled by it. Pure. */
    public static Pod fromTemplate(PodTemplateSpec template, HasMetadata owner, OwnerReference controller) {
        String dashed = owner.getMetadata().getName() + "-";
        // A name that would be too long with its dash is used without it, as Kubernetes does.
        String prefix =
                dashed.length() <= LONGEST_NAME ? dashed : owner.getMetadata().getName();
        ObjectMetaBuilder metadata = new ObjectMetaBuilder()
                .withNamespace(owner.getMetadata().getNamespace())
                .withGenerateName(prefix)
                .withOwnerReferences(controller);
        if (template.getMetadata() != null) {
            metadata.withLabels(template.getMetadata().getLabels())
                    .withAnnotations(template.getMetadata().getAnnotations())
                    .withFinalizers(template.getMetadata().getFinalizers());
        }
        return new PodBuilder()
                .withMetadata(metadata.build())
                .withSpec(template.getSpec())
                .build();
    }

    /**
     * Creates a pod for the owner.
     *
     * @throws ApiException as the server refuses
     * @throws IllegalArgumentException if the pod has no labels: nobody could ever find it
     */
    public Written create(Pod pod, HasMetadata owner) {
        if (pod.getMetadata().getLabels() == null
                || pod.getMetadata().getLabels().isEmpty()) {
            throw new IllegalArgumentException("unable to create pods, no labels");
        }
        try {
            Written created = client.createOnly(PODS, pod);
            events.normal(owner, "SuccessfulCreate", "Created pod: " + created.name());
            return created;
        } catch (ApiException e) {
            if (!isNamespaceTerminating(e)) {
                events.warning(owner, "FailedCreate", "Error creating: " + e.getMessage());
            }
            throw e;
        }
    }

    /**
     * Deletes a pod of the owner.
     *
     * @return false if it was gone already
     * @throws ApiException as the server refuses
     */
    public boolean delete(Pod pod, HasMetadata owner) {
        String name = pod.getMetadata().getName();
        try {
            client.delete(PODS, pod.getMetadata().getNamespace(), name, new DeleteOptions());
        } catch (ApiException e) {
            if (e.isNotFound()) {
                return false;
            }
            events.warning(owner, "FailedDelete", "Error deleting: " + e.getMessage());
            throw e;
        }
        events.normal(owner, "SuccessfulDelete", "Deleted pod: " + name);
        return true;
    }

    /** The same reconciler, for which a namespace that is going away is the end of its work and not a failure. */
    public static Reconciler untilNamespaceEnds(Reconciler reconciler) {
        return request -> {
            try {
                return reconciler.reconcile(request);
            } catch (ApiException e) {
                if (isNamespaceTerminating(e)) {
                    return Result.done();
                }
                throw e;
            }
        };
    }

    /** Nothing can be created in a namespace that is being deleted: not an error of the controller's. */
    public static boolean isNamespaceTerminating(ApiException e) {
        return e.isForbidden() && e.hasCause("NamespaceTerminating");
    }
}
