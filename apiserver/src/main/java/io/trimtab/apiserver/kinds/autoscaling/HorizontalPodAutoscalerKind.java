package io.trimtab.apiserver.kinds.autoscaling;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.FieldErrors;
import io.trimtab.apiserver.kinds.Amounts;
import io.trimtab.apiserver.kinds.DisabledFields;
import io.trimtab.apiserver.kinds.FieldRules;
import io.trimtab.apiserver.kinds.Names;
import io.trimtab.apiserver.kinds.ResourceRequirements;
import io.trimtab.apiserver.kinds.Trees;
import io.trimtab.apiserver.resource.Kind;
import io.trimtab.apiserver.resource.WriteContext;
import java.util.List;
import java.util.Locale;

/** HorizontalPodAutoscalers, of both versions: the first knows a CPU target only. Stateless. */
public final class HorizontalPodAutoscalerKind implements Kind {
    private static final List<String> SOURCES = List.of("object", "external", "pods", "resource", "containerResource");
    private static final List<String> TYPES = List.of("ContainerResource", "External", "Object", "Pods", "Resource");

    private final DisabledFields disabled;

    /** Stateless but for what it is told of the cluster. */
    public HorizontalPodAutoscalerKind(DisabledFields disabled) {
        this.disabled = disabled;
    }

    @Override
    public void dropDisabled(ObjectNode autoscaler) {
        ObjectNode behavior = Trees.object(Trees.object(autoscaler, "spec"), "behavior");
        disabled.drop("HPAConfigurableTolerance", Trees.object(behavior, "scaleUp"), "tolerance");
        disabled.drop("HPAConfigurableTolerance", Trees.object(behavior, "scaleDown"), "tolerance");
    }

    @Override
    public void defaults(ObjectNode scaler) {
        ObjectNode spec = Trees.make(scaler, "spec");
        Trees.fill(spec, "minReplicas", 1);
        ObjectNode status = Trees.make(scaler, "status");
        if (Trees.text(scaler, "apiVersion").equals("autoscaling/v1")) {
            Trees.fill(status, "currentReplicas", 0);
            Trees.fill(status, "desiredReplicas", 0);
            return;
        }
        if (!Trees.hasContent(spec, "metrics")) {
            ObjectNode metric = spec.putArray("metrics").addObject();
            metric.put("type", "Resource");
            metric.putObject("resource")
                    .put("name", "cpu")
                    .putObject("target")
                    .put("type", "Utilization")
                    .put("averageUtilization", 80);
        }
        ObjectNode behavior = Trees.object(spec, "behavior");
        if (behavior != null) {
            ObjectNode up = Trees.make(behavior, "scaleUp");
            Trees.fill(up, "stabilizationWindowSeconds", 0);
            rules(up, true);
            rules(Trees.make(behavior, "scaleDown"), false);
        }
        Trees.fill(status, "desiredReplicas", 0);
        // The list has no "absent": it is written as null.
        if (!status.has("currentMetrics")) {
            status.putNull("currentMetrics");
        }
    }

    private static void rules(ObjectNode rules, boolean up) {
        if (!Trees.has(rules, "selectPolicy")) {
            rules.put("selectPolicy", "Max");
        }
        if (!Trees.has(rules, "policies")) {
            var policies = rules.putArray("policies");
            if (up) {
                policies.addObject().put("type", "Pods").put("value", 4).put("periodSeconds", 15);
            }
            policies.addObject().put("type", "Percent").put("value", 100).put("periodSeconds", 15);
        }
    }

    @Override
    public void prepareCreate(ObjectNode scaler, WriteContext context) {
        scaler.putObject("status");
        defaults(scaler);
    }

    @Override
    public void validateCreate(ObjectNode scaler, FieldErrors errors, WriteContext context) {
        boolean core =
                Trees.text(Trees.at(scaler, "spec", "scaleTargetRef"), "kind").equals("ReplicationController");
        validate(scaler, errors, core ? Group.OPTIONAL : Group.REQUIRED);
    }

    /** What is asked of the group of a reference. */
    private enum Group {
        REQUIRED,
        OPTIONAL,
        UNCHECKED
    }

    private static void validate(ObjectNode scaler, FieldErrors errors, Group group) {
        JsonNode spec = Trees.child(scaler, "spec");
        long min = Trees.number(spec, "minReplicas");
        long max = Trees.number(spec, "maxReplicas");
        if (Trees.has(spec, "minReplicas") && min < 1) {
            errors.invalid("spec.minReplicas", min, "must be greater than or equal to 1");
        }
        if (max < 1) {
            errors.invalid("spec.maxReplicas", max, "must be greater than 0");
        }
        if (Trees.has(spec, "minReplicas") && max < min) {
            errors.invalid("spec.maxReplicas", max, "must be greater than or equal to `minReplicas`");
        }
        reference(errors, "spec.scaleTargetRef", Trees.child(spec, "scaleTargetRef"), group);
        int i = 0;
        for (JsonNode metric : Trees.items(spec, "metrics")) {
            metric(errors, "spec.metrics[" + i++ + "]", metric);
        }
        if (Trees.has(spec, "targetCPUUtilizationPercentage")) {
            long target = Trees.number(spec, "targetCPUUtilizationPercentage");
            if (target < 1) {
                errors.invalid("spec.metrics[0].resource.target.averageUtilization", target, "must be greater than 0");
            }
        }
        JsonNode behavior = Trees.child(spec, "behavior");
        for (String direction : List.of("scaleUp", "scaleDown")) {
            if (Trees.has(behavior, direction)) {
                behavior(errors, "spec.behavior." + direction, behavior.get(direction));
            }
        }
    }

    private static void reference(FieldErrors errors, String path, JsonNode ref, Group group) {
        for (String field : List.of("kind", "name")) {
            String value = Trees.text(ref, field);
            if (value.isEmpty()) {
                errors.required(path + "." + field, "");
            } else {
                FieldRules.invalid(errors, path + "." + field, value, Names.pathSegment(value));
            }
        }
        String version = Trees.text(ref, "apiVersion");
        if (group == Group.UNCHECKED) {
            return;
        }
        if (version.chars().filter(c -> c == '/').count() > 1) {
            errors.invalid(path + ".apiVersion", version, "unexpected GroupVersion string: " + version);
        } else if (group == Group.REQUIRED && version.indexOf('/') <= 0) {
            errors.invalid(path + ".apiVersion", version, "apiVersion must specify API group");
        }
    }

    private static void metric(FieldErrors errors, String path, JsonNode metric) {
        String type = Trees.text(metric, "type");
        if (type.isEmpty()) {
            errors.required(path + ".type", "must specify a metric source type");
        }
        if (!TYPES.contains(type)) {
            errors.notSupported(path + ".type", Trees.textNode(type), TYPES);
        }
        List<String> present =
                SOURCES.stream().filter(source -> Trees.has(metric, source)).toList();
        if (!present.isEmpty()) {
            source(errors, path + "." + present.get(0), metric.get(present.get(0)), present.get(0));
        }
        String expected = type.isEmpty() ? "" : type.substring(0, 1).toLowerCase(Locale.ROOT) + type.substring(1);
        if (!TYPES.contains(type)) {
            errors.notSupported(path + ".type", Trees.textNode(type), TYPES);
        } else if (!Trees.has(metric, expected)) {
            errors.required(path + "." + expected, "must populate information for the given metric source");
        }
        if (present.size() != 1) {
            for (String other : present) {
                if (!other.equals(expected)) {
                    errors.forbidden(path + "." + other, "must populate the given metric source only");
                }
            }
        }
    }

    private static void source(FieldErrors errors, String path, JsonNode source, String kind) {
        JsonNode target = Trees.child(source, "target");
        boolean value = Trees.has(target, "value");
        boolean average = Trees.has(target, "averageValue");
        boolean utilization = Trees.has(target, "averageUtilization");
        if (kind.equals("object")) {
            reference(errors, path + ".describedObject", Trees.child(source, "describedObject"), Group.OPTIONAL);
        }
        if (kind.equals("resource") || kind.equals("containerResource")) {
            String name = Trees.text(source, "name");
            if (name.isEmpty()) {
                errors.required(path + ".name", "must specify a resource name");
            } else if (kind.equals("containerResource")) {
                ResourceRequirements.containerName(errors, path + ".name", name);
            }
            if (kind.equals("containerResource")) {
                String container = Trees.text(source, "container");
                if (container.isEmpty()) {
                    errors.required(path + ".container", "must specify a container");
                } else {
                    FieldRules.invalid(errors, path + ".container", container, Names.label(container));
                }
            }
            target(errors, path + ".target", target);
            if (!utilization && !average) {
                errors.required(
                        path + ".target.averageUtilization",
                        "must set either a target raw value or a target utilization");
            }
            if (utilization && average) {
                errors.forbidden(
                        path + ".target.averageValue", "may not set both a target raw value and a target utilization");
            }
            return;
        }
        String name = Trees.text(Trees.child(source, "metric"), "name");
        if (name.isEmpty()) {
            errors.required(path + ".metric.name", "must specify a metric name");
        } else {
            FieldRules.invalid(errors, path + ".metric.name", name, Names.pathSegment(name));
        }
        target(errors, path + ".target", target);
        if (kind.equals("pods")) {
            if (!average) {
                errors.required(path + ".target.averageValue", "must specify a positive target averageValue");
            }
        } else if (!value && !average) {
            errors.required(
                    path + ".target.averageValue",
                    kind.equals("object")
                            ? "must set either a target value or averageValue"
                            : "must set either a target value for metric or a per-pod target");
        } else if (kind.equals("external") && value && average) {
            errors.forbidden(path + ".target.value", "may not set both a target value for metric and a per-pod target");
        }
    }

    private static void target(FieldErrors errors, String path, JsonNode target) {
        String type = Trees.text(target, "type");
        if (type.isEmpty()) {
            errors.required(path + ".type", "must specify a metric target type");
        }
        if (!List.of("Utilization", "Value", "AverageValue").contains(type)) {
            errors.invalid(path + ".type", type, "must be either Utilization, Value, or AverageValue");
        }
        for (String field : List.of("value", "averageValue")) {
            if (Trees.has(target, field) && Amounts.sign(target.get(field)) <= 0) {
                errors.invalid(path + "." + field, Amounts.text(target.get(field)), "must be positive");
            }
        }
        if (Trees.has(target, "averageUtilization") && Trees.number(target, "averageUtilization") < 1) {
            errors.invalid(
                    path + ".averageUtilization", Trees.number(target, "averageUtilization"), "must be greater than 0");
        }
    }

    private static void behavior(FieldErrors errors, String path, JsonNode rules) {
        if (Trees.has(rules, "stabilizationWindowSeconds")) {
            long window = Trees.number(rules, "stabilizationWindowSeconds");
            if (window < 0) {
                errors.invalid(path + ".stabilizationWindowSeconds", window, "must be greater than or equal to zero");
            }
            if (window > 3600) {
                errors.invalid(path + ".stabilizationWindowSeconds", window, "must be less than or equal to 3600");
            }
        }
        FieldRules.choice(errors, path, rules, "selectPolicy", List.of("Disabled", "Max", "Min"));
        List<JsonNode> policies = Trees.items(rules, "policies");
        if (policies.isEmpty()) {
            errors.required(path + ".policies", "must specify at least one Policy");
        }
        for (int i = 0; i < policies.size(); i++) {
            String at = path + ".policies[" + i + "]";
            String type = Trees.text(policies.get(i), "type");
            if (!type.equals("Pods") && !type.equals("Percent")) {
                errors.notSupported(at + ".type", Trees.textNode(type), List.of("Percent", "Pods"));
            }
            FieldRules.positive(errors, at + ".value", Trees.number(policies.get(i), "value"));
            long period = Trees.number(policies.get(i), "periodSeconds");
            FieldRules.positive(errors, at + ".periodSeconds", period);
            if (period > 1800) {
                errors.invalid(at + ".periodSeconds", period, "must be less than or equal to 1800");
            }
        }
    }

    @Override
    public void validateUpdate(ObjectNode scaler, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode ref = Trees.at(scaler, "spec", "scaleTargetRef");
        JsonNode before = Trees.at(old, "spec", "scaleTargetRef");
        if (Trees.same(ref, before, "apiVersion") && Trees.same(ref, before, "kind")) {
            validate(scaler, errors, Group.UNCHECKED);
        } else {
            validateCreate(scaler, errors, context);
        }
    }

    @Override
    public void validateStatusUpdate(ObjectNode scaler, ObjectNode old, FieldErrors errors, WriteContext context) {
        JsonNode status = Trees.child(scaler, "status");
        FieldRules.notNegative(errors, "status", status, "currentReplicas");
        FieldRules.notNegative(errors, "status", status, "desiredReplicas");
    }
}
