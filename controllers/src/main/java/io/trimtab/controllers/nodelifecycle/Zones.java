package io.trimtab.controllers.nodelifecycle;

import io.fabric8.kubernetes.api.model.Node;
import io.trimtab.controllers.nodes.Nodes;
import java.util.Map;
import java.util.Objects;

/** Zones of nodes, how much of each has failed, and how fast it may be evicted then. Pure functions. */
final class Zones {
    /** Nodes tainted in a second while a zone is well. */
    static final double NORMAL_RATE = 0.1;

    private static final double PARTIAL_RATE = 0.01;
    private static final int LARGE = 50;
    private static final double UNHEALTHY_SHARE = 0.55;

    private Zones() {}

    enum State {
        INITIAL,
        NORMAL,
        PARTIAL_DISRUPTION,
        FULL_DISRUPTION
    }

    /** Region and zone of a node by its labels; empty if it has neither. */
    static String zoneOf(Node node) {
        Map<String, String> labels = Nodes.labels(node);
        String region = Objects.requireNonNullElse(
                labels.get("topology.kubernetes.io/region"),
                labels.getOrDefault("failure-domain.beta.kubernetes.io/region", ""));
        String zone = Objects.requireNonNullElse(
                labels.get("topology.kubernetes.io/zone"),
                labels.getOrDefault("failure-domain.beta.kubernetes.io/zone", ""));
        return region.isEmpty() && zone.isEmpty() ? "" : region + ":\0:" + zone;
    }

    static State state(int ready, int notReady) {
        if (ready == 0 && notReady > 0) {
            return State.FULL_DISRUPTION;
        }
        if (notReady > 2 && (double) notReady / (notReady + ready) >= UNHEALTHY_SHARE) {
            return State.PARTIAL_DISRUPTION;
        }
        return State.NORMAL;
    }

    /** How many nodes of a zone may be tainted in a second. */
    static double rate(State state, int size) {
        return switch (state) {
            case INITIAL, NORMAL, FULL_DISRUPTION -> NORMAL_RATE;
            case PARTIAL_DISRUPTION -> size > LARGE ? PARTIAL_RATE : 0;
        };
    }
}
