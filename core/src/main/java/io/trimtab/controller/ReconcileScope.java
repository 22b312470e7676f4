package io.trimtab.controller;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.trimtab.client.ResourceType;
import io.trimtab.informer.InformerFactory;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * One run of a reconciler, and what it wrote. The thread that runs the reconciler carries it; {@link Parallel} hands it to the
 * threads that help. Safe for use by any thread.
 */
final class ReconcileScope {
    private static final ThreadLocal<@Nullable ReconcileScope> CURRENT = new ThreadLocal<>();

    /**
     * Where something was written.
     *
     * @param caches of the cluster it was written to
     * @param namespace empty for cluster-scoped objects
     */
    record Place(InformerFactory caches, ResourceType<?> type, String namespace) {}

    /** An object that was deleted; gone from a cache when this uid is gone or terminating. */
    record Deletion(
            InformerFactory caches,
            ResourceType<? extends HasMetadata> type,
            String namespace,
            String name,
            String uid) {}

    private final ReentrantLock lock = new ReentrantLock();

    @GuardedBy("lock")
    private final Map<Place, Long> written = new LinkedHashMap<>();

    @GuardedBy("lock")
    private final Map<Deletion, Boolean> deleted = new LinkedHashMap<>();

    static @Nullable ReconcileScope current() {
        return CURRENT.get();
    }

    /** Runs the work as a part of this scope; whatever scope was there before is there again afterwards. */
    <R> R call(Callable<R> work) throws Exception {
        ReconcileScope before = CURRENT.get();
        CURRENT.set(this);
        try {
            return work.call();
        } finally {
            if (before == null) {
                CURRENT.remove();
            } else {
                CURRENT.set(before);
            }
        }
    }

    void wrote(InformerFactory caches, ResourceType<?> type, @Nullable String namespace, long revision) {
        lock.lock();
        try {
            written.merge(new Place(caches, type, namespace == null ? "" : namespace), revision, Math::max);
        } finally {
            lock.unlock();
        }
    }

    void deleted(Deletion deletion) {
        lock.lock();
        try {
            deleted.put(deletion, true);
        } finally {
            lock.unlock();
        }
    }

    /** The newest revision written, for each place. */
    Map<Place, Long> written() {
        lock.lock();
        try {
            return Map.copyOf(written);
        } finally {
            lock.unlock();
        }
    }

    List<Deletion> deletions() {
        lock.lock();
        try {
            return List.copyOf(deleted.keySet());
        } finally {
            lock.unlock();
        }
    }
}
