package io.trimtab.scheduler.queue;

import io.trimtab.runtime.Driver;
import io.trimtab.scheduler.framework.ClusterEvent;
import io.trimtab.scheduler.framework.PodInfo;
import io.trimtab.scheduler.framework.PreEnqueuePlugin;
import io.trimtab.scheduler.framework.QueuedPodInfo;
import io.trimtab.scheduler.framework.RegisteredEvent;
import io.trimtab.scheduler.framework.Status;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Pods that wait: active ones (to be tried next), those that back off, and those parked until an event may help them.
 *
 * <p>A pod that is being tried is in none of the three; events that come meanwhile are kept, and asked about when it comes back,
 * so that none is lost. All methods run on the scheduler's lane.
 */
public final class SchedulingQueue {
    private static final Logger log = LoggerFactory.getLogger(SchedulingQueue.class);

    /** Pods whose back-off ends within the same second are ordered by priority. */
    private static final Duration WINDOW = Duration.ofSeconds(1);

    private static final Duration PARKED_AT_MOST = Duration.ofMinutes(5);
    private static final Duration PARKED_CHECK = Duration.ofSeconds(30);

    /**
     * What the queue must know of a profile.
     *
     * @param gates its PreEnqueue plugins, in order
     * @param rules the events its plugins wait for
     */
    public record Profile(List<PreEnqueuePlugin> gates, WakeRules rules) {}

    private record Happened(
            ClusterEvent event,
            @Nullable Object before,
            @Nullable Object after) {}

    private record Gate(String schedulerName, String plugin) {}

    private enum Hint {
        SKIP,
        AFTER_BACKOFF,
        AT_ONCE
    }

    private final Driver driver;
    private final Driver.Lane lane;
    private final Duration initialBackoff;
    private final Duration maxBackoff;
    private final Map<String, Profile> profiles;
    private final Runnable ready;
    private final Comparator<QueuedPodInfo> sort;
    private final TreeSet<QueuedPod> active;
    private final TreeSet<QueuedPod> backoff;
    private final TreeSet<QueuedPod> backoffErrors;
    private final Map<String, QueuedPod> parked = new LinkedHashMap<>();
    /** Parked pods that a gate keeps out, by profile and gate: most events concern none of them, however many they are. */
    private final Map<Gate, Map<String, QueuedPod>> gated = new LinkedHashMap<>();

    private final Map<String, QueuedPod> byUid = new HashMap<>();
    /** Pods being tried, and the events since. */
    private final Map<String, List<Happened>> inFlight = new LinkedHashMap<>();

    private final Nominations nominations = new Nominations();
    private long order;
    private Driver.@Nullable Timer backoffTimer;
    private Driver.@Nullable Timer parkedTimer;
    private boolean closed;

    /**
     * An empty queue.
     *
     * @param lane all calls come on it, and the queue's timers run on it
     * @param profiles by scheduler name
     * @param ready runs when there may be a pod to pop
     */
    public SchedulingQueue(
            Driver driver,
            Driver.Lane lane,
            Duration initialBackoff,
            Duration maxBackoff,
            Comparator<QueuedPodInfo> sort,
            Map<String, Profile> profiles,
            Runnable ready) {
        this.driver = driver;
        this.lane = lane;
        this.initialBackoff = initialBackoff;
        this.maxBackoff = maxBackoff;
        this.profiles = Map.copyOf(profiles);
        this.ready = ready;
        this.sort = sort;
        Comparator<QueuedPod> byArrival = Comparator.comparingLong(pod -> pod.order);
        Comparator<QueuedPod> sorted = (a, b) -> sort.compare(a, b);
        this.active = new TreeSet<>(sorted.thenComparing(byArrival));
        Comparator<QueuedPod> byEnd = Comparator.comparing(this::backoffEnd);
        this.backoff = new TreeSet<>(byEnd.thenComparing(sorted).thenComparing(byArrival));
        this.backoffErrors = new TreeSet<>(byEnd.thenComparing(sorted).thenComparing(byArrival));
    }

    public Nominations nominations() {
        return nominations;
    }

    /** How many pods could be popped now. */
    public int ready() {
        return active.isEmpty() ? backoff.size() : active.size();
    }

    public int activeCount() {
        return active.size();
    }

    public int backoffCount() {
        return backoff.size() + backoffErrors.size();
    }

    /** Parked pods, without those kept out by a gate. */
    public int unschedulableCount() {
        return parked.size();
    }

    public int gatedCount() {
        return gated.values().stream().mapToInt(Map::size).sum();
    }

    /** A pod is new, or was not known. */
    public void add(PodInfo pod) {
        if (byUid.containsKey(pod.uid())) {
            update(pod, pod);
            return;
        }
        QueuedPod queued = new QueuedPod(pod, driver.now());
        byUid.put(pod.uid(), queued);
        nominations.add(pod);
        moveToActive(queued);
    }

    /** A pending pod changed. */
    public void update(PodInfo before, PodInfo after) {
        List<ClusterEvent> events = PodChanges.of(before, after);
        if (inFlight.containsKey(after.uid())) {
            for (ClusterEvent event : events) {
                record(new Happened(event, before, after));
            }
            nominations.update(before, after);
            return;
        }
        QueuedPod queued = byUid.get(after.uid());
        if (queued == null) {
            add(after);
            return;
        }
        nominations.update(before, after);
        if (queued.place != QueuedPod.Place.PARKED) {
            QueuedPod.Place place = queued.place;
            takeOut(queued);
            queued.setPod(after);
            putIn(queued, place);
            return;
        }
        queued.setPod(after);
        for (ClusterEvent event : events) {
            if (queued.isGated() && !gateHears(queued, event)) {
                continue;
            }
            Hint hint = ask(queued, new Happened(event, before, after));
            if (hint != Hint.SKIP) {
                requeue(queued, hint);
                if (queued.place != QueuedPod.Place.PARKED) {
                    return;
                }
            }
        }
    }

    /** A pod is gone, or is no longer ours to place. */
    public void delete(PodInfo pod) {
        nominations.remove(pod.uid());
        QueuedPod queued = byUid.remove(pod.uid());
        if (queued != null) {
            takeOut(queued);
        }
    }

    /** The next pod to try; it is in flight until {@link #done} or {@link #giveBack}. Null if there is none. */
    public @Nullable QueuedPod pop() {
        QueuedPod next = active.isEmpty() ? backoff.isEmpty() ? null : backoff.first() : active.first();
        if (next == null) {
            return null;
        }
        takeOut(next);
        byUid.remove(next.pod().uid());
        next.beginAttempt();
        inFlight.put(next.pod().uid(), new ArrayList<>(0));
        return next;
    }

    /** Nothing that happens from now on concerns the pod that was popped. */
    public void done(String uid) {
        inFlight.remove(uid);
    }

    /**
     * A pod could not be scheduled.
     *
     * @param queued as it was popped, with those that rejected it
     * @param pod as it is now
     */
    public void giveBack(QueuedPod queued, PodInfo pod) {
        List<Happened> events = inFlight.remove(pod.uid());
        if (closed || byUid.containsKey(pod.uid())) {
            return;
        }
        queued.setPod(pod);
        boolean failed = queued.rejectors().isEmpty();
        if (failed) {
            queued.consecutiveErrors++;
        } else {
            queued.rejections++;
            queued.consecutiveErrors = 0;
        }
        queued.timestamp = driver.now();
        queued.backoffEnds = null;
        byUid.put(pod.uid(), queued);
        Hint hint = Hint.SKIP;
        if (failed || events == null) {
            hint = Hint.AFTER_BACKOFF;
        } else {
            for (Happened event : events) {
                Hint one = ask(queued, event);
                if (one.ordinal() > hint.ordinal()) {
                    hint = one;
                }
            }
        }
        requeue(queued, hint);
    }

    /** Something happened: tries the pods again that it may help. */
    public void happened(ClusterEvent event, @Nullable Object before, @Nullable Object after) {
        happened(event, before, after, pod -> true);
    }

    /**
     * Something happened: tries the pods again that it may help.
     *
     * @param concerned which pods to ask about
     */
    public void happened(
            ClusterEvent event, @Nullable Object before, @Nullable Object after, Predicate<PodInfo> concerned) {
        Happened happened = new Happened(event, before, after);
        if (!parked.isEmpty()) {
            tryAgain(List.copyOf(parked.values()), happened, concerned);
        }
        for (Map.Entry<Gate, Map<String, QueuedPod>> entry : List.copyOf(gated.entrySet())) {
            if (hears(entry.getKey(), event)) {
                tryAgain(List.copyOf(entry.getValue().values()), happened, concerned);
            }
        }
        record(happened);
    }

    private void tryAgain(List<QueuedPod> pods, Happened happened, Predicate<PodInfo> concerned) {
        for (QueuedPod queued : pods) {
            if (concerned.test(queued.pod())) {
                Hint hint = ask(queued, happened);
                if (hint != Hint.SKIP) {
                    requeue(queued, hint);
                }
            }
        }
    }

    /** Tries pods again at once, wherever they wait; a pod in flight is tried again after its attempt. */
    public void activate(Collection<String> keys) {
        for (QueuedPod queued : List.copyOf(byUid.values())) {
            if (queued.place != QueuedPod.Place.ACTIVE
                    && keys.contains(queued.pod().key())) {
                takeOut(queued);
                moveToActive(queued);
            }
        }
        for (Map.Entry<String, List<Happened>> entry : inFlight.entrySet()) {
            entry.getValue().add(new Happened(ClusterEvent.WILDCARD, null, keys));
        }
    }

    /** Stops the timers. */
    public void close() {
        closed = true;
        if (backoffTimer != null) {
            backoffTimer.cancel();
        }
        if (parkedTimer != null) {
            parkedTimer.cancel();
        }
    }

    private void record(Happened happened) {
        for (List<Happened> events : inFlight.values()) {
            events.add(happened);
        }
    }

    private boolean gateHears(QueuedPod queued, ClusterEvent event) {
        String gate = queued.gate;
        return gate == null || hears(new Gate(queued.pod().schedulerName(), gate), event);
    }

    private boolean hears(Gate gate, ClusterEvent event) {
        Profile profile = profiles.get(gate.schedulerName());
        return profile == null
                || event.isWildcard()
                || profile.rules().of(gate.plugin()).stream()
                        .anyMatch(r -> r.event().covers(event));
    }

    private Hint ask(QueuedPod queued, Happened happened) {
        if (queued.rejectors().isEmpty()) {
            return Hint.AFTER_BACKOFF;
        }
        ClusterEvent event = happened.event();
        if (event.isWildcard()) {
            boolean ours = !(happened.after() instanceof Collection<?> keys)
                    || keys.contains(queued.pod().key());
            return ours ? Hint.AFTER_BACKOFF : Hint.SKIP;
        }
        Profile profile = profiles.get(queued.pod().schedulerName());
        if (profile == null) {
            return Hint.AFTER_BACKOFF;
        }
        Hint best = Hint.SKIP;
        for (String plugin : queued.rejectors()) {
            boolean pending = queued.pending().contains(plugin);
            if (best == Hint.AFTER_BACKOFF && !pending) {
                continue;
            }
            for (RegisteredEvent registered : profile.rules().of(plugin)) {
                if (registered.event().covers(event) && wakes(registered, plugin, queued.pod(), happened)) {
                    if (pending) {
                        return Hint.AT_ONCE;
                    }
                    best = Hint.AFTER_BACKOFF;
                    break;
                }
            }
        }
        return best;
    }

    private static boolean wakes(RegisteredEvent registered, String plugin, PodInfo pod, Happened happened) {
        RegisteredEvent.Hint hint = registered.hint();
        if (hint == null) {
            return true;
        }
        try {
            return hint.wakes(pod, happened.before(), happened.after());
        } catch (RuntimeException e) {
            log.atWarn()
                    .addKeyValue("plugin", plugin)
                    .addKeyValue("event", happened.event().label())
                    .addKeyValue("pod", pod.key())
                    .setCause(e)
                    .log("A plugin could not tell whether an event helps; the pod is tried again");
            return true;
        }
    }

    private void requeue(QueuedPod queued, Hint hint) {
        takeOut(queued);
        if (hint == Hint.SKIP) {
            putIn(queued, QueuedPod.Place.PARKED);
        } else if (hint == Hint.AFTER_BACKOFF && isBackingOff(queued)) {
            if (passesGates(queued)) {
                putIn(queued, queued.consecutiveErrors > 0 ? QueuedPod.Place.BACKOFF_ERROR : QueuedPod.Place.BACKOFF);
            }
        } else {
            moveToActive(queued);
        }
    }

    private void moveToActive(QueuedPod queued) {
        if (passesGates(queued)) {
            putIn(queued, QueuedPod.Place.ACTIVE);
        }
    }

    /** Parks the pod if a gate is closed. */
    private boolean passesGates(QueuedPod queued) {
        Profile profile = profiles.get(queued.pod().schedulerName());
        if (profile == null) {
            return true;
        }
        PreEnqueuePlugin first = null;
        for (PreEnqueuePlugin gate : profile.gates()) {
            if (gate.name().equals(queued.gate)) {
                first = gate;
                if (!passes(queued, gate)) {
                    return false;
                }
            }
        }
        for (PreEnqueuePlugin gate : profile.gates()) {
            if (gate != first && !passes(queued, gate)) {
                return false;
            }
        }
        queued.gate = null;
        return true;
    }

    private boolean passes(QueuedPod queued, PreEnqueuePlugin gate) {
        Status status;
        try {
            status = gate.preEnqueue(queued.pod());
        } catch (RuntimeException e) {
            log.atError()
                    .addKeyValue("plugin", gate.name())
                    .addKeyValue("pod", queued.pod().key())
                    .setCause(e)
                    .log("PreEnqueue failed; the pod stays out of the queue");
            status = Status.error(e);
        }
        if (status.isSuccess()) {
            return true;
        }
        queued.gate = gate.name();
        queued.rejectors().add(gate.name());
        putIn(queued, QueuedPod.Place.PARKED);
        return false;
    }

    private void putIn(QueuedPod queued, QueuedPod.Place place) {
        queued.place = place;
        queued.order = ++order;
        switch (place) {
            case ACTIVE -> {
                active.add(queued);
                ready.run();
            }
            case BACKOFF -> {
                backoff.add(queued);
                armBackoff();
                ready.run();
            }
            case BACKOFF_ERROR -> {
                backoffErrors.add(queued);
                armBackoff();
            }
            case PARKED -> {
                String gate = queued.gate;
                if (gate == null) {
                    parked.put(queued.pod().uid(), queued);
                    armParked();
                } else {
                    Gate key = new Gate(queued.pod().schedulerName(), gate);
                    gated.computeIfAbsent(key, k -> new LinkedHashMap<>())
                            .put(queued.pod().uid(), queued);
                    queued.gatedBy = key;
                }
            }
            case NOWHERE -> throw new IllegalArgumentException("a queued pod must be somewhere");
        }
    }

    private void takeOut(QueuedPod queued) {
        switch (queued.place) {
            case ACTIVE -> active.remove(queued);
            case BACKOFF -> backoff.remove(queued);
            case BACKOFF_ERROR -> backoffErrors.remove(queued);
            case PARKED -> {
                parked.remove(queued.pod().uid());
                leaveGate(queued);
            }
            case NOWHERE -> {}
        }
        queued.place = QueuedPod.Place.NOWHERE;
    }

    private void leaveGate(QueuedPod queued) {
        Object key = queued.gatedBy;
        Map<String, QueuedPod> group = key == null ? null : gated.get(key);
        if (group != null && group.remove(queued.pod().uid()) != null && group.isEmpty()) {
            gated.remove(key);
        }
        queued.gatedBy = null;
    }

    // ---- back-off ----

    private boolean isBackingOff(QueuedPod queued) {
        return backoffEnd(queued).isAfter(window(driver.now()));
    }

    private Instant backoffEnd(QueuedPod queued) {
        Instant known = queued.backoffEnds;
        if (known == null) {
            known = queued.attempts() == 0
                    ? Instant.EPOCH
                    : window(queued.timestamp.plus(
                            backoffOf(queued.consecutiveErrors > 0 ? queued.consecutiveErrors : queued.rejections)));
            queued.backoffEnds = known;
        }
        return known;
    }

    /** The wait after so many failures: doubled each time, up to the maximum. */
    Duration backoffOf(int failures) {
        if (failures == 0) {
            return Duration.ZERO;
        }
        Duration wait = initialBackoff;
        for (int i = 1; i < failures; i++) {
            wait = wait.multipliedBy(2);
            if (wait.compareTo(maxBackoff) >= 0) {
                return maxBackoff;
            }
        }
        return wait.compareTo(maxBackoff) > 0 ? maxBackoff : wait;
    }

    private static Instant window(Instant time) {
        return time.truncatedTo(ChronoUnit.SECONDS);
    }

    private void armBackoff() {
        if (backoffTimer != null || closed) {
            return;
        }
        Instant now = driver.now();
        Duration toNext = Duration.between(now, window(now).plus(WINDOW));
        backoffTimer = driver.schedule(toNext, () -> lane.execute(this::flushBackoff));
    }

    private void flushBackoff() {
        backoffTimer = null;
        Instant now = window(driver.now());
        flush(backoff, now);
        flush(backoffErrors, now);
        if (backoffCount() > 0) {
            armBackoff();
        }
    }

    private void flush(TreeSet<QueuedPod> from, Instant now) {
        while (!from.isEmpty() && !backoffEnd(from.first()).isAfter(now)) {
            QueuedPod queued = from.first();
            takeOut(queued);
            // The gates were asked when the pod was put here.
            putIn(queued, QueuedPod.Place.ACTIVE);
        }
    }

    private void armParked() {
        if (parkedTimer == null && !closed) {
            parkedTimer = driver.schedule(PARKED_CHECK, () -> lane.execute(this::flushParked));
        }
    }

    private void flushParked() {
        parkedTimer = null;
        Instant limit = driver.now().minus(PARKED_AT_MOST);
        for (QueuedPod queued : List.copyOf(parked.values())) {
            if (queued.timestamp.isBefore(limit)) {
                requeue(queued, Hint.AFTER_BACKOFF);
            }
        }
        if (!parked.isEmpty()) {
            armParked();
        }
    }

    /** The pod of this uid, if it waits. */
    public @Nullable PodInfo waiting(String uid) {
        QueuedPod queued = byUid.get(uid);
        return queued == null ? null : queued.pod();
    }

    /** The pod as it waits, for tests and diagnosis; null if it does not wait. */
    @Nullable
    QueuedPod find(PodInfo pod) {
        return byUid.get(Objects.requireNonNull(pod.uid()));
    }
}
