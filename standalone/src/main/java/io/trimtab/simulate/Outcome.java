package io.trimtab.simulate;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.client.KubernetesJson;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What happened in a simulation. Immutable by agreement.
 *
 * @since 0.1
 */
public final class Outcome {
    /**
     * Something that happened to one object or to a group of them, within one second.
     *
     * @param at since the begin of the run
     * @param count how often
     */
    public record Entry(Duration at, String subject, String what, int count) {
        @Override
        public String toString() {
            return Times.at(at) + "  " + subject + ": " + (count > 1 ? count + " " : "") + what;
        }
    }

    /** A workload that came to what its specification asks for. */
    public record Rollout(String subject, Duration began, Duration took, int replicas) {}

    /** How long something took, in milliseconds of simulated time. */
    public record Latency(int count, long medianMillis, long p99Millis, long maxMillis) {
        @Override
        public String toString() {
            return count == 0
                    ? "none"
                    : "median " + Times.length(Duration.ofMillis(medianMillis)) + ", 99 % "
                            + Times.length(Duration.ofMillis(p99Millis)) + ", longest "
                            + Times.length(Duration.ofMillis(maxMillis));
        }
    }

    /** What one actor wrote: by verb and resource, how often. */
    public record Writes(String actor, int total, Map<String, Integer> calls) {}

    private final Duration length;
    private final int imported;
    private final int nodes;
    private final long revisions;
    private final List<String> notes;
    private final List<Entry> timeline;
    private final Map<String, Integer> counts;
    private final Latency scheduling;
    private final Latency readiness;
    private final Map<String, Integer> pending;
    private final List<Rollout> rollouts;
    private final Map<String, Duration> unfinished;
    private final List<Writes> writes;
    private final List<Objects.Change> changes;
    private final Map<Objects.Key, ObjectNode> end;

    Outcome(
            Duration length,
            int imported,
            int nodes,
            long revisions,
            List<String> notes,
            Chronicle chronicle,
            List<Writes> writes,
            List<Objects.Change> changes,
            Map<Objects.Key, ObjectNode> end) {
        this.length = length;
        this.imported = imported;
        this.nodes = nodes;
        this.revisions = revisions;
        this.notes = List.copyOf(notes);
        this.timeline = chronicle.entries();
        this.counts = new TreeMap<>(chronicle.counts());
        this.scheduling = chronicle.scheduling();
        this.readiness = chronicle.readiness();
        this.pending = chronicle.pending();
        this.rollouts = List.copyOf(chronicle.rollouts());
        this.unfinished = chronicle.unfinished();
        this.writes = List.copyOf(writes);
        this.changes = List.copyOf(changes);
        this.end = end;
    }

    /** What happened, in order. */
    public List<Entry> timeline() {
        return timeline;
    }

    /** How many pods were {@code created, scheduled, ready, deleted, evicted, failed} and so on. */
    public Map<String, Integer> counts() {
        return counts;
    }

    /** From a pod's creation to its node. */
    public Latency scheduling() {
        return scheduling;
    }

    /** From a pod's creation to its readiness. */
    public Latency readiness() {
        return readiness;
    }

    /** Why pods wait at the end, and how many for each reason. */
    public Map<String, Integer> pending() {
        return pending;
    }

    /** Workloads that became what they should be. */
    public List<Rollout> rollouts() {
        return rollouts;
    }

    /** Workloads that are not what they should be at the end, and since when. */
    public Map<String, Duration> unfinished() {
        return unfinished;
    }

    /** Who wrote what; heartbeats of nodes are not counted. */
    public List<Writes> writes() {
        return writes;
    }

    /** How many revisions the store came on by, heartbeats included. */
    public long revisions() {
        return revisions;
    }

    /** What was left out of the import, and why. */
    public List<String> notes() {
        return notes;
    }

    /** Which objects came, went or changed from the beginning to the end: {@code + pods default/web-1}. */
    public List<String> differences() {
        return changes.stream()
                .map(change -> change.sign() + " " + change.key())
                .toList();
    }

    Map<Objects.Key, ObjectNode> end() {
        return end;
    }

    Map<String, String> figures() {
        Map<String, String> figures = new LinkedHashMap<>();
        for (String what :
                List.of("created", "scheduled", "ready", "not ready", "evicted", "failed", "succeeded", "deleted")) {
            figures.put("pods " + what, Integer.toString(counts.getOrDefault(what, 0)));
        }
        figures.put(
                "pods waiting at the end",
                Integer.toString(
                        pending.values().stream().mapToInt(Integer::intValue).sum()));
        figures.put("scheduling", scheduling.toString());
        figures.put("until ready", readiness.toString());
        figures.put("rollouts complete", Integer.toString(rollouts.size()));
        figures.put("workloads unfinished", Integer.toString(unfinished.size()));
        figures.put(
                "writes",
                Integer.toString(writes.stream().mapToInt(Writes::total).sum()));
        return figures;
    }

    /**
     * For people.
     *
     * @param lines of the timeline at the most
     * @param diff whether every field that changed is shown, or only which objects did
     */
    public String text(int lines, boolean diff) {
        StringBuilder out = new StringBuilder();
        out.append("Simulated ")
                .append(Times.length(length))
                .append(" of ")
                .append(nodes)
                .append(" nodes")
                .append(imported > 0 ? ", " + imported + " objects imported" : "")
                .append(", ")
                .append(revisions)
                .append(" revisions\n");
        notes.forEach(note -> out.append("  ").append(note).append('\n'));
        section(out, "What happened");
        timeline.stream()
                .limit(lines)
                .forEach(entry -> out.append("  ").append(entry).append('\n'));
        if (timeline.size() > lines) {
            out.append("  ... and ").append(timeline.size() - lines).append(" more (--timeline N, or -o json)\n");
        }
        section(out, "In figures");
        figures().forEach((name, value) -> {
            if (!value.equals("0") && !value.equals("none")) {
                out.append(String.format(Locale.ROOT, "  %-26s %s%n", name, value));
            }
        });
        pending.forEach((reason, count) -> out.append("  waiting: ")
                .append(count)
                .append(" pods: ")
                .append(reason)
                .append('\n'));
        unfinished.forEach((subject, since) -> out.append("  unfinished: ")
                .append(subject)
                .append(" since ")
                .append(Times.at(since))
                .append('\n'));
        section(out, "Who wrote");
        writes.forEach(by -> {
            out.append(String.format(Locale.ROOT, "  %-34s %6d  ", by.actor(), by.total()));
            out.append(String.join(
                    ", ",
                    by.calls().entrySet().stream()
                            .sorted(Map.Entry.<String, Integer>comparingByValue()
                                    .reversed())
                            .limit(4)
                            .map(call -> call.getKey() + " " + call.getValue())
                            .toList()));
            out.append('\n');
        });
        section(out, "What is different at the end");
        differences(out, diff);
        return out.toString();
    }

    private void differences(StringBuilder out, boolean diff) {
        if (diff) {
            changes.forEach(change -> Objects.print(change, null, out));
            return;
        }
        // Pods of one owner look alike: one line for all of them.
        Map<String, Integer> grouped = new LinkedHashMap<>();
        for (Objects.Change change : changes) {
            ObjectNode object = end.get(change.key());
            String generated = object == null
                    ? ""
                    : object.path("metadata").path("generateName").asText("");
            String key = generated.isEmpty()
                    ? change.key().toString()
                    : new Objects.Key(change.key().resource(), change.key().namespace(), generated + "*").toString();
            String fields = change.sign() == '~'
                    ? ": "
                            + String.join(
                                    ", ",
                                    change.fields().stream()
                                            .map(Fields.Difference::path)
                                            .limit(3)
                                            .toList())
                            + (change.fields().size() > 3 ? ", ..." : "")
                    : "";
            grouped.merge(change.sign() + " " + key + (generated.isEmpty() ? fields : ""), 1, Integer::sum);
        }
        grouped.forEach((line, count) -> out.append("  ")
                .append(line)
                .append(count > 1 ? " (" + count + ")" : "")
                .append('\n'));
        if (grouped.isEmpty()) {
            out.append("  nothing\n");
        }
    }

    private static void section(StringBuilder out, String title) {
        out.append('\n').append(title).append('\n');
    }

    /** For programs. Durations are in seconds, with fractions. */
    public ObjectNode json() {
        ObjectNode root = KubernetesJson.mapper().createObjectNode();
        root.put("seconds", length.toMillis() / 1000.0);
        root.put("nodes", nodes);
        root.put("imported", imported);
        root.put("revisions", revisions);
        notes.forEach(root.putArray("notes")::add);
        ArrayNode entries = root.putArray("timeline");
        timeline.forEach(entry -> entries.addObject()
                .put("at", entry.at().toMillis() / 1000.0)
                .put("subject", entry.subject())
                .put("what", entry.what())
                .put("count", entry.count()));
        ObjectNode pods = root.putObject("counts");
        counts.forEach(pods::put);
        latency(root.putObject("scheduling"), scheduling);
        latency(root.putObject("readiness"), readiness);
        ObjectNode waiting = root.putObject("pending");
        pending.forEach(waiting::put);
        ArrayNode done = root.putArray("rollouts");
        rollouts.forEach(rollout -> done.addObject()
                .put("subject", rollout.subject())
                .put("began", rollout.began().toMillis() / 1000.0)
                .put("seconds", rollout.took().toMillis() / 1000.0)
                .put("replicas", rollout.replicas()));
        ObjectNode open = root.putObject("unfinished");
        unfinished.forEach((subject, since) -> open.put(subject, since.toMillis() / 1000.0));
        ObjectNode by = root.putObject("writes");
        writes.forEach(one -> {
            ObjectNode calls = by.putObject(one.actor());
            one.calls().forEach(calls::put);
        });
        ArrayNode differences = root.putArray("differences");
        changes.forEach(change -> {
            ObjectNode line = differences.addObject();
            line.put("sign", String.valueOf(change.sign()));
            line.put("resource", change.key().resource());
            line.put("namespace", change.key().namespace());
            line.put("name", change.key().name());
            ArrayNode fields = line.putArray("fields");
            change.fields().forEach(field -> {
                ObjectNode one = fields.addObject().put("path", field.path());
                one.set("before", field.before());
                one.set("after", field.after());
            });
        });
        return root;
    }

    private static void latency(ObjectNode to, Latency latency) {
        to.put("count", latency.count())
                .put("medianMillis", latency.medianMillis())
                .put("p99Millis", latency.p99Millis())
                .put("maxMillis", latency.maxMillis());
    }

    /** How another run differs from this one, for people; both of the same cluster. */
    public String compare(Outcome other, String thisName, String otherName) {
        StringBuilder out = new StringBuilder();
        out.append(String.format(Locale.ROOT, "%-28s %-34s %s%n", "", thisName, otherName));
        Map<String, String> theirs = other.figures();
        figures().forEach((name, value) -> {
            String their = String.valueOf(theirs.get(name));
            if (!value.equals("0") || !their.equals("0")) {
                out.append(String.format(
                        Locale.ROOT, "%s %-26s %-34s %s%n", value.equals(their) ? " " : "*", name, value, their));
            }
        });
        Map<String, Integer> mine = totals();
        Map<String, Integer> others = other.totals();
        List<String> actors = new ArrayList<>(new java.util.TreeSet<>(mine.keySet()));
        others.keySet().stream().filter(actor -> !mine.containsKey(actor)).forEach(actors::add);
        for (String actor : actors) {
            int here = mine.getOrDefault(actor, 0);
            int there = others.getOrDefault(actor, 0);
            if (here != there) {
                out.append(String.format(Locale.ROOT, "* %-26s %-34s %s%n", "writes of " + actor, here, there));
            }
        }
        section(out, "Objects at the end: - " + thisName + ", + " + otherName);
        List<Objects.Change> differing = Objects.changes(Objects.withoutLots(end), Objects.withoutLots(other.end));
        differing.forEach(change -> Objects.print(change, null, out));
        if (differing.isEmpty()) {
            out.append("the same\n");
        }
        return out.toString();
    }

    private Map<String, Integer> totals() {
        Map<String, Integer> totals = new TreeMap<>();
        writes.forEach(by -> totals.put(by.actor(), by.total()));
        return totals;
    }
}
