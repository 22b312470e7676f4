package io.trimtab.selector;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * The selectors of namespaced objects (services, replica sets, disruption budgets), asked by the labels of an object in the
 * same namespace: one {@link ReverseSelectorIndex} for each namespace. Safe for use by any thread.
 *
 * @param <S> the selectors' ids within their namespace, with equals and hashCode
 */
public final class NamespacedSelectors<S> {
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    /** Guarded by lock. */
    private final Map<String, ReverseSelectorIndex<S>> namespaces = new HashMap<>();

    /** Adds the selector, or replaces the one of this id. */
    public void put(String namespace, S id, LabelSelector selector) {
        lock.writeLock().lock();
        try {
            namespaces
                    .computeIfAbsent(namespace, n -> new ReverseSelectorIndex<>())
                    .put(id, selector);
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Removes the selector; does nothing if it is not there. */
    public void remove(String namespace, S id) {
        lock.writeLock().lock();
        try {
            namespaces.computeIfPresent(namespace, (n, index) -> {
                index.remove(id);
                return index.size() == 0 ? null : index;
            });
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** The ids of the namespace's selectors that match an object with these labels. */
    public List<S> matching(String namespace, Map<String, String> labels) {
        lock.readLock().lock();
        try {
            ReverseSelectorIndex<S> index = namespaces.get(namespace);
            return index == null ? List.of() : index.matching(labels);
        } finally {
            lock.readLock().unlock();
        }
    }

    /** The ids of the namespace's selectors that match the one or the other labels: whom a change of labels may concern. */
    public List<S> matchingEither(String namespace, Map<String, String> before, Map<String, String> after) {
        lock.readLock().lock();
        try {
            ReverseSelectorIndex<S> index = namespaces.get(namespace);
            return index == null ? List.of() : index.matchingEither(before, after);
        } finally {
            lock.readLock().unlock();
        }
    }
}
