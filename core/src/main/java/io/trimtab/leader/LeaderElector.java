package io.trimtab.leader;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.ResourceType;
import io.trimtab.events.EventRecorder;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs for leadership by holding a Lease, as client-go does (tools/leaderelection): the leader renews it every retry period;
 * others take it when it has not changed for a lease duration, measured by their own clock, so that clocks need not agree. A
 * leader that cannot renew for the renew deadline stops leading, before others may begin.
 *
 * <p>After it has lost the lease or was stopped, an elector may be started again. Safe for use by any thread.
 */
public final class LeaderElector implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(LeaderElector.class);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);
    private static final ResourceType<Lease> LEASES = ResourceType.of(Lease.class);

    private final Driver driver;
    private final Client client;
    private final LeaderElectionConfig config;
    private final LeaderCallbacks callbacks;
    private final @Nullable EventRecorder events;
    private final Driver.Lane lane;
    private final Driver.Lane callbackLane;

    private final Object lock = new Object();
    /** Guarded by lock: counts starts and stops, so that steps of an earlier term find out. */
    private long term;
    /** Guarded by lock. */
    private boolean running;
    /** Guarded by lock. */
    private boolean leading;
    /** Guarded by lock. */
    private Driver.@Nullable Timer next;
    /** Guarded by lock. */
    private Driver.@Nullable Timer deadline;

    /** Used on the lane only: the lease as last seen or written, and when, by our own clock. */
    private @Nullable Lease observed;

    private long observedNanos;
    private String reported = "";

    /** Written on the lane only. */
    private volatile String leader = "";

    /** Written on the lane only: when the renewal that succeeded last was sent, and the transitions it wrote. */
    private volatile long renewedNanos;

    private volatile long transitions;

    /**
     * A candidate that does not run yet.
     *
     * @param events told of the beginning and end of leadership; null for none
     */
    public LeaderElector(
            Driver driver,
            Client client,
            LeaderElectionConfig config,
            LeaderCallbacks callbacks,
            @Nullable EventRecorder events) {
        this.driver = driver;
        this.client = client;
        this.config = config;
        this.callbacks = callbacks;
        this.events = events;
        this.lane = driver.lane("leader election " + config.name());
        this.callbackLane = driver.lane("leader callbacks " + config.name());
    }

    /** Begins to run for leadership; does nothing if it does already. Returns at once. */
    public void start() {
        long thisTerm;
        synchronized (lock) {
            if (running) {
                return;
            }
            running = true;
            thisTerm = ++term;
        }
        lane.execute(() -> acquire(thisTerm));
    }

    /** True while this candidate leads. */
    public boolean isLeader() {
        synchronized (lock) {
            return leading;
        }
    }

    /**
     * The leadership as a fence: it holds from the beginning of leadership until the renewal deadline after the last renewal was
     * sent, which is before others may begin. Its token is the lease's count of transitions.
     */
    public Fence fence() {
        return new Fence() {
            @Override
            public long token() {
                return transitions;
            }

            @Override
            public boolean holds() {
                return isLeader()
                        && driver.nanoTime() - renewedNanos
                                < config.renewDeadline().toNanos();
            }

            @Override
            public String name() {
                return config.namespace() + "/" + config.name();
            }
        };
    }

    /** Who leads, as far as this candidate knows; empty if nobody. */
    public String leader() {
        return leader;
    }

    /**
     * Ends the candidacy, and the leadership with it; gives the lease up if so configured.
     *
     * @return completes when the lease is given up; the callbacks hear of it on their own lane
     */
    public CompletableFuture<Void> stop() {
        CompletableFuture<Void> stopped = new CompletableFuture<>();
        lane.execute(() -> {
            if (end(null) && config.releaseOnStop()) {
                release();
            }
            stopped.complete(null);
        });
        return stopped;
    }

    /** The same as {@link #stop}; waits a little, so that the lease is given up before the client is closed. */
    @Override
    public void close() {
        try {
            driver.await(stop(), CLOSE_TIMEOUT);
        } catch (TimeoutException e) {
            log.warn("Lease not given up in time: lease={}/{}", config.namespace(), config.name());
        }
    }

    // ---- Acquiring -------------------------------------------------------------------------------------------------

    private void acquire(long thisTerm) {
        if (!isTerm(thisTerm)) {
            return;
        }
        boolean acquired = tryAcquireOrRenew();
        reportTransition();
        if (!acquired) {
            schedule(thisTerm, jittered(config.retryPeriod()), () -> acquire(thisTerm));
            return;
        }
        synchronized (lock) {
            if (term != thisTerm) {
                return;
            }
            leading = true;
        }
        log.info("Became leader: lease={}/{} identity={}", config.namespace(), config.name(), config.identity());
        recordEvent("became leader");
        callbackLane.execute(callbacks::onStartedLeading);
        beginRenewal(thisTerm);
    }

    private Duration jittered(Duration period) {
        return Duration.ofNanos(
                (long) (period.toNanos() * (1 + driver.random().nextDouble() * LeaderElectionConfig.JITTER)));
    }

    // ---- Renewing --------------------------------------------------------------------------------------------------

    /** One round: tries until one succeeds or the deadline is there. The deadline does not wait for a try that hangs. */
    private void beginRenewal(long thisTerm) {
        synchronized (lock) {
            if (term != thisTerm) {
                return;
            }
            deadline = driver.schedule(config.renewDeadline(), () -> deadlinePassed(thisTerm));
        }
        renew(thisTerm);
    }

    private void renew(long thisTerm) {
        if (!isTerm(thisTerm)) {
            return;
        }
        boolean renewed = tryAcquireOrRenew();
        reportTransition();
        if (!renewed) {
            schedule(thisTerm, config.retryPeriod(), () -> renew(thisTerm));
            return;
        }
        synchronized (lock) {
            if (deadline != null) {
                deadline.cancel();
                deadline = null;
            }
        }
        schedule(thisTerm, config.retryPeriod(), () -> beginRenewal(thisTerm));
    }

    private void deadlinePassed(long thisTerm) {
        if (end(thisTerm)) {
            log.warn(
                    "Lost leadership, renewal failed: lease={}/{} identity={} deadline={}",
                    config.namespace(),
                    config.name(),
                    config.identity(),
                    config.renewDeadline());
            if (config.releaseOnStop()) {
                lane.execute(this::release);
            }
        }
    }

    /**
     * Ends a term.
     *
     * @param which null for the current one, whichever it is
     * @return true if this candidate led in it
     */
    private boolean end(@Nullable Long which) {
        boolean led;
        synchronized (lock) {
            if (!running || which != null && term != which) {
                return false;
            }
            led = leading;
            running = false;
            leading = false;
            term++;
            if (next != null) {
                next.cancel();
                next = null;
            }
            if (deadline != null) {
                deadline.cancel();
                deadline = null;
            }
        }
        if (led) {
            recordEvent("stopped leading");
            callbackLane.execute(callbacks::onStoppedLeading);
        }
        return led;
    }

    private boolean isTerm(long thisTerm) {
        synchronized (lock) {
            return term == thisTerm;
        }
    }

    private void schedule(long thisTerm, Duration delay, Runnable step) {
        synchronized (lock) {
            if (term == thisTerm) {
                next = driver.schedule(delay, () -> lane.execute(step));
            }
        }
    }

    // ---- The lease -------------------------------------------------------------------------------------------------

    /** Runs on the lane. True if this candidate holds the lease now. */
    private boolean tryAcquireOrRenew() {
        long sent = driver.nanoTime();
        boolean held = tryHold();
        if (held) {
            Lease lease = observed;
            Integer count = lease == null ? null : lease.getSpec().getLeaseTransitions();
            transitions = count == null ? 0 : count;
            renewedNanos = sent;
        }
        return held;
    }

    private boolean tryHold() {
        try {
            Lease known = observed;
            if (known != null && holds(known) && isValid(known)) {
                // The leader's usual path: one write, on the version it wrote last.
                try {
                    observe(client.update(LEASES, renewed(known)));
                    return true;
                } catch (ApiException e) {
                    log.debug("Optimistic renewal failed: lease={}/{}", config.namespace(), config.name(), e);
                }
            }
            Optional<Lease> found = client.get(LEASES, config.namespace(), config.name());
            if (found.isEmpty()) {
                observe(client.create(LEASES, created()));
                return true;
            }
            Lease lease = found.get();
            if (observed == null || !Objects.equals(observed.getSpec(), lease.getSpec())) {
                observe(lease);
            }
            if (!holder(lease).isEmpty() && !holds(lease) && isValid(lease)) {
                return false;
            }
            observe(client.update(LEASES, holds(lease) ? renewed(lease) : taken(lease)));
            return true;
        } catch (ApiException e) {
            log.debug("Lease cannot be had now: lease={}/{}", config.namespace(), config.name(), e);
            return false;
        }
    }

    private void observe(Lease lease) {
        observed = lease;
        observedNanos = driver.nanoTime();
    }

    private static String holder(Lease lease) {
        LeaseSpec spec = lease.getSpec();
        return spec == null || spec.getHolderIdentity() == null ? "" : spec.getHolderIdentity();
    }

    private boolean holds(Lease lease) {
        return holder(lease).equals(config.identity());
    }

    /** By our own clock, since we last saw it change. */
    private boolean isValid(Lease lease) {
        Integer seconds = lease.getSpec().getLeaseDurationSeconds();
        long nanos = Duration.ofSeconds(seconds == null ? 0 : seconds).toNanos();
        return driver.nanoTime() - observedNanos < nanos;
    }

    private Lease created() {
        ZonedDateTime now = now();
        return new LeaseBuilder()
                .withNewMetadata()
                .withNamespace(config.namespace())
                .withName(config.name())
                .endMetadata()
                .withNewSpec()
                .withHolderIdentity(config.identity())
                .withLeaseDurationSeconds((int) config.leaseDuration().toSeconds())
                .withAcquireTime(now)
                .withRenewTime(now)
                .withLeaseTransitions(0)
                .endSpec()
                .build();
    }

    private Lease renewed(Lease lease) {
        return new LeaseBuilder(lease)
                .editOrNewSpec()
                .withHolderIdentity(config.identity())
                .withLeaseDurationSeconds((int) config.leaseDuration().toSeconds())
                .withRenewTime(now())
                .endSpec()
                .build();
    }

    private Lease taken(Lease lease) {
        LeaseSpec old = lease.getSpec();
        Integer transitions = old == null ? null : old.getLeaseTransitions();
        return new LeaseBuilder(renewed(lease))
                .editSpec()
                .withAcquireTime(now())
                .withLeaseTransitions((transitions == null ? 0 : transitions) + 1)
                .endSpec()
                .build();
    }

    /** Runs on the lane: leaves a lease that anybody may take at once. */
    private void release() {
        try {
            Optional<Lease> found = client.get(LEASES, config.namespace(), config.name());
            if (found.isEmpty() || !holds(found.get())) {
                return;
            }
            ZonedDateTime now = now();
            observe(client.update(
                    LEASES,
                    new LeaseBuilder(found.get())
                            .editSpec()
                            .withHolderIdentity("")
                            .withLeaseDurationSeconds(1)
                            .withAcquireTime(now)
                            .withRenewTime(now)
                            .endSpec()
                            .build()));
            reportTransition();
        } catch (ApiException e) {
            log.warn("Lease could not be released: lease={}/{}", config.namespace(), config.name(), e);
        }
    }

    /** Leases count in microseconds. */
    private ZonedDateTime now() {
        return driver.now().truncatedTo(ChronoUnit.MICROS).atZone(ZoneOffset.UTC);
    }

    private void reportTransition() {
        String holder = observed == null ? "" : holder(observed);
        leader = holder;
        if (!holder.equals(reported)) {
            reported = holder;
            callbackLane.execute(() -> callbacks.onNewLeader(holder));
        }
    }

    private void recordEvent(String what) {
        Lease lease = observed;
        if (events != null && lease != null) {
            events.normal(lease, "LeaderElection", config.identity() + " " + what);
        }
    }
}
