package io.trimtab.apiserver.store;

import io.trimtab.apiserver.store.Versions.Outcome;
import io.trimtab.apiserver.store.Versions.State;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A store in memory. A commit runs on its caller's thread, under a short lock, and is complete when {@link #commit} returns;
 * listeners have heard of it by then. Old states are kept until {@link #compact}, or until what was overwritten takes more
 * memory than the store was given for it.
 *
 * @since 0.1
 */
public final class MemoryStore implements Store {
    /** What overwritten values may take, unless said: a quarter of the heap. */
    private static final long DEFAULT_HISTORY_BYTES = Runtime.getRuntime().maxMemory() / 4;

    private final Versions versions;
    private volatile boolean closed;

    private MemoryStore(Versions versions) {
        this.versions = versions;
    }

    /** An empty store. */
    public static MemoryStore create() {
        return create(DEFAULT_HISTORY_BYTES);
    }

    /**
     * An empty store.
     *
     * @param maxHistoryBytes of overwritten values; when there is more, the older half is compacted
     */
    public static MemoryStore create(long maxHistoryBytes) {
        return new MemoryStore(new Versions(new State(PersistentMap.empty(), 1), maxHistoryBytes));
    }

    /**
     * A store of its own that begins with this one's present and past; watches are not taken along. Takes constant time: the
     * two share what neither changes.
     */
    public MemoryStore fork() {
        return new MemoryStore(versions.fork());
    }

    @Override
    public long revision() {
        return versions.latest().revision();
    }

    @Override
    public long compactedRevision() {
        return versions.oldestRevision();
    }

    @Override
    public Optional<Entry> get(String key) {
        return Optional.ofNullable(versions.latest().entries().get(key));
    }

    @Override
    public Range range(String prefix, @Nullable String startKey, int limit, long revision) {
        return versions.range(prefix, startKey, limit, revision);
    }

    @Override
    public long count(String prefix) {
        return versions.latest().entries().count(prefix);
    }

    @Override
    public CompletableFuture<CommitResult> commit(List<Operation> operations) {
        if (versions.lock.isHeldByCurrentThread()) {
            throw new IllegalStateException("a listener or a value must not commit");
        }
        versions.lock.lock();
        try {
            if (closed) {
                return CompletableFuture.failedFuture(new StoreException("the store in memory is closed"));
            }
            Outcome outcome = Versions.evaluate(versions.latest(), operations);
            versions.lockedPublish(outcome);
            return CompletableFuture.completedFuture(outcome.result());
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        } finally {
            versions.lock.unlock();
        }
    }

    @Override
    public AutoCloseable watch(String prefix, long after, Listener listener) {
        return versions.watch(prefix, after, listener);
    }

    @Override
    public void compact(long revision) {
        versions.compact(revision);
    }

    @Override
    public void close() {
        closed = true;
        versions.closeWatches();
    }
}
