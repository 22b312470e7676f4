package io.trimtab.controllers.podautoscaler;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.autoscaling.v1.Scale;
import io.fabric8.kubernetes.api.model.autoscaling.v2.CrossVersionObjectReference;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscalerBehavior;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscalerCondition;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscalerStatus;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscalerStatusBuilder;
import io.fabric8.kubernetes.api.model.autoscaling.v2.MetricSpec;
import io.fabric8.kubernetes.api.model.autoscaling.v2.MetricStatus;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.KubernetesJson;
import io.trimtab.client.ResourceType;
import io.trimtab.client.WatchScope;
import io.trimtab.controller.Controller;
import io.trimtab.controller.Manager;
import io.trimtab.controller.Reconciler;
import io.trimtab.controller.Request;
import io.trimtab.controller.Result;
import io.trimtab.controllers.podautoscaler.ScalePace.Bounds;
import io.trimtab.controllers.podautoscaler.ScalePace.Pace;
import io.trimtab.controllers.pods.Pods;
import io.trimtab.events.EventRecorder;
import io.trimtab.informer.Lister;
import io.trimtab.runtime.Driver;
import io.trimtab.selector.InvalidSelectorException;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.LabelSelectors;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the number of replicas of whatever has a scale where the metrics of a HorizontalPodAutoscaler want it. Each autoscaler is
 * looked at every 15 seconds, whatever changes meanwhile. Its memory of recommendations is lost when the process ends: a
 * workload is then not scaled down for the length of the window.
 */
public final class HorizontalPodAutoscalerController implements Reconciler {
    /** The name under which the controller is switched on and off. */
    public static final String NAME = "horizontal-pod-autoscaler-controller";

    private static final Logger LOG = LoggerFactory.getLogger(HorizontalPodAutoscalerController.class);
    private static final ResourceType<HorizontalPodAutoscaler> AUTOSCALERS =
            ResourceType.of(HorizontalPodAutoscaler.class);
    private static final Duration PERIOD = Duration.ofSeconds(15);
    private static final int CONFLICT_TRIES = 5;
    private static final String ABLE = "AbleToScale";
    private static final String ACTIVE = "ScalingActive";
    private static final String LIMITED = "ScalingLimited";

    private final Client client;
    private final Driver driver;
    private final EventRecorder events;
    private final Lister<HorizontalPodAutoscaler> autoscalers;
    private final Lister<Pod> pods;
    private final ScaleTargets targets;
    private final MetricEvaluator metrics;
    private final Map<Request, Memory> memories = new ConcurrentHashMap<>();

    /** What is known of one autoscaler between two looks. */
    private static final class Memory {
        final Recommendations recent = new Recommendations();
        volatile @Nullable LabelSelector selector;
    }

    /** Nothing can be computed; conditions and events have been written. */
    private static final class NotComputed extends Exception {
        private static final long serialVersionUID = 1L;

        NotComputed(@Nullable String message) {
            super(message);
        }
    }

    /** @param failure of some metrics, while the others ask for more replicas; null if all are well */
    private record Computed(
            int replicas,
            String name,
            List<MetricStatus> statuses,
            @Nullable String failure) {}

    private HorizontalPodAutoscalerController(Manager manager) {
        this.client = manager.client("horizontal-pod-autoscaler");
        this.driver = manager.driver();
        this.events = manager.events("horizontal-pod-autoscaler");
        this.autoscalers =
                manager.informers().informer(HorizontalPodAutoscaler.class).lister();
        this.pods = manager.informers().informer(Pod.class).lister();
        this.targets = new ScaleTargets(client, driver);
        this.metrics = new MetricEvaluator(new ApiMetrics(client, targets));
    }

    /** The controller, to be added to the manager. */
    public static Controller controller(Manager manager) {
        return Controller.named(NAME)
                .watches(AUTOSCALERS, WatchScope.ALL, (change, queue) -> {
                    Request key = Request.of(change.latest());
                    // Every key waits its turn: a change of its own status would otherwise wake it at once.
                    queue.addAfter(key, change.isDeleted() ? Duration.ZERO : PERIOD);
                })
                .workers(5)
                .reconcile(new HorizontalPodAutoscalerController(manager));
    }

    @Override
    public Result reconcile(Request request) {
        HorizontalPodAutoscaler found =
                autoscalers.get(request.namespace(), request.name()).orElse(null);
        if (found == null) {
            memories.remove(request);
            return Result.done();
        }
        HorizontalPodAutoscaler autoscaler = KubernetesJson.copy(found);
        HorizontalPodAutoscalerStatus status =
                autoscaler.getStatus() == null ? new HorizontalPodAutoscalerStatus() : autoscaler.getStatus();
        autoscaler.setStatus(status);
        HorizontalPodAutoscalerStatus before = new HorizontalPodAutoscalerStatusBuilder(status).build();
        before.setConditions(new ArrayList<>(
                status.getConditions().stream().map(KubernetesJson::copy).toList()));
        try {
            scale(autoscaler, memories.computeIfAbsent(request, key -> new Memory()));
        } catch (NotComputed | ApiException e) {
            LOG.warn("Autoscaler {} was not carried out: {}", request, e.getMessage());
        } finally {
            write(autoscaler, before);
        }
        return Result.after(PERIOD);
    }

    private void scale(HorizontalPodAutoscaler autoscaler, Memory memory) throws NotComputed {
        String namespace = autoscaler.getMetadata().getNamespace();
        HorizontalPodAutoscalerStatus status = autoscaler.getStatus();
        CrossVersionObjectReference reference = autoscaler.getSpec().getScaleTargetRef();
        ScaleTargets.Target target;
        try {
            target = targets.find(namespace, reference.getApiVersion(), reference.getKind(), reference.getName());
        } catch (ApiException | MetricsException e) {
            events.warning(autoscaler, "FailedGetScale", String.valueOf(e.getMessage()));
            set(
                    autoscaler,
                    ABLE,
                    false,
                    "FailedGetScale",
                    "the HPA controller was unable to get the target's current scale: " + e.getMessage());
            throw new NotComputed(e.getMessage());
        }
        set(
                autoscaler,
                ABLE,
                true,
                "SucceededGetScale",
                "the HPA controller was able to get the target's current scale");
        Scale scale = target.scale();
        int current =
                scale.getSpec().getReplicas() == null ? 0 : scale.getSpec().getReplicas();
        memory.recent.begin(current, driver.now());
        Bounds bounds = new Bounds(
                autoscaler.getSpec().getMinReplicas() == null
                        ? 1
                        : autoscaler.getSpec().getMinReplicas(),
                autoscaler.getSpec().getMaxReplicas());

        int desired = current;
        String why = "";
        List<MetricStatus> statuses = List.of();
        String failure = null;
        if (current == 0 && bounds.least() != 0) {
            set(
                    autoscaler,
                    ACTIVE,
                    false,
                    "ScalingDisabled",
                    "scaling is disabled since the replica count of the target is zero");
        } else if (current > bounds.most()) {
            desired = bounds.most();
            why = "Current number of replicas above Spec.MaxReplicas";
        } else if (current < bounds.least()) {
            desired = bounds.least();
            why = "Current number of replicas below Spec.MinReplicas";
        } else {
            status.setCurrentReplicas(current);
            Computed computed = compute(autoscaler, scale, memory);
            statuses = computed.statuses;
            failure = computed.failure;
            why = computed.replicas > current ? computed.name + " above target" : "All metrics below target";
            desired = pace(autoscaler, bounds, current, computed.replicas, memory);
        }
        boolean rescale = desired != current;
        if (rescale) {
            rescale(autoscaler, target, desired, why, statuses);
            HorizontalPodAutoscalerBehavior behavior = autoscaler.getSpec().getBehavior();
            if (behavior != null) {
                memory.recent.scaled(
                        current,
                        desired,
                        ScalePace.longestPeriod(desired > current ? behavior.getScaleUp() : behavior.getScaleDown()),
                        driver.now());
            }
            status.setLastScaleTime(Pods.time(driver.now()));
        }
        status.setCurrentReplicas(current);
        status.setDesiredReplicas(desired);
        status.setCurrentMetrics(statuses);
        if (failure != null) {
            throw new NotComputed(failure);
        }
    }

    private int pace(HorizontalPodAutoscaler autoscaler, Bounds bounds, int current, int desired, Memory memory) {
        HorizontalPodAutoscalerBehavior behavior = autoscaler.getSpec().getBehavior();
        Pace pace = behavior == null
                ? ScalePace.usual(bounds, current, desired, memory.recent, driver.now())
                : ScalePace.of(behavior, bounds, current, desired, memory.recent, driver.now());
        set(autoscaler, ABLE, true, pace.able().reason(), pace.able().message());
        set(
                autoscaler,
                LIMITED,
                pace.limited(),
                pace.limit().reason(),
                pace.limit().message());
        return pace.replicas();
    }

    private void rescale(
            HorizontalPodAutoscaler autoscaler,
            ScaleTargets.Target target,
            int desired,
            String why,
            List<MetricStatus> statuses) {
        String namespace = autoscaler.getMetadata().getNamespace();
        String name = autoscaler.getSpec().getScaleTargetRef().getName();
        Scale scale = target.scale();
        for (int tries = 1; ; tries++) {
            scale.getSpec().setReplicas(desired);
            try {
                targets.write(target, namespace, name, scale);
                break;
            } catch (ApiException e) {
                if (e.isConflict() && tries < CONFLICT_TRIES) {
                    scale = targets.read(target.type(), namespace, name);
                    continue;
                }
                events.warning(
                        autoscaler,
                        "FailedRescale",
                        "New size: " + desired + "; reason: " + why + "; error: " + e.getMessage());
                set(
                        autoscaler,
                        ABLE,
                        false,
                        "FailedUpdateScale",
                        "the HPA controller was unable to update the target scale: " + e.getMessage());
                autoscaler.getStatus().setCurrentMetrics(statuses);
                throw e;
            }
        }
        set(
                autoscaler,
                ABLE,
                true,
                "SucceededRescale",
                "the HPA controller was able to update the target scale to " + desired);
        events.normal(autoscaler, "SuccessfulRescale", "New size: " + desired + "; reason: " + why);
    }

    // ---- what the metrics say

    private Computed compute(HorizontalPodAutoscaler autoscaler, Scale scale, Memory memory) throws NotComputed {
        String namespace = autoscaler.getMetadata().getNamespace();
        String text = scale.getStatus() == null || scale.getStatus().getSelector() == null
                ? ""
                : scale.getStatus().getSelector();
        List<Pod> selected = pods.list(namespace, selector(autoscaler, text, memory));
        requireOneAutoscaler(autoscaler, text, selected);

        var subject = new MetricEvaluator.Subject(namespace, scale, text, selected, driver.now());
        List<MetricSpec> specs = autoscaler.getSpec().getMetrics();
        List<MetricStatus> statuses = new ArrayList<>();
        int replicas = 0;
        String name = "";
        int failures = 0;
        MetricEvaluator.Failure first = null;
        for (MetricSpec spec : specs) {
            try {
                MetricEvaluator.Outcome outcome = metrics.evaluate(spec, subject);
                statuses.add(outcome.status());
                if (replicas == 0 || outcome.replicas() > replicas) {
                    replicas = outcome.replicas();
                    name = outcome.name();
                }
            } catch (MetricEvaluator.Failure e) {
                events.warning(autoscaler, e.reason(), e.cause());
                // A metric that cannot be had keeps its place, empty.
                MetricStatus unknown = new MetricStatus();
                unknown.setType("");
                statuses.add(unknown);
                first = first == null ? e : first;
                failures++;
            }
        }
        String failure = first == null
                ? null
                : "invalid metrics (" + failures + " invalid out of " + specs.size() + "), first error is: "
                        + first.getMessage();
        if (first != null && (failures == specs.size() || replicas < subject.specReplicas())) {
            set(
                    autoscaler,
                    ACTIVE,
                    false,
                    first.reason(),
                    "the HPA was unable to compute the replica count: " + first.cause());
            autoscaler.getStatus().setCurrentMetrics(statuses);
            throw failed(autoscaler, String.valueOf(failure));
        }
        set(
                autoscaler,
                ACTIVE,
                true,
                "ValidMetricFound",
                "the HPA was able to successfully calculate a replica count from " + name);
        return new Computed(replicas, name, statuses, failure);
    }

    private NotComputed failed(HorizontalPodAutoscaler autoscaler, String message) {
        events.warning(autoscaler, "FailedComputeMetricsReplicas", message);
        return new NotComputed(message);
    }

    private LabelSelector selector(HorizontalPodAutoscaler autoscaler, String text, Memory memory) throws NotComputed {
        if (text.isEmpty()) {
            events.warning(autoscaler, "SelectorRequired", "selector is required");
            set(autoscaler, ACTIVE, false, "InvalidSelector", "the HPA target's scale is missing a selector");
            throw failed(autoscaler, "selector is required");
        }
        try {
            LabelSelector selector = LabelSelectors.parse(text);
            memory.selector = selector;
            return selector;
        } catch (InvalidSelectorException e) {
            String message =
                    "couldn't convert selector into a corresponding internal selector object: " + e.getMessage();
            events.warning(autoscaler, "InvalidSelector", message);
            set(autoscaler, ACTIVE, false, "InvalidSelector", message);
            throw failed(autoscaler, message);
        }
    }

    /** Two that scale the same pods would work against each other. */
    private void requireOneAutoscaler(HorizontalPodAutoscaler autoscaler, String selector, List<Pod> selected)
            throws NotComputed {
        String namespace = autoscaler.getMetadata().getNamespace();
        TreeSet<String> interested = new TreeSet<>();
        memories.forEach((key, memory) -> {
            LabelSelector other = memory.selector;
            if (other != null
                    && key.namespace().equals(namespace)
                    && selected.stream().anyMatch(pod -> matches(other, pod))) {
                interested.add("{" + key.name() + " " + key.namespace() + "}");
            }
        });
        if (interested.size() > 1) {
            String message = "pods by selector " + selector + " are controlled by multiple HPAs: ["
                    + String.join(" ", interested) + "]";
            events.warning(autoscaler, "AmbiguousSelector", message);
            set(autoscaler, ACTIVE, false, "AmbiguousSelector", message);
            throw failed(autoscaler, message);
        }
    }

    private static boolean matches(LabelSelector selector, Pod pod) {
        Map<String, String> labels = pod.getMetadata().getLabels();
        return selector.matches(labels == null ? Map.of() : labels);
    }

    // ---- the status

    private void set(HorizontalPodAutoscaler autoscaler, String type, boolean value, String reason, String message) {
        List<HorizontalPodAutoscalerCondition> conditions =
                autoscaler.getStatus().getConditions();
        HorizontalPodAutoscalerCondition condition = conditions.stream()
                .filter(known -> type.equals(known.getType()))
                .findFirst()
                .orElse(null);
        if (condition == null) {
            condition = new HorizontalPodAutoscalerCondition();
            condition.setType(type);
            conditions = new ArrayList<>(conditions);
            conditions.add(condition);
            autoscaler.getStatus().setConditions(conditions);
        }
        String text = value ? "True" : "False";
        if (!text.equals(condition.getStatus())) {
            condition.setLastTransitionTime(Pods.time(driver.now()));
        }
        condition.setStatus(text);
        condition.setReason(reason);
        condition.setMessage(message);
    }

    private void write(HorizontalPodAutoscaler autoscaler, HorizontalPodAutoscalerStatus before) {
        if (before.equals(autoscaler.getStatus())) {
            return;
        }
        try {
            client.updateStatus(AUTOSCALERS, autoscaler);
        } catch (ApiException e) {
            events.warning(autoscaler, "FailedUpdateStatus", String.valueOf(e.getMessage()));
            LOG.warn("The status of autoscaler {} was not written: {}", Request.of(autoscaler), e.getMessage());
        }
    }
}
