package io.trimtab.informer;

import java.util.Collection;
import java.util.function.Function;

/**
 * A cache of one resource in one scope, kept up to date by list and watch, shared by all who ask the same factory for it.
 * Objects are immutable by agreement and parsed once. Safe for use by any thread.
 */
public interface SharedInformer<T> {

    /** Index that the informer always has: objects by the uid of each of their owners. */
    String BY_OWNER_UID = "ownerUid";

    /**
     * Adds a handler, at any time; it hears onAdd for each object that is in the cache already.
     *
     * @return removes the handler
     */
    AutoCloseable addHandler(EventHandler<? super T> handler);

    /**
     * Adds an index, at any time; does nothing if there is one of this name. When this returns, the index holds what the cache
     * holds.
     *
     * @param keys the keys an object is filed under; must be a pure function
     */
    void addIndex(String name, Function<? super T, ? extends Collection<String>> keys);

    Lister<T> lister();

    /** True once the first list is in the cache and all handlers that were there then have heard of it. */
    boolean isSynced();

    /** The newest revision the cache has seen, bookmarks included; 0 before the first list. */
    long revision();

    /**
     * Runs the action once, as soon as the cache has seen this revision and the handlers have heard of it: at once on the
     * caller's thread if it has, else on the informer's lane. Any revision above 0 is seen only when the informer is synced.
     * Never runs if the informer is closed before.
     */
    void whenAtLeast(long revision, Runnable action);
}
