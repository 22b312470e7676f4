package io.trimtab.controllers.endpointslice;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
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
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.services.ServiceSelectors;
import io.trimtab.controllers.services.TriggerTimes;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.selector.LabelSelectors;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the EndpointSlices of each Service that has a selector. What they should be is decided in {@link SlicePlan}; which
 * Services a pod belongs to, by the reverse index of {@link ServiceSelectors}.
 */
public final class EndpointSliceController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "endpointslice-controller";

    private static final String EVENT_SOURCE = "endpoint-slice-controller";
    private static final ResourceType<EndpointSlice> SLICES = ResourceType.of(EndpointSlice.class);
    private static final int MAX_RETRIES = 15;
    private static final Duration FOREIGN_DELAY = Duration.ofSeconds(1);

    private final Client client;
    private final EventRecorder events;
    private final Lister<Service> services;
    private final Lister<EndpointSlice> slices;
    private final Lister<Pod> pods;
    private final Lister<Node> nodes;
    private final ServiceSelectors selectors = new ServiceSelectors();
    private final TriggerTimes triggers = new TriggerTimes();
    private final OwnSlices own = new OwnSlices();

    private EndpointSliceController(Manager manager) {
        this.client = manager.client(NAME);
        this.events = manager.events(EVENT_SOURCE);
        this.services = manager.informers().informer(Service.class).lister();
        this.slices = manager.informers().informer(EndpointSlice.class).lister();
        this.pods = manager.informers().informer(Pod.class).lister();
        this.nodes = manager.informers().informer(Node.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        EndpointSliceController controller = new EndpointSliceController(manager);
        return Controller.of(NAME, ResourceType.of(Service.class), (Change<Service> change) -> {
                    controller.selectors.onService(change);
                    return true;
                })
                .watches(
                        ResourceType.of(Pod.class),
                        WatchScope.ALL,
                        (change, queue) -> controller.selectors.affected(change).forEach(queue::add))
                .watches(SLICES, WatchScope.ALL, controller::onSlice)
                // Not for its events: an endpoint tells its node's zone, so nodes have to be there first.
                .watches(Node.class, (change, queue) -> {})
                .workers(5)
                .maxRetries(MAX_RETRIES)
                .retry(Duration.ofSeconds(1), Duration.ofSeconds(1000))
                .reconcile(controller);
    }

    private void onSlice(Change<EndpointSlice> change, Enqueuer queue) {
        EndpointSlice old = change.old();
        EndpointSlice slice = change.latest();
        String service = serviceOf(slice);
        if (old != null && !change.isDeleted()) {
            String former = serviceOf(old);
            if (former != null && !former.equals(service)) {
                queue.addAfter(new Request(old.getMetadata().getNamespace(), former), FOREIGN_DELAY);
            }
            boolean adopted = former == null && service != null || former != null && !former.equals(service);
            if (adopted && service != null) {
                queue.addAfter(new Request(slice.getMetadata().getNamespace(), service), FOREIGN_DELAY);
                return;
            }
        }
        if (service != null && own.isForeign(change)) {
            queue.addAfter(new Request(slice.getMetadata().getNamespace(), service), FOREIGN_DELAY);
        }
    }

    /** The Service a slice of ours belongs to; null for one that is not ours. */
    private static @Nullable String serviceOf(EndpointSlice slice) {
        Map<String, String> labels = Slices.labels(slice);
        return SlicePlan.CONTROLLER.equals(labels.get(Slices.MANAGED_BY)) ? labels.get(Slices.SERVICE_NAME) : null;
    }

    @Override
    public Result reconcile(Request request) {
        Service service = services.get(request.namespace(), request.name()).orElse(null);
        if (service == null) {
            triggers.forget(request);
            return Result.done(); // the garbage collector owns the slices now
        }
        Map<String, String> selector = service.getSpec().getSelector();
        if ("ExternalName".equals(service.getSpec().getType()) || selector == null || selector.isEmpty()) {
            return Result.done(); // somebody else's business
        }
        List<Pod> selected = pods.list(request.namespace(), LabelSelectors.of(selector));
        List<EndpointSlice> existing = slices
                .list(
                        request.namespace(),
                        LabelSelectors.of(
                                Map.of(Slices.SERVICE_NAME, request.name(), Slices.MANAGED_BY, SlicePlan.CONTROLLER)))
                .stream()
                .filter(slice -> slice.getMetadata().getDeletionTimestamp() == null)
                .toList();
        SlicePlan.Plan plan =
                SlicePlan.plan(service, selected, existing, name -> nodes.get(null, name), SlicePlan.MAX_ENDPOINTS);
        String trigger = triggers.compute(request, service, selected);
        try {
            carryOut(service, plan.changes(), trigger);
            if (!plan.missingNodes().isEmpty()) {
                throw new IllegalStateException(String.join(", ", plan.missingNodes()));
            }
        } catch (ApiException | IllegalStateException e) {
            events.warning(
                    service,
                    "FailedToUpdateEndpointSlices",
                    "Error updating Endpoint Slices for Service " + request + ": " + e.getMessage());
            throw e;
        }
        return Result.done();
    }

    private void carryOut(Service service, SlicePacking.Changes changes, @Nullable String trigger) {
        String name = service.getMetadata().getNamespace() + "/"
                + service.getMetadata().getName();
        for (EndpointSlice slice : changes.create) {
            annotate(slice, trigger);
            try {
                own.wrote(client.create(SLICES, slice));
            } catch (ApiException e) {
                if (PodControl.isNamespaceTerminating(e)) {
                    return;
                }
                throw explain("failed to create EndpointSlice for Service " + name, e);
            }
        }
        for (EndpointSlice slice : changes.update) {
            annotate(slice, trigger);
            try {
                own.wrote(client.update(SLICES, slice));
            } catch (ApiException e) {
                throw explain(
                        "failed to update " + slice.getMetadata().getName() + " EndpointSlice for Service " + name, e);
            }
        }
        for (EndpointSlice slice : changes.delete) {
            own.deletes(slice);
            try {
                Deletions.ifThere(client, SLICES, slice);
            } catch (ApiException e) {
                throw explain(
                        "failed to delete " + slice.getMetadata().getName() + " EndpointSlice for Service " + name, e);
            }
        }
    }

    private static IllegalStateException explain(String what, ApiException e) {
        return new IllegalStateException(what + ": " + e.getMessage(), e);
    }

    private static void annotate(EndpointSlice slice, @Nullable String trigger) {
        Map<String, String> annotations = slice.getMetadata().getAnnotations() == null
                ? new HashMap<>()
                : new HashMap<>(slice.getMetadata().getAnnotations());
        if (trigger == null) {
            annotations.remove(TriggerTimes.ANNOTATION);
        } else {
            annotations.put(TriggerTimes.ANNOTATION, trigger);
        }
        slice.getMetadata().setAnnotations(annotations);
    }
}
