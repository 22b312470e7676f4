package io.trimtab.junit;

import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Pod;
import io.trimtab.runtime.VirtualDriver;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Puts a cluster into words, for the message of a failed test. Stateless. */
final class Description {
    private static final int MAX_PENDING = 15;
    private static final int MAX_PODS = 20;
    private static final int MAX_EVENTS = 15;

    private Description() {}

    static String of(Cluster cluster, long seed) {
        VirtualDriver driver = cluster.driver();
        StringBuilder text = new StringBuilder("The cluster: seed " + seed + " (replay it with -Dtrimtab.seed=" + seed
                + "), at " + driver.now() + ", after " + driver.stepsRun() + " steps");
        section(
                text,
                "steps that failed",
                driver.failures().stream().map(VirtualDriver.Failure::toString).toList());
        Map<String, Integer> pending = new LinkedHashMap<>(); // many timers are of one kind and moment
        driver.pending().forEach(line -> pending.merge(line, 1, Integer::sum));
        List<String> lines = pending.entrySet().stream()
                .map(line -> line.getKey() + (line.getValue() > 1 ? " (" + line.getValue() + " times)" : ""))
                .toList();
        section(text, "pending", head(lines, MAX_PENDING));
        try {
            List<Pod> pods = cluster.pods();
            section(text, "pods", head(pods.stream().map(Pods::describe).toList(), MAX_PODS));
            List<Event> events =
                    cluster.list(Event.class).stream().sorted(Cluster.BY_TIME).toList();
            section(
                    text,
                    "last events",
                    events.subList(Math.max(0, events.size() - MAX_EVENTS), events.size()).stream()
                            .map(Description::line)
                            .toList());
        } catch (RuntimeException e) {
            text.append("\n  its objects cannot be read: ").append(e);
        }
        return text.toString();
    }

    private static String line(Event event) {
        return event.getLastTimestamp() + " " + event.getInvolvedObject().getKind() + " "
                + event.getInvolvedObject().getName() + ": " + event.getReason() + ": " + event.getMessage()
                + (event.getCount() != null && event.getCount() > 1 ? " (" + event.getCount() + " times)" : "");
    }

    private static List<String> head(List<String> lines, int max) {
        return lines.size() <= max
                ? lines
                : java.util.stream.Stream.concat(
                                lines.stream().limit(max),
                                java.util.stream.Stream.of("and " + (lines.size() - max) + " more"))
                        .toList();
    }

    private static void section(StringBuilder text, String title, List<String> lines) {
        if (!lines.isEmpty()) {
            text.append("\n  ").append(title).append(':');
            lines.forEach(line -> text.append("\n    ").append(line));
        }
    }
}
