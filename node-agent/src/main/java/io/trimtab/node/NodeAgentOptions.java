package io.trimtab.node;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Which nodes an agent keeps and what they look like. Immutable.
 *
 * @param names of the nodes
 * @param labels put on each node besides the usual ones
 * @param capacity of each node, such as {@code cpu=8}; what is not given has a default
 * @param leasePeriod between two renewals of a node's lease
 * @param statusPeriod between two reports of an unchanged node
 */
public record NodeAgentOptions(
        List<String> names,
        Map<String, String> labels,
        Map<String, String> capacity,
        Duration leasePeriod,
        Duration statusPeriod) {

    public NodeAgentOptions {
        names = List.copyOf(names);
        labels = Map.copyOf(labels);
        capacity = Map.copyOf(capacity);
    }

    /** Nodes with kubelet's periods: 10 s and 5 min. */
    public static NodeAgentOptions of(List<String> names) {
        return new NodeAgentOptions(names, Map.of(), Map.of(), Duration.ofSeconds(10), Duration.ofMinutes(5));
    }
}
