package io.trimtab.controllers.podautoscaler;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * What was recommended for one workload lately, so that a short dip or peak moves nothing; and how much it was scaled lately, so
 * that it is not scaled too fast. Belongs to whoever reconciles the key: at most one thread at a time.
 */
final class Recommendations {
    /** How long a recommendation holds against fewer replicas, unless the autoscaler says. */
    static final Duration DOWN_WINDOW = Duration.ofMinutes(5);

    private record Entry(int replicas, Instant at) {}

    /** A change by so many replicas; positive in its direction. */
    private record Change(int replicas, Instant at) {}

    private final List<Entry> entries = new ArrayList<>();
    private final List<Change> ups = new ArrayList<>();
    private final List<Change> downs = new ArrayList<>();

    /** The first recommendation is what the workload has. */
    void begin(int current, Instant now) {
        if (entries.isEmpty()) {
            entries.add(new Entry(current, now));
        }
    }

    /** The highest recommendation of the usual window, this one included. */
    int highest(int desired, Instant now) {
        Instant cutoff = now.minus(DOWN_WINDOW);
        int highest = entries.stream()
                .filter(entry -> !entry.at.isBefore(cutoff))
                .mapToInt(Entry::replicas)
                .reduce(desired, Math::max);
        note(desired, now, cutoff);
        return highest;
    }

    /** The current count, moved no further than the recommendations of both windows agree. */
    int within(int current, int desired, Duration upWindow, Duration downWindow, Instant now) {
        Instant upCutoff = now.minus(upWindow);
        Instant downCutoff = now.minus(downWindow);
        int up = desired;
        int down = desired;
        for (Entry entry : entries) {
            up = entry.at.isAfter(upCutoff) ? Math.min(up, entry.replicas) : up;
            down = entry.at.isAfter(downCutoff) ? Math.max(down, entry.replicas) : down;
        }
        note(desired, now, upCutoff.isBefore(downCutoff) ? upCutoff : downCutoff);
        return Math.min(Math.max(current, up), down);
    }

    private void note(int desired, Instant now, Instant cutoff) {
        entries.removeIf(entry -> entry.at.isBefore(cutoff));
        entries.add(new Entry(desired, now));
    }

    /** Remembers that the workload was scaled, for as long as a policy of that direction looks back. */
    void scaled(int from, int to, int longestPeriodSeconds, Instant now) {
        List<Change> changes = to > from ? ups : downs;
        changes.removeIf(change -> change.at.isBefore(now.minusSeconds(longestPeriodSeconds)));
        changes.add(new Change(Math.abs(to - from), now));
    }

    /** How many replicas the workload had when a period that ends now began. */
    int before(int current, int periodSeconds, Instant now) {
        Instant cutoff = now.minusSeconds(periodSeconds);
        return current - sum(ups, cutoff) + sum(downs, cutoff);
    }

    private static int sum(List<Change> changes, Instant cutoff) {
        return changes.stream()
                .filter(change -> change.at.isAfter(cutoff))
                .mapToInt(Change::replicas)
                .sum();
    }
}
