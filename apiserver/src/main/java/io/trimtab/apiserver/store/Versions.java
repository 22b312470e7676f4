package io.trimtab.apiserver.store;

import io.trimtab.apiserver.store.Store.Change;
import io.trimtab.apiserver.store.Store.CommitResult;
import io.trimtab.apiserver.store.Store.CompactedException;
import io.trimtab.apiserver.store.Store.Entry;
import io.trimtab.apiserver.store.Store.FutureRevisionException;
import io.trimtab.apiserver.store.Store.Listener;
import io.trimtab.apiserver.store.Store.Operation;
import io.trimtab.apiserver.store.Store.Range;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The states of a key space, one per revision, and who listens to their coming: what every store keeps in memory. The latest
 * state is a volatile reference, so that readers take no lock; everything that changes is guarded by {@link #lock}, which the
 * store's one writer holds.
 *
 * <p>Of older states, the changes are kept, and every 128th state whole; a state between is made by applying the changes since.
 */
final class Versions {
    private static final Logger log = LoggerFactory.getLogger(Versions.class);

    /** Making a state between applies at most so many changes, about 100 µs; each whole state holds a few hundred old nodes. */
    private static final int WHOLE_EVERY = 128;

    /** What a change costs beside its values: the record, the entry, old nodes. */
    private static final int CHANGE_OVERHEAD_BYTES = 300;

    /** Overwritten values of so many bytes stay in memory, for watches that are a little behind, even if an archive has them. */
    private static final long WARM_BYTES = 4 << 20;

    /** One state. */
    record State(PersistentMap<Entry> entries, long revision) {}

    /** What came of a commit that has not been published yet. */
    record Outcome(CommitResult result, State next, List<Change> changes) {}

    private record Commit(
            long revision, List<Change> changes, @Nullable PersistentMap<Entry> whole) {}

    private record Watch(String prefix, Listener listener) {}

    /** Told of commits that can no longer be read back, under the lock. */
    interface Forgetting {
        /** @param commits the changes up to {@code oldest}, which is the oldest revision that is kept now */
        void onForgotten(long oldest, List<Change> commits);
    }

    final ReentrantLock lock = new ReentrantLock();

    /** Written under the lock. */
    private volatile State latest;

    /** The oldest state that is kept. Written under the lock. */
    private volatile State oldest;

    /** A state made for a reader: pages of one list ask for it again. */
    private volatile @Nullable State made;

    /** Guarded by lock: commits after {@code oldest}, in order, each revision once; the first at {@code first}. */
    private Commit[] commits = new Commit[16];

    private int first;
    private int end;
    /** Guarded by lock: the array is also a fork's. */
    private boolean shared;
    /** Guarded by lock. */
    private long historyBytes;
    /** Guarded by lock: overwritten values in commits after this revision are held in memory. */
    private long archivedUpTo;
    /** Guarded by lock: what those take. */
    private long warmBytes;

    private final Store.@Nullable Archive archive;
    private final long maxHistoryBytes;
    private final Forgetting forgetting;

    /** Guarded by lock for changes; read by the writer. */
    private volatile Watch[] watches = new Watch[0];

    Versions(State start, long maxHistoryBytes) {
        this(start, maxHistoryBytes, (oldest, commits) -> {}, null);
    }

    /** @param archive has all that was written and not forgotten; null if only memory has */
    Versions(State start, long maxHistoryBytes, Forgetting forgetting, Store.@Nullable Archive archive) {
        this.archive = archive;
        this.archivedUpTo = start.revision();
        this.latest = start;
        this.oldest = start;
        this.maxHistoryBytes = maxHistoryBytes;
        this.forgetting = forgetting;
    }

    /** The same states, from here on independent; nobody listens. In constant time. */
    Versions fork() {
        lock.lock();
        try {
            Versions fork = new Versions(latest, maxHistoryBytes);
            fork.oldest = oldest;
            fork.commits = commits;
            fork.first = first;
            fork.end = end;
            fork.historyBytes = historyBytes;
            fork.shared = true;
            shared = true;
            return fork;
        } finally {
            lock.unlock();
        }
    }

    State latest() {
        return latest;
    }

    long oldestRevision() {
        return oldest.revision();
    }

    // ---- Reading ---------------------------------------------------------------------------------------------------

    Range range(String prefix, @Nullable String startKey, int limit, long revision) {
        State state = revision == 0 ? latest : at(revision);
        PersistentMap<Entry> entries = state.entries();
        List<Entry> page = new ArrayList<>(limit > 0 ? Math.min(limit, 1000) : 16);
        Iterator<Entry> walk = entries.iterator(prefix, startKey);
        while (walk.hasNext() && (limit <= 0 || page.size() < limit)) {
            page.add(walk.next());
        }
        if (!walk.hasNext()) {
            return new Range(page, state.revision(), false, 0);
        }
        return new Range(
                page,
                state.revision(),
                true,
                entries.rankAfter(prefix) - entries.rank(walk.next().key()));
    }

    /** The state at a revision. */
    State at(long revision) {
        State now = latest;
        if (revision == now.revision()) {
            return now;
        }
        if (revision > now.revision()) {
            throw new FutureRevisionException(revision, now.revision());
        }
        State before = made;
        if (before != null && before.revision() == revision && revision >= oldestRevision()) {
            return before;
        }
        PersistentMap<Entry> base;
        List<Commit> since = new ArrayList<>();
        lock.lock();
        try {
            requireKept(revision);
            base = oldest.entries();
            // Back to the nearest whole state, then forward.
            for (int i = indexOf(revision); i >= first; i--) {
                Commit commit = commits[i];
                if (commit.whole() != null) {
                    base = commit.whole();
                    break;
                }
                since.add(commit);
            }
        } finally {
            lock.unlock();
        }
        for (int i = since.size() - 1; i >= 0; i--) {
            for (Change change : since.get(i).changes()) {
                base = apply(base, change);
            }
        }
        State state = new State(base, revision);
        made = state;
        return state;
    }

    private static PersistentMap<Entry> apply(PersistentMap<Entry> entries, Change change) {
        Entry entry = change.entry();
        return entry == null ? entries.without(change.key()) : entries.with(change.key(), entry);
    }

    private void requireKept(long revision) {
        if (revision < oldest.revision()) {
            throw new CompactedException(revision, oldest.revision());
        }
    }

    /** Held: lock. The place of a commit; {@code first - 1} for the oldest state. */
    private int indexOf(long revision) {
        return first + (int) (revision - oldest.revision()) - 1;
    }

    // ---- Writing ---------------------------------------------------------------------------------------------------

    /** Works out a commit on a state, and changes nothing. */
    static Outcome evaluate(State base, List<Operation> operations) {
        if (operations.size() > 1) {
            Set<String> keys = new HashSet<>();
            for (Operation operation : operations) {
                if (!keys.add(operation.key())) {
                    throw new IllegalArgumentException("two operations on key " + operation.key() + " in one commit");
                }
            }
        }
        // The keys differ, so what is found here is still so when the changes are made.
        @Nullable Entry[] found = new Entry[operations.size()];
        for (int i = 0; i < found.length; i++) {
            Operation operation = operations.get(i);
            Entry current = base.entries().get(operation.key());
            found[i] = current;
            long expected = operation instanceof Operation.Put put
                    ? put.expectedRevision()
                    : ((Operation.Delete) operation).expectedRevision();
            if (expected >= 0 && expected != (current == null ? 0 : current.revision())) {
                return new Outcome(new CommitResult(false, base.revision(), current), base, List.of());
            }
        }
        long revision = base.revision() + 1;
        PersistentMap<Entry> entries = base.entries();
        List<Change> changes = new ArrayList<>(operations.size());
        for (int i = 0; i < found.length; i++) {
            Operation operation = operations.get(i);
            Entry previous = found[i];
            Change change;
            if (operation instanceof Operation.Put put) {
                byte[] value = put.value().apply(revision);
                long created = previous == null ? revision : previous.createRevision();
                change = new Change(put.key(), new Entry(put.key(), value, created, revision), previous, revision);
            } else if (previous == null) {
                continue;
            } else {
                change = new Change(operation.key(), null, previous, revision);
            }
            changes.add(change);
            entries = apply(entries, change);
        }
        if (changes.isEmpty()) {
            // Nothing was written: no revision is taken, as in etcd.
            return new Outcome(new CommitResult(true, base.revision(), null), base, List.of());
        }
        return new Outcome(new CommitResult(true, revision, null), new State(entries, revision), List.copyOf(changes));
    }

    /** Held: lock. Makes a commit the latest state and tells listeners. */
    void lockedPublish(Outcome outcome) {
        State next = outcome.next();
        if (next.revision() == latest.revision()) {
            return;
        }
        lockedRemember(next, outcome.changes());
        latest = next;
        for (Watch watch : watches) {
            tell(watch, outcome.changes(), next.revision());
        }
    }

    private void lockedRemember(State next, List<Change> changes) {
        if (shared || end == commits.length) {
            int count = end - first;
            commits = Arrays.copyOfRange(commits, first, first + Math.max(16, count + count / 2 + 1));
            first = 0;
            end = count;
            shared = false;
        }
        boolean whole = next.revision() % WHOLE_EVERY == 0;
        commits[end++] = new Commit(next.revision(), changes, whole ? next.entries() : null);
        for (Change change : changes) {
            long cost = costOf(change);
            historyBytes += cost;
            warmBytes += cost;
        }
        if (archive != null && warmBytes > WARM_BYTES) {
            lockedArchive(archive);
        }
        if (historyBytes > maxHistoryBytes && end - first > 1) {
            // Half at once, so that this is seldom. The newest commit always stays.
            long rest = historyBytes / 2;
            long cost = historyBytes;
            int cut = first;
            while (cost > rest && cut < end - 1) {
                for (Change change : commits[cut++].changes()) {
                    cost -= costOf(change);
                }
            }
            long revision = commits[cut - 1].revision();
            PersistentMap<Entry> entries = oldest.entries();
            for (int i = first; i < cut; i++) {
                PersistentMap<Entry> kept = commits[i].whole();
                if (kept != null) {
                    entries = kept;
                } else {
                    for (Change change : commits[i].changes()) {
                        entries = apply(entries, change);
                    }
                }
            }
            lockedForget(new State(entries, revision));
        }
    }

    /** Held: lock. Lets go of the older overwritten values, until half of what may stay is left. */
    private void lockedArchive(Store.Archive to) {
        long next = Math.max(archivedUpTo, oldest.revision()) + 1;
        while (warmBytes > WARM_BYTES / 2 && next < latest.revision()) {
            for (Change change : commits[indexOf(next)].changes()) {
                warmBytes -= costOf(change);
                Entry previous = change.previous();
                if (previous != null) {
                    historyBytes -= previous.heldBytes();
                    previous.leaveTo(to);
                }
            }
            archivedUpTo = next++;
        }
    }

    private static long costOf(Change change) {
        Entry previous = change.previous();
        return CHANGE_OVERHEAD_BYTES + (previous == null ? 0 : previous.heldBytes());
    }

    void compact(long revision) {
        if (revision <= oldestRevision()) {
            return;
        }
        State state = at(revision);
        lock.lock();
        try {
            if (revision > oldest.revision()) {
                lockedForget(state);
            }
        } finally {
            lock.unlock();
        }
    }

    private void lockedForget(State newOldest) {
        int cut = indexOf(newOldest.revision()) + 1;
        List<Change> forgotten = new ArrayList<>();
        for (int i = first; i < cut; i++) {
            forgotten.addAll(commits[i].changes());
        }
        for (Change change : forgotten) {
            long cost = costOf(change);
            historyBytes -= cost;
            if (change.revision() > archivedUpTo) {
                warmBytes -= cost;
            }
        }
        int count = end - cut;
        commits = Arrays.copyOfRange(commits, cut, cut + Math.max(16, count + count / 2));
        first = 0;
        end = count;
        shared = false;
        oldest = newOldest;
        State kept = made;
        if (kept != null && kept.revision() < newOldest.revision()) {
            made = null;
        }
        forgetting.onForgotten(newOldest.revision(), forgotten);
    }

    // ---- Listening -------------------------------------------------------------------------------------------------

    AutoCloseable watch(String prefix, long after, Listener listener) {
        Watch watch = new Watch(prefix, listener);
        lock.lock();
        try {
            if (after > 0 && after < latest.revision()) {
                requireKept(after);
                List<Change> missed = new ArrayList<>();
                for (int i = indexOf(after) + 1; i < end; i++) {
                    addMatching(commits[i].changes(), prefix, missed);
                }
                if (!missed.isEmpty()) {
                    listener.onChanges(missed);
                }
            } else if (after > latest.revision()) {
                watch = new Watch(prefix, new FromRevision(after, listener));
            }
            Watch[] more = Arrays.copyOf(watches, watches.length + 1);
            more[watches.length] = watch;
            watches = more;
        } finally {
            lock.unlock();
        }
        Watch opened = watch;
        return () -> close(opened);
    }

    private void close(Watch watch) {
        lock.lock();
        try {
            List<Watch> rest = new ArrayList<>(Arrays.asList(watches));
            rest.removeIf(w -> w == watch);
            watches = rest.toArray(Watch[]::new);
        } finally {
            lock.unlock();
        }
    }

    void closeWatches() {
        lock.lock();
        try {
            watches = new Watch[0];
        } finally {
            lock.unlock();
        }
    }

    /**
     * Held: lock. Begins anew with a state that did not come from the one before commit by commit; what led there is not known,
     * so nothing older can be read any more.
     *
     * @param differences between the two, told to listeners
     */
    void lockedRestart(State next, List<Change> differences) {
        commits = new Commit[16];
        first = 0;
        end = 0;
        shared = false;
        historyBytes = 0;
        warmBytes = 0;
        archivedUpTo = next.revision();
        made = null;
        oldest = next;
        latest = next;
        for (Watch watch : watches) {
            tell(watch, differences, next.revision());
        }
    }

    private static void tell(Watch watch, List<Change> changes, long revision) {
        if (changes.isEmpty()) {
            watch.listener().onProgress(revision);
            return;
        }
        List<Change> heard = changes;
        if (changes.size() == 1) {
            if (!changes.get(0).key().startsWith(watch.prefix())) {
                return;
            }
        } else if (!watch.prefix().isEmpty()) {
            List<Change> matching = new ArrayList<>();
            addMatching(changes, watch.prefix(), matching);
            if (matching.isEmpty()) {
                return;
            }
            heard = matching;
        }
        try {
            watch.listener().onChanges(heard);
        } catch (RuntimeException e) {
            // The commit stands; one listener's fault must not reach the others nor the writer.
            log.error("Listener failed: prefix={}", watch.prefix(), e);
        }
    }

    private static void addMatching(List<Change> changes, String prefix, List<Change> into) {
        for (Change change : changes) {
            if (change.key().startsWith(prefix)) {
                into.add(change);
            }
        }
    }

    /** Waits for a revision that is still to come. */
    private record FromRevision(long after, Listener listener) implements Listener {
        @Override
        public void onChanges(List<Change> changes) {
            List<Change> later = changes.get(0).revision() > after
                    ? changes
                    : changes.stream().filter(c -> c.revision() > after).toList();
            if (!later.isEmpty()) {
                listener.onChanges(later);
            }
        }

        @Override
        public void onProgress(long revision) {
            if (revision > after) {
                listener.onProgress(revision);
            }
        }
    }
}
