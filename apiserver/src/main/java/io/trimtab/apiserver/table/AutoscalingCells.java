package io.trimtab.apiserver.table;

import static io.trimtab.apiserver.table.Texts.NONE;
import static io.trimtab.apiserver.table.Texts.name;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The group autoscaling: autoscalers of both versions, and scales. */
final class AutoscalingCells {
    private static final int MAX_METRICS = 2;
    private static final ObjectMapper JSON = new ObjectMapper();

    private AutoscalingCells() {}

    static void register(Map<String, RowFunction> rows) {
        rows.put("horizontalpodautoscalers.autoscaling", AutoscalingCells::autoscaler);
        rows.put(
                "Scale",
                (o, now) -> new Row()
                        .add(name(o))
                        .add(o.path("spec").path("replicas").asLong())
                        .add(o.path("status").path("replicas").asLong())
                        .add(Ages.of(o, now)));
    }

    private static Row autoscaler(JsonNode o, Instant now) {
        JsonNode spec = o.path("spec");
        JsonNode target = spec.path("scaleTargetRef");
        return new Row()
                .add(name(o))
                .add(target.path("kind").asText("") + "/" + target.path("name").asText(""))
                .add(metrics(o))
                .add(Texts.orUnset(spec.path("minReplicas")))
                .add(spec.path("maxReplicas").asLong())
                .add(o.path("status").path("currentReplicas").asLong())
                .add(Ages.of(o, now));
    }

    private static String metrics(JsonNode o) {
        JsonNode metrics = o.path("spec").path("metrics");
        JsonNode current = o.path("status").path("currentMetrics");
        JsonNode annotations = o.path("metadata").path("annotations");
        if (!o.path("spec").has("metrics")) {
            // Version 1 knows the CPU; the others travel in annotations.
            ArrayNode all = JsonNodeFactory.instance.arrayNode();
            JsonNode cpu = o.path("spec").path("targetCPUUtilizationPercentage");
            if (cpu.isNumber()) {
                ObjectNode metric = all.addObject().put("type", "Resource");
                metric.putObject("resource")
                        .put("name", "cpu")
                        .putObject("target")
                        .set("averageUtilization", cpu);
            }
            metrics = all.addAll(annotated(annotations.path("autoscaling.alpha.kubernetes.io/metrics"), "target"));
            current = annotated(annotations.path("autoscaling.alpha.kubernetes.io/current-metrics"), "current");
        }
        if (metrics.isEmpty()) {
            return NONE;
        }
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < metrics.size(); i++) {
            texts.add(metric(metrics.get(i), current.path(i)));
        }
        String shown = String.join(", ", texts.subList(0, Math.min(MAX_METRICS, texts.size())));
        return texts.size() > MAX_METRICS ? shown + " + " + (texts.size() - MAX_METRICS) + " more..." : shown;
    }

    /** Metrics in the form of an annotation, brought into that of version 2. */
    private static ArrayNode annotated(JsonNode annotation, String where) {
        ArrayNode metrics = JsonNodeFactory.instance.arrayNode();
        JsonNode parsed;
        try {
            parsed = JSON.readTree(annotation.asText("[]"));
        } catch (JsonProcessingException e) {
            return metrics;
        }
        for (JsonNode metric : parsed) {
            ObjectNode copy = metric.deepCopy();
            copy.forEach(source -> {
                if (source instanceof ObjectNode fields && !fields.path(where).has("type")) {
                    ObjectNode value = JsonNodeFactory.instance.objectNode();
                    rename(fields, where + "AverageUtilization", value, "averageUtilization");
                    rename(fields, where + "AverageValue", value, "averageValue");
                    rename(fields, "averageValue", value, "averageValue");
                    rename(fields, where + "Value", value, "value");
                    fields.set(where, value);
                }
            });
            metrics.add(copy);
        }
        return metrics;
    }

    private static void rename(ObjectNode from, String old, ObjectNode to, String name) {
        if (from.has(old)) {
            to.set(name, from.get(old));
        }
    }

    private static String metric(JsonNode metric, JsonNode status) {
        String type = metric.path("type").asText("");
        String field =
                switch (type) {
                    case "External" -> "external";
                    case "Pods" -> "pods";
                    case "Object" -> "object";
                    case "Resource" -> "resource";
                    case "ContainerResource" -> "containerResource";
                    default -> "";
                };
        if (field.isEmpty()) {
            return "<unknown type>";
        }
        JsonNode target = metric.path(field).path("target");
        JsonNode now = status.path(field).path("current");
        boolean average = target.has("averageValue");
        switch (type) {
            case "External", "Object" -> {
                return average
                        ? orUnknown(now.path("averageValue")) + "/"
                                + target.path("averageValue").asText() + " (avg)"
                        : orUnknown(now.path("value")) + "/"
                                + target.path("value").asText("");
            }
            case "Pods" -> {
                return orUnknown(now.path("averageValue")) + "/"
                        + target.path("averageValue").asText("");
            }
            default -> {
                String name = metric.path(field).path("name").asText("") + ": ";
                if (average) {
                    return name + orUnknown(now.path("averageValue")) + "/"
                            + target.path("averageValue").asText();
                }
                JsonNode used = now.path("averageUtilization");
                JsonNode wanted = target.path("averageUtilization");
                return name + (used.isNumber() ? used.asText() + "%" : Ages.UNKNOWN) + "/"
                        + (wanted.isNumber() ? wanted.asText() + "%" : "<auto>");
            }
        }
    }

    private static String orUnknown(JsonNode value) {
        return value.isMissingNode() || value.isNull() ? Ages.UNKNOWN : value.asText();
    }
}
