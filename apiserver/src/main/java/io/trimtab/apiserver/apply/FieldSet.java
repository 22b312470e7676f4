package io.trimtab.apiserver.apply;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A set of paths, as a tree: each node may be a member itself, have members below it, or both. Immutable, so that operations
 * share what they do not change.
 */
public final class FieldSet {
    public static final FieldSet EMPTY = new FieldSet(new Entry[0]);

    /** One element below a node: a member itself, or with children, or both; never neither. */
    private record Entry(PathElement element, boolean member, FieldSet children) {
        @Override
        public boolean equals(Object o) {
            return o instanceof Entry e
                    && member == e.member
                    && element.equals(e.element)
                    && children.equals(e.children);
        }

        @Override
        public int hashCode() {
            return (31 * element.hashCode() + children.hashCode()) * 2 + (member ? 1 : 0);
        }

        static void add(List<Entry> to, PathElement element, boolean member, FieldSet children) {
            if (member || !children.isEmpty()) {
                to.add(new Entry(element, member, children));
            }
        }
    }

    // The sets written last, by hash: objects made from one template have the same. Races only lose one.
    private static final SharedFields[] RECENT = new SharedFields[256];

    // Sorted by element.
    private final Entry[] entries;
    // 0 until it is asked for.
    private int hash;

    private FieldSet(Entry[] entries) {
        this.entries = entries;
    }

    private static FieldSet of(List<Entry> entries) {
        return entries.isEmpty() ? EMPTY : new FieldSet(entries.toArray(new Entry[0]));
    }

    /** The set of the paths given, each made of field names. */
    public static FieldSet ofFields(List<List<String>> paths) {
        Builder builder = new Builder();
        for (List<String> path : paths) {
            builder.add(new ArrayList<Object>(path));
        }
        return builder.build();
    }

    /** Makes a set of members that have one step each, and of what lies below them. Used by one thread. */
    static final class Level {
        private Entry[] entries;
        private int count;
        private boolean sorted = true;

        Level(int size) {
            entries = new Entry[size];
        }

        /** Adds an element that was not added yet. */
        void add(PathElement element, FieldSet below) {
            if (count == entries.length) {
                entries = Arrays.copyOf(entries, Math.max(4, 2 * count));
            }
            sorted &= count == 0 || entries[count - 1].element.compareTo(element) < 0;
            entries[count++] = new Entry(element, true, below);
        }

        FieldSet build() {
            if (count == 0) {
                return EMPTY;
            }
            Entry[] all = count == entries.length ? entries : Arrays.copyOf(entries, count);
            if (!sorted) {
                Arrays.sort(all, (a, b) -> a.element.compareTo(b.element));
            }
            return new FieldSet(all);
        }
    }

    /** Collects paths. Used by one thread. */
    static final class Builder {
        private boolean member;
        private @Nullable TreeMap<PathElement, Builder> children;

        // What lies below, made as a whole; then there are no other children.
        private FieldSet whole = EMPTY;

        /** @param path of PathElements, and Strings for fields */
        void add(List<Object> path) {
            find(path).member = true;
        }

        /** Adds a path, and what lies below it; nothing else is added there. */
        void add(List<Object> path, FieldSet below) {
            Builder node = find(path);
            node.member = true;
            node.whole = below;
        }

        private Builder find(List<Object> path) {
            Builder node = this;
            for (Object step : path) {
                PathElement element = step instanceof PathElement e ? e : PathElement.field((String) step);
                if (node.children == null) {
                    node.children = new TreeMap<>();
                }
                node = node.children.computeIfAbsent(element, e -> new Builder());
            }
            return node;
        }

        FieldSet build() {
            if (children == null) {
                return whole;
            }
            List<Entry> entries = new ArrayList<>(children.size());
            children.forEach((element, child) -> Entry.add(entries, element, child.member, child.build()));
            return of(entries);
        }
    }

    public boolean isEmpty() {
        return entries.length == 0;
    }

    private @Nullable Entry find(PathElement element) {
        int low = 0;
        int high = entries.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int c = entries[middle].element.compareTo(element);
            if (c == 0) {
                return entries[middle];
            }
            if (c < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return null;
    }

    /** Whether the one-step path is a member. */
    boolean has(PathElement element) {
        Entry entry = find(element);
        return entry != null && entry.member;
    }

    /** What lies below the element. */
    FieldSet below(PathElement element) {
        Entry entry = find(element);
        return entry == null ? EMPTY : entry.children;
    }

    boolean has(List<PathElement> path) {
        FieldSet node = this;
        for (int i = 0; i < path.size() - 1; i++) {
            node = node.below(path.get(i));
        }
        return !path.isEmpty() && node.has(path.get(path.size() - 1));
    }

    FieldSet union(FieldSet other) {
        if (isEmpty() || this == other) {
            return other;
        }
        if (other.isEmpty()) {
            return this;
        }
        List<Entry> result = new ArrayList<>(entries.length + other.entries.length);
        int i = 0;
        int j = 0;
        while (i < entries.length || j < other.entries.length) {
            int c = i >= entries.length
                    ? 1
                    : j >= other.entries.length ? -1 : entries[i].element.compareTo(other.entries[j].element);
            if (c < 0) {
                result.add(entries[i++]);
            } else if (c > 0) {
                result.add(other.entries[j++]);
            } else {
                Entry a = entries[i++];
                Entry b = other.entries[j++];
                result.add(new Entry(a.element, a.member || b.member, a.children.union(b.children)));
            }
        }
        return of(result);
    }

    FieldSet intersection(FieldSet other) {
        List<Entry> result = new ArrayList<>();
        // The other set is what changed, as a rule: small.
        for (Entry b : other.entries) {
            Entry a = find(b.element);
            if (a != null) {
                Entry.add(result, a.element, a.member && b.member, a.children.intersection(b.children));
            }
        }
        return of(result);
    }

    /** Without the members of the other set; what lies below them stays. */
    FieldSet difference(FieldSet other) {
        return minus(other, false);
    }

    /** Without the members of the other set, and all that lies below them. */
    FieldSet recursiveDifference(FieldSet other) {
        return minus(other, true);
    }

    private FieldSet minus(FieldSet other, boolean recursive) {
        if (isEmpty() || other.isEmpty()) {
            return this;
        }
        List<Entry> result = new ArrayList<>(entries.length);
        boolean changed = false;
        for (Entry a : entries) {
            Entry b = other.find(a.element);
            if (b == null) {
                result.add(a);
                continue;
            }
            FieldSet children = recursive && b.member ? EMPTY : a.children.minus(b.children, recursive);
            boolean member = a.member && !b.member;
            if (children == a.children && member == a.member) {
                result.add(a);
            } else {
                changed = true;
                Entry.add(result, a.element, member, children);
            }
        }
        return changed ? of(result) : this;
    }

    /** The set with members added: those declared fields that have members below them. */
    FieldSet withNamedFields(Typed.@Nullable View type) {
        List<Entry> result = new ArrayList<>(entries.length);
        for (Entry entry : entries) {
            Typed.View child = null;
            boolean member = entry.member;
            if (type != null && entry.element.isField()) {
                child = type.field(entry.element.name());
                member |= !entry.children.isEmpty() && type.declares(entry.element.name());
            } else if (type != null && entry.element.isKey()) {
                child = type.item();
            }
            result.add(new Entry(entry.element, member, entry.children.withNamedFields(child)));
        }
        return of(result);
    }

    /** Calls back for each path, members of a node before what lies deeper. The list is reused. */
    void forEach(Consumer<List<PathElement>> action) {
        forEach(new ArrayList<>(), action);
    }

    private void forEach(List<PathElement> prefix, Consumer<List<PathElement>> action) {
        for (Entry entry : entries) {
            if (entry.member) {
                prefix.add(entry.element);
                action.accept(prefix);
                prefix.remove(prefix.size() - 1);
            }
        }
        for (Entry entry : entries) {
            prefix.add(entry.element);
            entry.children.forEach(prefix, action);
            prefix.remove(prefix.size() - 1);
        }
    }

    /** The form of {@code fieldsV1}; not to be changed, as others may have it, too. */
    public ObjectNode toFieldsV1() {
        int slot = hashCode() * 0x9e3779b9 >>> 24;
        SharedFields known = RECENT[slot];
        if (known == null || !known.set().equals(this)) {
            known = new SharedFields(this, json());
            RECENT[slot] = known;
        }
        return known;
    }

    private Map<String, JsonNode> json() {
        Map<String, JsonNode> result = new LinkedHashMap<>();
        for (Entry entry : entries) {
            ObjectNode child = JsonNodeFactory.instance.objectNode();
            if (entry.member && !entry.children.isEmpty()) {
                child.putObject(".");
            }
            child.setAll(entry.children.json());
            result.put(entry.element.serialized(), child);
        }
        return result;
    }

    /** Whether a member of this set is one of {@code fieldsV1}, which is cheaper than to read that. */
    boolean touches(JsonNode fieldsV1) {
        for (Entry entry : entries) {
            JsonNode node = fieldsV1.get(entry.element.serialized());
            if (node != null && (entry.member && isMember(node) || entry.children.touches(node))) {
                return true;
            }
        }
        return false;
    }

    /** Whether all members of this set are members of {@code fieldsV1}. */
    boolean isWithin(JsonNode fieldsV1) {
        for (Entry entry : entries) {
            JsonNode node = fieldsV1.get(entry.element.serialized());
            if (node == null || entry.member && !isMember(node) || !entry.children.isWithin(node)) {
                return false;
            }
        }
        return true;
    }

    private static boolean isMember(JsonNode node) {
        return node.isEmpty() || node.has(".");
    }

    /** @throws IllegalArgumentException if it is malformed */
    public static FieldSet fromFieldsV1(JsonNode fields) {
        if (fields instanceof SharedFields shared) {
            return shared.set();
        }
        if (!fields.isObject()) {
            throw new IllegalArgumentException("fieldsV1 is no object");
        }
        List<Entry> entries = new ArrayList<>(fields.size());
        boolean sorted = true;
        for (var field : fields.properties()) {
            if (field.getKey().equals(".")) {
                continue;
            }
            PathElement element = PathElement.parse(field.getKey());
            if (element == null) {
                continue;
            }
            FieldSet children = fromFieldsV1(field.getValue());
            // A leaf is a member; so is a node that says so, and one whose children are all of unknown kinds.
            boolean member = children.isEmpty() || field.getValue().has(".");
            sorted &=
                    entries.isEmpty() || entries.get(entries.size() - 1).element.compareTo(element) < 0;
            entries.add(new Entry(element, member, children));
        }
        if (sorted) {
            return of(entries);
        }
        FieldSet result = EMPTY;
        entries.sort((a, b) -> a.element.compareTo(b.element));
        for (Entry entry : entries) {
            result = result.union(new FieldSet(new Entry[] {entry}));
        }
        return result;
    }

    @Override
    public boolean equals(Object o) {
        return o == this || o instanceof FieldSet s && hashCode() == s.hashCode() && Arrays.equals(entries, s.entries);
    }

    @Override
    public int hashCode() {
        int known = hash;
        if (known == 0) {
            known = Arrays.hashCode(entries);
            hash = known;
        }
        return known;
    }

    @Override
    public String toString() {
        return toFieldsV1().toString();
    }
}
