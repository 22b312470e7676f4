package io.trimtab.controllers.disruption;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudgetBuilder;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudgetStatus;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.Patch;
import io.trimtab.client.ResourceType;
import io.trimtab.controller.Change;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Requests;
import io.trimtab.controller.Result;
import io.trimtab.controllers.pods.PodControl;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.informer.SharedInformer;
import io.trimtab.runtime.Driver;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import io.trimtab.selector.model.ModelSelectors;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the status of PodDisruptionBudgets: how many pods there are and should be, and so how many may be evicted. What it should
 * be is decided in {@link BudgetPlan}. When in doubt, nothing may be evicted.
 */
public final class DisruptionController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "disruption-controller";

    private static final String EVENT_SOURCE = "controllermanager";
    private static final ResourceType<PodDisruptionBudget> BUDGETS = ResourceType.of(PodDisruptionBudget.class);
    private static final Duration STALE = Duration.ofMinutes(2);

    private final Client client;
    private final Driver driver;
    private final EventRecorder events;
    private final Lister<PodDisruptionBudget> budgets;
    private final Lister<Pod> pods;
    private final Scales scales;

    private DisruptionController(Manager manager) {
        this.client = manager.client(NAME);
        this.driver = manager.driver();
        this.events = manager.events(EVENT_SOURCE);
        this.budgets = manager.informers().informer(PodDisruptionBudget.class).lister();
        this.pods = manager.informers().informer(Pod.class).lister();
        this.scales = new Scales(manager, client);
    }

    /** Adds the controller's parts to the manager. */
    public static void addTo(Manager manager) {
        DisruptionController controller = new DisruptionController(manager);
        SharedInformer<PodDisruptionBudget> informer = manager.informers().informer(PodDisruptionBudget.class);
        manager.add(Controller.of(NAME, PodDisruptionBudget.class)
                .watches(Pod.class, Requests.selectedBy(informer, DisruptionController::selector))
                // Not for their events: what controllers want has to be there first.
                .watches(io.fabric8.kubernetes.api.model.apps.ReplicaSet.class, (change, queue) -> {})
                .watches(io.fabric8.kubernetes.api.model.apps.Deployment.class, (change, queue) -> {})
                .watches(io.fabric8.kubernetes.api.model.apps.StatefulSet.class, (change, queue) -> {})
                .watches(io.fabric8.kubernetes.api.model.ReplicationController.class, (change, queue) -> {})
                .reconcile(controller));
        manager.add(Controller.of(
                        "disruption-controller-stale",
                        ResourceType.of(Pod.class),
                        (Change<Pod> change) -> !change.isDeleted() && staleAt(change.latest()) != null)
                .reconcile(controller::reconcileStale));
    }

    private static LabelSelector selector(PodDisruptionBudget budget) {
        try {
            return ModelSelectors.of(budget.getSpec().getSelector());
        } catch (IllegalArgumentException e) {
            return LabelSelectors.nothing(); // reported by its own reconcile
        }
    }

    @Override
    public Result reconcile(Request request) {
        PodDisruptionBudget budget =
                budgets.get(request.namespace(), request.name()).orElse(null);
        if (budget == null) {
            return Result.done();
        }
        Instant now = driver.now();
        try {
            LabelSelector selector = ModelSelectors.of(budget.getSpec().getSelector());
            List<Pod> selected = selector.isNothing() ? List.of() : pods.list(request.namespace(), selector);
            if (selected.isEmpty()) {
                events.normal(budget, "NoPods", "No matching pods found");
            }
            BudgetPlan.Need need = need(budget, selected);
            BudgetPlan.Disrupted disrupted = BudgetPlan.disrupted(budget, selected, now);
            disrupted
                    .overdue()
                    .forEach(pod -> events.warning(
                            pod, "NotDeleted", "Pod was expected by PDB " + request + " to be deleted but it wasn't"));
            int healthy = BudgetPlan.healthy(selected, disrupted);
            write(budget, BudgetPlan.status(budget, need, healthy, disrupted, now));
            return disrupted.recheck() == null
                    ? Result.done()
                    : Result.after(Duration.between(now, disrupted.recheck()).plusMillis(1));
        } catch (ApiException | IllegalArgumentException | IllegalStateException e) {
            if (!(e instanceof ApiException api && (api.isConflict() || api.isNotFound()))) {
                write(budget, BudgetPlan.failSafe(budget, String.valueOf(e.getMessage()), now));
            }
            throw e;
        }
    }

    private BudgetPlan.Need need(PodDisruptionBudget budget, List<Pod> selected) {
        try {
            if (!BudgetPlan.needsScale(budget)) {
                return BudgetPlan.need(budget, selected.size());
            }
            Scales.Expected expected = scales.expected(selected);
            if (!expected.unmanaged().isEmpty()) {
                events.warning(
                        budget,
                        "UnmanagedPods",
                        "Pods selected by this PodDisruptionBudget (selector: " + selector(budget)
                                + ") were found to be unmanaged. As a result, the status of the PDB cannot be calculated"
                                + " correctly, which may result in undefined behavior. To account for these pods please"
                                + " set \".spec.minAvailable\" field of the PDB to an integer value.");
            }
            return BudgetPlan.need(budget, expected.count());
        } catch (IllegalArgumentException | IllegalStateException | ApiException e) {
            events.warning(
                    budget,
                    "CalculateExpectedPodCountFailed",
                    "Failed to calculate the number of expected pods: " + e.getMessage());
            throw e;
        }
    }

    private void write(PodDisruptionBudget budget, PodDisruptionBudgetStatus status) {
        if (!Objects.equals(budget.getStatus(), status)) {
            client.updateStatus(
                    BUDGETS,
                    new PodDisruptionBudgetBuilder(budget).withStatus(status).build());
        }
    }

    // ---- disruptions that were announced and did not come

    private static @Nullable Instant staleAt(Pod pod) {
        if (Pods.isDeleting(pod) || Pods.isTerminal(pod)) {
            return null;
        }
        PodCondition target = Pods.condition(pod, "DisruptionTarget").orElse(null);
        if (target == null || !"True".equals(target.getStatus()) || "TerminationByKubelet".equals(target.getReason())) {
            return null;
        }
        Instant since = Pods.time(target.getLastTransitionTime());
        return (since == null ? Instant.EPOCH : since).plus(STALE);
    }

    private Result reconcileStale(Request request) {
        Pod pod = pods.get(request.namespace(), request.name()).orElse(null);
        Instant due = pod == null ? null : staleAt(pod);
        if (pod == null || due == null) {
            return Result.done();
        }
        Instant now = driver.now();
        if (due.isAfter(now)) {
            return Result.after(Duration.between(now, due));
        }
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.putObject("metadata").put("uid", pod.getMetadata().getUid());
        body.putObject("status")
                .putArray("conditions")
                .addObject()
                .put("type", "DisruptionTarget")
                .put("status", "False")
                .put("lastTransitionTime", Pods.time(now));
        try {
            client.patch(
                    PodControl.PODS,
                    request.namespace(),
                    request.name(),
                    Patch.strategic(body.toString()).on("status"));
        } catch (ApiException e) {
            if (!e.isNotFound()) {
                throw e;
            }
        }
        return Result.done();
    }
}
