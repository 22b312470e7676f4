package io.trimtab.informer;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.trimtab.selector.LabelSelector;
import io.trimtab.selector.Requirement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The cache itself. A reader takes one immutable snapshot with one volatile read, so what it sees was true at one revision and
 * it never waits; the writer (the informer's lane) publishes the next one. The lock is only for an index that is added while
 * the writer runs.
 */
final class Indexer<T extends HasMetadata> implements Lister<T> {
    private static final Logger log = LoggerFactory.getLogger(Indexer.class);

    /**
     * One state of the cache.
     *
     * @param labels namespace → label, see {@link #posting} → names of the objects that have it; null until somebody asks by
     *     selector. Holds names, so that only a change of labels touches it
     * @param indexes in the order of {@code names}: key of the index → objects filed under it
     */
    private record Snapshot<T>(
            PersistentMap<String, PersistentMap<String, T>> namespaces,
            @Nullable PersistentMap<String, PersistentMap<String, PersistentMap<String, String>>> labels,
            String[] names,
            PersistentMap<String, PersistentMap<ObjectKey, T>>[] indexes,
            int count,
            long revision) {}

    /** Below this many objects, looking at each costs less than keeping lists. */
    private static final int WORTH_AN_INDEX = 64;

    private final ReentrantLock writing = new ReentrantLock();

    @GuardedBy("writing")
    private final List<Function<? super T, ? extends Collection<String>>> keyFunctions = new ArrayList<>();

    private volatile Snapshot<T> current;

    Indexer() {
        current = new Snapshot<>(PersistentMap.empty(), null, new String[0], newIndexes(0), 0, 0);
        addIndex(SharedInformer.BY_OWNER_UID, Indexer::ownerUids);
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static <T> PersistentMap<String, PersistentMap<ObjectKey, T>>[] newIndexes(int count) {
        return new PersistentMap[count];
    }

    private static Collection<String> ownerUids(HasMetadata object) {
        List<OwnerReference> owners = object.getMetadata().getOwnerReferences();
        if (owners == null || owners.isEmpty()) {
            return List.of();
        }
        List<String> uids = new ArrayList<>(owners.size());
        for (OwnerReference owner : owners) {
            if (owner.getUid() != null) {
                uids.add(owner.getUid());
            }
        }
        return uids;
    }

    // ---- reading ---------------------------------------------------------------------------------------------------

    @Override
    public Optional<T> get(@Nullable String namespace, String name) {
        PersistentMap<String, T> objects = current.namespaces.get(namespace == null ? "" : namespace);
        return objects == null ? Optional.empty() : Optional.ofNullable(objects.get(name));
    }

    @Override
    public List<T> list() {
        return all(current);
    }

    private static <T> List<T> all(Snapshot<T> snapshot) {
        if (snapshot.namespaces.size() == 1) {
            return snapshot.namespaces.values().get(0).values();
        }
        List<T> all = new ArrayList<>(snapshot.count);
        snapshot.namespaces.forEach((namespace, objects) -> objects.forEach((name, object) -> all.add(object)));
        return Collections.unmodifiableList(all);
    }

    @Override
    public List<T> list(String namespace) {
        PersistentMap<String, T> objects = current.namespaces.get(namespace);
        return objects == null ? List.of() : objects.values();
    }

    @Override
    public List<T> list(@Nullable String namespace, LabelSelector selector) {
        if (selector.isNothing()) {
            return List.of();
        }
        if (selector.isEverything()) {
            return namespace == null ? list() : list(namespace);
        }
        Snapshot<T> snapshot = current;
        if (snapshot.labels == null && snapshot.count >= WORTH_AN_INDEX) {
            snapshot = indexLabels();
        }
        List<T> selected = new ArrayList<>();
        if (namespace == null) {
            Snapshot<T> all = snapshot;
            snapshot.namespaces.forEach((n, objects) -> select(all, n, objects, selector, selected));
        } else {
            PersistentMap<String, T> objects = snapshot.namespaces.get(namespace);
            if (objects != null) {
                select(snapshot, namespace, objects, selector, selected);
            }
        }
        return Collections.unmodifiableList(selected);
    }

    /** Looks at the objects on the shortest list that the selector allows, or at all. */
    private static <T extends HasMetadata> void select(
            Snapshot<T> snapshot,
            String namespace,
            PersistentMap<String, T> objects,
            LabelSelector selector,
            List<T> into) {
        List<PersistentMap<String, String>> lists =
                snapshot.labels == null ? null : shortest(snapshot.labels.get(namespace), selector);
        if (lists == null) {
            objects.forEach((name, object) -> addIfSelected(object, selector, into));
            return;
        }
        for (PersistentMap<String, String> names : lists) {
            names.forEach((name, same) -> addIfSelected(objects.get(name), selector, into));
        }
    }

    private static <T extends HasMetadata> void addIfSelected(
            @Nullable T object, LabelSelector selector, List<T> into) {
        if (object != null && selector.matches(labelsOf(object))) {
            into.add(object);
        }
    }

    /** The lists of the requirement that leaves the fewest objects; null if none asks for values. */
    private static @Nullable List<PersistentMap<String, String>> shortest(
            @Nullable PersistentMap<String, PersistentMap<String, String>> postings, LabelSelector selector) {
        List<PersistentMap<String, String>> best = null;
        int bestSize = Integer.MAX_VALUE;
        for (Requirement requirement : selector.requirements()) {
            if (!requirement.operator().isPositive() || requirement.values().isEmpty()) {
                continue;
            }
            List<PersistentMap<String, String>> lists = new ArrayList<>();
            int size = 0;
            for (String value : requirement.values()) {
                PersistentMap<String, String> names =
                        postings == null ? null : postings.get(posting(requirement.key(), value));
                if (names != null) {
                    lists.add(names);
                    size += names.size();
                }
            }
            if (size < bestSize) {
                best = lists;
                bestSize = size;
            }
        }
        return best;
    }

    private static Map<String, String> labelsOf(HasMetadata object) {
        Map<String, String> labels = object.getMetadata().getLabels();
        return labels == null ? Map.of() : labels;
    }

    /** Neither keys nor values may hold an equals sign. */
    private static String posting(String key, String value) {
        return key + "=" + value;
    }

    @Override
    public List<T> byIndex(String index, String key) {
        Snapshot<T> snapshot = current;
        int at = Arrays.asList(snapshot.names).indexOf(index);
        if (at < 0) {
            throw new IllegalArgumentException(
                    "no index named " + index + ", there are: " + String.join(", ", snapshot.names));
        }
        PersistentMap<ObjectKey, T> objects = snapshot.indexes[at].get(key);
        return objects == null ? List.of() : objects.values();
    }

    long revision() {
        return current.revision;
    }

    int count() {
        return current.count;
    }

    // ---- writing ---------------------------------------------------------------------------------------------------

    /** Adds an index, over what is there already and what comes; does nothing if there is one of this name. */
    void addIndex(String name, Function<? super T, ? extends Collection<String>> keys) {
        writing.lock();
        try {
            Snapshot<T> old = current;
            if (Arrays.asList(old.names).contains(name)) {
                return;
            }
            keyFunctions.add(keys);
            int at = old.names.length;
            String[] names = Arrays.copyOf(old.names, at + 1);
            names[at] = name;
            PersistentMap<String, PersistentMap<ObjectKey, T>>[] indexes = Arrays.copyOf(old.indexes, at + 1);
            PersistentMap<String, PersistentMap<ObjectKey, T>> index = PersistentMap.empty();
            for (T object : all(old)) {
                index = file(index, keysOf(name, keys, object), object);
            }
            indexes[at] = index;
            current = new Snapshot<>(old.namespaces, old.labels, names, indexes, old.count, old.revision);
        } finally {
            writing.unlock();
        }
    }

    /** Begins to keep the lists of labels: most caches are never asked by selector, and do without. */
    private Snapshot<T> indexLabels() {
        writing.lock();
        try {
            Snapshot<T> old = current;
            if (old.labels == null) {
                current = new Snapshot<>(
                        old.namespaces, postings(all(old)), old.names, old.indexes, old.count, old.revision);
            }
            return current;
        } finally {
            writing.unlock();
        }
    }

    private static <T extends HasMetadata>
            PersistentMap<String, PersistentMap<String, PersistentMap<String, String>>> postings(
                    Collection<T> objects) {
        PersistentMap<String, PersistentMap<String, PersistentMap<String, String>>> all = PersistentMap.empty();
        for (T object : objects) {
            all = Objects.requireNonNull(relabel(all, ObjectKey.of(object), null, object));
        }
        return all;
    }

    private static @Nullable PersistentMap<String, PersistentMap<String, PersistentMap<String, String>>> relabel(
            @Nullable PersistentMap<String, PersistentMap<String, PersistentMap<String, String>>> labels,
            ObjectKey key,
            @Nullable HasMetadata before,
            @Nullable HasMetadata after) {
        if (labels == null) {
            return null;
        }
        Map<String, String> old = before == null ? Map.of() : labelsOf(before);
        Map<String, String> now = after == null ? Map.of() : labelsOf(after);
        if (old.equals(now)) {
            return labels;
        }
        PersistentMap<String, PersistentMap<String, String>> postings = labels.get(key.namespace());
        if (postings == null) {
            postings = PersistentMap.empty();
        }
        for (var label : old.entrySet()) {
            String posting = posting(label.getKey(), label.getValue());
            PersistentMap<String, String> names = postings.get(posting);
            if (names != null && !label.getValue().equals(now.get(label.getKey()))) {
                PersistentMap<String, String> rest = names.without(key.name());
                postings = rest.isEmpty() ? postings.without(posting) : postings.with(posting, rest);
            }
        }
        for (var label : now.entrySet()) {
            String posting = posting(label.getKey(), label.getValue());
            PersistentMap<String, String> names = postings.get(posting);
            PersistentMap<String, String> base = names == null ? PersistentMap.empty() : names;
            if (base.get(key.name()) == null) {
                postings = postings.with(posting, base.with(key.name(), key.name()));
            }
        }
        return postings.isEmpty() ? labels.without(key.namespace()) : labels.with(key.namespace(), postings);
    }

    /** Puts the object in place of the one of the same key, if any. */
    void put(T object, long revision) {
        writing.lock();
        try {
            Snapshot<T> old = current;
            ObjectKey key = ObjectKey.of(object);
            PersistentMap<String, T> objects = old.namespaces.get(key.namespace());
            T before = objects == null ? null : objects.get(key.name());
            PersistentMap<String, T> base = objects == null ? PersistentMap.empty() : objects;
            var indexes = old.indexes.clone();
            for (int i = 0; i < indexes.length; i++) {
                Collection<String> keys = keysOf(old.names[i], keyFunctions.get(i), object);
                if (before != null) {
                    Collection<String> had = keysOf(old.names[i], keyFunctions.get(i), before);
                    // Most changes leave an object where it is filed: it only takes the former one's place.
                    if (!had.equals(keys)) {
                        indexes[i] = unfile(indexes[i], had, before);
                    }
                }
                indexes[i] = file(indexes[i], keys, object);
            }
            current = new Snapshot<>(
                    old.namespaces.with(key.namespace(), base.with(key.name(), object)),
                    relabel(old.labels, key, before, object),
                    old.names,
                    indexes,
                    old.count + (before == null ? 1 : 0),
                    revision);
        } finally {
            writing.unlock();
        }
    }

    /** Takes the object of this key out. */
    void remove(ObjectKey key, long revision) {
        writing.lock();
        try {
            Snapshot<T> old = current;
            PersistentMap<String, T> objects = old.namespaces.get(key.namespace());
            T before = objects == null ? null : objects.get(key.name());
            if (objects == null || before == null) {
                current = new Snapshot<>(old.namespaces, old.labels, old.names, old.indexes, old.count, revision);
                return;
            }
            var indexes = old.indexes.clone();
            for (int i = 0; i < indexes.length; i++) {
                indexes[i] = unfile(indexes[i], keysOf(old.names[i], keyFunctions.get(i), before), before);
            }
            PersistentMap<String, T> rest = objects.without(key.name());
            current = new Snapshot<>(
                    rest.isEmpty()
                            ? old.namespaces.without(key.namespace())
                            : old.namespaces.with(key.namespace(), rest),
                    relabel(old.labels, key, before, null),
                    old.names,
                    indexes,
                    old.count - 1,
                    revision);
        } finally {
            writing.unlock();
        }
    }

    /** Makes these objects the whole content, in one step for all readers. */
    void replace(Collection<T> objects, long revision) {
        writing.lock();
        try {
            Snapshot<T> old = current;
            Map<String, PersistentMap<String, T>> byNamespace = new LinkedHashMap<>();
            PersistentMap<String, PersistentMap<ObjectKey, T>>[] indexes = newIndexes(old.names.length);
            Arrays.fill(indexes, PersistentMap.empty());
            for (T object : objects) {
                ObjectKey key = ObjectKey.of(object);
                byNamespace.merge(
                        key.namespace(),
                        PersistentMap.<String, T>empty().with(key.name(), object),
                        (a, b) -> a.with(key.name(), object));
                for (int i = 0; i < indexes.length; i++) {
                    indexes[i] = file(indexes[i], keysOf(old.names[i], keyFunctions.get(i), object), object);
                }
            }
            PersistentMap<String, PersistentMap<String, T>> namespaces = PersistentMap.empty();
            int count = 0;
            for (var entry : byNamespace.entrySet()) {
                namespaces = namespaces.with(entry.getKey(), entry.getValue());
                count += entry.getValue().size();
            }
            current = new Snapshot<>(
                    namespaces, old.labels == null ? null : postings(objects), old.names, indexes, count, revision);
        } finally {
            writing.unlock();
        }
    }

    /** Notes that everything up to this revision is in the cache. */
    void advance(long revision) {
        writing.lock();
        try {
            Snapshot<T> old = current;
            if (revision > old.revision) {
                current = new Snapshot<>(old.namespaces, old.labels, old.names, old.indexes, old.count, revision);
            }
        } finally {
            writing.unlock();
        }
    }

    private static <T extends HasMetadata> PersistentMap<String, PersistentMap<ObjectKey, T>> file(
            PersistentMap<String, PersistentMap<ObjectKey, T>> index, Collection<String> keys, T object) {
        for (String key : keys) {
            PersistentMap<ObjectKey, T> objects = index.get(key);
            PersistentMap<ObjectKey, T> base = objects == null ? PersistentMap.empty() : objects;
            index = index.with(key, base.with(ObjectKey.of(object), object));
        }
        return index;
    }

    private static <T extends HasMetadata> PersistentMap<String, PersistentMap<ObjectKey, T>> unfile(
            PersistentMap<String, PersistentMap<ObjectKey, T>> index, Collection<String> keys, T object) {
        for (String key : keys) {
            PersistentMap<ObjectKey, T> objects = index.get(key);
            if (objects != null) {
                PersistentMap<ObjectKey, T> rest = objects.without(ObjectKey.of(object));
                index = rest.isEmpty() ? index.without(key) : index.with(key, rest);
            }
        }
        return index;
    }

    /** A key function that throws files the object nowhere: the cache must outlive it. */
    private static <T extends HasMetadata> Collection<String> keysOf(
            String name, Function<? super T, ? extends Collection<String>> keys, T object) {
        try {
            Collection<String> found = keys.apply(object);
            return found == null ? List.of() : found;
        } catch (RuntimeException e) {
            log.error(
                    "Index function failed, the object is not filed: index={} kind={} namespace={} name={}",
                    name,
                    object.getKind(),
                    object.getMetadata().getNamespace(),
                    object.getMetadata().getName(),
                    e);
            return List.of();
        }
    }
}
