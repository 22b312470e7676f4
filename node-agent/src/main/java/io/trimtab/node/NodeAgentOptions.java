package io.trimtab.node;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which nodes an agent keeps and what they look like. Immutable.
 *
 * @param names of the nodes
 * @param labels put on each node besides the usual ones
 * @param capacity of each node, such as {@code cpu=8}; what is not given has a default
 * @param leasePeriod between two renewals of a node's lease
 * @param statusPeriod between two reports of an unchanged node
 * @param keeps whether a node that is there already keeps what it says of itself: capacity, addresses, versions; for nodes of
 *     another cluster that are simulated here
 * @param heartbeats a shorter way to say that nodes are as they were; null for requests
 */
public record NodeAgentOptions(
        List<String> names,
        Map<String, String> labels,
        Map<String, String> capacity,
        Duration leasePeriod,
        Duration statusPeriod,
        boolean keeps,
        @Nullable Heartbeats heartbeats) {

    public NodeAgentOptions {
        names = List.copyOf(names);
        labels = Map.copyOf(labels);
        capacity = Map.copyOf(capacity);
    }

    /** Nodes with kubelet's periods: 10 s and 5 min. */
    public static NodeAgentOptions of(List<String> names) {
        return new NodeAgentOptions(
                names, Map.of(), Map.of(), Duration.ofSeconds(10), Duration.ofMinutes(5), false, null);
    }

    /** The same, for nodes that are there already and stay what they are. */
    public NodeAgentOptions keeping() {
        return new NodeAgentOptions(names, labels, capacity, leasePeriod, statusPeriod, true, heartbeats);
    }

    /** The same with a shorter way for heartbeats. */
    public NodeAgentOptions withHeartbeats(Heartbeats shorter) {
        return new NodeAgentOptions(names, labels, capacity, leasePeriod, statusPeriod, keeps, shorter);
    }
}
