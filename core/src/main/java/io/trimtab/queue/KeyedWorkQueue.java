package io.trimtab.queue;

import io.trimtab.runtime.Driver;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One lock, held for a few memory accesses and never while calling out. Each key that waits or is in work has one entry, which
 * is at the same time a node of the hash table and of the line it waits in, so that add, poll and done allocate nothing once
 * the pool of entries is warm; {@code benchmarks} measures it.
 */
final class KeyedWorkQueue<K> implements WorkQueue<K> {
    /** Entries kept for reuse: enough for the keys that come and go, small beside any cache. */
    private static final int POOL = 4096;
    /** Priorities are few; beyond this many, those that nobody waits at are dropped. */
    private static final int MAX_IDLE_LINES = 16;

    private final Driver driver;
    private final RateLimiter<K> limiter;
    private final QueueMetrics metrics;
    private final boolean timed;
    /** Null if all keys are one tenant's. */
    private final @Nullable Function<? super K, String> tenants;

    private final Object lock = new Object();

    // All below is guarded by lock.
    private @Nullable Entry<K>[] table;
    private int entries;
    private @Nullable Entry<K> pool;
    private int pooled;
    /** By falling priority. */
    private @Nullable Line<K>[] lines;

    private int lineCount;
    private int waiting;
    private int inWork;
    private boolean shutDown;
    private @Nullable CompletableFuture<Void> drained;

    private final PriorityQueue<Delayed<K>> delays = new PriorityQueue<>();
    private final Map<K, Delayed<K>> delayedKeys = new HashMap<>();
    private long delaySequence;
    private Driver.@Nullable Timer timer;
    private long timerDue = Long.MAX_VALUE;
    /** Tells a timer that could not be cancelled any more from the one that replaced it. */
    private int timerNumber;

    private volatile @Nullable Runnable wakeUp;

    private enum State {
        WAITING,
        IN_WORK,
        /** In work, and added again meanwhile. */
        IN_WORK_AND_WANTED
    }

    private static final class Entry<K> {
        private @Nullable K key;
        private int hash;
        private @Nullable Entry<K> chain;
        private State state = State.WAITING;
        private int priority;
        /** The priority of the adds that came while it was in work. */
        private int nextPriority;

        private long sinceNanos;
        private @Nullable Entry<K> before;
        private @Nullable Entry<K> after;
        /** Among whose keys it waits; null if it does not. */
        private @Nullable Tenant<K> tenant;
    }

    /**
     * Those who wait at one priority: a ring of tenants, of which each gives one key at a time, first come first served. Without
     * tenants there is one for all.
     */
    private static final class Line<K> {
        private final int priority;
        /** Null without tenants; then {@link #everybody} is the only one. */
        private final @Nullable Map<String, Tenant<K>> tenants;

        private final @Nullable Tenant<K> everybody;
        /** Whose turn it is; null if nobody waits. */
        private @Nullable Tenant<K> turn;

        Line(int priority, boolean fair) {
            this.priority = priority;
            this.tenants = fair ? new HashMap<>() : null;
            this.everybody = fair ? null : new Tenant<>("");
        }

        void append(Entry<K> entry, String name) {
            Tenant<K> tenant = everybody;
            if (tenant == null) {
                tenant = Objects.requireNonNull(tenants).computeIfAbsent(name, Tenant::new);
            }
            if (tenant.first == null) {
                enter(tenant);
            }
            tenant.append(entry);
        }

        void unlink(Entry<K> entry) {
            Tenant<K> tenant = Objects.requireNonNull(entry.tenant);
            tenant.unlink(entry);
            if (tenant.first == null) {
                exit(tenant);
            }
        }

        /** Takes the next key out; after it, it is another tenant's turn. */
        @Nullable
        Entry<K> take() {
            Tenant<K> tenant = turn;
            if (tenant == null) {
                return null;
            }
            Entry<K> entry = Objects.requireNonNull(tenant.first);
            turn = tenant.after;
            unlink(entry);
            return entry;
        }

        /** A tenant that comes has its turn after all who are there. */
        private void enter(Tenant<K> tenant) {
            Tenant<K> next = turn;
            if (next == null) {
                tenant.before = tenant;
                tenant.after = tenant;
                turn = tenant;
                return;
            }
            Tenant<K> last = next.before;
            tenant.before = last;
            tenant.after = next;
            last.after = tenant;
            next.before = tenant;
        }

        private void exit(Tenant<K> tenant) {
            if (tenant.after == tenant) {
                turn = null;
            } else {
                tenant.before.after = tenant.after;
                tenant.after.before = tenant.before;
                if (turn == tenant) {
                    turn = tenant.after;
                }
            }
            if (tenants != null) {
                tenants.remove(tenant.name); // what is kept is bounded by those who wait
            }
        }
    }

    /** The keys of one tenant that wait at one priority, and its neighbours in the ring while there are some. */
    private static final class Tenant<K> {
        private final String name;
        private @Nullable Entry<K> first;
        private @Nullable Entry<K> last;
        private Tenant<K> before = this;
        private Tenant<K> after = this;

        Tenant(String name) {
            this.name = name;
        }

        void append(Entry<K> entry) {
            entry.tenant = this;
            entry.before = last;
            entry.after = null;
            if (last == null) {
                first = entry;
            } else {
                last.after = entry;
            }
            last = entry;
        }

        void unlink(Entry<K> entry) {
            if (entry.before == null) {
                first = entry.after;
            } else {
                entry.before.after = entry.after;
            }
            if (entry.after == null) {
                last = entry.before;
            } else {
                entry.after.before = entry.before;
            }
            entry.before = null;
            entry.after = null;
            entry.tenant = null;
        }
    }

    private static final class Delayed<K> implements Comparable<Delayed<K>> {
        private final K key;
        private final long dueNanos;
        private final int priority;
        private final long number;

        Delayed(K key, long dueNanos, int priority, long number) {
            this.key = key;
            this.dueNanos = dueNanos;
            this.priority = priority;
            this.number = number;
        }

        @Override
        public int compareTo(Delayed<K> other) {
            int byDue = Long.compare(dueNanos - other.dueNanos, 0);
            return byDue != 0 ? byDue : Long.compare(number, other.number);
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // arrays of generics
    KeyedWorkQueue(
            Driver driver,
            RateLimiter<K> limiter,
            QueueMetrics metrics,
            @Nullable Function<? super K, String> tenants) {
        this.tenants = tenants;
        this.driver = driver;
        this.limiter = limiter;
        this.metrics = metrics;
        this.timed = metrics != QueueMetrics.NONE;
        this.table = new Entry[64];
        this.lines = new Line[4];
        metrics.bind(this::depth, () -> workNanos(false), () -> workNanos(true));
    }

    // ---- Adding ----------------------------------------------------------------------------------------------------

    @Override
    public void add(K key, int priority) {
        Objects.requireNonNull(key);
        boolean isNew;
        boolean wake;
        long now = timed ? driver.nanoTime() : 0;
        synchronized (lock) {
            if (shutDown) {
                return;
            }
            int hash = spread(key.hashCode());
            Entry<K> entry = find(key, hash);
            wake = entry == null;
            if (entry == null) {
                entry = insert(key, hash);
                entry.priority = priority;
                entry.sinceNanos = now;
                wait(entry);
                isNew = true;
            } else {
                isNew = again(entry, priority);
            }
        }
        if (timed && isNew) {
            metrics.added();
        }
        if (wake) {
            wake();
        }
    }

    /** The key is known already. Returns true if it did not want work yet. */
    private boolean again(Entry<K> entry, int priority) {
        switch (entry.state) {
            case WAITING -> {
                if (priority > entry.priority) {
                    line(entry.priority).unlink(entry);
                    entry.priority = priority;
                    line(priority).append(entry, tenantOf(entry));
                }
                return false;
            }
            case IN_WORK -> {
                entry.state = State.IN_WORK_AND_WANTED;
                entry.nextPriority = priority;
                return true;
            }
            case IN_WORK_AND_WANTED -> {
                entry.nextPriority = Math.max(entry.nextPriority, priority);
                return false;
            }
        }
        throw new AssertionError(entry.state);
    }

    private void wait(Entry<K> entry) {
        entry.state = State.WAITING;
        line(entry.priority).append(entry, tenantOf(entry));
        waiting++;
    }

    /** The function is quick and pure: it is called with the lock held. */
    private String tenantOf(Entry<K> entry) {
        return tenants == null ? "" : tenants.apply(Objects.requireNonNull(entry.key));
    }

    private void wake() {
        Runnable callback = wakeUp;
        if (callback != null) {
            callback.run();
        }
    }

    @Override
    public void onReady(Runnable callback) {
        boolean now;
        synchronized (lock) {
            wakeUp = callback;
            now = waiting > 0;
        }
        if (now) {
            callback.run();
        }
    }

    // ---- Working ---------------------------------------------------------------------------------------------------

    @Override
    public @Nullable K poll() {
        K key;
        long since;
        long now = timed ? driver.nanoTime() : 0;
        synchronized (lock) {
            if (waiting == 0) {
                return null;
            }
            Entry<K> entry = takeFirst();
            waiting--;
            inWork++;
            entry.state = State.IN_WORK;
            since = entry.sinceNanos;
            entry.sinceNanos = now;
            key = Objects.requireNonNull(entry.key);
        }
        if (timed) {
            metrics.started(now - since);
        }
        return key;
    }

    private Entry<K> takeFirst() {
        for (int i = 0; i < lineCount; i++) {
            Entry<K> first = Objects.requireNonNull(lines[i]).take();
            if (first != null) {
                return first;
            }
        }
        throw new AssertionError(waiting + " keys wait, but in no line");
    }

    @Override
    public void done(K key) {
        boolean wake = false;
        long since;
        long now = timed ? driver.nanoTime() : 0;
        CompletableFuture<Void> ended;
        synchronized (lock) {
            int hash = spread(key.hashCode());
            Entry<K> entry = find(key, hash);
            if (entry == null || entry.state == State.WAITING) {
                throw new IllegalStateException("done: " + key + " is not in work");
            }
            since = entry.sinceNanos;
            inWork--;
            if (entry.state == State.IN_WORK_AND_WANTED) {
                entry.priority = entry.nextPriority;
                entry.sinceNanos = now;
                wait(entry);
                wake = true;
            } else {
                delete(entry);
            }
            ended = endedDrain();
        }
        if (timed) {
            metrics.finished(now - since);
        }
        if (wake) {
            wake();
        }
        if (ended != null) {
            ended.complete(null);
        }
    }

    private @Nullable CompletableFuture<Void> endedDrain() {
        return drained != null && waiting == 0 && inWork == 0 ? drained : null;
    }

    // ---- Delays ----------------------------------------------------------------------------------------------------

    @Override
    public void addAfter(K key, Duration delay) {
        int priority;
        synchronized (lock) {
            Entry<K> entry = find(key, spread(key.hashCode()));
            priority = entry == null || entry.state == State.WAITING ? NORMAL_PRIORITY : entry.priority;
        }
        addAfter(key, delay, priority);
    }

    @Override
    public void addAfter(K key, Duration delay, int priority) {
        Objects.requireNonNull(key);
        if (timed) {
            metrics.retried();
        }
        if (delay.isZero() || delay.isNegative()) {
            add(key, priority);
            return;
        }
        long now = driver.nanoTime();
        // Half the range: due times are compared by subtraction.
        long due = now + (delay.getSeconds() > Long.MAX_VALUE / 2_000_000_000L ? Long.MAX_VALUE / 2 : delay.toNanos());
        synchronized (lock) {
            if (shutDown) {
                return;
            }
            Delayed<K> known = delayedKeys.get(key);
            if (known != null) {
                if (known.dueNanos - due <= 0) {
                    if (priority > known.priority) {
                        replace(known, new Delayed<>(key, known.dueNanos, priority, known.number));
                    }
                    return;
                }
                replace(known, new Delayed<>(key, due, Math.max(priority, known.priority), delaySequence++));
            } else {
                replace(null, new Delayed<>(key, due, priority, delaySequence++));
            }
            setTimer(now);
        }
    }

    private void replace(@Nullable Delayed<K> old, Delayed<K> next) {
        if (old != null) {
            delays.remove(old);
        }
        delays.add(next);
        delayedKeys.put(next.key, next);
    }

    /** One timer serves all delayed keys: it is set anew when a key comes to the front. */
    private void setTimer(long now) {
        Delayed<K> next = delays.peek();
        if (next == null || timer != null && timerDue - next.dueNanos <= 0) {
            return;
        }
        if (timer != null) {
            timer.cancel();
        }
        timerDue = next.dueNanos;
        int number = ++timerNumber;
        timer = driver.schedule(Duration.ofNanos(Math.max(1, next.dueNanos - now)), () -> promote(number));
    }

    /** Adds the keys whose delay is over. Runs on a thread of the driver. */
    private void promote(int number) {
        while (true) {
            Delayed<K> due;
            synchronized (lock) {
                long now = driver.nanoTime();
                due = delays.peek();
                if (due == null || due.dueNanos - now > 0) {
                    if (number == timerNumber) {
                        timer = null;
                        setTimer(now);
                    }
                    return;
                }
                delays.poll();
                delayedKeys.remove(due.key);
            }
            add(due.key, due.priority);
        }
    }

    @Override
    public void addRateLimited(K key) {
        addAfter(key, limiter.when(key));
    }

    @Override
    public void forget(K key) {
        limiter.forget(key);
    }

    @Override
    public int numRequeues(K key) {
        return limiter.retries(key);
    }

    // ---- The end ---------------------------------------------------------------------------------------------------

    @Override
    public boolean isShutDown() {
        synchronized (lock) {
            return shutDown;
        }
    }

    @Override
    public void shutDown() {
        synchronized (lock) {
            lockedShutDown();
        }
    }

    private void lockedShutDown() {
        shutDown = true;
        delays.clear();
        delayedKeys.clear();
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
    }

    @Override
    public CompletableFuture<Void> shutDownWithDrain() {
        CompletableFuture<Void> future;
        CompletableFuture<Void> ended;
        synchronized (lock) {
            lockedShutDown();
            if (drained == null) {
                drained = new CompletableFuture<>();
            }
            future = drained;
            ended = endedDrain();
        }
        if (ended != null) {
            ended.complete(null);
        }
        return future;
    }

    // ---- Counts ----------------------------------------------------------------------------------------------------

    @Override
    public int depth() {
        synchronized (lock) {
            return waiting;
        }
    }

    @Override
    public int inWork() {
        synchronized (lock) {
            return inWork;
        }
    }

    @Override
    public int delayed() {
        synchronized (lock) {
            return delays.size();
        }
    }

    private long workNanos(boolean longest) {
        synchronized (lock) {
            long now = driver.nanoTime();
            long result = 0;
            for (Entry<K> head : table) {
                for (Entry<K> entry = head; entry != null; entry = entry.chain) {
                    if (entry.state != State.WAITING) {
                        long nanos = now - entry.sinceNanos;
                        result = longest ? Math.max(result, nanos) : result + nanos;
                    }
                }
            }
            return result;
        }
    }

    // ---- Lines and table -------------------------------------------------------------------------------------------

    private Line<K> line(int priority) {
        int at = 0;
        for (; at < lineCount; at++) {
            Line<K> line = Objects.requireNonNull(lines[at]);
            if (line.priority == priority) {
                return line;
            }
            if (line.priority < priority) {
                break;
            }
        }
        if (lineCount >= MAX_IDLE_LINES && dropIdleLines()) {
            return line(priority);
        }
        if (lineCount == lines.length) {
            lines = Arrays.copyOf(lines, lineCount * 2);
        }
        System.arraycopy(lines, at, lines, at + 1, lineCount - at);
        Line<K> line = new Line<>(priority, tenants != null);
        lines[at] = line;
        lineCount++;
        return line;
    }

    private boolean dropIdleLines() {
        int kept = 0;
        for (int i = 0; i < lineCount; i++) {
            Line<K> line = Objects.requireNonNull(lines[i]);
            if (line.turn != null) {
                lines[kept++] = line;
            }
        }
        boolean dropped = kept < lineCount;
        Arrays.fill(lines, kept, lineCount, null);
        lineCount = kept;
        return dropped;
    }

    private static int spread(int hash) {
        return hash ^ hash >>> 16;
    }

    private @Nullable Entry<K> find(K key, int hash) {
        Entry<K> entry = table[hash & table.length - 1];
        while (entry != null && !(entry.hash == hash && key.equals(entry.key))) {
            entry = entry.chain;
        }
        return entry;
    }

    private Entry<K> insert(K key, int hash) {
        if (++entries > table.length - (table.length >> 2)) {
            grow();
        }
        Entry<K> entry = pool;
        if (entry == null) {
            entry = new Entry<>();
        } else {
            pool = entry.chain;
            pooled--;
        }
        int slot = hash & table.length - 1;
        entry.key = key;
        entry.hash = hash;
        entry.chain = table[slot];
        table[slot] = entry;
        return entry;
    }

    private void delete(Entry<K> entry) {
        int slot = entry.hash & table.length - 1;
        Entry<K> at = table[slot];
        if (at == entry) {
            table[slot] = entry.chain;
        } else {
            while (Objects.requireNonNull(at).chain != entry) {
                at = at.chain;
            }
            at.chain = entry.chain;
        }
        entries--;
        entry.key = null;
        entry.chain = null;
        if (pooled < POOL) {
            entry.chain = pool;
            pool = entry;
            pooled++;
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // an array of generics
    private void grow() {
        @Nullable Entry<K>[] old = table;
        @Nullable Entry<K>[] larger = new Entry[old.length * 2];
        for (Entry<K> head : old) {
            Entry<K> entry = head;
            while (entry != null) {
                Entry<K> following = entry.chain;
                int slot = entry.hash & larger.length - 1;
                entry.chain = larger[slot];
                larger[slot] = entry;
                entry = following;
            }
        }
        table = larger;
    }
}
