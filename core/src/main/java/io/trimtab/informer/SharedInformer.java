package io.trimtab.informer;

import java.time.Duration;
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

    /** The resource and scope, for messages. */
    default String name() {
        return toString();
    }

    /** How many objects are in the cache. */
    default int count() {
        return lister().list().size();
    }

    /**
     * What the cache's objects take of the heap, in bytes: measured over a sample of 500, what objects share counted once
     * within it, so that it errs on the high side for larger caches. Takes some ten milliseconds.
     */
    default long sizeBytes() {
        return 0;
    }

    /**
     * For how long the cache has been behind the server, as far as it knows: since its watch broke, or since the oldest change
     * came in that it has not dealt with. Zero when it is up to date, and before the first list.
     */
    default Duration lag() {
        return Duration.ZERO;
    }

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
