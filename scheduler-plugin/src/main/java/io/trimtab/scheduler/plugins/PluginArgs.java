package io.trimtab.scheduler.plugins;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.NodeAffinity;
import io.fabric8.kubernetes.api.model.TopologySpreadConstraint;
import io.trimtab.scheduler.framework.Resources;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads the arguments that the configuration gives to the default plugins. Pure. */
final class PluginArgs {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private PluginArgs() {}

    static void expectKind(JsonNode args, String kind) {
        String found = args.path("kind").asText("");
        if (!found.isEmpty() && !found.equals(kind)) {
            throw new IllegalArgumentException("expected args of kind " + kind + ", found " + found);
        }
    }

    static @Nullable NodeAffinity addedAffinity(JsonNode args) {
        expectKind(args, "NodeAffinityArgs");
        JsonNode added = args.path("addedAffinity");
        return added.isObject() ? MAPPER.convertValue(added, NodeAffinity.class) : null;
    }

    static Set<String> texts(JsonNode list) {
        Set<String> texts = new HashSet<>();
        list.forEach(one -> texts.add(one.asText()));
        return texts;
    }

    static ScoringStrategy strategy(JsonNode args) {
        expectKind(args, "NodeResourcesFitArgs");
        JsonNode strategy = args.path("scoringStrategy");
        if (!strategy.isObject()) {
            return ScoringStrategy.DEFAULT;
        }
        ScoringStrategy.Type type =
                switch (strategy.path("type").asText("LeastAllocated")) {
                    case "LeastAllocated" -> ScoringStrategy.Type.LEAST_ALLOCATED;
                    case "MostAllocated" -> ScoringStrategy.Type.MOST_ALLOCATED;
                    case "RequestedToCapacityRatio" -> ScoringStrategy.Type.REQUESTED_TO_CAPACITY_RATIO;
                    default ->
                        throw new IllegalArgumentException("scoringStrategy.type: expected LeastAllocated, "
                                + "MostAllocated or RequestedToCapacityRatio, found " + strategy.path("type"));
                };
        List<ScoringStrategy.WeightedResource> resources = new ArrayList<>();
        for (JsonNode resource : strategy.path("resources")) {
            long weight = resource.path("weight").asLong(1);
            if (weight < 0 || weight > 100) {
                throw new IllegalArgumentException("scoringStrategy.resources: weight of "
                        + resource.path("name").asText() + " should be from 1 to 100, found " + weight);
            }
            resources.add(new ScoringStrategy.WeightedResource(
                    Resources.number(resource.path("name").asText()), weight == 0 ? 1 : weight));
        }
        if (resources.isEmpty()) {
            resources.addAll(ScoringStrategy.DEFAULT.resources());
        }
        List<ScoringStrategy.ShapePoint> shape = new ArrayList<>();
        if (type == ScoringStrategy.Type.REQUESTED_TO_CAPACITY_RATIO) {
            long last = -1;
            for (JsonNode point : strategy.path("requestedToCapacityRatio").path("shape")) {
                long utilization = point.path("utilization").asLong();
                long score = point.path("score").asLong();
                if (utilization <= last || utilization > 100 || score < 0 || score > 10) {
                    throw new IllegalArgumentException(
                            "requestedToCapacityRatio.shape: utilization must rise from 0 to 100 and score be from 0 to 10, "
                                    + "found " + point);
                }
                last = utilization;
                shape.add(new ScoringStrategy.ShapePoint(utilization, score * 10));
            }
            if (shape.isEmpty()) {
                throw new IllegalArgumentException(
                        "requestedToCapacityRatio.shape: at least one point must be specified");
            }
        }
        return new ScoringStrategy(type, resources, shape);
    }

    static int[] balanced(JsonNode args) {
        expectKind(args, "NodeResourcesBalancedAllocationArgs");
        List<Integer> numbers = new ArrayList<>();
        args.path("resources")
                .forEach(resource ->
                        numbers.add(Resources.number(resource.path("name").asText())));
        return numbers.isEmpty()
                ? new int[] {Resources.CPU, Resources.MEMORY}
                : numbers.stream().mapToInt(Integer::intValue).toArray();
    }

    /** The constraints of pods that have none; null for the system's. */
    static @Nullable List<TopologySpreadConstraint> defaultConstraints(JsonNode args) {
        expectKind(args, "PodTopologySpreadArgs");
        JsonNode listed = args.path("defaultConstraints");
        String type = args.path("defaultingType").asText("");
        if (type.equals("System") && !listed.isEmpty()) {
            throw new IllegalArgumentException("defaultingType: when System, defaultConstraints must be empty");
        }
        if (listed.isEmpty() && !type.equals("List")) {
            return null;
        }
        List<TopologySpreadConstraint> constraints = new ArrayList<>();
        for (JsonNode one : listed) {
            TopologySpreadConstraint constraint = MAPPER.convertValue(one, TopologySpreadConstraint.class);
            if (constraint.getLabelSelector() != null) {
                throw new IllegalArgumentException(
                        "defaultConstraints: constraint must not define a selector, as they deduced for each pod");
            }
            constraints.add(constraint);
        }
        return constraints;
    }

    static int number(JsonNode args, String field, int fallback, int min, int max) {
        int value = args.path(field).asInt(fallback);
        if (value < min || value > max) {
            throw new IllegalArgumentException(field + ": expected from " + min + " to " + max + ", found " + value);
        }
        return value;
    }
}
