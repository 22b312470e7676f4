package io.trimtab.controllers.servicecidr;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.networking.v1.IPAddress;
import io.fabric8.kubernetes.api.model.networking.v1.ServiceCIDR;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Conditions;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Change;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Enqueuer;
import io.trimtab.controller.Finalizers;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Declares ranges of Service addresses ready, and holds a finalizer on them: one that is being deleted goes when every address that a
 * Service has of it lies in another range as well. Then it waits ten seconds more, so that API servers know of the deletion before the
 * range vanishes.
 */
public final class ServiceCidrController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "service-cidr-controller";

    static final String FINALIZER = "networking.k8s.io/service-cidr-finalizer";
    private static final String ACCOUNT = "service-cidrs-controller";
    private static final String MANAGED_BY = "ipaddress.kubernetes.io/managed-by";
    private static final String ALLOCATOR = "ipallocator.k8s.io";
    private static final Duration GRACE = Duration.ofSeconds(10);
    private static final String BLOCKED =
            "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR";
    private static final ResourceType<ServiceCIDR> RANGES = ResourceType.of(ServiceCIDR.class);

    private final Client client;
    private final Driver driver;
    private final EventRecorder events;
    private final Lister<ServiceCIDR> ranges;
    private final Lister<IPAddress> addresses;

    private ServiceCidrController(Manager manager) {
        this.client = manager.client(ACCOUNT);
        this.driver = manager.driver();
        this.events = manager.events("service-cidr-controller");
        this.ranges = manager.informers().informer(ServiceCIDR.class).lister();
        this.addresses = manager.informers().informer(IPAddress.class).lister();
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        ServiceCidrController controller = new ServiceCidrController(manager);
        return Controller.of(NAME, ServiceCIDR.class)
                .watches(ServiceCIDR.class, controller::rangeChanged)
                .watches(IPAddress.class, controller::addressChanged)
                .workers(5)
                .reconcile(controller);
    }

    /** A range that comes or goes may let another go, or keep it. */
    private void rangeChanged(Change<ServiceCIDR> change, Enqueuer queue) {
        if (!change.isUpdated()) {
            for (Addresses range : ranges(change.latest())) {
                enqueue(other -> other.overlaps(range), queue);
            }
        }
    }

    private void addressChanged(Change<IPAddress> change, Enqueuer queue) {
        if (change.isUpdated() || !isService(change.latest())) {
            return;
        }
        Addresses address = Addresses.parse(change.latest().getMetadata().getName());
        if (address != null) {
            enqueue(range -> range.serves(address), queue);
        }
    }

    private void enqueue(Predicate<Addresses> which, Enqueuer queue) {
        for (ServiceCIDR other : ranges.list()) {
            if (ranges(other).stream().anyMatch(which)) {
                queue.add(Request.of(other));
            }
        }
    }

    private static boolean isService(IPAddress address) {
        Map<String, String> labels = address.getMetadata().getLabels();
        return labels != null && ALLOCATOR.equals(labels.get(MANAGED_BY));
    }

    private static List<Addresses> ranges(ServiceCIDR object) {
        return object.getSpec() == null
                ? List.of()
                : object.getSpec().getCidrs().stream()
                        .map(Addresses::parse)
                        .filter(java.util.Objects::nonNull)
                        .toList();
    }

    @Override
    public Result reconcile(Request request) {
        ServiceCIDR range = ranges.get(null, request.name()).orElse(null);
        if (range == null) {
            return Result.done();
        }
        if (Finalizers.isDeleting(range)) {
            return letGo(range);
        }
        if (!Finalizers.has(range, FINALIZER)) {
            finalizers(range, "{\"metadata\":{\"finalizers\":[\"" + FINALIZER + "\"]}}");
        }
        try {
            condition(range, "True", "", "Kubernetes Service CIDR is ready");
        } catch (ApiException e) {
            events.warning(range, "KubernetesServiceCIDRError", "The ServiceCIDR Status can not be set to Ready=True");
            throw e;
        }
        return Result.done();
    }

    private Result letGo(ServiceCIDR range) {
        if (!mayGo(range, ranges.list(), addresses.list())) {
            condition(range, "False", "Terminating", BLOCKED);
            return Result.done();
        }
        Duration left =
                GRACE.minus(Duration.between(Instant.parse(range.getMetadata().getDeletionTimestamp()), driver.now()));
        if (!left.isNegative() && !left.isZero()) {
            return Result.after(left);
        }
        if (Finalizers.has(range, FINALIZER)) {
            finalizers(range, "{\"metadata\":{\"$deleteFromPrimitiveList/finalizers\":[\"" + FINALIZER + "\"]}}");
        }
        return Result.done();
    }

    /** Whether no address of a Service is left without a range. Pure. */
    static boolean mayGo(ServiceCIDR range, Collection<ServiceCIDR> all, Collection<IPAddress> addresses) {
        List<Addresses> own = ranges(range);
        String name = range.getMetadata().getName();
        List<Addresses> others = all.stream()
                .filter(other -> !other.getMetadata().getName().equals(name))
                .flatMap(other -> ranges(other).stream())
                .toList();
        if (own.stream().allMatch(mine -> others.stream().anyMatch(other -> other.contains(mine)))) {
            return true;
        }
        for (IPAddress object : addresses) {
            Addresses address =
                    isService(object) ? Addresses.parse(object.getMetadata().getName()) : null;
            if (address != null
                    && own.stream().anyMatch(mine -> mine.serves(address))
                    && others.stream().noneMatch(other -> other.serves(address))) {
                return false;
            }
        }
        return true;
    }

    private void finalizers(ServiceCIDR range, String patch) {
        try {
            client.patchOnly(RANGES, null, range.getMetadata().getName(), Patch.strategic(patch));
        } catch (ApiException e) {
            if (!e.isNotFound()) {
                throw e;
            }
        }
    }

    private void condition(ServiceCIDR range, String status, String reason, String message) {
        Condition now = range.getStatus() == null
                ? null
                : Conditions.find(range.getStatus().getConditions(), "Ready").orElse(null);
        if (now != null
                && status.equals(now.getStatus())
                && reason.equals(now.getReason() == null ? "" : now.getReason())
                && message.equals(now.getMessage())) {
            return;
        }
        String name = range.getMetadata().getName();
        String body =
                "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"ServiceCIDR\",\"metadata\":{\"name\":\"" + name
                        + "\"},\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"" + status
                        + "\",\"reason\":\"" + reason
                        + "\",\"message\":\"" + message + "\",\"lastTransitionTime\":\""
                        + driver.now().truncatedTo(ChronoUnit.SECONDS) + "\"}]}}";
        client.patchOnly(RANGES, null, name, Patch.apply(body, NAME, true).on("status"));
    }
}
