package io.trimtab.apiserver.resource;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The conversions between versions of built-in kinds: events of both groups are one resource, stored as core's; horizontal pod
 * autoscalers are stored as v2.
 */
final class BuiltInConversions {
    private BuiltInConversions() {}

    static @Nullable VersionConversion find(ApiResource resource, List<ApiResource> all) {
        if (resource.group().equals("events.k8s.io") && resource.plural().equals("events")) {
            return all.stream()
                    .filter(r -> r.group().isEmpty() && r.plural().equals("events"))
                    .findFirst()
                    .map(EventConversion::new)
                    .orElse(null);
        }
        if (resource.group().equals("autoscaling") && resource.version().equals("v1")) {
            return all.stream()
                    .filter(r -> r.group().equals("autoscaling") && r.version().equals("v2"))
                    .findFirst()
                    .map(AutoscalerConversion::new)
                    .orElse(null);
        }
        if (resource.plural().startsWith("mutatingadmissionpolic")
                && resource.version().equals("v1beta1")) {
            return new VersionOnly(
                    resource.apiVersion(),
                    resource.plural().endsWith("bindings")
                            ? CoreResources.MUTATING_POLICY_BINDINGS
                            : CoreResources.MUTATING_POLICIES);
        }
        return null;
    }

    /** Two versions with the same fields. */
    private record VersionOnly(String apiVersion, ApiResource storage) implements VersionConversion {
        @Override
        public ObjectNode toStorage(ObjectNode served) {
            served.put("apiVersion", storage.apiVersion());
            return served;
        }

        @Override
        public ObjectNode fromStorage(ObjectNode stored) {
            stored.put("apiVersion", apiVersion);
            return stored;
        }
    }

    /** events.k8s.io/v1 has other names for some of core/v1's fields. */
    private record EventConversion(ApiResource storage) implements VersionConversion {
        // served name -> stored name
        private static final Map<String, String> RENAMED = Map.of(
                "regarding", "involvedObject",
                "note", "message",
                "reportingController", "reportingComponent",
                "deprecatedSource", "source",
                "deprecatedFirstTimestamp", "firstTimestamp",
                "deprecatedLastTimestamp", "lastTimestamp",
                "deprecatedCount", "count");

        @Override
        public ObjectNode toStorage(ObjectNode served) {
            ObjectNode stored = served.objectNode();
            served.fields()
                    .forEachRemaining(f -> stored.set(RENAMED.getOrDefault(f.getKey(), f.getKey()), f.getValue()));
            stored.put("apiVersion", "v1");
            if (!stored.has("involvedObject")) {
                stored.putObject("involvedObject");
            }
            if (!stored.has("source")) {
                stored.putObject("source");
            }
            return stored;
        }

        @Override
        public ObjectNode fromStorage(ObjectNode stored) {
            ObjectNode served = stored.objectNode();
            stored.fields().forEachRemaining(f -> served.set(servedName(f.getKey()), f.getValue()));
            served.put("apiVersion", "events.k8s.io/v1");
            return served;
        }

        private static String servedName(String stored) {
            for (Map.Entry<String, String> e : RENAMED.entrySet()) {
                if (e.getValue().equals(stored)) {
                    return e.getKey();
                }
            }
            return stored;
        }
    }

    /**
     * autoscaling/v1 knows the CPU target only; what else a v2 object holds travels in annotations, so that a client of v1 that
     * writes back what it read loses nothing.
     */
    private record AutoscalerConversion(ApiResource storage) implements VersionConversion {
        private static final String METRICS = "autoscaling.alpha.kubernetes.io/metrics";
        private static final String BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior";
        private static final String CURRENT = "autoscaling.alpha.kubernetes.io/current-metrics";
        private static final String CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions";

        @Override
        public ObjectNode toStorage(ObjectNode served) {
            ObjectNode stored = served.deepCopy();
            stored.put("apiVersion", "autoscaling/v2");
            JsonNode spec = stored.path("spec");
            JsonNode annotations = stored.path("metadata").path("annotations");
            if (spec instanceof ObjectNode s) {
                var metrics = s.arrayNode();
                JsonNode cpu = s.remove("targetCPUUtilizationPercentage");
                if (cpu != null && !cpu.isNull()) {
                    ObjectNode metric = metrics.addObject().put("type", "Resource");
                    ObjectNode resource = metric.putObject("resource").put("name", "cpu");
                    resource.putObject("target").put("type", "Utilization").set("averageUtilization", cpu);
                }
                metrics.addAll(AutoscalerMetrics.SPECIFIED.toV2(AnnotationJson.array(annotations.path(METRICS))));
                if (!metrics.isEmpty()) {
                    s.set("metrics", metrics);
                }
                JsonNode behavior = AnnotationJson.object(annotations.path(BEHAVIOR));
                if (behavior != null) {
                    s.set("behavior", AutoscalerBehavior.toV2(behavior));
                }
            }
            if (stored.path("status") instanceof ObjectNode status) {
                var current = status.arrayNode();
                JsonNode cpu = status.remove("currentCPUUtilizationPercentage");
                if (cpu != null && !cpu.isNull()) {
                    ObjectNode metric = current.addObject().put("type", "Resource");
                    ObjectNode resource = metric.putObject("resource").put("name", "cpu");
                    resource.putObject("current").set("averageUtilization", cpu);
                }
                current.addAll(AutoscalerMetrics.CURRENT.toV2(AnnotationJson.array(annotations.path(CURRENT))));
                if (!current.isEmpty()) {
                    status.set("currentMetrics", current);
                }
                var conditions = AnnotationJson.array(annotations.path(CONDITIONS));
                if (!conditions.isEmpty()) {
                    status.set("conditions", conditions);
                }
            }
            if (annotations instanceof ObjectNode a) {
                a.remove(List.of(METRICS, BEHAVIOR, CURRENT, CONDITIONS));
                if (a.isEmpty()) {
                    ((ObjectNode) stored.path("metadata")).remove("annotations");
                }
            }
            return stored;
        }

        @Override
        public ObjectNode fromStorage(ObjectNode stored) {
            ObjectNode served = stored.deepCopy();
            served.put("apiVersion", "autoscaling/v1");
            ObjectNode annotations = served.objectNode();
            if (served.path("spec") instanceof ObjectNode spec) {
                var others = spec.arrayNode();
                JsonNode metrics = spec.remove("metrics");
                if (metrics != null) {
                    for (JsonNode metric : metrics) {
                        JsonNode cpu = metric.path("resource").path("target").path("averageUtilization");
                        if (isCpu(metric) && cpu.isNumber() && !spec.has("targetCPUUtilizationPercentage")) {
                            spec.set("targetCPUUtilizationPercentage", cpu);
                        } else {
                            others.add(metric);
                        }
                    }
                }
                AnnotationJson.put(annotations, METRICS, AutoscalerMetrics.SPECIFIED.toV1(others));
                JsonNode behavior = spec.remove("behavior");
                if (behavior != null) {
                    AnnotationJson.put(annotations, BEHAVIOR, AutoscalerBehavior.toV1(behavior));
                }
            }
            if (served.path("status") instanceof ObjectNode status) {
                var others = status.arrayNode();
                JsonNode metrics = status.remove("currentMetrics");
                if (metrics != null) {
                    for (JsonNode metric : metrics) {
                        JsonNode cpu = metric.path("resource").path("current").path("averageUtilization");
                        if (isCpu(metric) && cpu.isNumber() && !status.has("currentCPUUtilizationPercentage")) {
                            status.set("currentCPUUtilizationPercentage", cpu);
                        }
                        others.add(metric);
                    }
                }
                AnnotationJson.put(annotations, CURRENT, AutoscalerMetrics.CURRENT.toV1(others));
                JsonNode conditions = status.remove("conditions");
                if (conditions != null) {
                    AnnotationJson.put(annotations, CONDITIONS, conditions);
                }
            }
            if (!annotations.isEmpty() && served.path("metadata") instanceof ObjectNode metadata) {
                ObjectNode all =
                        metadata.path("annotations") instanceof ObjectNode a ? a : metadata.putObject("annotations");
                all.setAll(annotations);
            }
            return served;
        }

        private static boolean isCpu(JsonNode metric) {
            return metric.path("type").asText().equals("Resource")
                    && metric.path("resource").path("name").asText().equals("cpu");
        }
    }
}
