package io.trimtab.node;

import io.fabric8.kubernetes.api.model.PodStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the agent remembers of a pod between two looks at it. Touched only by the worker that has the pod's key, so by one thread
 * at a time.
 */
final class PodRecord {
    /** kubelet's numbers: 10 s, doubling, at most 5 minutes; forgotten after twice the longest. */
    private static final Duration BACKOFF_BASE = Duration.ofSeconds(10);

    private static final Duration BACKOFF_MAX = Duration.ofMinutes(5);

    final String uid;
    final String node;
    final Instant startTime;

    @Nullable
    String ip;
    /** What was last written; null before the first write. */
    @Nullable
    PodStatus written;
    /** Somebody else decided the phase: from then on it is theirs. */
    boolean foreign;

    /** When the runtime was last ordered something; the start if it was nothing yet. */
    Instant lastOrder;

    /** A first status was kept back. */
    boolean held;

    boolean stopping;

    /** The node did not take the pod: nothing of it was ever made. */
    boolean rejected;

    /** When the volumes were last brought up to date; null before the first time. */
    @Nullable
    Instant mounted;

    final Prober prober = new Prober();

    /** What the probes last found, of containers whose probes are carried out. */
    final Map<String, Prober.Findings> probed = new HashMap<>();

    @Nullable
    String failureReason;

    @Nullable
    String failureMessage;

    /** How often each container was ordered to start. */
    final Map<String, Integer> ordered = new HashMap<>();

    private final Map<String, Backoff> backoffs = new HashMap<>();
    /** Containers whose image of this attempt was asked for. */
    final Set<String> pulls = new HashSet<>();

    /** Why each container waits, until it runs. */
    final Map<String, Waiting> waiting = new HashMap<>();

    /** When each container's last failed pull was told. */
    final Map<String, Instant> pullErrors = new HashMap<>();

    /** Conditions that only some pods have, by type: why they are true. */
    final Map<String, Waiting> conditions = new TreeMap<>();

    /** Containers that were told to end because a resize takes effect when they run anew. */
    final Set<String> resized = new HashSet<>();

    /** A resize has been granted, and nobody was told that it is complete. */
    boolean completes;

    private final Map<String, Instant> nagged = new HashMap<>();

    PodRecord(String uid, String node, Instant startTime) {
        this.uid = uid;
        this.node = node;
        this.startTime = startTime;
        this.lastOrder = startTime;
    }

    /** @param message may be empty */
    record Waiting(String reason, String message) {}

    /** When the next try is due, and how long the wait was. */
    private record Backoff(Duration length, Instant until) {}

    /** Counts a failure of a thing (a container's start, an image) and says how long it must wait. */
    Duration backOff(String thing, Instant now) {
        Backoff last = backoffs.get(thing);
        Duration wait = BACKOFF_BASE;
        if (last != null && now.isBefore(last.until.plus(BACKOFF_MAX.multipliedBy(2)))) {
            wait = last.length.multipliedBy(2);
            if (wait.compareTo(BACKOFF_MAX) > 0) {
                wait = BACKOFF_MAX;
            }
        }
        backoffs.put(thing, new Backoff(wait, now.plus(wait)));
        return wait;
    }

    /** Whether it is time to say again what a thing waits for; notes that it was said. */
    boolean nag(String thing, Instant now, Duration period) {
        Instant last = nagged.get(thing);
        if (last != null && now.isBefore(last.plus(period))) {
            return false;
        }
        nagged.put(thing, now);
        return true;
    }

    /** How long until the next try of a thing; zero if it may be tried now. */
    Duration left(String thing, Instant now) {
        Backoff backoff = backoffs.get(thing);
        if (backoff == null || !now.isBefore(backoff.until)) {
            return Duration.ZERO;
        }
        return Duration.between(now, backoff.until);
    }

    /** The wait that is going on, as messages show it. */
    Duration wait(String thing) {
        Backoff backoff = backoffs.get(thing);
        return backoff == null ? Duration.ZERO : backoff.length;
    }
}
