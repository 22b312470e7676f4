package io.trimtab.controllers.endpoints;

import io.fabric8.kubernetes.api.model.EndpointSubset;
import io.fabric8.kubernetes.api.model.Endpoints;
import io.fabric8.kubernetes.api.model.EndpointsBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the Endpoints of each Service that has a selector: the addresses of its pods, ready and not. What they should be is
 * decided in {@link EndpointsPlan}; which Services a pod belongs to, by the reverse index of {@link ServiceSelectors}.
 */
public final class EndpointsController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "endpoints-controller";

    private static final String COMPONENT = "endpoint-controller";
    private static final ResourceType<Endpoints> ENDPOINTS = ResourceType.of(Endpoints.class);
    private static final String LEADER_ANNOTATION = "control-plane.alpha.kubernetes.io/leader";
    private static final int MAX_RETRIES = 15;

    private final Client client;
    private final EventRecorder events;
    private final Lister<Service> services;
    private final Lister<Endpoints> endpoints;
    private final Lister<Pod> pods;
    private final ServiceSelectors selectors = new ServiceSelectors();
    private final TriggerTimes triggers = new TriggerTimes();

    private EndpointsController(Manager manager) {
        this.client = manager.client(COMPONENT);
        this.events = manager.events(COMPONENT);
        this.services = manager.informers().informer(Service.class).lister();
        this.endpoints = manager.informers().informer(Endpoints.class).lister();
        this.pods = manager.informers().informer(Pod.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        EndpointsController controller = new EndpointsController(manager);
        return Controller.of(NAME, ResourceType.of(Service.class), (Change<Service> change) -> {
                    controller.selectors.onService(change);
                    return true;
                })
                .watches(ResourceType.of(Pod.class), WatchScope.ALL, controller::onPod)
                .watches(ENDPOINTS, WatchScope.ALL, controller::onEndpoints)
                .workers(5)
                .maxRetries(MAX_RETRIES)
                .reconcile(controller);
    }

    private void onPod(Change<Pod> change, Enqueuer queue) {
        selectors.affected(change).forEach(queue::add);
    }

    private void onEndpoints(Change<Endpoints> change, Enqueuer queue) {
        if (change.isUpdated()) {
            return;
        }
        Map<String, String> annotations = change.latest().getMetadata().getAnnotations();
        boolean isLock = annotations != null && annotations.containsKey(LEADER_ANNOTATION);
        // Those that are deleted are made again; those found at the start may be without their Service by now.
        if (change.isDeleted() || change.initial() && !isLock) {
            queue.add(Request.of(change.latest()));
        }
    }

    @Override
    public Result reconcile(Request request) {
        Service service = services.get(request.namespace(), request.name()).orElse(null);
        Endpoints current = endpoints.get(request.namespace(), request.name()).orElse(null);
        if (service == null) {
            triggers.forget(request);
            if (current != null) {
                Deletions.ifThere(client, ENDPOINTS, request.namespace(), request.name());
            }
            return Result.done();
        }
        Map<String, String> selector = service.getSpec().getSelector();
        if ("ExternalName".equals(service.getSpec().getType()) || selector == null || selector.isEmpty()) {
            return Result.done(); // somebody else's business
        }
        List<Pod> selected = pods.list(request.namespace(), LabelSelectors.of(selector));
        EndpointsPlan.Wanted wanted = EndpointsPlan.plan(service, selected);
        String trigger = triggers.compute(request, service, selected);
        if (current != null && EndpointsPlan.isRight(current, wanted)) {
            return Result.done();
        }
        write(service, current, wanted, trigger);
        return Result.done();
    }

    private void write(
            Service service, @Nullable Endpoints current, EndpointsPlan.Wanted wanted, @Nullable String trigger) {
        Endpoints changed = current == null ? fresh(service) : new EndpointsBuilder(current).build();
        Map<String, String> annotations = changed.getMetadata().getAnnotations() == null
                ? new HashMap<>()
                : new HashMap<>(changed.getMetadata().getAnnotations());
        setOrRemove(annotations, TriggerTimes.ANNOTATION, trigger);
        setOrRemove(annotations, EndpointsPlan.OVER_CAPACITY, wanted.truncated() ? "truncated" : null);
        changed.getMetadata().setAnnotations(annotations);
        changed.getMetadata().setLabels(wanted.labels());
        List<EndpointSubset> subsets = wanted.subsets();
        changed.setSubsets(subsets);
        try {
            if (current == null) {
                client.create(ENDPOINTS, changed);
            } else {
                client.update(ENDPOINTS, changed);
            }
        } catch (ApiException e) {
            if (current == null && PodControl.isNamespaceTerminating(e)) {
                return;
            }
            report(service, current, e);
            throw e;
        }
    }

    private void report(Service service, @Nullable Endpoints current, ApiException e) {
        String name = service.getMetadata().getNamespace() + "/"
                + service.getMetadata().getName();
        if (current == null) {
            events.warning(
                    service,
                    "FailedToCreateEndpoint",
                    "Failed to create endpoint for service " + name + ": " + e.getMessage());
        } else {
            events.warning(
                    current, "FailedToUpdateEndpoint", "Failed to update endpoint " + name + ": " + e.getMessage());
        }
    }

    private static Endpoints fresh(Service service) {
        return new EndpointsBuilder()
                .withNewMetadata()
                .withNamespace(service.getMetadata().getNamespace())
                .withName(service.getMetadata().getName())
                .endMetadata()
                .build();
    }

    private static void setOrRemove(Map<String, String> map, String key, @Nullable String value) {
        if (value == null) {
            map.remove(key);
        } else {
            map.put(key, Objects.requireNonNull(value));
        }
    }
}
