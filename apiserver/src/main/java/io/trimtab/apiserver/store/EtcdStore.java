package io.trimtab.apiserver.store;

import com.google.protobuf.ByteString;
import io.etcd.jetcd.api.Compare;
import io.etcd.jetcd.api.DeleteRangeRequest;
import io.etcd.jetcd.api.Event;
import io.etcd.jetcd.api.KeyValue;
import io.etcd.jetcd.api.PutRequest;
import io.etcd.jetcd.api.RangeRequest;
import io.etcd.jetcd.api.RangeResponse;
import io.etcd.jetcd.api.RequestOp;
import io.etcd.jetcd.api.ResponseOp;
import io.etcd.jetcd.api.TxnRequest;
import io.etcd.jetcd.api.TxnResponse;
import io.etcd.jetcd.api.WatchResponse;
import io.grpc.Status;
import io.trimtab.apiserver.store.Versions.Outcome;
import io.trimtab.apiserver.store.Versions.State;
import io.trimtab.runtime.Driver;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A store in an etcd that other servers use as well, of this program or Kubernetes' own.
 *
 * <p>Commits are transactions of etcd. What is read comes from a copy in memory, which follows etcd by one watch, revision by
 * revision; a commit's future completes when the copy has it, so that what this server wrote it can read. What others wrote is
 * seen by whoever asked {@link #revision} first: it asks etcd, and waits for the copy. The copy begins where etcd's history does,
 * so that watches and pages of lists go on at another server.
 *
 * <p>The copy is fed on the connection's thread, which must not wait: a listener or a future's follower must only do what is
 * quick. If the connection breaks, the copy catches up from where it was; commits meanwhile wait, and fail when their time is
 * up. A commit that fails so may have been made.
 *
 * @since 0.1
 */
public final class EtcdStore implements Store {
    private static final Logger log = LoggerFactory.getLogger(EtcdStore.class);

    private static final long DEFAULT_HISTORY_BYTES = Runtime.getRuntime().maxMemory() / 4;

    /** Below the 34 s after which a request is given up. */
    private static final Duration COMMIT_TIMEOUT = Duration.ofSeconds(30);

    private static final Duration READ_TIMEOUT = Duration.ofSeconds(10);

    /** How long a start waits for somebody to answer. */
    private static final Duration OPEN_TIMEOUT = Duration.ofSeconds(20);

    private static final Duration REOPEN_AFTER = Duration.ofMillis(100);
    private static final int PAGE = 500;

    /** A start reads so many revisions of the past at most; older ones are gone for this server. */
    private static final long MAX_PAST = 200_000;

    /** How values lie in etcd, where other programs read them. Safe for use by any thread. */
    public interface Format {
        /** Bytes as they are. */
        Format PLAIN = new Format() {
            @Override
            public byte[] encode(String key, byte[] value) {
                return value;
            }

            @Override
            public byte[] decode(String key, byte[] stored, long revision) {
                return stored;
            }
        };

        /** @param value made for revision 0 */
        byte[] encode(String key, byte[] value);

        /**
         * @param stored perhaps by another program; what is not understood is given back as it is
         * @param revision at which it was written
         */
        byte[] decode(String key, byte[] stored, long revision);

        /** True if the key should be written anew even if its value stays the same. */
        default boolean mustRewrite(String key) {
            return false;
        }
    }

    private final EtcdOptions options;
    private final Format format;
    private final Driver driver;
    private final EtcdClient client;
    private final EtcdLeases leases;
    private final Versions versions;

    /** Who waits for the copy to have a revision. */
    private final ConcurrentSkipListMap<Long, CompletableFuture<Long>> waiting = new ConcurrentSkipListMap<>();

    /** Up to where listeners have heard: the copy is there a moment earlier. Written by whoever follows etcd. */
    private volatile long heard;

    /** Guarded by the versions' lock: counts watches, so that a late word of an old one is known as such. */
    private int generation;

    /** Guarded by the versions' lock. */
    private @Nullable AutoCloseable stream;

    /** Guarded by {@code asking}. */
    private @Nullable CompletableFuture<Long> asked;

    /** Guarded by {@code asking}: for those who came when a question was under way. */
    private @Nullable CompletableFuture<Long> askedNext;

    private final Object asking = new Object();

    private volatile @Nullable StoreException broken;
    private volatile boolean closed;

    private EtcdStore(
            EtcdOptions options, Format format, Driver driver, EtcdClient client, State base, long maxHistoryBytes) {
        this.options = options;
        this.format = format;
        this.driver = driver;
        this.client = client;
        this.leases = new EtcdLeases(client, driver);
        this.versions = new Versions(base, maxHistoryBytes);
        this.heard = base.revision();
    }

    /**
     * Opens the store; when this returns, the copy is complete.
     *
     * @param driver in real time
     * @throws StoreException if etcd does not answer, with why
     */
    public static EtcdStore open(EtcdOptions options, Format format, Driver driver) {
        return open(options, format, driver, OPEN_TIMEOUT);
    }

    /** @param patience how long to wait for an etcd that is not there yet */
    static EtcdStore open(EtcdOptions options, Format format, Driver driver, Duration patience) {
        EtcdClient client = EtcdClient.connect(options);
        try {
            long current = firstAnswer(client, options, driver, patience);
            State base = null;
            while (base == null) {
                base = Loader.past(client, options, format, driver, current);
            }
            EtcdStore store = new EtcdStore(options, format, driver, client, base, DEFAULT_HISTORY_BYTES);
            store.follow();
            store.wait(store.reached(current), OPEN_TIMEOUT, "its changes up to revision " + current);
            return store;
        } catch (RuntimeException e) {
            client.close();
            throw e;
        }
    }

    private static long firstAnswer(EtcdClient client, EtcdOptions options, Driver driver, Duration patience) {
        long until = driver.nanoTime() + patience.toNanos();
        while (true) {
            try {
                return driver.await(client.tryRange(Loader.probe(), READ_TIMEOUT), READ_TIMEOUT)
                        .getHeader()
                        .getRevision();
            } catch (TimeoutException | CompletionException e) {
                Throwable cause = e.getCause() == null ? e : e.getCause();
                if (driver.nanoTime() > until) {
                    throw new StoreException(
                            "the etcd at " + options + " does not answer (" + EtcdClient.why(cause)
                                    + "); start it, or give another address with --etcd-servers",
                            cause);
                }
                pause(driver, Duration.ofMillis(200));
            }
        }
    }

    private static void pause(Driver driver, Duration time) {
        try {
            driver.await(new CompletableFuture<>(), time);
        } catch (TimeoutException e) {
            // That is what was wanted.
        }
    }

    // ---- Following -------------------------------------------------------------------------------------------------

    private void follow() {
        versions.lock.lock();
        try {
            if (closed) {
                return;
            }
            int mine = ++generation;
            stream = client.watchAll(
                    versions.latest().revision() + 1,
                    response -> onResponse(mine, response),
                    failure -> onEnd(mine, failure));
        } finally {
            versions.lock.unlock();
        }
    }

    private void onEnd(int mine, @Nullable Throwable failure) {
        versions.lock.lock();
        try {
            if (closed || mine != generation) {
                return;
            }
            log.warn(
                    "The watch of etcd broke and is opened again: servers={} revision={} cause={}",
                    options,
                    versions.latest().revision(),
                    failure == null ? "ended" : EtcdClient.why(failure));
        } finally {
            versions.lock.unlock();
        }
        driver.schedule(REOPEN_AFTER, () -> {
            client.connectNow();
            follow();
        });
    }

    private void onResponse(int mine, WatchResponse response) {
        long upTo;
        versions.lock.lock();
        try {
            if (closed || mine != generation) {
                return;
            }
            if (response.getCanceled()) {
                // Before anything else, so that it is not reopened twice.
                generation++;
                closeQuietly(stream);
                stream = null;
                if (response.getCompactRevision() > 0) {
                    log.warn(
                            "etcd has forgotten what this server has not seen yet; it reads everything anew:"
                                    + " revision={} compacted={}",
                            versions.latest().revision(),
                            response.getCompactRevision());
                    driver.execute(this::readAnew);
                } else {
                    log.warn("etcd ended the watch: reason={}", response.getCancelReason());
                    driver.schedule(REOPEN_AFTER, this::follow);
                }
                return;
            }
            lockedPublish(response.getEventsList());
            upTo = versions.latest().revision();
        } finally {
            versions.lock.unlock();
        }
        tellWaiting(upTo);
    }

    /** Held: the versions' lock. */
    private void lockedPublish(List<Event> events) {
        for (int i = 0; i < events.size(); ) {
            long revision = events.get(i).getKv().getModRevision();
            int end = i + 1;
            while (end < events.size() && events.get(end).getKv().getModRevision() == revision) {
                end++;
            }
            State latest = versions.latest();
            if (revision > latest.revision()) {
                // All keys are watched, so that none is missing in between; if one were, readers must not wait for it.
                for (long skipped = latest.revision() + 1; skipped < revision; skipped++) {
                    publish(new State(latest.entries(), skipped), List.of());
                }
                lockedPublish(latest.entries(), events.subList(i, end), revision);
            }
            i = end;
        }
    }

    private void lockedPublish(PersistentMap<Entry> entries, List<Event> events, long revision) {
        List<Change> changes = new ArrayList<>(events.size());
        for (Event event : events) {
            KeyValue kv = event.getKv();
            String key = Loader.keyOf(options, kv.getKey());
            if (key == null) {
                continue;
            }
            Entry previous = entries.get(key);
            Entry entry = event.getType() == Event.EventType.DELETE ? null : Loader.entryOf(format, key, kv);
            if (entry == null && previous == null) {
                continue;
            }
            changes.add(new Change(key, entry, previous, revision));
            entries = entry == null ? entries.without(key) : entries.with(key, entry);
        }
        publish(new State(entries, revision), List.copyOf(changes));
    }

    private void publish(State next, List<Change> changes) {
        versions.lockedPublish(new Outcome(new CommitResult(true, next.revision(), null), next, changes));
    }

    /** Takes etcd's present state in place of a history that is gone; listeners hear what differs. */
    private void readAnew() {
        try {
            long current = wait(client.range(Loader.probe(), READ_TIMEOUT), READ_TIMEOUT, "its revision")
                    .getHeader()
                    .getRevision();
            PersistentMap<Entry> entries = Loader.entries(client, options, format, driver, current);
            State next = new State(entries, current);
            versions.lock.lock();
            try {
                versions.lockedRestart(next, differences(versions.latest().entries(), next));
            } finally {
                versions.lock.unlock();
            }
            tellWaiting(current);
            follow();
        } catch (RuntimeException e) {
            if (!closed) {
                log.warn("etcd could not be read anew, which is tried again: servers={}", options, e);
                driver.schedule(Duration.ofSeconds(1), this::readAnew);
            }
        }
    }

    private static List<Change> differences(PersistentMap<Entry> before, State next) {
        List<Change> changes = new ArrayList<>();
        for (Iterator<Entry> all = next.entries().iterator("", null); all.hasNext(); ) {
            Entry now = all.next();
            Entry was = before.get(now.key());
            if (was == null || was.revision() != now.revision()) {
                changes.add(new Change(now.key(), now, was, now.revision()));
            }
        }
        for (Iterator<Entry> all = before.iterator("", null); all.hasNext(); ) {
            Entry was = all.next();
            if (next.entries().get(was.key()) == null) {
                changes.add(new Change(was.key(), null, was, next.revision()));
            }
        }
        changes.sort(Comparator.comparingLong(Change::revision));
        return List.copyOf(changes);
    }

    /** Done when the copy has a revision, and listeners have heard of it. */
    private CompletableFuture<Long> reached(long revision) {
        long now = heard;
        if (now >= revision) {
            return CompletableFuture.completedFuture(now);
        }
        CompletableFuture<Long> future = waiting.computeIfAbsent(revision, r -> new CompletableFuture<>());
        now = heard;
        if (now >= revision) {
            waiting.remove(revision, future);
            future.complete(now);
        }
        StoreException failure = broken;
        if (failure != null) {
            future.completeExceptionally(failure);
        }
        return future;
    }

    private void tellWaiting(long upTo) {
        heard = Math.max(heard, upTo);
        if (waiting.isEmpty()) {
            return;
        }
        for (Map.Entry<Long, CompletableFuture<Long>> first = waiting.firstEntry();
                first != null && first.getKey() <= upTo;
                first = waiting.firstEntry()) {
            waiting.remove(first.getKey(), first.getValue());
            first.getValue().complete(upTo);
        }
    }

    // ---- Reading ---------------------------------------------------------------------------------------------------

    /** {@inheritDoc} Asks etcd, and waits until what is read here is as new; those who ask at the same time share an answer. */
    @Override
    public long revision() {
        if (versions.lock.isHeldByCurrentThread()) {
            // A listener: it has been told everything up to here.
            return versions.latest().revision();
        }
        long current = wait(newest(), READ_TIMEOUT, "its revision");
        long here = versions.latest().revision();
        if (here >= current) {
            return here;
        }
        return wait(reached(current), READ_TIMEOUT, "its changes up to revision " + current);
    }

    /** etcd's revision, asked for after this was called. */
    private CompletableFuture<Long> newest() {
        synchronized (asking) {
            if (asked != null) {
                if (askedNext == null) {
                    askedNext = new CompletableFuture<>();
                }
                return askedNext;
            }
            asked = new CompletableFuture<>();
        }
        return ask();
    }

    private CompletableFuture<Long> ask() {
        CompletableFuture<Long> mine;
        synchronized (asking) {
            mine = java.util.Objects.requireNonNull(asked);
        }
        client.range(Loader.probe(), READ_TIMEOUT).whenComplete((answer, failure) -> {
            boolean more;
            synchronized (asking) {
                asked = askedNext;
                askedNext = null;
                more = asked != null;
            }
            if (more) {
                ask();
            }
            if (failure != null) {
                mine.completeExceptionally(failure);
                return;
            }
            long revision = answer.getHeader().getRevision();
            // Asked after all that is here was heard of, or while it was: a smaller number can only be another past.
            mine.complete(revision);
        });
        return mine;
    }

    @Override
    public long compactedRevision() {
        return versions.oldestRevision();
    }

    @Override
    public boolean hasOtherWriters() {
        return true;
    }

    @Override
    public boolean expiresKeys() {
        return true;
    }

    @Override
    public boolean mustRewrite(String key) {
        return format.mustRewrite(key);
    }

    @Override
    public Optional<Entry> get(String key) {
        revision();
        return Optional.ofNullable(versions.latest().entries().get(key));
    }

    @Override
    public Range range(String prefix, @Nullable String startKey, int limit, long revision) {
        if (revision == 0 || revision > versions.latest().revision()) {
            revision();
        }
        return versions.range(prefix, startKey, limit, revision);
    }

    @Override
    public long count(String prefix) {
        revision();
        return versions.latest().entries().count(prefix);
    }

    @Override
    public AutoCloseable watch(String prefix, long after, Listener listener) {
        return versions.watch(prefix, after, listener);
    }

    // ---- Writing ---------------------------------------------------------------------------------------------------

    @Override
    public CompletableFuture<CommitResult> commit(List<Operation> operations) {
        if (versions.lock.isHeldByCurrentThread()) {
            throw new IllegalStateException("a listener or a value must not commit");
        }
        StoreException failure = closed ? new StoreException("the store in etcd is closed") : broken;
        if (failure != null) {
            return CompletableFuture.failedFuture(failure);
        }
        if (operations.isEmpty()) {
            return CompletableFuture.completedFuture(
                    new CommitResult(true, versions.latest().revision(), null));
        }
        Duration life = null;
        Set<String> keys = new HashSet<>();
        for (Operation operation : operations) {
            if (!keys.add(operation.key())) {
                return CompletableFuture.failedFuture(
                        new IllegalArgumentException("two operations on key " + operation.key() + " in one commit"));
            }
            if (operation instanceof Operation.Put put && put.timeToLive() != null) {
                life = put.timeToLive();
            }
        }
        if (life == null) {
            return commit(operations, 0);
        }
        CompletableFuture<CommitResult> first = leases.lease(life)
                .handle((lease, e) -> e == null
                        ? commit(operations, lease)
                        : CompletableFuture.<CommitResult>failedFuture(explained(e)))
                .thenCompose(result -> result);
        Duration again = life;
        // A lease may be gone when it is used, if somebody revoked it or etcd was restored.
        return first.handle((result, e) -> {
                    if (e == null) {
                        return CompletableFuture.completedFuture(result);
                    }
                    if (String.valueOf(e.getMessage()).contains("lease not found")) {
                        leases.forget();
                        return leases.lease(again).thenCompose(lease -> commit(operations, lease));
                    }
                    return CompletableFuture.<CommitResult>failedFuture(unwrapped(e));
                })
                .thenCompose(result -> result);
    }

    private CompletableFuture<CommitResult> commit(List<Operation> operations, long lease) {
        TxnRequest request;
        try {
            request = transaction(operations, lease);
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
        return client.txn(request, COMMIT_TIMEOUT)
                .handle((response, e) -> e == null
                        ? outcome(operations, response)
                        : CompletableFuture.<CommitResult>failedFuture(explained(e)))
                .thenCompose(result -> result);
    }

    private TxnRequest transaction(List<Operation> operations, long lease) {
        TxnRequest.Builder request = TxnRequest.newBuilder();
        for (Operation operation : operations) {
            ByteString key = Loader.bytesOf(options, operation.key());
            long expected;
            if (operation instanceof Operation.Put put) {
                expected = put.expectedRevision();
                byte[] value = format.encode(put.key(), put.value().apply(0));
                request.addSuccess(RequestOp.newBuilder()
                        .setRequestPut(PutRequest.newBuilder()
                                .setKey(key)
                                .setValue(ByteString.copyFrom(value))
                                .setLease(put.timeToLive() == null ? 0 : lease)));
            } else {
                expected = ((Operation.Delete) operation).expectedRevision();
                request.addSuccess(RequestOp.newBuilder()
                        .setRequestDeleteRange(DeleteRangeRequest.newBuilder().setKey(key)));
            }
            if (expected >= 0) {
                // A key that does not exist was last written at revision 0.
                request.addCompare(Compare.newBuilder()
                        .setKey(key)
                        .setTarget(Compare.CompareTarget.MOD)
                        .setResult(Compare.CompareResult.EQUAL)
                        .setModRevision(expected));
                request.addFailure(RequestOp.newBuilder()
                        .setRequestRange(RangeRequest.newBuilder().setKey(key)));
            }
        }
        return request.build();
    }

    private CompletableFuture<CommitResult> outcome(List<Operation> operations, TxnResponse response) {
        long revision = response.getHeader().getRevision();
        CommitResult result = new CommitResult(
                response.getSucceeded(), revision, response.getSucceeded() ? null : failed(operations, response));
        if (versions.latest().revision() >= revision) {
            return CompletableFuture.completedFuture(result);
        }
        return reached(revision).thenApply(r -> result);
    }

    private @Nullable Entry failed(List<Operation> operations, TxnResponse response) {
        Iterator<ResponseOp> found = response.getResponsesList().iterator();
        for (Operation operation : operations) {
            long expected = operation instanceof Operation.Put put
                    ? put.expectedRevision()
                    : ((Operation.Delete) operation).expectedRevision();
            if (expected < 0) {
                continue;
            }
            RangeResponse range = found.next().getResponseRange();
            KeyValue kv = range.getKvsCount() == 0 ? null : range.getKvs(0);
            if (expected != (kv == null ? 0 : kv.getModRevision())) {
                return kv == null ? null : Loader.entryOf(format, operation.key(), kv);
            }
        }
        return null;
    }

    private StoreException explained(Throwable e) {
        Throwable cause = unwrapped(e);
        if (cause instanceof StoreException known) {
            return known;
        }
        String why = EtcdClient.why(cause);
        Status.Code code = Status.fromThrowable(cause).getCode();
        boolean unknown = code == Status.Code.UNAVAILABLE
                || code == Status.Code.DEADLINE_EXCEEDED
                || code == Status.Code.CANCELLED
                || code == Status.Code.UNKNOWN && why.contains("timed out");
        return new StoreException(
                "the etcd at " + options + " refused or did not answer (" + why + ")"
                        + (unknown ? "; whether the write was made is not known" : ""),
                cause);
    }

    private static Throwable unwrapped(Throwable e) {
        Throwable cause = e.getCause();
        return e instanceof CompletionException && cause != null ? cause : e;
    }

    private <T> T wait(CompletableFuture<T> call, Duration timeout, String what) {
        try {
            return driver.await(call, timeout);
        } catch (TimeoutException e) {
            throw new StoreException("the etcd at " + options + " has not told " + what + " within " + timeout, e);
        } catch (CompletionException e) {
            throw explained(e);
        }
    }

    // ---- Forgetting ------------------------------------------------------------------------------------------------

    /** {@inheritDoc} In etcd itself, for all who use it; that another has done it before is no fault. */
    @Override
    public void compact(long revision) {
        if (revision <= versions.oldestRevision()) {
            return;
        }
        versions.compact(revision);
        try {
            driver.await(client.compact(revision, READ_TIMEOUT), READ_TIMEOUT);
        } catch (TimeoutException e) {
            throw new StoreException("the etcd at " + options + " has not compacted within " + READ_TIMEOUT, e);
        } catch (CompletionException e) {
            if (!String.valueOf(unwrapped(e).getMessage()).contains("compacted")) {
                throw explained(e);
            }
        }
    }

    @Override
    public void close() {
        versions.lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
            generation++;
            closeQuietly(stream);
        } finally {
            versions.lock.unlock();
        }
        StoreException over = new StoreException("the store in etcd is closed");
        broken = over;
        waiting.values().forEach(future -> future.completeExceptionally(over));
        waiting.clear();
        versions.closeWatches();
        client.close();
    }

    private static void closeQuietly(@Nullable AutoCloseable stream) {
        if (stream == null) {
            return;
        }
        try {
            stream.close();
        } catch (Exception e) {
            throw new IllegalStateException("a watch of etcd did not close", e);
        }
    }

    // ---- Starting --------------------------------------------------------------------------------------------------

    /** Reads what is there. */
    private static final class Loader {
        private Loader() {}

        static RangeRequest probe() {
            return RangeRequest.newBuilder()
                    .setKey(EtcdClient.ZERO)
                    .setKeysOnly(true)
                    .setLimit(1)
                    .build();
        }

        /** The oldest state that etcd still has; null if that was compacted while it was read. */
        static @Nullable State past(
                EtcdClient client, EtcdOptions options, Format format, Driver driver, long current) {
            long oldest = oldest(client, driver, Math.max(1, current - MAX_PAST), current);
            try {
                return new State(entries(client, options, format, driver, oldest), oldest);
            } catch (StoreException e) {
                if (e.getCause() != null && isCompacted(e.getCause())) {
                    return null;
                }
                throw e;
            }
        }

        /** etcd does not tell what it has compacted, except by refusing: found by halving. */
        private static long oldest(EtcdClient client, Driver driver, long from, long current) {
            long low = from;
            long high = current;
            while (low < high) {
                long middle = low == from ? from : low + (high - low) / 2;
                try {
                    driver.await(
                            client.range(probe().toBuilder().setRevision(middle).build(), READ_TIMEOUT), READ_TIMEOUT);
                    high = middle;
                } catch (TimeoutException e) {
                    throw new StoreException("etcd has not answered within " + READ_TIMEOUT, e);
                } catch (CompletionException e) {
                    if (!isCompacted(unwrapped(e))) {
                        throw new StoreException("etcd does not answer: " + EtcdClient.why(unwrapped(e)), e);
                    }
                    low = middle + 1;
                }
            }
            return high;
        }

        private static boolean isCompacted(Throwable e) {
            return String.valueOf(e.getMessage()).contains("required revision has been compacted");
        }

        static PersistentMap<Entry> entries(
                EtcdClient client, EtcdOptions options, Format format, Driver driver, long revision) {
            PersistentMap<Entry> entries = PersistentMap.empty();
            // A foreign prefix is of no concern; in the common layout, keys beside /registry are none of ours either.
            ByteString start = ByteString.copyFromUtf8(options.prefix() + "/");
            ByteString end = ByteString.copyFromUtf8(options.prefix() + "0");
            while (true) {
                RangeResponse page;
                try {
                    page = driver.await(
                            client.range(
                                    RangeRequest.newBuilder()
                                            .setKey(start)
                                            .setRangeEnd(end)
                                            .setRevision(revision)
                                            .setLimit(PAGE)
                                            .build(),
                                    READ_TIMEOUT),
                            READ_TIMEOUT);
                } catch (TimeoutException | CompletionException e) {
                    Throwable cause = e instanceof CompletionException ? unwrapped(e) : e;
                    throw new StoreException(
                            "the etcd at " + options + " cannot be read: " + EtcdClient.why(cause), cause);
                }
                for (KeyValue kv : page.getKvsList()) {
                    String key = keyOf(options, kv.getKey());
                    if (key != null) {
                        entries = entries.with(key, entryOf(format, key, kv));
                    }
                }
                if (!page.getMore()) {
                    return entries;
                }
                start = page.getKvs(page.getKvsCount() - 1).getKey().concat(EtcdClient.ZERO);
            }
        }

        /** Our name of a key; null for one that is not ours. */
        static @Nullable String keyOf(EtcdOptions options, ByteString key) {
            String text = key.toString(StandardCharsets.UTF_8);
            String prefix = options.prefix();
            if (text.length() <= prefix.length() || !text.startsWith(prefix) || text.charAt(prefix.length()) != '/') {
                return null;
            }
            return prefix.equals(EtcdOptions.DEFAULT_PREFIX)
                    ? text
                    : EtcdOptions.DEFAULT_PREFIX + text.substring(prefix.length());
        }

        static ByteString bytesOf(EtcdOptions options, String key) {
            if (!key.startsWith(EtcdOptions.DEFAULT_PREFIX + "/")) {
                throw new IllegalArgumentException("a key in etcd begins with /registry/: " + key);
            }
            return ByteString.copyFrom(
                    options.prefix() + key.substring(EtcdOptions.DEFAULT_PREFIX.length()), StandardCharsets.UTF_8);
        }

        static Entry entryOf(Format format, String key, KeyValue kv) {
            byte[] value = format.decode(key, kv.getValue().toByteArray(), kv.getModRevision());
            return new Entry(key, value, kv.getCreateRevision(), kv.getModRevision());
        }
    }
}
