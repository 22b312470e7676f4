package io.trimtab.selector;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Finds the objects that a selector matches without looking at all of them: for each label (key and value) it keeps the list
 * of objects that have it, walks the shortest list that the selector allows, and tests only what lies on it.
 *
 * <p>Not safe for use by several threads: its owner's thread or lock guards it. Label maps are kept, not copied, so they must
 * not change; results come in an order that depends only on the calls made before.
 *
 * @param <K> the objects' ids, with equals and hashCode
 */
public final class SelectorIndex<K> {
    private final Map<K, Entry<K>> entries = new LinkedHashMap<>();
    private final Map<String, Key<K>> keys = new HashMap<>();

    /** An object, and its place on the list of each of its labels. */
    private static final class Entry<K> {
        private final K id;
        private Map<String, String> labels = Map.of();
        private List<Posting<K>> postings = List.of();
        private int[] places = {};

        Entry(K id) {
            this.id = id;
        }
    }

    /** All values of one label key. */
    private static final class Key<K> {
        private final Map<String, Posting<K>> values = new LinkedHashMap<>();
        private int count;
    }

    /** The objects that have one label, in no order, so that removal is cheap. */
    private static final class Posting<K> {
        private final String key;
        private final String value;
        private @Nullable Object[] members = new Object[4];
        private int size;

        Posting(String key, String value) {
            this.key = key;
            this.value = value;
        }

        int add(Entry<K> entry) {
            if (size == members.length) {
                members = Arrays.copyOf(members, size * 2);
            }
            members[size] = entry;
            return size++;
        }

        @SuppressWarnings("unchecked") // only add() writes
        Entry<K> get(int place) {
            return (Entry<K>) Objects.requireNonNull(members[place]);
        }

        /** Fills the hole with the last member, and tells that one its new place. */
        void remove(int place) {
            Entry<K> last = get(--size);
            members[place] = last;
            members[size] = null;
            last.places[last.postings.indexOf(this)] = place;
        }
    }

    /** Adds the object, or changes its labels. */
    public void put(K id, Map<String, String> labels) {
        Entry<K> entry = entries.get(id);
        if (entry == null) {
            entry = new Entry<>(id);
            entries.put(id, entry);
        } else if (entry.labels.equals(labels)) {
            return;
        } else {
            unlist(entry);
        }
        entry.labels = labels;
        entry.postings = new ArrayList<>(labels.size());
        entry.places = new int[labels.size()];
        for (Map.Entry<String, String> label : labels.entrySet()) {
            Key<K> key = keys.computeIfAbsent(label.getKey(), k -> new Key<>());
            Posting<K> posting = key.values.computeIfAbsent(label.getValue(), v -> new Posting<>(label.getKey(), v));
            key.count++;
            entry.places[entry.postings.size()] = posting.add(entry);
            entry.postings.add(posting);
        }
    }

    /** Removes the object; does nothing if it is not there. */
    public void remove(K id) {
        Entry<K> entry = entries.remove(id);
        if (entry != null) {
            unlist(entry);
        }
    }

    private void unlist(Entry<K> entry) {
        for (int i = 0; i < entry.places.length; i++) {
            Posting<K> posting = entry.postings.get(i);
            posting.remove(entry.places[i]);
            Key<K> key = Objects.requireNonNull(keys.get(posting.key));
            if (posting.size == 0) {
                key.values.remove(posting.value);
            }
            if (--key.count == 0) {
                keys.remove(posting.key);
            }
        }
    }

    public int size() {
        return entries.size();
    }

    /** The ids of all objects that the selector matches. */
    public List<K> matching(LabelSelector selector) {
        List<K> ids = new ArrayList<>();
        forEachMatching(selector, ids::add);
        return ids;
    }

    /** How many objects the selector matches; a single equality is counted without looking at any. */
    public int count(LabelSelector selector) {
        if (selector.isEverything()) {
            return entries.size();
        }
        if (selector.requirements().size() == 1) {
            Requirement only = selector.requirements().get(0);
            if (only.operator().isPositive() || only.operator() == Operator.EXISTS) {
                return costOf(only);
            }
        }
        int[] count = new int[1];
        forEachMatching(selector, id -> count[0]++);
        return count[0];
    }

    /** Tells each id that the selector matches, once. The consumer must not change the index. */
    public void forEachMatching(LabelSelector selector, Consumer<? super K> action) {
        if (selector.isNothing()) {
            return;
        }
        Requirement shortest = Requirement.cheapest(selector.requirements(), this::costOf);
        if (shortest == null) {
            for (Entry<K> entry : entries.values()) {
                visit(entry, selector, action);
            }
            return;
        }
        Key<K> key = keys.get(shortest.key());
        if (key == null) {
            return;
        }
        if (shortest.operator().isPositive()) {
            for (String value : shortest.values()) {
                visit(key.values.get(value), selector, action);
            }
        } else {
            for (Posting<K> posting : key.values.values()) {
                visit(posting, selector, action);
            }
        }
    }

    private void visit(@Nullable Posting<K> posting, LabelSelector selector, Consumer<? super K> action) {
        if (posting != null) {
            for (int i = 0; i < posting.size; i++) {
                visit(posting.get(i), selector, action);
            }
        }
    }

    private void visit(Entry<K> entry, LabelSelector selector, Consumer<? super K> action) {
        if (selector.matches(entry.labels)) {
            action.accept(entry.id);
        }
    }

    /** Objects that would have to be looked at. */
    private int costOf(Requirement requirement) {
        Key<K> key = keys.get(requirement.key());
        if (key == null) {
            return 0;
        }
        if (!requirement.operator().isPositive()) {
            return key.count;
        }
        int cost = 0;
        for (String value : requirement.values()) {
            Posting<K> posting = key.values.get(value);
            cost += posting == null ? 0 : posting.size;
        }
        return cost;
    }
}
