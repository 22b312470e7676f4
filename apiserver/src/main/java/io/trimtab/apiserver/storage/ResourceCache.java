package io.trimtab.apiserver.storage;

import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.store.PersistentMap;
import io.trimtab.apiserver.store.Store;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The objects of one resource as they are now, the changes that led there, and who watches. One feeder at a time changes it,
 * under the monitor; readers take the current state without a lock.
 *
 * <p>Watchers stand in lists by what they must match: one name, one node, one namespace, or anything. So a change among
 * thousands of watchers costs what may match it.
 */
final class ResourceCache {
    /** The objects after the change at {@code revision}; later revisions may exist that changed other resources. */
    record State(PersistentMap<Stored> objects, long revision) {}

    /** One change; both are null never. */
    record Event(String key, @Nullable Stored now, @Nullable Stored before, long revision) {}

    private static final String NODE_FIELD = "spec.nodeName";

    final ApiResource resource;
    final String prefix;
    private final int maxEvents;

    /** Values just encoded, to be found again when the store tells of them: they need not be parsed. */
    private final Map<String, Stored> written = new ConcurrentHashMap<>();

    private volatile State state;

    /** Guarded by this: changes that came before the first state was read; null once it was. */
    private @Nullable List<Store.Change> early = new ArrayList<>();

    private volatile boolean ready;
    private final ReentrantLock filling = new ReentrantLock();

    /** Guarded by this. */
    private final Deque<Event> events = new ArrayDeque<>();

    /** Guarded by this: {@code events} has every change after this revision. */
    private long eventsAfter;

    /** Guarded by this. */
    private boolean dropped;

    /** Guarded by this. */
    private final List<Watcher> everywhere = new ArrayList<>();

    private final Map<String, List<Watcher>> byNamespace = new HashMap<>();
    private final Map<String, List<Watcher>> byName = new HashMap<>();
    private final Map<String, List<Watcher>> byNode = new HashMap<>();
    private volatile int watchers;

    ResourceCache(ApiResource resource, int maxEvents) {
        this.resource = resource;
        this.prefix = resource.keyPrefix();
        this.maxEvents = maxEvents;
        this.state = new State(PersistentMap.empty(), 0);
    }

    /** A cache that begins with what another one has at a revision. */
    static ResourceCache from(ApiResource resource, State state, long revision, int maxEvents) {
        ResourceCache cache = new ResourceCache(resource, maxEvents);
        cache.state = state;
        cache.early = null;
        cache.eventsAfter = revision;
        cache.ready = true;
        return cache;
    }

    boolean isReady() {
        return ready;
    }

    State state() {
        return state;
    }

    int watcherCount() {
        return watchers;
    }

    /** Few objects stand for all: what is wanted is whether a list is large. */
    private static final int SAMPLE = 8;

    Storage.Stats stats() {
        PersistentMap<Stored> objects = state.objects();
        long bytes = 0;
        int seen = 0;
        for (Iterator<Stored> sample = objects.iterator(); seen < SAMPLE && sample.hasNext(); seen++) {
            bytes += sample.next().json().length;
        }
        return new Storage.Stats(objects.size(), seen == 0 ? 0 : bytes / seen);
    }

    synchronized int watchersOf(String namespace, String name) {
        int count = everywhere.size();
        if (!namespace.isEmpty()) {
            count += byNamespace.getOrDefault(namespace, List.of()).size();
        }
        if (!name.isEmpty()) {
            count += byName.getOrDefault(name, List.of()).size();
        }
        return count;
    }

    // ---- Feeding ---------------------------------------------------------------------------------------------------

    /** Fills the cache if nobody has; changes that the feeder brought meanwhile come after. */
    void fillOnce(Supplier<Store.Range> read) {
        filling.lock();
        try {
            if (!ready) {
                fill(read.get());
            }
        } finally {
            filling.unlock();
        }
    }

    private void fill(Store.Range range) {
        PersistentMap<Stored> objects = PersistentMap.empty();
        for (Store.Entry entry : range.entries()) {
            objects = objects.with(entry.key(), ObjectCodec.decode(resource, entry));
        }
        synchronized (this) {
            state = new State(objects, range.revision());
            eventsAfter = range.revision();
            List<Store.Change> waiting = Objects.requireNonNull(early);
            early = null;
            for (Store.Change change : waiting) {
                if (change.revision() > range.revision()) {
                    apply(change);
                }
            }
            ready = true;
        }
    }

    void announce(Stored object) {
        written.put(object.key(), object);
    }

    void forgetAnnounced(Stored object) {
        written.remove(object.key(), object);
    }

    synchronized void feed(Store.Change change) {
        if (early != null) {
            early.add(change);
        } else if (!dropped) {
            apply(change);
        }
    }

    private void apply(Store.Change change) {
        PersistentMap<Stored> objects = state.objects();
        Stored before = change.previous() == null ? null : objects.get(change.key());
        Stored now = change.entry() == null ? null : stored(change.entry());
        if (now != null
                && before != null
                && now.labels() != before.labels()
                && now.labels().equals(before.labels())) {
            now = now.withLabels(before.labels());
        }
        if (now == null && before == null) {
            return;
        }
        objects = now == null ? objects.without(change.key()) : objects.with(change.key(), now);
        state = new State(objects, change.revision());
        Event event = new Event(change.key(), now, before, change.revision());
        if (events.size() == maxEvents) {
            eventsAfter = events.removeFirst().revision();
        }
        events.addLast(event);
        if (watchers > 0) {
            dispatch(event);
        }
    }

    private Stored stored(Store.Entry entry) {
        Stored known = written.get(entry.key());
        if (known != null && known.revision() == entry.revision() && known.json() == entry.value()) {
            return known;
        }
        return ObjectCodec.decode(resource, entry);
    }

    // ---- Watching --------------------------------------------------------------------------------------------------

    private void dispatch(Event event) {
        Dispatch dispatch = new Dispatch(event);
        tell(everywhere, dispatch);
        if (!byName.isEmpty()) {
            tell(byName.get(dispatch.any().name()), dispatch);
        }
        if (!byNamespace.isEmpty()) {
            tell(byNamespace.get(dispatch.any().namespace()), dispatch);
        }
        if (!byNode.isEmpty()) {
            Filter filter = byNode.values().iterator().next().get(0).filter();
            String now = event.now() == null ? null : event.now().field(NODE_FIELD, filter.selectable());
            String before = event.before() == null ? null : event.before().field(NODE_FIELD, filter.selectable());
            if (now != null) {
                tell(byNode.get(now), dispatch);
            }
            if (before != null && !before.equals(now)) {
                tell(byNode.get(before), dispatch);
            }
        }
    }

    private static void tell(@Nullable List<Watcher> list, Dispatch dispatch) {
        if (list != null) {
            for (int i = 0; i < list.size(); ) {
                Watcher watcher = list.get(i);
                watcher.onEvent(dispatch);
                // One that overflowed has left the list by now.
                if (i < list.size() && list.get(i) == watcher) {
                    i++;
                }
            }
        }
    }

    /**
     * Opens a watcher on the state now, or on the changes after a revision.
     *
     * @param endMark whether to say when the initial state is complete
     * @param live the revision up to which all changes have been fed
     * @param history finds changes that are no longer here
     * @return false if changes after the revision are no longer kept
     */
    boolean open(Watcher watcher, long after, boolean endMark, long live, History history) {
        List<Event> older = null;
        while (true) {
            long from;
            synchronized (this) {
                if (dropped) {
                    watcher.endNow();
                    return true;
                }
                if (after <= 0) {
                    watcher.begin(state.objects(), Math.max(live, state.revision()), endMark);
                    add(watcher);
                    return true;
                }
                if (after >= eventsAfter || older != null && olderUpTo(older) >= eventsAfter) {
                    watcher.begin(missed(after, older), after);
                    add(watcher);
                    return true;
                }
                from = Math.max(eventsAfter, state.revision());
            }
            // Outside of the monitor: the store takes its own lock, which the feeder holds when it comes here.
            Optional<List<Event>> found = history.between(this, after, from);
            if (found.isEmpty()) {
                return false;
            }
            older = new ArrayList<>(found.get());
            // Marks how far the search went, also if nothing was found.
            older.add(new Event("", null, null, from));
        }
    }

    private static long olderUpTo(List<Event> older) {
        return older.get(older.size() - 1).revision();
    }

    private Iterator<Event> missed(long after, @Nullable List<Event> older) {
        if (older == null && (events.isEmpty() || events.getLast().revision() <= after)) {
            return List.<Event>of().iterator();
        }
        List<Event> all = new ArrayList<>();
        long known = after;
        if (older != null) {
            known = olderUpTo(older);
            all.addAll(older.subList(0, older.size() - 1));
        }
        for (Event event : events) {
            if (event.revision() > known) {
                all.add(event);
            }
        }
        return all.iterator();
    }

    /** Finds older changes. */
    interface History {
        /** The changes after one revision, up to another; empty if they are no longer kept. */
        Optional<List<Event>> between(ResourceCache cache, long after, long upTo);
    }

    synchronized void close(Watcher watcher) {
        Place place = placeOf(watcher);
        List<Watcher> list = place == null ? everywhere : place.map().get(place.key());
        if (list != null && list.remove(watcher)) {
            watchers--;
            if (place != null && list.isEmpty()) {
                place.map().remove(place.key());
            }
        }
    }

    private void add(Watcher watcher) {
        Place place = placeOf(watcher);
        List<Watcher> list =
                place == null ? everywhere : place.map().computeIfAbsent(place.key(), k -> new ArrayList<>(1));
        list.add(watcher);
        watchers++;
    }

    private record Place(Map<String, List<Watcher>> map, String key) {}

    /** The narrowest list that hears of all that the watcher may match; null for {@code everywhere}. */
    private @Nullable Place placeOf(Watcher watcher) {
        Filter filter = watcher.filter();
        Optional<String> name = filter.fields().requiredValue("metadata.name");
        if (name.isPresent()) {
            return new Place(byName, name.get());
        }
        Optional<String> node = filter.fields().requiredValue(NODE_FIELD);
        if (node.isPresent()) {
            return new Place(byNode, node.get());
        }
        String namespace = filter.namespace();
        return namespace == null ? null : new Place(byNamespace, namespace);
    }

    /** Puts a bookmark behind everything that was told; nothing older comes after it. */
    synchronized void bookmark(Watcher watcher, long live) {
        watcher.onBookmark(Math.max(live, state.revision()));
    }

    /** Ends all watches; the cache is of no use afterwards. */
    void drop() {
        List<Watcher> all = new ArrayList<>();
        synchronized (this) {
            dropped = true;
            all.addAll(everywhere);
            byName.values().forEach(all::addAll);
            byNode.values().forEach(all::addAll);
            byNamespace.values().forEach(all::addAll);
        }
        all.forEach(Watcher::endNow);
    }

    /** A change on its way to watchers, who share the events made from it. For one thread. */
    static final class Dispatch {
        final Event event;
        private EventSource.@Nullable Event added;
        private EventSource.@Nullable Event modified;
        private EventSource.@Nullable Event deleted;

        Dispatch(Event event) {
            this.event = event;
        }

        Stored any() {
            return event.now() != null ? event.now() : Objects.requireNonNull(event.before());
        }

        EventSource.Event added() {
            if (added == null) {
                added = made(EventSource.Type.ADDED, event.now());
            }
            return added;
        }

        EventSource.Event modified() {
            if (modified == null) {
                modified = made(EventSource.Type.MODIFIED, event.now());
            }
            return modified;
        }

        EventSource.Event deleted() {
            if (deleted == null) {
                deleted = made(
                        EventSource.Type.DELETED,
                        Objects.requireNonNull(event.before()).withRevision(event.revision()));
            }
            return deleted;
        }

        private EventSource.Event made(EventSource.Type type, @Nullable Stored object) {
            return new EventSource.Event(type, object, event.revision(), false, null);
        }
    }
}
