package io.trimtab.node;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Probe;
import io.trimtab.node.runtime.ContainerRuntime;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Carries out the probes of one pod's containers when they are due, and counts (pkg/kubelet/prober). Belongs to the pod's record:
 * one thread at a time.
 */
final class Prober {
    private final Map<String, Counter> counters = new HashMap<>();

    /** One probe of one run of a container. */
    private static final class Counter {
        private Instant next;
        private boolean value;
        private boolean last;
        private int run;

        Counter(Instant next, boolean value) {
            this.next = next;
            this.value = value;
        }
    }

    /**
     * What the probes have found.
     *
     * @param started whether the startup probe has succeeded, or there is none
     * @param failed the probe for which the container must be ended, {@code liveness} or {@code startup}; null if none
     * @param unhealthy why probes have failed just now, by kind
     * @param warnings what is odd about probes that have succeeded just now, by kind
     * @param next when to look again; null if never
     */
    record Findings(
            boolean started,
            boolean ready,
            @Nullable String failed,
            Map<String, String> unhealthy,
            Map<String, String> warnings,
            @Nullable Instant next) {}

    Findings look(
            ContainerRuntime runtime,
            Pod pod,
            Container container,
            ContainerRuntime.ContainerState state,
            Instant now) {
        Map<String, String> unhealthy = new HashMap<>();
        Map<String, String> warnings = new HashMap<>();
        Instant next = null;
        boolean started = true;
        String failed = null;
        if (container.getStartupProbe() != null) {
            Counter counter = step(
                    runtime, pod, container, state, "Startup", container.getStartupProbe(), now, unhealthy, warnings);
            started = counter.value;
            if (!started) {
                next = counter.next;
                failed = isExhausted(counter, container.getStartupProbe()) ? "startup" : null;
            }
        }
        boolean ready = started;
        if (started && container.getReadinessProbe() != null) {
            Counter counter = step(
                    runtime,
                    pod,
                    container,
                    state,
                    "Readiness",
                    container.getReadinessProbe(),
                    now,
                    unhealthy,
                    warnings);
            ready = counter.value;
            next = sooner(next, counter.next);
        }
        if (started && container.getLivenessProbe() != null) {
            Counter counter = step(
                    runtime, pod, container, state, "Liveness", container.getLivenessProbe(), now, unhealthy, warnings);
            next = sooner(next, counter.next);
            if (!counter.value) {
                failed = "liveness";
            }
        }
        return new Findings(started, ready, failed, unhealthy, warnings, next);
    }

    private static Instant sooner(@Nullable Instant a, Instant b) {
        return a == null || b.isBefore(a) ? b : a;
    }

    private static boolean isExhausted(Counter counter, Probe probe) {
        return !counter.last && counter.run >= threshold(probe.getFailureThreshold(), 3);
    }

    private Counter step(
            ContainerRuntime runtime,
            Pod pod,
            Container container,
            ContainerRuntime.ContainerState state,
            String kind,
            Probe probe,
            Instant now,
            Map<String, String> unhealthy,
            Map<String, String> warnings) {
        Instant first = state.startedAt().plusSeconds(threshold(probe.getInitialDelaySeconds(), 0));
        Counter counter = counters.computeIfAbsent(
                container.getName() + "/" + state.attempt() + "/" + kind,
                key -> new Counter(first.isBefore(now) ? now : first, kind.equals("Liveness")));
        Duration period = Duration.ofSeconds(Math.max(1, threshold(probe.getPeriodSeconds(), 10)));
        if (now.isBefore(counter.next)) {
            return counter;
        }
        counter.next = now.plus(period);
        ContainerRuntime.Probed probed = runtime.probe(pod, container, probe);
        boolean result = probed.succeeded();
        counter.run = result == counter.last && counter.run > 0 ? counter.run + 1 : 1;
        counter.last = result;
        if (!result) {
            unhealthy.put(kind, kind + " probe failed: " + probed.message());
        } else if (!probed.message().isEmpty()) {
            warnings.put(kind, kind + " probe warning: " + probed.message());
        }
        int needed = result ? threshold(probe.getSuccessThreshold(), 1) : threshold(probe.getFailureThreshold(), 3);
        if (counter.run >= needed) {
            counter.value = result;
        }
        return counter;
    }

    private static int threshold(@Nullable Integer value, int otherwise) {
        return value == null || value == 0 ? otherwise : value;
    }
}
