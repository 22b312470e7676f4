package io.trimtab.apiserver.storage;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.selector.FieldSelector;
import io.trimtab.selector.LabelSelector;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Kubernetes objects on a {@link io.trimtab.apiserver.store.Store}. Trees handed in are encoded at once and not kept. Calls block
 * until the store has answered. Safe for use by any thread. Refusals are
 * {@link io.trimtab.apiserver.errors.StatusException}s with the texts that clients expect.
 */
public interface Storage {

    /** The revision of the latest write. */
    long revision();

    /** True if other servers write to the same store, so that what this one remembers is not all there is. */
    default boolean hasOtherWriters() {
        return false;
    }

    /** The object as it is now: at least as new as any write acknowledged before the call. */
    Optional<StoredObject> get(ApiResource resource, @Nullable String namespace, String name);

    /**
     * Stores a new object, whose metadata is complete but for resourceVersion.
     *
     * @param object taken over: not to be changed any more
     * @throws io.trimtab.apiserver.errors.StatusException 409 AlreadyExists
     */
    StoredObject create(ApiResource resource, ObjectNode object);

    /**
     * Stores several new objects, in one write where the store can: all, or none if one of them exists.
     *
     * @return whether they were stored
     */
    default boolean createAll(List<NewObject> objects) {
        for (NewObject object : objects) {
            String namespace = object.tree().path("metadata").path("namespace").asText("");
            String name = object.tree().path("metadata").path("name").asText("");
            if (get(object.resource(), namespace, name).isPresent()) {
                return false;
            }
        }
        objects.forEach(object -> create(object.resource(), object.tree()));
        return true;
    }

    /**
     * Replaces an object if it still has the revision that the caller read.
     *
     * @param object taken over: not to be changed any more
     * @return the new state, or empty if the object has changed or is gone meanwhile: read again, decide again. A tree equal
     *     to what is stored writes nothing and returns the stored state.
     */
    Optional<StoredObject> replace(ApiResource resource, StoredObject expected, ObjectNode object);

    /**
     * Changes an object, again and again until no other write comes between.
     *
     * @param change gets a copy of its own and returns the new state; may throw to give up
     * @throws io.trimtab.apiserver.errors.StatusException 404 if there is no such object
     */
    StoredObject update(
            ApiResource resource, @Nullable String namespace, String name, UnaryOperator<ObjectNode> change);

    /**
     * Removes an object if it still has the revision that the caller read.
     *
     * @return its last state with the revision of the deletion; empty if it has changed or is gone meanwhile
     */
    Optional<StoredObject> delete(ApiResource resource, StoredObject expected);

    /**
     * One page of a list.
     *
     * @throws io.trimtab.apiserver.errors.StatusException 410 and 504 as Kubernetes has them for old and future revisions
     */
    Listing list(ApiResource resource, ListQuery query);

    /** Opens a watch; errors that Kubernetes tells inside the stream come as ERROR events. */
    EventSource watch(ApiResource resource, WatchQuery query);

    /** Drops what is kept in memory of a resource that is served no longer, and ends its watches. */
    default void forget(ApiResource resource) {}

    /** How much a resource has, as far as that is known without reading it; an estimate. */
    default Stats stats(ApiResource resource) {
        return Stats.UNKNOWN;
    }

    /** How many watches hear of a change of this object: those of everything, of its namespace, and of its name. */
    default int watchersOf(ApiResource resource, String namespace, String name) {
        return 0;
    }

    /**
     * @param count of objects
     * @param averageBytes of one of them
     */
    record Stats(long count, long averageBytes) {
        public static final Stats UNKNOWN = new Stats(0, 0);
    }

    /** A new object, and where it belongs. */
    record NewObject(ApiResource resource, ObjectNode tree) {}

    /**
     * What to list.
     *
     * @param namespace null for all
     * @param revision 0 for the newest state; with {@code exact} the snapshot to read; else the least revision to show
     * @param limit objects at the most; 0 for all
     * @param startKey continue at this key, relative to the resource's prefix; null for the first
     */
    record ListQuery(
            @Nullable String namespace,
            LabelSelector labels,
            FieldSelector fields,
            long revision,
            boolean exact,
            int limit,
            @Nullable String startKey) {}

    /**
     * A page, taken lazily: objects come out one at a time, so that memory is by the page and not by the result.
     *
     * @param objects in key order
     * @param revision of the snapshot
     * @param nextKey where the next page starts, relative to the resource's prefix; null on the last page. Known before the
     *     objects are taken.
     * @param remaining how many objects come after this page, or -1 if that is not known (selectors)
     */
    record Listing(
            Iterator<StoredObject> objects,
            long revision,
            @Nullable String nextKey,
            long remaining) {}

    /**
     * What to watch.
     *
     * @param namespace null for all
     * @param after changes after this revision; -1 for the state now as ADDED events, then changes
     * @param initialEventsEnd send a bookmark that says when the initial events are complete
     * @param bookmarks send bookmarks from time to time
     * @param timeout after which the stream ends; zero for never
     */
    record WatchQuery(
            @Nullable String namespace,
            LabelSelector labels,
            FieldSelector fields,
            long after,
            boolean initialEventsEnd,
            boolean bookmarks,
            Duration timeout) {}
}
