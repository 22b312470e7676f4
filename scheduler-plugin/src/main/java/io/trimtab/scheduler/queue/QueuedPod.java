package io.trimtab.scheduler.queue;

import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.QueuedPodInfo;
import java.time.Instant;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A pod in the queue. Changed on the scheduler's lane only. */
public final class QueuedPod implements QueuedPodInfo {
    private final Set<String> rejectors = new TreeSet<>();
    private final Set<String> pending = new TreeSet<>();
    private PodInfo pod;
    private int attempts;

    private final Instant since;

    // Package-private: the queue's own bookkeeping.
    Instant timestamp;
    int rejections;
    int consecutiveErrors;
    long order;
    /** When the back-off ends; null if not worked out. */
    @Nullable
    Instant backoffEnds;
    /** The plugin that keeps the pod out of the queue; null if none does. */
    @Nullable
    String gate;

    /** The group of gated pods it is in; null if it is in none. */
    @Nullable
    Object gatedBy;

    Place place = Place.NOWHERE;

    enum Place {
        NOWHERE,
        ACTIVE,
        BACKOFF,
        BACKOFF_ERROR,
        PARKED
    }

    QueuedPod(PodInfo pod, Instant timestamp) {
        this.pod = pod;
        this.timestamp = timestamp;
        this.since = timestamp;
    }

    /** When it first came to the queue. */
    public Instant since() {
        return since;
    }

    @Override
    public PodInfo pod() {
        return pod;
    }

    @Override
    public Instant timestamp() {
        return timestamp;
    }

    @Override
    public int attempts() {
        return attempts;
    }

    /** The plugins that rejected it in the last attempt, or keep it out of the queue. */
    public Set<String> rejectors() {
        return rejectors;
    }

    /** Those of the rejecting plugins that wait for something of their own. */
    public Set<String> pending() {
        return pending;
    }

    boolean isGated() {
        return gate != null;
    }

    void setPod(PodInfo newer) {
        pod = newer;
    }

    void beginAttempt() {
        attempts++;
        rejectors.clear();
        pending.clear();
        gate = null;
        backoffEnds = null;
    }

    @Override
    public String toString() {
        return pod.key();
    }
}
