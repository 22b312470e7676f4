package io.trimtab.leader;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.fabric8.kubernetes.api.model.DeleteOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.PreconditionsBuilder;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseBuilder;
import io.trimtab.client.ApiException;
import io.trimtab.client.Client;
import io.trimtab.client.ResourceType;
import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Shares keys between replicas that all work: each key is worked on by one of them at a time. Needs nothing of the server but
 * Leases, so it runs on any.
 *
 * <p>Keys fall into slots. Each member holds a Lease of its own and renews it; one more Lease carries the map from slots to
 * members, and is changed by compare-and-swap only. The rules, and why no two members work on one slot at a time:
 * <ul>
 * <li>A member works on a slot while the map names it, and its own Lease was renewed within the renew deadline by its own clock.
 * <li>A member hands a slot over only when none of its keys is in work; it takes no new one meanwhile. The map then names the
 *     next one, and says up to which revisions the former one wrote: the next one begins when its caches show that.
 * <li>A member that has not renewed for a lease duration, by the observer's clock, is removed: its Lease is deleted, on condition
 *     that it is still as it was seen. So the dead one's next renewal fails, and it finds out; and by then its renew deadline
 *     is over. Slots of members without a Lease are free.
 * <li>A member that lost its Lease comes back as another one, with no slots.
 * </ul>
 *
 * <p>Who owns what follows from the names of those alive (rendezvous), so a member that comes or goes moves its own share and
 * nothing else. A write sent just before the deadline may arrive late, as with any lease: {@link #fence} with a
 * {@link FencedClient} keeps later ones from being sent.
 *
 * <p>Safe for use by any thread.
 *
 * @since 0.1
 */
public final class Sharding implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(Sharding.class);
    private static final ResourceType<Lease> LEASES = ResourceType.of(Lease.class);
    private static final String GROUP_LABEL = "shards.trimtab.io/group";
    private static final String MAP = "shards.trimtab.io/map";
    private static final String LEAVING = "shards.trimtab.io/leaving";
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(30);
    /** After another member was first to change the map: at once, but not in a tight loop. */
    private static final Duration SOON = Duration.ofMillis(50);

    /** Hears which slots this member works on from now on. */
    public interface Listener {
        /**
         * Called before keys of these slots are let in: on a lane, one call after another.
         *
         * @param written for each resource, as {@link ResourceType#qualifiedName} has it, the revision that caches must show first
         * @param ready to be run once, when they do, on any thread
         */
        default void preparing(Map<String, Long> written, Runnable ready) {
            ready.run();
        }

        /** Keys of these slots are let in now: look at each of them. */
        void gained(Set<Integer> slots);
    }

    private enum State {
        FOREIGN,
        /** The map names this member; its caches may not show yet what the former one wrote. */
        PREPARING,
        ACTIVE,
        /** Somebody else's as soon as no key of it is in work. */
        DRAINING
    }

    private record Sighting(String version, long sinceNanos) {}

    private final Driver driver;
    private final Client client;
    private final ShardingConfig config;
    private final Driver.Lane lane;
    private final Driver.Lane listenerLane;
    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private State[] states = new State[0];

    @GuardedBy("lock")
    private int[] inWork = new int[0];

    @GuardedBy("lock")
    private final Map<String, Long> wrote = new HashMap<>();

    @GuardedBy("lock")
    private final List<Listener> listeners = new ArrayList<>();

    @GuardedBy("lock")
    private boolean stopping;

    /** On the lane: our own lease as written last; null while there is none. */
    private @Nullable Lease own;
    /** On the lane: the others' leases as last seen to change. */
    private final Map<String, Sighting> seen = new HashMap<>();
    /** On the lane. */
    private @Nullable CompletableFuture<Void> stopped;
    /** On the lane. */
    private Driver.@Nullable Timer timer;

    private boolean running; // on the lane

    private volatile String identity; // written on the lane
    private volatile int slotCount; // written on the lane
    private volatile long renewedNanos; // written on the lane
    private volatile boolean member; // written on the lane
    private volatile long incarnation; // written on the lane

    /** A member that has not joined yet. */
    public Sharding(Driver driver, Client client, ShardingConfig config) {
        this.driver = driver;
        this.client = client;
        this.config = config;
        this.lane = driver.lane("sharding " + config.group());
        this.listenerLane = driver.lane("sharding listeners " + config.group());
        this.identity = "";
    }

    // ---- for users -------------------------------------------------------------------------------------------------

    /** Joins; returns at once. Call once. */
    public void start() {
        lane.execute(() -> {
            if (!running) {
                running = true;
                step();
            }
        });
    }

    /** Adds somebody who hears of slots gained from now on; before {@link #start}, as a rule. */
    public void addListener(Listener listener) {
        lock.lock();
        try {
            listeners.add(listener);
        } finally {
            lock.unlock();
        }
    }

    /** This member's name, of this life; empty before it has joined. */
    public String identity() {
        return identity;
    }

    /** The slot of a key; 0 before the map is known. */
    public int slotOf(Object key) {
        int count = slotCount;
        return count == 0 ? 0 : ShardMap.unowned(count).slotOf(key);
    }

    /** The slots whose keys this member may work on now. */
    public Set<Integer> slots() {
        Set<Integer> all = new TreeSet<>();
        boolean valid = isValid();
        lock.lock();
        try {
            for (int i = 0; i < states.length && valid; i++) {
                if (states[i] == State.ACTIVE) {
                    all.add(i);
                }
            }
        } finally {
            lock.unlock();
        }
        return all;
    }

    /**
     * Begins work on a key, if it is this member's.
     *
     * @return false if it is not, now: whoever gains it looks at it. If true, call {@link #leave} in the end
     */
    public boolean tryEnter(Object key) {
        if (!isValid()) {
            return false;
        }
        int slot = slotOf(key);
        lock.lock();
        try {
            if (slot >= states.length || states[slot] != State.ACTIVE || stopping) {
                return false;
            }
            inWork[slot]++;
            return true;
        } finally {
            lock.unlock();
        }
    }

    /** Ends work on a key. */
    public void leave(Object key) {
        int slot = slotOf(key);
        boolean drained;
        lock.lock();
        try {
            drained = --inWork[slot] == 0 && states[slot] == State.DRAINING;
        } finally {
            lock.unlock();
        }
        if (drained) {
            lane.execute(this::stepNow);
        }
    }

    /** Something was written while working on a key; whoever takes a slot over waits until its caches show it. */
    public void wrote(String resource, long revision) {
        lock.lock();
        try {
            wrote.merge(resource, revision, Math::max);
        } finally {
            lock.unlock();
        }
    }

    /** Membership as a fence: holds while this member may work at all. Its token tells one life of a replica from the next. */
    public Fence fence() {
        return new Fence() {
            @Override
            public long token() {
                return incarnation;
            }

            @Override
            public boolean holds() {
                return isValid();
            }

            @Override
            public String name() {
                return config.namespace() + "/" + config.group() + " by " + identity;
            }
        };
    }

    /** By our own clock, counted from before the renewal was sent: others wait longer, counted from after it arrived. */
    private boolean isValid() {
        return member
                && driver.nanoTime() - renewedNanos < config.renewDeadline().toNanos();
    }

    /**
     * Takes no more keys, hands all slots to the others as their keys end, and leaves.
     *
     * @return completes when it has left
     */
    public CompletableFuture<Void> stop() {
        CompletableFuture<Void> future = new CompletableFuture<>();
        lock.lock();
        try {
            stopping = true;
        } finally {
            lock.unlock();
        }
        lane.execute(() -> {
            if (!running) {
                future.complete(null);
                return;
            }
            CompletableFuture<Void> known = stopped;
            if (known == null) {
                stopped = future;
                stepNow();
            } else {
                known.thenRun(() -> future.complete(null));
            }
        });
        return future;
    }

    /** The same as {@link #stop}; waits until it has left, for half a minute at most. */
    @Override
    public void close() {
        try {
            driver.await(stop(), CLOSE_TIMEOUT);
        } catch (TimeoutException e) {
            log.warn("Left without handing over, the others will notice: group={} member={}", config.group(), identity);
        }
    }

    // ---- the step, on the lane -------------------------------------------------------------------------------------

    private void stepNow() {
        step();
    }

    private void step() {
        if (!running) {
            return;
        }
        if (timer != null) {
            timer.cancel(); // only one step is ever to come
            timer = null;
        }
        Duration wait = config.retryPeriod();
        try {
            if (own == null && stopped != null) {
                left();
                return;
            }
            renew();
            if (balance()) {
                wait = SOON;
            }
            if (stopped != null && isEmpty()) {
                deleteOwn();
                left();
                return;
            }
        } catch (ApiException e) {
            log.debug("Members cannot be looked at now: group={} member={}", config.group(), identity, e);
        }
        timer = driver.schedule(wait, () -> lane.execute(this::step));
    }

    private void left() {
        running = false;
        member = false;
        CompletableFuture<Void> future = stopped;
        if (future != null) {
            future.complete(null);
        }
    }

    private boolean isEmpty() {
        lock.lock();
        try {
            return Arrays.stream(states).allMatch(state -> state == State.FOREIGN);
        } finally {
            lock.unlock();
        }
    }

    /** Writes our lease, or makes it. Throws if neither can be done now. */
    private void renew() {
        long sent = driver.nanoTime();
        Lease known = own;
        if (known != null) {
            try {
                Lease stored = client.update(LEASES, renewed(known));
                if (isOurs(stored, known)) {
                    own = stored;
                    renewedNanos = sent;
                    return;
                }
                client.delete(LEASES, config.namespace(), stored.getMetadata().getName(), new DeleteOptions());
                rejoin(); // a server that makes what is to be replaced: ours was gone
                return;
            } catch (ApiException e) {
                if (!e.isConflict() && !e.isNotFound()) {
                    throw e;
                }
                Lease now = client.get(
                                LEASES, config.namespace(), known.getMetadata().getName())
                        .orElse(null);
                if (now != null && isOurs(now, known)) {
                    own = now; // somebody annotated it, or an answer was lost: ours all the same
                    own = client.update(LEASES, renewed(now));
                    renewedNanos = sent;
                    return;
                }
                rejoin();
                return;
            }
        }
        join(sent);
    }

    private static boolean isOurs(Lease found, Lease known) {
        return Objects.equals(found.getMetadata().getUid(), known.getMetadata().getUid());
    }

    /** The others have removed us: nothing is ours any more. The next step joins anew. */
    private void rejoin() {
        log.warn("Taken for dead by the others, joining anew: group={} member={}", config.group(), identity);
        own = null;
        member = false;
        lock.lock();
        try {
            Arrays.fill(states, State.FOREIGN);
        } finally {
            lock.unlock();
        }
    }

    private void join(long sent) {
        incarnation = driver.random().nextLong() >>> 1;
        String name = config.group() + "-" + config.identity() + "-" + Long.toString(incarnation, 36);
        ZonedDateTime now = now();
        own = client.create(
                LEASES,
                new LeaseBuilder()
                        .withNewMetadata()
                        .withNamespace(config.namespace())
                        .withName(name)
                        .addToLabels(GROUP_LABEL, config.group())
                        .endMetadata()
                        .withNewSpec()
                        .withHolderIdentity(config.identity())
                        .withLeaseDurationSeconds((int) config.leaseDuration().toSeconds())
                        .withAcquireTime(now)
                        .withRenewTime(now)
                        .endSpec()
                        .build());
        identity = name;
        renewedNanos = sent;
        member = true;
        log.info("Joined: group={} member={}", config.group(), name);
    }

    private Lease renewed(Lease lease) {
        LeaseBuilder next = new LeaseBuilder(lease);
        if (stopped != null) {
            next.editMetadata().addToAnnotations(LEAVING, "true").endMetadata();
        }
        return next.editSpec().withRenewTime(now()).endSpec().build();
    }

    private ZonedDateTime now() {
        return driver.now().truncatedTo(ChronoUnit.MICROS).atZone(ZoneOffset.UTC);
    }

    private void deleteOwn() {
        Lease known = own;
        own = null;
        member = false;
        if (known != null) {
            try {
                client.delete(LEASES, config.namespace(), known.getMetadata().getName(), new DeleteOptions());
            } catch (ApiException e) {
                log.debug("Own lease is not deleted: group={} member={}", config.group(), identity, e);
            }
        }
        log.info("Left: group={} member={}", config.group(), identity);
    }

    // ---- slots, on the lane ----------------------------------------------------------------------------------------

    /** Looks at the map and at the members, in this order. Returns whether it should look again soon. */
    private boolean balance() {
        if (own == null) {
            return true;
        }
        Lease carrier = carrier();
        ShardMap map = ShardMap.read(annotation(carrier, MAP));
        if (map == null) {
            map = ShardMap.unowned(config.slots());
        }
        adopt(map);
        // After the map: an owner in it had a lease before it owned anything, so one without is dead.
        Set<String> alive = new TreeSet<>();
        Set<String> willing = new TreeSet<>();
        members(alive, willing);
        Map<Integer, String> changes = new LinkedHashMap<>();
        for (int slot = 0; slot < map.owners().size(); slot++) {
            String owner = map.owners().get(slot);
            String wanted = ShardMap.wanted(slot, willing);
            if (owner.equals(identity)) {
                if (!wanted.equals(identity) && drain(slot)) {
                    changes.put(slot, wanted);
                } else if (wanted.equals(identity)) {
                    keep(slot);
                }
            } else if (wanted.equals(identity) && !alive.contains(owner)) {
                changes.put(slot, identity);
            }
        }
        if (!changes.isEmpty()) {
            ShardMap next;
            lock.lock();
            try {
                next = map.with(changes, wrote);
            } finally {
                lock.unlock();
            }
            try {
                client.update(
                        LEASES,
                        new LeaseBuilder(carrier)
                                .editMetadata()
                                .addToAnnotations(MAP, next.write())
                                .endMetadata()
                                .build());
            } catch (ApiException e) {
                if (e.isConflict()) {
                    return true; // another was first
                }
                throw e; // who knows whether it was written: the next look tells
            }
            map = next;
            adopt(map);
        }
        prepare(map);
        return false;
    }

    private Lease carrier() {
        String name = config.group() + "-shards";
        return client.get(LEASES, config.namespace(), name).orElseGet(() -> {
            try {
                return client.create(
                        LEASES,
                        new LeaseBuilder()
                                .withNewMetadata()
                                .withNamespace(config.namespace())
                                .withName(name)
                                .endMetadata()
                                .withNewSpec()
                                .endSpec()
                                .build());
            } catch (ApiException e) {
                if (e.isAlreadyExists()) {
                    return client.get(LEASES, config.namespace(), name).orElseThrow(() -> e);
                }
                throw e;
            }
        });
    }

    private static @Nullable String annotation(Lease lease, String key) {
        Map<String, String> annotations = lease.getMetadata().getAnnotations();
        return annotations == null ? null : annotations.get(key);
    }

    /** What the map does not give us is not ours. */
    private void adopt(ShardMap map) {
        lock.lock();
        try {
            int count = map.owners().size();
            if (states.length != count) {
                states = new State[count];
                Arrays.fill(states, State.FOREIGN);
                inWork = new int[count];
            }
            for (int slot = 0; slot < count; slot++) {
                if (!map.owners().get(slot).equals(identity)) {
                    states[slot] = State.FOREIGN;
                }
            }
        } finally {
            lock.unlock();
        }
        slotCount = map.owners().size();
    }

    /** True if no key of the slot is in work, and none will be. */
    private boolean drain(int slot) {
        lock.lock();
        try {
            states[slot] = State.DRAINING;
            return inWork[slot] == 0;
        } finally {
            lock.unlock();
        }
    }

    /** A slot that was to go stays: keys were turned away meanwhile, so it counts as gained. */
    private void keep(int slot) {
        lock.lock();
        try {
            if (states[slot] == State.DRAINING) {
                states[slot] = State.FOREIGN;
            }
        } finally {
            lock.unlock();
        }
    }

    /** Begins with the slots that are ours and that we do not work on yet. */
    private void prepare(ShardMap map) {
        Set<Integer> fresh = new TreeSet<>();
        List<Listener> all;
        lock.lock();
        try {
            for (int slot = 0; slot < states.length; slot++) {
                if (states[slot] == State.FOREIGN && map.owners().get(slot).equals(identity) && !stopping) {
                    states[slot] = State.PREPARING;
                    fresh.add(slot);
                }
            }
            all = List.copyOf(listeners);
        } finally {
            lock.unlock();
        }
        if (fresh.isEmpty()) {
            return;
        }
        log.info("Slots gained: group={} member={} slots={}", config.group(), identity, fresh);
        listenerLane.execute(() -> next(all, 0, map.written(), () -> begin(fresh, all)));
    }

    private static void next(List<Listener> all, int at, Map<String, Long> written, Runnable begin) {
        if (at == all.size()) {
            begin.run();
        } else {
            all.get(at).preparing(written, () -> next(all, at + 1, written, begin));
        }
    }

    private void begin(Set<Integer> fresh, List<Listener> all) {
        Set<Integer> active = new TreeSet<>();
        lock.lock();
        try {
            for (int slot : fresh) {
                if (states[slot] == State.PREPARING) { // else it went again
                    states[slot] = State.ACTIVE;
                    active.add(slot);
                }
            }
        } finally {
            lock.unlock();
        }
        if (!active.isEmpty()) {
            listenerLane.execute(() -> all.forEach(listener -> listener.gained(active)));
        }
    }

    // ---- members, on the lane --------------------------------------------------------------------------------------

    /** Who has a lease, and who of them wants slots. Removes those who have not renewed for too long. */
    private void members(Set<String> alive, Set<String> willing) {
        List<Lease> leases = client.list(
                        LEASES,
                        config.namespace(),
                        new ListOptionsBuilder()
                                .withLabelSelector(GROUP_LABEL + "=" + config.group())
                                .build())
                .items();
        Set<String> present = new TreeSet<>();
        long now = driver.nanoTime();
        for (Lease lease : leases) {
            String name = lease.getMetadata().getName();
            present.add(name);
            if (!name.equals(identity) && isDead(lease, now) && remove(lease)) {
                continue;
            }
            alive.add(name);
            if (annotation(lease, LEAVING) == null && !(name.equals(identity) && stopped != null)) {
                willing.add(name);
            }
        }
        seen.keySet().retainAll(present);
    }

    private boolean isDead(Lease lease, long now) {
        String name = lease.getMetadata().getName();
        String version = lease.getMetadata().getResourceVersion();
        Sighting before = seen.get(name);
        if (before == null || !before.version().equals(version)) {
            seen.put(name, new Sighting(version, now));
            return false;
        }
        Integer seconds = lease.getSpec() == null ? null : lease.getSpec().getLeaseDurationSeconds();
        long nanos = Duration.ofSeconds(seconds == null ? config.leaseDuration().toSeconds() : seconds)
                .toNanos();
        return now - before.sinceNanos() > nanos;
    }

    /** True if it is gone: the condition makes sure that it has not renewed at the last moment. */
    private boolean remove(Lease lease) {
        DeleteOptions options = new DeleteOptions();
        options.setPreconditions(new PreconditionsBuilder()
                .withUid(lease.getMetadata().getUid())
                .withResourceVersion(lease.getMetadata().getResourceVersion())
                .build());
        try {
            client.delete(LEASES, config.namespace(), lease.getMetadata().getName(), options);
            log.info(
                    "Member does not renew, removed: group={} member={} by={}",
                    config.group(),
                    lease.getMetadata().getName(),
                    identity);
            return true;
        } catch (ApiException e) {
            if (e.isNotFound()) {
                return true; // another was first
            }
            if (e.isConflict()) {
                return false; // it lives
            }
            throw e;
        }
    }
}
