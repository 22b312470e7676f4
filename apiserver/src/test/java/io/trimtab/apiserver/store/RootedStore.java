package io.trimtab.apiserver.store;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A store whose keys all lie below a root in another: the contract's short keys in a store that takes only Kubernetes' own. */
record RootedStore(Store store, String root) implements Store {
    private @Nullable Entry inner(@Nullable Entry entry) {
        return entry == null
                ? null
                : new Entry(
                        entry.key().substring(root.length()), entry.value(), entry.createRevision(), entry.revision());
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
    public Optional<Entry> get(String key) {
        return store.get(root + key).map(this::inner);
    }

    @Override
    public Range range(String prefix, @Nullable String startKey, int limit, long revision) {
        Range range = store.range(root + prefix, startKey == null ? null : root + startKey, limit, revision);
        return new Range(
                range.entries().stream().map(this::inner).toList(), range.revision(), range.more(), range.remaining());
    }

    @Override
    public long count(String prefix) {
        return store.count(root + prefix);
    }

    @Override
    public CompletableFuture<CommitResult> commit(List<Operation> operations) {
        List<Operation> outer = operations.stream()
                .map(o -> o instanceof Operation.Put put
                        ? new Operation.Put(root + put.key(), put.expectedRevision(), put.value(), put.timeToLive())
                        : (Operation) new Operation.Delete(root + o.key(), ((Operation.Delete) o).expectedRevision()))
                .toList();
        return store.commit(outer).thenApply(r -> new CommitResult(r.committed(), r.revision(), inner(r.failed())));
    }

    @Override
    public AutoCloseable watch(String prefix, long after, Listener listener) {
        return store.watch(root + prefix, after, new Listener() {
            @Override
            public void onChanges(List<Change> changes) {
                listener.onChanges(changes.stream()
                        .map(c -> new Change(
                                c.key().substring(root.length()), inner(c.entry()), inner(c.previous()), c.revision()))
                        .toList());
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
}
