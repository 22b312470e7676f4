package io.trimtab.controllers.podautoscaler;

import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.autoscaling.v1.Scale;
import io.fabric8.kubernetes.api.model.autoscaling.v2.ExternalMetricSource;
import io.fabric8.kubernetes.api.model.autoscaling.v2.MetricIdentifier;
import io.fabric8.kubernetes.api.model.autoscaling.v2.MetricIdentifierBuilder;
import io.fabric8.kubernetes.api.model.autoscaling.v2.MetricSpec;
import io.fabric8.kubernetes.api.model.autoscaling.v2.MetricStatus;
import io.fabric8.kubernetes.api.model.autoscaling.v2.MetricStatusBuilder;
import io.fabric8.kubernetes.api.model.autoscaling.v2.MetricTarget;
import io.fabric8.kubernetes.api.model.autoscaling.v2.MetricValueStatus;
import io.fabric8.kubernetes.api.model.autoscaling.v2.MetricValueStatusBuilder;
import io.fabric8.kubernetes.api.model.autoscaling.v2.ObjectMetricSource;
import io.trimtab.controllers.podautoscaler.ReplicaCalculator.Proposal;
import java.time.Instant;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** One metric of an autoscaler: measured, compared with its target, and put into words. Stateless. */
final class MetricEvaluator {
    private final MetricsSource metrics;

    /**
     * @param replicas how many the metric asks for
     * @param name in the words of events
     */
    record Outcome(int replicas, String name, MetricStatus status) {}

    /** The metric asks for nothing: it cannot be had. */
    static final class Failure extends Exception {
        private static final long serialVersionUID = 1L;

        private final String reason;
        private final String cause;

        /**
         * @param reason of the condition
         * @param cause in the words of the condition and its event
         */
        Failure(String reason, String cause, String message) {
            super(message);
            this.reason = reason;
            this.cause = cause;
        }

        String reason() {
            return reason;
        }

        String cause() {
            return cause;
        }
    }

    /** What all metrics of one reconcile look at. */
    record Subject(String namespace, Scale scale, String selector, List<Pod> pods, Instant now) {
        int specReplicas() {
            Integer replicas = scale.getSpec().getReplicas();
            return replicas == null ? 0 : replicas;
        }

        int statusReplicas() {
            Integer replicas =
                    scale.getStatus() == null ? null : scale.getStatus().getReplicas();
            return replicas == null ? 0 : replicas;
        }
    }

    MetricEvaluator(MetricsSource metrics) {
        this.metrics = metrics;
    }

    Outcome evaluate(MetricSpec spec, Subject subject) throws Failure {
        return switch (spec.getType()) {
            case "Resource" -> {
                String resource = spec.getResource().getName();
                yield attempt(
                        "FailedGetResourceMetric",
                        "failed to get " + resource + " resource metric value: ",
                        () -> resource(spec, resource, null, spec.getResource().getTarget(), subject));
            }
            case "ContainerResource" -> {
                String container = spec.getContainerResource().getContainer();
                yield attempt(
                        "FailedGetContainerResourceMetric",
                        "failed to get " + container + " container metric value: ",
                        () -> resource(
                                spec,
                                spec.getContainerResource().getName(),
                                container,
                                spec.getContainerResource().getTarget(),
                                subject));
            }
            case "Pods" ->
                attempt("FailedGetPodsMetric", "failed to get pods metric value: ", () -> pods(spec, subject));
            case "Object" ->
                attempt("FailedGetObjectMetric", "failed to get object metric value: ", () -> object(spec, subject));
            case "External" ->
                attempt(
                        "FailedGetExternalMetric",
                        "failed to get " + spec.getExternal().getMetric().getName() + " external metric value: ",
                        () -> external(spec, subject));
            default -> {
                String unknown = "unknown metric source type \"" + spec.getType() + "\"";
                throw new Failure("InvalidMetricSourceType", unknown, unknown);
            }
        };
    }

    private static Outcome attempt(String reason, String prefix, Supplier<Outcome> evaluation) throws Failure {
        try {
            return evaluation.get();
        } catch (MetricsException e) {
            throw new Failure(reason, String.valueOf(e.getMessage()), prefix + e.getMessage());
        }
    }

    private static <T> T explain(String prefix, Supplier<T> step) {
        try {
            return step.get();
        } catch (MetricsException e) {
            throw new MetricsException(prefix + e.getMessage());
        }
    }

    private Outcome resource(
            MetricSpec spec, String resource, @Nullable String container, MetricTarget target, Subject subject) {
        boolean size = resource.equals("memory");
        boolean isAverage = target.getAverageValue() != null;
        Integer percent = target.getAverageUtilization();
        if (!isAverage && percent == null) {
            throw new MetricsException("invalid resource metric source: neither an average utilization target nor an"
                    + " average value (usage) target was set");
        }
        Proposal proposal = explain("failed to get " + resource + (isAverage ? " usage: " : " utilization: "), () -> {
            var samples = explain(
                    "unable to get metrics for resource " + resource + ": ",
                    () -> metrics.resource(resource, subject.namespace, subject.selector, container));
            return percent == null || isAverage
                    ? ReplicaCalculator.byAverage(
                            subject.specReplicas(),
                            Amount.milli(target.getAverageValue()),
                            resource.equals("cpu"),
                            subject.pods,
                            samples,
                            subject.now)
                    : ReplicaCalculator.byUtilization(
                            subject.specReplicas(), percent, resource, container, subject.pods, samples, subject.now);
        });
        Quantity used = size ? Amount.size(proposal.used()) : Amount.decimal(proposal.used());
        MetricValueStatus value = new MetricValueStatusBuilder()
                .withAverageValue(used)
                .withAverageUtilization(isAverage ? null : Integer.valueOf(proposal.percent()))
                .build();
        MetricStatusBuilder status = new MetricStatusBuilder().withType(spec.getType());
        if (container == null) {
            status.withNewResource().withName(resource).withCurrent(value).endResource();
        } else {
            status.withNewContainerResource()
                    .withName(resource)
                    .withContainer(container)
                    .withCurrent(value)
                    .endContainerResource();
        }
        String name = isAverage
                ? resource + " resource"
                : resource + (container == null ? "" : " container") + " resource utilization (percentage of request)";
        return new Outcome(proposal.replicas(), name, status.build());
    }

    private Outcome pods(MetricSpec spec, Subject subject) {
        MetricIdentifier metric = spec.getPods().getMetric();
        var samples = explain(
                "unable to get metric " + metric.getName() + ": ",
                () -> metrics.pods(metric.getName(), subject.namespace, subject.selector, metric.getSelector()));
        Proposal proposal = ReplicaCalculator.byAverage(
                subject.specReplicas(),
                Amount.milli(spec.getPods().getTarget().getAverageValue()),
                false,
                subject.pods,
                samples,
                subject.now);
        MetricStatus status = new MetricStatusBuilder()
                .withType(spec.getType())
                .withNewPods()
                .withMetric(copy(metric))
                .withCurrent(averageOf(proposal))
                .endPods()
                .build();
        return new Outcome(proposal.replicas(), "pods metric " + metric.getName(), status);
    }

    private Outcome object(MetricSpec spec, Subject subject) {
        ObjectMetricSource source = spec.getObject();
        MetricIdentifier metric = source.getMetric();
        String name = metric.getName();
        MetricTarget target = source.getTarget();
        boolean isValue = "Value".equals(target.getType()) && target.getValue() != null;
        if (!isValue && !("AverageValue".equals(target.getType()) && target.getAverageValue() != null)) {
            throw new MetricsException(
                    "invalid object metric source: neither a value target nor an average value target was set");
        }
        String kind = source.getDescribedObject().getKind();
        String where = subject.namespace + " " + source.getDescribedObject().getName();
        String prefix = isValue ? "" : "failed to get " + name + " object metric: ";
        long found;
        try {
            found = metrics.object(name, subject.namespace, source.getDescribedObject(), metric.getSelector());
        } catch (MetricsException e) {
            // The object comes before the reason, whatever reads better: these are Kubernetes' words.
            throw new MetricsException(
                    prefix + "unable to get metric " + name + ": " + kind + " on " + where + "/" + e.getMessage());
        }
        Proposal proposal = isValue
                ? ReplicaCalculator.byValue(
                        subject.specReplicas(), found, Amount.milli(target.getValue()), subject.pods)
                : ReplicaCalculator.byShare(subject.statusReplicas(), found, Amount.milli(target.getAverageValue()));
        MetricStatus status = new MetricStatusBuilder()
                .withType(spec.getType())
                .withNewObject()
                .withDescribedObject(source.getDescribedObject())
                .withMetric(copy(metric))
                .withCurrent(isValue ? valueOf(proposal) : averageOf(proposal))
                .endObject()
                .build();
        return new Outcome(
                proposal.replicas(),
                isValue
                        ? kind + " metric " + name
                        : "external metric " + name + "(" + describe(metric.getSelector()) + ")",
                status);
    }

    private Outcome external(MetricSpec spec, Subject subject) {
        ExternalMetricSource source = spec.getExternal();
        MetricIdentifier metric = source.getMetric();
        String name = metric.getName();
        MetricTarget target = source.getTarget();
        boolean isAverage = target.getAverageValue() != null;
        if (!isAverage && target.getValue() == null) {
            throw new MetricsException(
                    "invalid external metric source: neither a value target nor an average value target was set");
        }
        String selector = describe(metric.getSelector());
        String prefix = isAverage
                ? "failed to get " + name + " external metric: "
                : "failed to get external metric " + name + ": ";
        Proposal proposal = explain(prefix, () -> {
            long sum = explain(
                            "unable to get external metric " + subject.namespace + "/" + name + "/" + selector + ": ",
                            () -> metrics.external(name, subject.namespace, metric.getSelector()))
                    .stream()
                    .mapToLong(Long::longValue)
                    .sum();
            return isAverage
                    ? ReplicaCalculator.byShare(subject.statusReplicas(), sum, Amount.milli(target.getAverageValue()))
                    : ReplicaCalculator.byValue(
                            subject.specReplicas(), sum, Amount.milli(target.getValue()), subject.pods);
        });
        MetricStatus status = new MetricStatusBuilder()
                .withType(spec.getType())
                .withNewExternal()
                .withMetric(copy(metric))
                .withCurrent(isAverage ? averageOf(proposal) : valueOf(proposal))
                .endExternal()
                .build();
        return new Outcome(proposal.replicas(), "external metric " + name + "(" + selector + ")", status);
    }

    private static MetricIdentifier copy(MetricIdentifier metric) {
        return new MetricIdentifierBuilder(metric).build();
    }

    private static MetricValueStatus averageOf(Proposal proposal) {
        return new MetricValueStatusBuilder()
                .withAverageValue(Amount.decimal(proposal.used()))
                .build();
    }

    private static MetricValueStatus valueOf(Proposal proposal) {
        return new MetricValueStatusBuilder()
                .withValue(Amount.decimal(proposal.used()))
                .build();
    }

    /** A selector as Kubernetes' messages print it. */
    static String describe(@Nullable LabelSelector selector) {
        if (selector == null) {
            return "nil";
        }
        String labels = selector.getMatchLabels() == null
                ? ""
                : new TreeMap<>(selector.getMatchLabels())
                        .entrySet().stream()
                                .map(e -> e.getKey() + ": " + e.getValue() + ",")
                                .collect(Collectors.joining());
        String expressions = selector.getMatchExpressions().stream()
                .map(e -> "LabelSelectorRequirement{Key:" + e.getKey() + ",Operator:" + e.getOperator() + ",Values:["
                        + String.join(" ", e.getValues()) + "],},")
                .collect(Collectors.joining());
        return "&LabelSelector{MatchLabels:map[string]string{" + labels
                + "},MatchExpressions:[]LabelSelectorRequirement{" + expressions + "},}";
    }
}
