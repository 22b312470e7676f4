package io.trimtab.apiserver.resource;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/**
 * Metrics of autoscalers between autoscaling/v2, which nests name and target, and the flat form of autoscaling/v1, in the order of
 * fields in which clients of v1 know it. Both forms hold the same; fields of neither are dropped. Pure functions.
 */
final class AutoscalerMetrics {
    /** Of a specification: what is aimed at. */
    static final AutoscalerMetrics SPECIFIED = new AutoscalerMetrics("target");
    /** Of a status: what is. */
    static final AutoscalerMetrics CURRENT = new AutoscalerMetrics("current");

    private static final Map<String, String> FIELDS = Map.of(
            "Object", "object",
            "Pods", "pods",
            "Resource", "resource",
            "ContainerResource", "containerResource",
            "External", "external");

    /** The field that holds the value in v2, and what the names of values begin with in v1. */
    private final String value;

    private AutoscalerMetrics(String value) {
        this.value = value;
    }

    /** All of them, as an annotation of v1 holds them. */
    ArrayNode toV1(JsonNode metrics) {
        ArrayNode flat = JsonNodeFactory.instance.arrayNode();
        metrics.forEach(metric -> flat.add(toV1Metric(metric)));
        return flat;
    }

    /** All of them, as v2 has them. */
    ArrayNode toV2(JsonNode metrics) {
        ArrayNode nested = JsonNodeFactory.instance.arrayNode();
        metrics.forEach(metric -> nested.add(toV2Metric(metric)));
        return nested;
    }

    private ObjectNode toV1Metric(JsonNode metric) {
        String type = metric.path("type").asText();
        ObjectNode flat = JsonNodeFactory.instance.objectNode();
        flat.put("type", type);
        String field = FIELDS.get(type);
        if (field == null || !metric.path(field).isObject()) {
            return flat;
        }
        JsonNode from = metric.path(field);
        JsonNode values = from.path(value);
        ObjectNode to = flat.putObject(field);
        switch (type) {
            case "Object" -> {
                copy(from, "describedObject", to, "target");
                copy(from.path("metric"), "name", to, "metricName");
                quantity(values, "value", to, value + "Value");
                copy(from.path("metric"), "selector", to, "selector");
                copy(values, "averageValue", to, "averageValue");
            }
            case "Pods" -> {
                copy(from.path("metric"), "name", to, "metricName");
                quantity(values, "averageValue", to, value + "AverageValue");
                copy(from.path("metric"), "selector", to, "selector");
            }
            case "External" -> {
                copy(from.path("metric"), "name", to, "metricName");
                copy(from.path("metric"), "selector", to, "metricSelector");
                if (value.equals("current")) {
                    quantity(values, "value", to, "currentValue");
                } else {
                    copy(values, "value", to, "targetValue");
                }
                copy(values, "averageValue", to, value + "AverageValue");
            }
            default -> {
                copy(from, "name", to, "name");
                copy(values, "averageUtilization", to, value + "AverageUtilization");
                if (value.equals("current")) {
                    quantity(values, "averageValue", to, "currentAverageValue");
                } else {
                    copy(values, "averageValue", to, "targetAverageValue");
                }
                copy(from, "container", to, "container");
            }
        }
        return flat;
    }

    private ObjectNode toV2Metric(JsonNode metric) {
        String type = metric.path("type").asText();
        ObjectNode nested = JsonNodeFactory.instance.objectNode();
        nested.put("type", type);
        String field = FIELDS.get(type);
        if (field == null || !metric.path(field).isObject()) {
            return nested;
        }
        JsonNode from = metric.path(field);
        ObjectNode to = nested.putObject(field);
        ObjectNode values = JsonNodeFactory.instance.objectNode();
        switch (type) {
            case "Object" -> {
                copy(from, "target", to, "describedObject");
                amount(from, value + "Value", values, "value");
                copy(from, "averageValue", values, "averageValue");
                type(values);
                to.set(value, values);
                named(from, "selector", to);
            }
            case "Pods" -> {
                named(from, "selector", to);
                amount(from, value + "AverageValue", values, "averageValue");
                type(values);
                to.set(value, values);
            }
            case "External" -> {
                named(from, "metricSelector", to);
                amount(from, value + "Value", values, "value");
                copy(from, value + "AverageValue", values, "averageValue");
                type(values);
                to.set(value, values);
            }
            default -> {
                copy(from, "name", to, "name");
                copy(from, value + "AverageUtilization", values, "averageUtilization");
                amount(from, value + "AverageValue", values, "averageValue");
                type(values);
                to.set(value, values);
                copy(from, "container", to, "container");
            }
        }
        return nested;
    }

    private static void named(JsonNode from, String selector, ObjectNode to) {
        ObjectNode metric = to.putObject("metric");
        copy(from, "metricName", metric, "name");
        copy(from, selector, metric, "selector");
    }

    /** What sort of target it is, which v1 leaves to be guessed from the fields. */
    private void type(ObjectNode values) {
        if (!value.equals("target")) {
            return;
        }
        String type = values.has("averageUtilization")
                ? "Utilization"
                : values.has("averageValue") ? "AverageValue" : "Value";
        ObjectNode others = values.deepCopy();
        values.removeAll();
        values.put("type", type);
        values.setAll(others);
    }

    private static void copy(JsonNode from, String old, ObjectNode to, String name) {
        JsonNode field = from.get(old);
        if (field != null && !field.isNull()) {
            to.set(name, field);
        }
    }

    /** Where v1 must have an amount, and v2 may leave it out, it is zero. */
    private static void quantity(JsonNode from, String old, ObjectNode to, String name) {
        to.put(name, from.path(old).asText("0"));
    }

    private static void amount(JsonNode from, String old, ObjectNode to, String name) {
        if (!from.path(old).asText("0").equals("0")) {
            copy(from, old, to, name);
        }
    }
}
