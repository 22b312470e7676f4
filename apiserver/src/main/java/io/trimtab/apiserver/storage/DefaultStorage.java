package io.trimtab.apiserver.storage;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.trimtab.apiserver.errors.StatusException;
import io.trimtab.apiserver.errors.Statuses;
import io.trimtab.apiserver.resource.ApiResource;
import io.trimtab.apiserver.storage.ObjectCodec.Encoded;
import io.trimtab.apiserver.store.PersistentMap;
import io.trimtab.apiserver.store.Store;
import io.trimtab.apiserver.store.Store.CommitResult;
import io.trimtab.apiserver.store.Store.Operation;
import io.trimtab.runtime.Driver;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Objects on a {@link Store}, read from a watch cache for each resource that anybody asked for. The caches are fed by one watch
 * of the store, before the store acknowledges a commit: so what was acknowledged can be read, and reads take no lock.
 *
 * <p>Order of locks: the store's writer, a cache, a watch. Wake-ups of consumers run below all three, and must only schedule.
 *
 * @since 0.1
 */
public final class DefaultStorage implements Storage, AutoCloseable {
    private static final Duration FRESHNESS_TIMEOUT = Duration.ofSeconds(3);

    /** A write that the store does not answer is an outage; Kubernetes' handlers give up after 34 s. */
    private static final Duration COMMIT_TIMEOUT = Duration.ofSeconds(34);

    private static final Duration BOOKMARK_EVERY = Duration.ofSeconds(60);
    private static final Duration LAST_BOOKMARK_BEFORE_END = Duration.ofSeconds(2);

    /**
     * Sizes and times.
     *
     * @param maxBufferedEvents that a watch may hold for its consumer, before it is ended; what it begins with does not count
     * @param maxRecentEvents kept for each resource to resume watches; older ones are read from the store
     * @param compactEvery how often what was overwritten before the last time is forgotten; zero for never
     * @param eventLife how long an Event is kept after it was written last; zero for ever
     */
    public record Options(int maxBufferedEvents, int maxRecentEvents, Duration compactEvery, Duration eventLife) {
        public static final Options DEFAULT = new Options(10_000, 1024, Duration.ofMinutes(5), Duration.ofHours(1));

        public Options(int maxBufferedEvents, int maxRecentEvents, Duration compactEvery) {
            this(maxBufferedEvents, maxRecentEvents, compactEvery, DEFAULT.eventLife());
        }

        /** The same with other times. */
        public Options with(Duration compactEvery, Duration eventLife) {
            return new Options(maxBufferedEvents, maxRecentEvents, compactEvery, eventLife);
        }
    }

    private final Store store;
    private final Driver driver;
    private final Function<ApiResource, Map<String, Function<JsonNode, String>>> selectableFields;
    private final Options options;
    private final AutoCloseable feed;
    /** Used by the timer of the events' lives only. */
    private final EventExpiry eventExpiry = new EventExpiry();

    /** By key prefix: versions of one resource share their objects. */
    private final Map<String, ResourceCache> caches = new ConcurrentHashMap<>();

    /** All changes up to here are in the caches. Written by the feeder. */
    private volatile long fed;

    /** Who waits for a revision. */
    private final ConcurrentSkipListMap<Long, CompletableFuture<Long>> waiting = new ConcurrentSkipListMap<>();

    private volatile Driver.@Nullable Timer compaction;
    private volatile Driver.@Nullable Timer expiry;
    private volatile boolean closed;

    /**
     * @param store stays open when this is closed
     * @param selectableFields the fields that field selectors may name besides metadata.name and metadata.namespace
     */
    public DefaultStorage(
            Store store,
            Driver driver,
            Function<ApiResource, Map<String, Function<JsonNode, String>>> selectableFields,
            Options options) {
        this.store = store;
        this.driver = driver;
        this.selectableFields = selectableFields;
        this.options = options;
        this.fed = store.revision();
        this.feed = store.watch("", fed, new Store.Listener() {
            @Override
            public void onChanges(List<Store.Change> changes) {
                feed(changes);
            }

            @Override
            public void onProgress(long revision) {
                advance(revision);
            }
        });
        scheduleCompaction(fed);
        if (!store.expiresKeys()) {
            scheduleExpiry();
        }
    }

    /** With the default options. */
    public DefaultStorage(
            Store store,
            Driver driver,
            Function<ApiResource, Map<String, Function<JsonNode, String>>> selectableFields) {
        this(store, driver, selectableFields, Options.DEFAULT);
    }

    /**
     * Storage over a fork of this one's store. What is cached here is shared, not read again.
     *
     * @param forked a fork of this storage's store, made after this storage has seen its last write
     */
    public DefaultStorage fork(Store forked, Driver driver) {
        DefaultStorage fork = new DefaultStorage(forked, driver, selectableFields, options);
        long revision = forked.revision();
        long live = fed;
        caches.forEach((prefix, cache) -> {
            ResourceCache.State state = cache.state();
            // Only if the state is the one of that revision: nothing missing, nothing newer.
            if (cache.isReady() && live >= revision && state.revision() <= revision) {
                fork.caches.put(prefix, ResourceCache.from(cache.resource, state, revision, options.maxRecentEvents()));
            }
        });
        return fork;
    }

    @Override
    public long revision() {
        return fed;
    }

    @Override
    public boolean hasOtherWriters() {
        return store.hasOtherWriters();
    }

    /** How many objects a resource has. */
    public long count(ApiResource resource) {
        return cache(resource).state().objects().size();
    }

    @Override
    public Stats stats(ApiResource resource) {
        ResourceCache cache = caches.get(resource.keyPrefix());
        return cache == null ? Stats.UNKNOWN : cache.stats();
    }

    @Override
    public int watchersOf(ApiResource resource, String namespace, String name) {
        ResourceCache cache = caches.get(resource.keyPrefix());
        return cache == null || cache.watcherCount() == 0 ? 0 : cache.watchersOf(namespace, name);
    }

    /** How many watches of a resource are open. */
    public int watcherCount(ApiResource resource) {
        ResourceCache cache = caches.get(resource.keyPrefix());
        return cache == null ? 0 : cache.watcherCount();
    }

    /** Drops what is cached of a resource that is served no longer, and ends its watches. */
    @Override
    public void forget(ApiResource resource) {
        ResourceCache cache = caches.remove(resource.keyPrefix());
        if (cache != null) {
            cache.drop();
        }
    }

    /** Ends all watches and hears no more of the store. */
    @Override
    public void close() {
        closed = true;
        cancel(compaction);
        cancel(expiry);
        closeQuietly(feed);
        caches.values().forEach(ResourceCache::drop);
        caches.clear();
    }

    private static void cancel(Driver.@Nullable Timer timer) {
        if (timer != null) {
            timer.cancel();
        }
    }

    private static void closeQuietly(AutoCloseable closeable) {
        try {
            closeable.close();
        } catch (Exception e) {
            throw new IllegalStateException("closing a watch of the store failed", e);
        }
    }

    private void scheduleCompaction(long revisionThen) {
        if (options.compactEvery().isZero()) {
            return;
        }
        compaction = driver.schedule(options.compactEvery(), () -> {
            if (!closed) {
                // What was current at the last turn stays readable for this one: tokens live 5 to 10 minutes.
                long now = store.revision();
                store.compact(revisionThen);
                scheduleCompaction(now);
            }
        });
    }

    private void scheduleExpiry() {
        Duration life = options.eventLife();
        if (life.isZero()) {
            return;
        }
        Duration every = life.compareTo(EventExpiry.EVERY) < 0 ? life : EventExpiry.EVERY;
        expiry = driver.schedule(every, () -> {
            if (closed) {
                return;
            }
            ResourceCache events = caches.get(EventExpiry.PREFIX);
            if (events != null && events.isReady()) {
                for (Stored event : eventExpiry.expired(
                        events.state().objects(), driver.now().minus(life))) {
                    store.commit(List.of(new Operation.Delete(event.key(), event.revision())));
                }
            }
            scheduleExpiry();
        });
    }

    // ---- Caches ----------------------------------------------------------------------------------------------------

    private void feed(List<Store.Change> changes) {
        for (Store.Change change : changes) {
            ResourceCache cache = cacheOf(change.key());
            if (cache != null) {
                cache.feed(change);
            }
        }
        advance(changes.get(changes.size() - 1).revision());
    }

    private void advance(long revision) {
        fed = revision;
        if (!waiting.isEmpty()) {
            Map<Long, CompletableFuture<Long>> reached = waiting.headMap(fed, true);
            reached.values().forEach(future -> future.complete(fed));
            reached.clear();
        }
    }

    private @Nullable ResourceCache cacheOf(String key) {
        // /registry/<resource>/..., or one part more: services/specs, or a group.
        int slash = key.indexOf('/', 1);
        for (int i = 0; i < 2 && slash > 0; i++) {
            slash = key.indexOf('/', slash + 1);
            if (slash > 0) {
                ResourceCache cache = caches.get(key.substring(0, slash + 1));
                if (cache != null) {
                    return cache;
                }
            }
        }
        return null;
    }

    private ResourceCache cache(ApiResource resource) {
        String prefix = resource.keyPrefix();
        ResourceCache cache = caches.get(prefix);
        if (cache == null) {
            cache = caches.computeIfAbsent(prefix, p -> new ResourceCache(resource, options.maxRecentEvents()));
        }
        if (!cache.isReady()) {
            // It hears of changes from now on; what it reads here is at least as new as the first of them.
            cache.fillOnce(() -> store.range(prefix, null, 0, 0));
        }
        return cache;
    }

    // ---- One object ------------------------------------------------------------------------------------------------

    @Override
    public Optional<StoredObject> get(ApiResource resource, @Nullable String namespace, String name) {
        ResourceCache cache = cache(resource);
        awaitOthers();
        return Optional.ofNullable(cache.state().objects().get(resource.key(namespace, name)));
    }

    @Override
    public StoredObject create(ApiResource resource, ObjectNode object) {
        Encoded encoded = ObjectCodec.encode(resource, object);
        String key = resource.key(encoded.namespace(), encoded.name());
        return write(resource, encoded, object, key, 0)
                .orElseThrow(() -> Statuses.alreadyExists(resource.group(), resource.plural(), encoded.name()));
    }

    @Override
    public boolean createAll(List<NewObject> objects) {
        List<Operation> operations = new ArrayList<>();
        List<Runnable> cleanUps = new ArrayList<>();
        for (NewObject object : objects) {
            Encoded encoded = ObjectCodec.encode(object.resource(), object.tree());
            String key = object.resource().key(encoded.namespace(), encoded.name());
            ResourceCache cache = cache(object.resource());
            Stored[] made = new Stored[1];
            operations.add(new Operation.Put(
                    key,
                    0,
                    valueOf(object.resource(), encoded, object.tree(), key, cache, made),
                    life(object.resource())));
            cleanUps.add(() -> {
                if (made[0] != null) {
                    cache.forgetAnnounced(made[0]);
                }
            });
        }
        try {
            return operations.isEmpty() || commit(operations).committed();
        } finally {
            cleanUps.forEach(Runnable::run);
        }
    }

    @Override
    public Optional<StoredObject> replace(ApiResource resource, StoredObject expected, ObjectNode object) {
        // What changes is a little, as a rule.
        Encoded encoded = ObjectCodec.encode(resource, object, expected.json().length + 512);
        String key = expected.key();
        Stored current = cache(resource).state().objects().get(key);
        if (current != null && current.revision() == expected.revision()) {
            boolean same =
                    current.sameContent(encoded.unwritten(key)) || ObjectCodec.sameButManagedTimes(current, encoded);
            if (same && !store.mustRewrite(key)) {
                return Optional.of(current);
            }
        }
        return write(resource, encoded, object, key, expected.revision());
    }

    /**
     * Replaces an object by its own JSON with other values of equal length behind the resourceVersion: with newer times. What a
     * heartbeat writes need not be parsed, and not be encoded anew.
     *
     * @param json a copy of {@code expected}'s, changed
     * @return the new state, or empty if the object has changed or is gone meanwhile
     */
    public Optional<StoredObject> rewrite(ApiResource resource, StoredObject expected, byte[] json) {
        Stored old = (Stored) expected;
        if (!old.beginsLike(json)) {
            throw new IllegalArgumentException("other bytes than values behind the revision differ: " + old);
        }
        ResourceCache cache = cache(resource);
        Stored[] made = new Stored[1];
        try {
            CommitResult result = commit(new Operation.Put(old.key(), old.revision(), revision -> {
                Stored stored = old.rewritten(json, revision);
                made[0] = stored;
                cache.announce(stored);
                return stored.json();
            }));
            return result.committed() ? Optional.of(made[0]) : Optional.empty();
        } finally {
            if (made[0] != null) {
                cache.forgetAnnounced(made[0]);
            }
        }
    }

    private Optional<StoredObject> write(
            ApiResource resource, Encoded encoded, ObjectNode object, String key, long expected) {
        ResourceCache cache = cache(resource);
        Stored[] made = new Stored[1];
        try {
            CommitResult result = commit(new Operation.Put(
                    key, expected, valueOf(resource, encoded, object, key, cache, made), life(resource)));
            if (!result.committed()) {
                return Optional.empty();
            }
            Stored written = made[0];
            if (written.revision() == result.revision()) {
                return Optional.of(written);
            }
            // A store that others use as well says the revision only now; most often the cache has the object, too.
            Stored cached = cache.state().objects().get(key);
            return Optional.of(
                    cached != null && cached.revision() == result.revision()
                            ? cached
                            : encoded.at(key, result.revision()));
        } finally {
            if (made[0] != null) {
                cache.forgetAnnounced(made[0]);
            }
        }
    }

    private static LongFunction<byte[]> valueOf(
            ApiResource resource, Encoded encoded, ObjectNode object, String key, ResourceCache cache, Stored[] made) {
        return revision -> {
            Stored stored = encoded.at(key, revision);
            made[0] = stored;
            if (revision > 0) {
                if (encoded.same()) {
                    stored.keepTree(ObjectCodec.atRevision(resource, object, revision));
                }
                cache.announce(stored);
            }
            return stored.json();
        };
    }

    private @Nullable Duration life(ApiResource resource) {
        return EventExpiry.isEvents(resource) && !options.eventLife().isZero() ? options.eventLife() : null;
    }

    @Override
    public StoredObject update(
            ApiResource resource, @Nullable String namespace, String name, UnaryOperator<ObjectNode> change) {
        while (true) {
            StoredObject current = get(resource, namespace, name)
                    .orElseThrow(() -> Statuses.notFound(resource.group(), resource.plural(), name));
            Optional<StoredObject> changed = replace(resource, current, change.apply(current.copy()));
            if (changed.isPresent()) {
                return changed.get();
            }
        }
    }

    @Override
    public Optional<StoredObject> delete(ApiResource resource, StoredObject expected) {
        if (expected.revision() <= 0) {
            throw new IllegalArgumentException("an object that was never stored cannot be deleted: " + expected.key());
        }
        Stored last = (Stored) expected;
        CommitResult result = commit(new Operation.Delete(expected.key(), expected.revision()));
        return result.committed() ? Optional.of(last.withRevision(result.revision())) : Optional.empty();
    }

    private CommitResult commit(Operation operation) {
        return commit(List.of(operation));
    }

    private CommitResult commit(List<Operation> operations) {
        CompletableFuture<CommitResult> future = store.commit(operations);
        try {
            CommitResult result = future.isDone() ? future.join() : driver.await(future, COMMIT_TIMEOUT);
            if (fed < result.revision()) {
                // Only where the store's watch runs behind its answers.
                driver.await(reached(result.revision()), COMMIT_TIMEOUT);
            }
            return result;
        } catch (TimeoutException e) {
            throw Statuses.timeout("request did not complete within requested timeout - context deadline exceeded", 0);
        } catch (CompletionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : e;
        }
    }

    /** Done when all changes up to a revision are in the caches. */
    private CompletableFuture<Long> reached(long revision) {
        CompletableFuture<Long> future = waiting.computeIfAbsent(revision, r -> new CompletableFuture<>());
        long now = fed;
        if (now >= revision) {
            waiting.remove(revision, future);
            future.complete(now);
        }
        return future;
    }

    /** Where other servers write to the store too, what they had acknowledged may still be on its way here. */
    private void awaitOthers() {
        if (store.hasOtherWriters()) {
            awaitRevision(store.revision(), true);
        }
    }

    /** Waits for a revision that a client has heard of, from another server perhaps. */
    private void awaitRevision(long revision, boolean retryable) {
        if (fed >= revision) {
            return;
        }
        try {
            driver.await(reached(revision), FRESHNESS_TIMEOUT);
        } catch (TimeoutException e) {
            throw tooLarge(revision, fed, retryable);
        }
    }

    private static StatusException tooLarge(long revision, long current, boolean retryable) {
        ObjectNode details = JsonNodeFactory.instance.objectNode();
        details.putArray("causes")
                .addObject()
                .put("reason", "ResourceVersionTooLarge")
                .put("message", "Too large resource version");
        if (retryable) {
            details.put("retryAfterSeconds", 1);
        }
        return new StatusException(
                Statuses.status(
                        504,
                        "Timeout",
                        "Timeout: Too large resource version: " + revision + ", current: " + current,
                        details),
                retryable ? Map.of("Retry-After", "1") : Map.of());
    }

    // ---- Lists -----------------------------------------------------------------------------------------------------

    @Override
    public Listing list(ApiResource resource, ListQuery query) {
        Map<String, Function<JsonNode, String>> selectable = selectableFields.apply(resource);
        Filter filter = Filter.of(resource, query.namespace(), query.labels(), query.fields(), selectable);
        ResourceCache cache = cache(resource);
        if (query.revision() > 0) {
            awaitRevision(query.revision(), true);
        } else {
            awaitOthers();
        }
        // In this order: the state has everything up to `live`, and perhaps more.
        long live = fed;
        ResourceCache.State state = cache.state();
        long reached = Math.max(live, state.revision());
        String start = query.startKey() == null ? null : resource.keyPrefix() + query.startKey();
        if (query.exact() && query.revision() > 0) {
            if (query.revision() < store.compactedRevision()) {
                throw tooOld(query);
            }
            if (state.revision() > query.revision()) {
                return fromHistory(resource, filter, query, start);
            }
            reached = query.revision();
        }
        return page(filter, query, start, state.objects(), reached);
    }

    private Listing page(
            Filter filter, ListQuery query, @Nullable String start, PersistentMap<Stored> objects, long revision) {
        Iterator<Stored> matching = filter.walk(objects, start);
        if (query.limit() <= 0) {
            return new Listing(widened(matching), revision, null, 0);
        }
        List<StoredObject> page = new ArrayList<>(Math.min(query.limit(), 1000));
        while (page.size() < query.limit() && matching.hasNext()) {
            page.add(matching.next());
        }
        if (page.size() < query.limit()) {
            return new Listing(page.iterator(), revision, null, 0);
        }
        // The key right after the last one that was returned.
        String next = page.get(page.size() - 1).key() + '\0';
        int rest = objects.rankAfter(filter.prefix()) - objects.rank(next);
        if (rest == 0) {
            return new Listing(page.iterator(), revision, null, 0);
        }
        return new Listing(
                page.iterator(),
                revision,
                next.substring(filter.resourcePrefix().length()),
                filter.isEverything() ? rest : -1);
    }

    /** A page of a state that the cache has left behind. */
    private Listing fromHistory(ApiResource resource, Filter filter, ListQuery query, @Nullable String start) {
        List<StoredObject> page = new ArrayList<>();
        PersistentMap<Stored> newest = cache(resource).state().objects();
        String from = start;
        while (true) {
            Store.Range range;
            try {
                range = store.range(filter.prefix(), from, query.limit(), query.revision());
            } catch (Store.CompactedException e) {
                throw tooOld(query);
            }
            long remaining = range.remaining();
            List<Store.Entry> entries = range.entries();
            for (int i = 0; i < entries.size(); i++) {
                Stored object;
                try {
                    object = decoded(resource, entries.get(i), newest);
                } catch (Store.CompactedException e) {
                    throw tooOld(query);
                }
                if (filter.matches(object)) {
                    page.add(object);
                }
                if (query.limit() > 0 && page.size() == query.limit()) {
                    remaining += entries.size() - i - 1;
                    String next = object.key() + '\0';
                    return new Listing(
                            page.iterator(),
                            query.revision(),
                            remaining > 0
                                    ? next.substring(filter.resourcePrefix().length())
                                    : null,
                            remaining > 0 && !filter.isEverything() ? -1 : remaining);
                }
            }
            if (!range.more()) {
                return new Listing(page.iterator(), query.revision(), null, 0);
            }
            from = entries.get(entries.size() - 1).key() + '\0';
        }
    }

    /** Most of what was there is there still, and need not be parsed. */
    private static Stored decoded(ApiResource resource, Store.Entry entry, PersistentMap<Stored> newest) {
        Stored now = newest.get(entry.key());
        return now != null && now.revision() == entry.revision() ? now : ObjectCodec.decode(resource, entry);
    }

    private static Iterator<StoredObject> widened(Iterator<Stored> objects) {
        return new Iterator<>() {
            @Override
            public boolean hasNext() {
                return objects.hasNext();
            }

            @Override
            public StoredObject next() {
                return objects.next();
            }
        };
    }

    private static StatusException tooOld(ListQuery query) {
        if (query.startKey() == null) {
            return Statuses.gone("The resourceVersion for the provided list is too old.");
        }
        StatusException gone = Statuses.gone("The provided continue parameter is too old to display a consistent list"
                + " result. You can start a new list without the continue parameter, or use the continue token in this"
                + " response to retrieve the remainder of the results. Continuing with the provided token results in an"
                + " inconsistent list - objects that were created, modified, or deleted between the time the first chunk"
                + " was returned and now may show up in the list.");
        // The rest at the newest revision, from the same place.
        String startKey = query.startKey();
        String namespace = query.namespace();
        if (namespace != null && !namespace.isEmpty() && startKey.startsWith(namespace + "/")) {
            startKey = startKey.substring(namespace.length() + 1);
        }
        ObjectNode token = JsonNodeFactory.instance.objectNode();
        token.put("v", "meta.k8s.io/v1").put("rv", -1).put("start", startKey);
        ((ObjectNode) gone.status().path("metadata"))
                .put(
                        "continue",
                        Base64.getUrlEncoder()
                                .withoutPadding()
                                .encodeToString(token.toString().getBytes(StandardCharsets.UTF_8)));
        return gone;
    }

    // ---- Watches ---------------------------------------------------------------------------------------------------

    @Override
    public EventSource watch(ApiResource resource, WatchQuery query) {
        Map<String, Function<JsonNode, String>> selectable = selectableFields.apply(resource);
        Filter filter = Filter.of(resource, query.namespace(), query.labels(), query.fields(), selectable);
        ResourceCache cache = cache(resource);
        Watcher watcher = new Watcher(filter, options.maxBufferedEvents());
        watcher.whenEnded(() -> cache.close(watcher));
        long after = query.after();
        if (query.initialEventsEnd() && after > 0) {
            awaitRevision(after, true);
            after = -1;
        }
        if (!cache.open(watcher, after, query.initialEventsEnd(), fed, this::history)) {
            return Watcher.failed(
                    Statuses.gone("too old resource version: " + query.after() + " (" + store.compactedRevision() + ")")
                            .status());
        }
        Duration timeout = query.timeout();
        if (query.bookmarks()) {
            scheduleBookmark(watcher, cache);
            Duration last = timeout.minus(LAST_BOOKMARK_BEFORE_END);
            if (!last.isNegative() && !last.isZero()) {
                watcher.addTimer(driver.schedule(last, () -> cache.bookmark(watcher, fed)));
            }
        }
        if (!timeout.isZero() && !timeout.isNegative()) {
            watcher.addTimer(driver.schedule(timeout, watcher::endNow));
        }
        return watcher;
    }

    private void scheduleBookmark(Watcher watcher, ResourceCache cache) {
        watcher.replaceBookmarkTimer(driver.schedule(BOOKMARK_EVERY, () -> {
            cache.bookmark(watcher, fed);
            scheduleBookmark(watcher, cache);
        }));
    }

    /** Changes that a cache has dropped, or has never had. */
    private Optional<List<ResourceCache.Event>> history(ResourceCache cache, long after, long upTo) {
        List<Store.Change> changes = new ArrayList<>();
        try {
            // Tells what it has at once. Only collects: the store's writer waits meanwhile.
            closeQuietly(store.watch(cache.prefix, after, changes::addAll));
        } catch (Store.CompactedException e) {
            return Optional.empty();
        }
        List<ResourceCache.Event> events = new ArrayList<>();
        try {
            for (Store.Change change : changes) {
                if (change.revision() <= upTo) {
                    Store.Entry now = change.entry();
                    Store.Entry before = change.previous();
                    events.add(new ResourceCache.Event(
                            change.key(),
                            now == null ? null : ObjectCodec.decode(cache.resource, now),
                            before == null ? null : ObjectCodec.decode(cache.resource, before),
                            change.revision()));
                }
            }
        } catch (Store.CompactedException e) {
            return Optional.empty();
        }
        return Optional.of(events);
    }
}
