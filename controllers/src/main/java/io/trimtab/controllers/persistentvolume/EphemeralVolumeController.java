package io.trimtab.controllers.persistentvolume;

import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimTemplate;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Volume;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import io.trimtab.volumes.Volumes;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Makes the claims that pods' generic ephemeral volumes stand for; with the pod as their owner they go when it goes. */
public final class EphemeralVolumeController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "ephemeral-volume-controller";

    private static final String BY_EPHEMERAL_CLAIM = "ephemeralClaim";

    private final Client client;
    private final EventRecorder events;
    private final Lister<Pod> pods;
    private final Lister<PersistentVolumeClaim> claims;

    private EphemeralVolumeController(Manager manager) {
        this.client = manager.client(NAME);
        this.events = manager.events("ephemeral_volume");
        this.pods = manager.informers().informer(Pod.class).lister();
        this.claims = manager.informers().informer(PersistentVolumeClaim.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        SharedInformer<Pod> pods = manager.informers().informer(Pod.class);
        pods.addIndex(BY_EPHEMERAL_CLAIM, EphemeralVolumeController::claimKeys);
        return Controller.<Pod>of(
                        NAME,
                        PodControl.PODS,
                        change -> change.isCreated()
                                && !Pods.isDeleting(change.latest())
                                && !claimKeys(change.latest()).isEmpty())
                .watches(PersistentVolumeClaim.class, (change, queue) -> {
                    if (change.isDeleted()) {
                        String key = Request.of(change.latest()).toString();
                        pods.lister().byIndex(BY_EPHEMERAL_CLAIM, key).forEach(pod -> queue.add(Request.of(pod)));
                    }
                })
                .workers(5)
                .reconcile(new EphemeralVolumeController(manager));
    }

    private static List<String> claimKeys(Pod pod) {
        return pod.getSpec() == null
                ? List.of()
                : pod.getSpec().getVolumes().stream()
                        .filter(volume -> volume.getEphemeral() != null)
                        .map(volume -> pod.getMetadata().getNamespace() + "/" + Volumes.claimName(pod, volume))
                        .toList();
    }

    @Override
    public Result reconcile(Request request) {
        Pod pod = pods.get(request.namespace(), request.name()).orElse(null);
        if (pod == null || Pods.isDeleting(pod)) {
            return Result.done();
        }
        for (Volume volume : pod.getSpec().getVolumes()) {
            String problem = volume.getEphemeral() == null ? null : ensure(pod, volume);
            if (problem != null) {
                events.warning(pod, "FailedBinding", "ephemeral volume " + volume.getName() + ": " + problem);
                throw new IllegalStateException(
                        "pod " + request + ", ephemeral volume " + volume.getName() + ": " + problem);
            }
        }
        return Result.done();
    }

    /** Why the volume has no claim; null if it has. */
    private @Nullable String ensure(Pod pod, Volume volume) {
        String name = Objects.requireNonNull(Volumes.claimName(pod, volume));
        PersistentVolumeClaim claim =
                claims.get(pod.getMetadata().getNamespace(), name).orElse(null);
        if (claim != null) {
            return Volumes.notOwned(pod, claim);
        }
        PersistentVolumeClaimTemplate template = volume.getEphemeral().getVolumeClaimTemplate();
        Map<String, String> labels =
                template.getMetadata() == null ? null : template.getMetadata().getLabels();
        Map<String, String> annotations =
                template.getMetadata() == null ? null : template.getMetadata().getAnnotations();
        try {
            client.create(
                    Writes.CLAIMS,
                    new PersistentVolumeClaimBuilder()
                            .withNewMetadata()
                            .withNamespace(pod.getMetadata().getNamespace())
                            .withName(name)
                            .withLabels(labels)
                            .withAnnotations(annotations)
                            .addNewOwnerReference()
                            .withApiVersion("v1")
                            .withKind("Pod")
                            .withName(pod.getMetadata().getName())
                            .withUid(pod.getMetadata().getUid())
                            .withController(true)
                            .withBlockOwnerDeletion(true)
                            .endOwnerReference()
                            .endMetadata()
                            .withSpec(template.getSpec())
                            .build());
            return null;
        } catch (ApiException e) {
            return "create PVC " + name + ": " + e.getMessage();
        }
    }
}
