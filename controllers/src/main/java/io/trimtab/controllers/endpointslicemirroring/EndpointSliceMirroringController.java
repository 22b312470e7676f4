package io.trimtab.controllers.endpointslicemirroring;

import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Deletions;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.controller.Change;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Enqueuer;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.endpointslice.OwnSlices;
import io.trimtab.controllers.endpointslice.Slices;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.selector.LabelSelectors;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Mirrors the Endpoints that people write for Services without a selector into EndpointSlices. Keys are Endpoints, which share
 * their name with the Service. What the slices should be is decided in {@link MirrorPlan}.
 */
public final class EndpointSliceMirroringController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "endpointslice-mirroring-controller";

    private static final String COMPONENT = "endpointslicemirroring-controller";
    private static final String EVENT_SOURCE = "endpoint-slice-mirroring-controller";
    private static final ResourceType<EndpointSlice> SLICES = ResourceType.of(EndpointSlice.class);
    private static final String SKIP = "endpointslice.kubernetes.io/skip-mirror";
    private static final String LEADER_ANNOTATION = "control-plane.alpha.kubernetes.io/leader";

    private final Client client;
    private final EventRecorder events;
    private final Lister<Endpoints> endpoints;
    private final Lister<Service> services;
    private final Lister<EndpointSlice> slices;
    private final OwnSlices own = new OwnSlices();

    private EndpointSliceMirroringController(Manager manager) {
        this.client = manager.client(COMPONENT);
        this.events = manager.events(EVENT_SOURCE);
        this.endpoints = manager.informers().informer(Endpoints.class).lister();
        this.services = manager.informers().informer(Service.class).lister();
        this.slices = manager.informers().informer(EndpointSlice.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        EndpointSliceMirroringController controller = new EndpointSliceMirroringController(manager);
        return Controller.of(NAME, Endpoints.class)
                .watches(ResourceType.of(Service.class), WatchScope.ALL, controller::onService)
                .watches(SLICES, WatchScope.ALL, controller::onSlice)
                .workers(5)
                .maxRetries(15)
                .retry(Duration.ofSeconds(1), Duration.ofSeconds(100))
                .reconcile(controller);
    }

    private void onService(Change<Service> change, Enqueuer queue) {
        Service old = change.old();
        Service now = change.object();
        if (old == null || now == null || hasSelector(old) != hasSelector(now)) {
            queue.add(Request.of(change.latest()));
        }
    }

    private void onSlice(Change<EndpointSlice> change, Enqueuer queue) {
        Map<String, String> labels = Slices.labels(change.latest());
        String name = labels.get(Slices.SERVICE_NAME);
        if (name != null && MirrorPlan.CONTROLLER.equals(labels.get(Slices.MANAGED_BY)) && own.isForeign(change)) {
            queue.add(new Request(change.latest().getMetadata().getNamespace(), name));
        }
    }

    private static boolean hasSelector(Service service) {
        return service.getSpec() != null
                && service.getSpec().getSelector() != null
                && !service.getSpec().getSelector().isEmpty();
    }

    @Override
    public Result reconcile(Request request) {
        Endpoints source = endpoints.get(request.namespace(), request.name()).orElse(null);
        Service service = services.get(request.namespace(), request.name()).orElse(null);
        List<EndpointSlice> existing = slices.list(
                request.namespace(),
                LabelSelectors.of(
                        Map.of(Slices.SERVICE_NAME, request.name(), Slices.MANAGED_BY, MirrorPlan.CONTROLLER)));
        if (source == null || !mayBeMirrored(source) || service == null || hasSelector(service)) {
            existing.forEach(this::delete);
            return Result.done();
        }
        MirrorPlan plan = MirrorPlan.plan(source, existing);
        if (plan.invalid > 0) {
            events.warning(
                    source,
                    "InvalidIPAddress",
                    "Skipped " + plan.invalid + " invalid IP addresses when mirroring to EndpointSlices");
        }
        if (plan.skipped > plan.invalid) {
            events.warning(
                    source,
                    "TooManyAddressesToMirror",
                    "A max of " + MirrorPlan.MAX_PER_SUBSET
                            + " addresses can be mirrored to EndpointSlices per Endpoints subset. " + plan.skipped
                            + " addresses were skipped");
        }
        for (EndpointSlice slice : plan.create) {
            try {
                own.wrote(client.create(SLICES, slice));
            } catch (ApiException e) {
                if (PodControl.isNamespaceTerminating(e)) {
                    return Result.done();
                }
                throw e;
            }
        }
        plan.update.forEach(slice -> own.wrote(client.update(SLICES, slice)));
        plan.delete.forEach(this::delete);
        return Result.done();
    }

    private static boolean mayBeMirrored(Endpoints source) {
        Map<String, String> labels = source.getMetadata().getLabels();
        Map<String, String> annotations = source.getMetadata().getAnnotations();
        return !(labels != null && "true".equals(labels.get(SKIP)))
                && !(annotations != null && annotations.containsKey(LEADER_ANNOTATION));
    }

    private void delete(EndpointSlice slice) {
        own.deletes(slice);
        Deletions.ifThere(client, SLICES, slice);
    }
}
