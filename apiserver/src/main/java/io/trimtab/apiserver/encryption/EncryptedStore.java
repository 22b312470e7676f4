package io.trimtab.apiserver.encryption;

import io.trimtab.apiserver.store.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A store that hands another one encrypted values only. Safe for use by any thread. */
final class EncryptedStore implements Store {
    private final Store store;
    private final Encryption encryption;

    EncryptedStore(Store store, Encryption encryption) {
        this.store = store;
        this.encryption = encryption;
    }

    @Override
    public long revision() {
        return store.revision();
    }

    @Override
    public long compactedRevision() {
        return store.compactedRevision();
    }

    @Override
    public boolean hasOtherWriters() {
        return store.hasOtherWriters();
    }

    @Override
    public boolean expiresKeys() {
        return store.expiresKeys();
    }

    @Override
    public boolean mustRewrite(String key) {
        return encryption.isStale(key) || store.mustRewrite(key);
    }

    @Override
    public Optional<Entry> get(String key) {
        return store.get(key).map(this::open);
    }

    @Override
    public Range range(String prefix, @Nullable String startKey, int limit, long revision) {
        Range range = store.range(prefix, startKey, limit, revision);
        List<Entry> entries = new ArrayList<>(range.entries().size());
        range.entries().forEach(entry -> entries.add(open(entry, revision == 0)));
        return new Range(entries, range.revision(), range.more(), range.remaining());
    }

    @Override
    public long count(String prefix) {
        return store.count(prefix);
    }

    @Override
    public CompletableFuture<CommitResult> commit(List<Operation> operations) {
        List<Operation> sealed = new ArrayList<>(operations.size());
        for (Operation operation : operations) {
            sealed.add(
                    operation instanceof Operation.Put put
                            ? new Operation.Put(
                                    put.key(),
                                    put.expectedRevision(),
                                    revision -> encryption.seal(
                                            put.key(), put.value().apply(revision)),
                                    put.timeToLive())
                            : operation);
        }
        return store.commit(sealed).thenApply(result -> {
            Entry failed = result.failed();
            return failed == null ? result : new CommitResult(result.committed(), result.revision(), open(failed));
        });
    }

    @Override
    public AutoCloseable watch(String prefix, long after, Listener listener) {
        return store.watch(prefix, after, new Listener() {
            @Override
            public void onChanges(List<Change> changes) {
                List<Change> opened = new ArrayList<>(changes.size());
                for (Change change : changes) {
                    Entry entry = change.entry();
                    Entry previous = change.previous();
                    opened.add(new Change(
                            change.key(),
                            entry == null ? null : open(entry),
                            previous == null ? null : open(previous, false),
                            change.revision()));
                }
                listener.onChanges(opened);
            }

            @Override
            public void onProgress(long revision) {
                listener.onProgress(revision);
            }
        });
    }

    @Override
    public void compact(long revision) {
        store.compact(revision);
    }

    @Override
    public void close() {
        store.close();
    }

    private Entry open(Entry entry) {
        return open(entry, true);
    }

    /** @param latest false for a value of the past, which says nothing about how the key is encrypted now */
    private Entry open(Entry entry, boolean latest) {
        byte[] plain = encryption.open(entry.key(), entry.value(), latest);
        return plain == entry.value() ? entry : new Entry(entry.key(), plain, entry.createRevision(), entry.revision());
    }
}
