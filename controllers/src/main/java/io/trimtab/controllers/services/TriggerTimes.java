package io.trimtab.controllers.services;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Service;
import io.trimtab.controller.Request;
import io.trimtab.controllers.pods.Pods;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * When the change that a write of endpoints answers to began: the earliest turn of a pod or of the Service that no earlier write
 * has told. From it network programming latency is measured. Safe for use by any thread; one key is asked for by one thread at
 * a time.
 */
public final class TriggerTimes {
    /** The annotation that carries it. */
    public static final String ANNOTATION = "endpoints.kubernetes.io/last-change-trigger-time";

    private final Map<Request, State> states = new ConcurrentHashMap<>();

    private record State(@Nullable Instant service, Map<String, Instant> pods) {}

    /** The time to be noted with this look at the Service's pods, or null if nothing new began. */
    public @Nullable String compute(Request key, Service service, List<Pod> pods) {
        State before = states.get(key);
        Map<String, Instant> turns = new HashMap<>();
        Instant earliest = null;
        for (Pod pod : pods) {
            Instant turn = readyTurn(pod);
            if (turn == null) {
                continue;
            }
            String name = pod.getMetadata().getName();
            turns.put(name, turn);
            if (before != null) {
                Instant known = before.pods.get(name);
                if ((known == null || turn.isAfter(known)) && (earliest == null || turn.isBefore(earliest))) {
                    earliest = turn;
                }
            }
        }
        Instant created = Pods.time(service.getMetadata().getCreationTimestamp());
        if (before == null || !Objects.equals(before.service, created)) {
            earliest = created; // first seen, or made anew
        }
        states.put(key, new State(created, turns));
        return earliest == null ? null : earliest.toString();
    }

    public void forget(Request key) {
        states.remove(key);
    }

    private static @Nullable Instant readyTurn(Pod pod) {
        return Pods.condition(pod, "Ready")
                .map(condition -> Pods.time(condition.getLastTransitionTime()))
                .orElse(null);
    }
}
