package io.trimtab.apiserver.table;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The row of a pod: what one word says best about many containers. */
final class PodCells {
    private final JsonNode pod;
    private final JsonNode spec;
    private final JsonNode status;
    private final Set<String> sidecars = new HashSet<>();

    private String reason;
    private int ready;
    private long restarts;
    private @Nullable Instant lastRestart;
    private long sidecarRestarts;
    private @Nullable Instant lastSidecarRestart;

    private PodCells(JsonNode pod) {
        this.pod = pod;
        this.spec = pod.path("spec");
        this.status = pod.path("status");
        for (JsonNode container : spec.path("initContainers")) {
            if (container.path("restartPolicy").asText("").equals("Always")) {
                sidecars.add(container.path("name").asText(""));
            }
        }
        String phase = status.path("phase").asText("");
        String given = status.path("reason").asText("");
        this.reason = given.isEmpty() ? phase : given;
    }

    static Row row(JsonNode pod, Instant now) {
        return new PodCells(pod).row(now);
    }

    private Row row(Instant now) {
        if (Texts.condition(pod, "PodScheduled").path("reason").asText("").equals("SchedulingGated")) {
            reason = "SchedulingGated";
        }
        boolean initializing = initContainers();
        if (!initializing || Texts.isTrue(Texts.condition(pod, "Initialized"))) {
            // From here on, restarts of containers that have done their part no longer count.
            restarts = sidecarRestarts;
            lastRestart = lastSidecarRestart;
            containers();
        }
        String phase = status.path("phase").asText("");
        boolean terminal = phase.equals("Succeeded") || phase.equals("Failed");
        if (Texts.isDeleting(pod)) {
            if (status.path("reason").asText("").equals("NodeLost")) {
                reason = "Unknown";
            } else if (!terminal) {
                reason = "Terminating";
            }
        }
        int total = spec.path("containers").size() + sidecars.size();
        String count = Long.toString(restarts);
        if (restarts != 0 && lastRestart != null) {
            count += " (" + Ages.human(Duration.between(lastRestart, now)) + " ago)";
        }
        Row row = new Row()
                .add(Texts.name(pod))
                .add(ready + "/" + total)
                .add(reason)
                .add(count)
                .add(Ages.of(pod, now))
                .add(Texts.orNone(ip()))
                .add(Texts.orNone(spec.path("nodeName")))
                .add(Texts.orNone(status.path("nominatedNodeName")))
                .add(readinessGates());
        if (phase.equals("Succeeded")) {
            row.completed(phase, "The pod has completed successfully.");
        } else if (phase.equals("Failed")) {
            row.completed(phase, "The pod failed.");
        }
        return row;
    }

    /** True if some init container is not done. */
    private boolean initContainers() {
        JsonNode statuses = status.path("initContainerStatuses");
        for (int i = 0; i < statuses.size(); i++) {
            JsonNode container = statuses.get(i);
            long times = container.path("restartCount").asLong();
            Instant last = lastTermination(container);
            restarts += times;
            lastRestart = later(lastRestart, last);
            boolean sidecar = sidecars.contains(container.path("name").asText(""));
            if (sidecar) {
                sidecarRestarts += times;
                lastSidecarRestart = later(lastSidecarRestart, last);
            }
            JsonNode terminated = container.path("state").path("terminated");
            if (terminated.isObject() && terminated.path("exitCode").asInt() == 0) {
                continue;
            }
            if (sidecar && container.path("started").asBoolean()) {
                if (container.path("ready").asBoolean()) {
                    ready++;
                }
                continue;
            }
            reason = "Init:" + initReason(container, i);
            return true;
        }
        return false;
    }

    private String initReason(JsonNode container, int index) {
        JsonNode terminated = container.path("state").path("terminated");
        if (terminated.isObject()) {
            String why = terminated.path("reason").asText("");
            return why.isEmpty() ? exit(terminated) : why;
        }
        String waiting = container.path("state").path("waiting").path("reason").asText("");
        return waiting.isEmpty() || waiting.equals("PodInitializing")
                ? index + "/" + spec.path("initContainers").size()
                : waiting;
    }

    private void containers() {
        JsonNode statuses = status.path("containerStatuses");
        boolean running = false;
        // From the last to the first, so that the first one with something to say has the last word.
        for (int i = statuses.size() - 1; i >= 0; i--) {
            JsonNode container = statuses.get(i);
            restarts += container.path("restartCount").asLong();
            lastRestart = later(lastRestart, lastTermination(container));
            String waiting =
                    container.path("state").path("waiting").path("reason").asText("");
            JsonNode terminated = container.path("state").path("terminated");
            if (!waiting.isEmpty()) {
                reason = waiting;
            } else if (terminated.isObject()
                    && !terminated.path("reason").asText("").isEmpty()) {
                reason = terminated.path("reason").asText("");
            } else if (terminated.isObject()) {
                reason = exit(terminated);
            } else if (container.path("ready").asBoolean()
                    && container.path("state").path("running").isObject()) {
                running = true;
                ready++;
            }
        }
        if (reason.equals("Completed") && running) {
            reason = Texts.isTrue(Texts.condition(pod, "Ready")) ? "Running" : "NotReady";
        }
    }

    private static String exit(JsonNode terminated) {
        long signal = terminated.path("signal").asLong();
        return signal != 0
                ? "Signal:" + signal
                : "ExitCode:" + terminated.path("exitCode").asLong();
    }

    private static @Nullable Instant lastTermination(JsonNode container) {
        return Ages.instant(container.path("lastState").path("terminated").path("finishedAt"));
    }

    private static @Nullable Instant later(@Nullable Instant one, @Nullable Instant other) {
        return one == null || other != null && one.isBefore(other) ? other : one;
    }

    private String ip() {
        JsonNode ips = status.path("podIPs");
        return ips.isEmpty()
                ? status.path("podIP").asText("")
                : ips.get(0).path("ip").asText("");
    }

    private String readinessGates() {
        JsonNode gates = spec.path("readinessGates");
        if (gates.isEmpty()) {
            return Texts.NONE;
        }
        int open = 0;
        for (JsonNode gate : gates) {
            if (Texts.isTrue(Texts.condition(pod, gate.path("conditionType").asText("")))) {
                open++;
            }
        }
        return open + "/" + gates.size();
    }
}
