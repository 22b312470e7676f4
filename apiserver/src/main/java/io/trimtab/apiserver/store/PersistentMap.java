package io.trimtab.apiserver.store;

import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * An immutable map from text to values, sorted by the keys' UTF-8 bytes. A change makes a new map that shares all but the path
 * to the changed leaf; so a reference to a map is a snapshot, and holding one costs nothing. Safe for use by any thread.
 *
 * <p>A B+ tree without links between leaves, 32 wide: three or four short arrays are copied for a change in 100,000 keys, and
 * an in-order walk touches one node in 32 entries. Subtrees know their sizes: counting a range costs a descent, not a walk.
 *
 * @param <V> never null
 * @since 0.1
 */
public final class PersistentMap<V> {
    private static final int WIDTH = 32;
    /** Below this a node is joined with a neighbour if the two fit into one. */
    private static final int THIN = 10;

    private static final Leaf NO_ENTRIES = new Leaf(new String[0], new Object[0]);
    private static final PersistentMap<Object> EMPTY = new PersistentMap<>(NO_ENTRIES, true);

    private final Node root;
    /**
     * True if no key has a character at or above U+D800: then the order of UTF-16 units, which the JVM compares with vector
     * instructions, is the order of UTF-8 bytes, whatever is looked for.
     */
    private final boolean plain;

    private PersistentMap(Node root, boolean plain) {
        this.root = root;
        this.plain = plain;
    }

    @SuppressWarnings("unchecked")
    public static <V> PersistentMap<V> empty() {
        return (PersistentMap<V>) EMPTY;
    }

    public int size() {
        return root.size;
    }

    public boolean isEmpty() {
        return root.size == 0;
    }

    @SuppressWarnings("unchecked")
    public @Nullable V get(String key) {
        Node node = root;
        while (node instanceof Inner inner) {
            node = inner.children[inner.childFor(key, plain)];
        }
        Leaf leaf = (Leaf) node;
        int i = leaf.search(key, plain);
        return i < 0 ? null : (V) leaf.values[i];
    }

    /** The map with this entry added or replaced. */
    public PersistentMap<V> with(String key, V value) {
        boolean stillPlain = plain && isPlain(key);
        Node changed = put(root, key, value, stillPlain);
        if (changed.keys.length > WIDTH) {
            Split split = split(changed, key);
            changed =
                    new Inner(new String[] {split.left.keys[0], split.separator}, new Node[] {split.left, split.right});
        }
        return new PersistentMap<>(changed, stillPlain);
    }

    /** The map without this key; the same map if it has none. */
    public PersistentMap<V> without(String key) {
        Node changed = remove(root, key, plain);
        if (changed == root) {
            return this;
        }
        while (changed instanceof Inner inner && inner.children.length == 1) {
            changed = inner.children[0];
        }
        return changed.size == 0 ? empty() : new PersistentMap<>(changed, plain);
    }

    /** How many keys come before this one, whether or not it is there itself. */
    public int rank(String key) {
        int before = 0;
        Node node = root;
        while (node instanceof Inner inner) {
            int child = inner.childFor(key, plain);
            for (int i = 0; i < child; i++) {
                before += inner.children[i].size;
            }
            node = inner.children[child];
        }
        int i = ((Leaf) node).search(key, plain);
        return before + (i < 0 ? -i - 1 : i);
    }

    /** How many keys begin with the prefix. */
    public int count(String prefix) {
        return rankAfter(prefix) - rank(prefix);
    }

    /** How many keys come before the first that follows all keys with this prefix. */
    public int rankAfter(String prefix) {
        int before = 0;
        Node node = root;
        while (node instanceof Inner inner) {
            int child = inner.lastNotAfter(prefix, plain);
            for (int i = 0; i < child; i++) {
                before += inner.children[i].size;
            }
            node = inner.children[child];
        }
        Leaf leaf = (Leaf) node;
        int low = 0;
        int high = leaf.keys.length;
        while (low < high) {
            int mid = (low + high) >>> 1;
            if (isNotAfter(leaf.keys[mid], prefix, plain)) {
                low = mid + 1;
            } else {
                high = mid;
            }
        }
        return before + low;
    }

    /**
     * The values whose keys begin with the prefix, in key order.
     *
     * @param start the first key that may come; null for the prefix' first
     */
    public Iterator<V> iterator(String prefix, @Nullable String start) {
        String from = start == null || compare(start, prefix, false) < 0 ? prefix : start;
        return new Walk<>(root, from, prefix, plain);
    }

    /** All values, in key order. */
    public Iterator<V> iterator() {
        return iterator("", null);
    }

    /** The order of keys: that of their UTF-8 bytes, which is that of their code points. */
    public static int compareKeys(String a, String b) {
        return compare(a, b, false);
    }

    private static int compare(String a, String b, boolean plain) {
        if (plain) {
            return a.compareTo(b);
        }
        int length = Math.min(a.length(), b.length());
        for (int i = 0; i < length; i++) {
            char x = a.charAt(i);
            char y = b.charAt(i);
            if (x != y) {
                // A surrogate stands for a code point above all that fit into one unit, but its own number is lower
                // than theirs from U+E000 on.
                boolean xs = Character.isSurrogate(x);
                return xs == Character.isSurrogate(y)
                        ? x - y
                        : xs ? (y >= 0xE000 ? 1 : x - y) : (x >= 0xE000 ? -1 : x - y);
            }
        }
        return a.length() - b.length();
    }

    private static boolean isNotAfter(String key, String prefix, boolean plain) {
        return key.startsWith(prefix) || compare(key, prefix, plain) < 0;
    }

    private static boolean isPlain(String key) {
        for (int i = 0; i < key.length(); i++) {
            if (key.charAt(i) >= 0xD800) {
                return false;
            }
        }
        return true;
    }

    // ---- Changes ---------------------------------------------------------------------------------------------------

    /** The node with the entry; it may be one too wide, which the caller mends. */
    private static Node put(Node node, String key, Object value, boolean plain) {
        if (node instanceof Leaf leaf) {
            int i = leaf.search(key, plain);
            if (i >= 0) {
                Object[] values = leaf.values.clone();
                values[i] = value;
                return new Leaf(leaf.keys, values);
            }
            return new Leaf(inserted(leaf.keys, -i - 1, key), inserted(leaf.values, -i - 1, value));
        }
        Inner inner = (Inner) node;
        int i = inner.childFor(key, plain);
        Node child = put(inner.children[i], key, value, plain);
        Node[] children;
        if (child.keys.length <= WIDTH) {
            children = inner.children.clone();
            children[i] = child;
            return new Inner(inner.keys, children, inner.size - inner.children[i].size + child.size);
        }
        Split split = split(child, key);
        children = inserted(inner.children, i + 1, split.right);
        children[i] = split.left;
        return new Inner(inserted(inner.keys, i + 1, split.separator), children);
    }

    private static Split split(Node node, String added) {
        int width = node.keys.length;
        // Keys that come in ascending order fill leaves instead of leaving halves behind.
        int at = node instanceof Leaf && node.keys[width - 1].equals(added) ? width - 1 : width / 2;
        return new Split(node.part(0, at), node.keys[at], node.part(at, width));
    }

    private static Node remove(Node node, String key, boolean plain) {
        if (node instanceof Leaf leaf) {
            int i = leaf.search(key, plain);
            return i < 0 ? node : new Leaf(removed(leaf.keys, i), removed(leaf.values, i));
        }
        Inner inner = (Inner) node;
        int i = inner.childFor(key, plain);
        Node child = remove(inner.children[i], key, plain);
        if (child == inner.children[i]) {
            return node;
        }
        if (child.size == 0) {
            return new Inner(removed(inner.keys, i), removed(inner.children, i));
        }
        if (child.keys.length < THIN) {
            int left = i > 0 ? i - 1 : i;
            if (left + 1 < inner.children.length) {
                Node a = left == i ? child : inner.children[left];
                Node b = left == i ? inner.children[left + 1] : child;
                if (a.keys.length + b.keys.length <= WIDTH) {
                    Node[] children = removed(inner.children, left + 1);
                    children[left] = a.join(inner.keys[left + 1], b);
                    return new Inner(removed(inner.keys, left + 1), children);
                }
            }
        }
        Node[] children = inner.children.clone();
        children[i] = child;
        return new Inner(inner.keys, children, inner.size - 1);
    }

    private static <T> T[] inserted(T[] array, int at, T value) {
        T[] copy = Arrays.copyOf(array, array.length + 1);
        System.arraycopy(array, at, copy, at + 1, array.length - at);
        copy[at] = value;
        return copy;
    }

    private static <T> T[] removed(T[] array, int at) {
        T[] copy = Arrays.copyOf(array, array.length - 1);
        System.arraycopy(array, at + 1, copy, at, array.length - at - 1);
        return copy;
    }

    private static <T> T[] joined(T[] a, T[] b) {
        T[] copy = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, copy, a.length, b.length);
        return copy;
    }

    // ---- Nodes -----------------------------------------------------------------------------------------------------

    private record Split(Node left, String separator, Node right) {}

    private abstract static class Node {
        /** In a leaf the entries' keys; in an inner node, for each child but the first, the least key it may hold. */
        final String[] keys;

        final int size;

        Node(String[] keys, int size) {
            this.keys = keys;
            this.size = size;
        }

        abstract Node part(int from, int to);

        abstract Node join(String separator, Node right);
    }

    private static final class Leaf extends Node {
        final Object[] values;

        Leaf(String[] keys, Object[] values) {
            super(keys, keys.length);
            this.values = values;
        }

        /** The place of the key, or {@code -(place to insert it) - 1}. */
        int search(String key, boolean plain) {
            int low = 0;
            int high = keys.length - 1;
            while (low <= high) {
                int mid = (low + high) >>> 1;
                int order = compare(keys[mid], key, plain);
                if (order < 0) {
                    low = mid + 1;
                } else if (order > 0) {
                    high = mid - 1;
                } else {
                    return mid;
                }
            }
            return -low - 1;
        }

        @Override
        Node part(int from, int to) {
            return new Leaf(Arrays.copyOfRange(keys, from, to), Arrays.copyOfRange(values, from, to));
        }

        @Override
        Node join(String separator, Node right) {
            return new Leaf(joined(keys, right.keys), joined(values, ((Leaf) right).values));
        }
    }

    private static final class Inner extends Node {
        final Node[] children;

        Inner(String[] keys, Node[] children) {
            this(keys, children, sizeOf(children));
        }

        Inner(String[] keys, Node[] children, int size) {
            super(keys, size);
            this.children = children;
        }

        private static int sizeOf(Node[] children) {
            int size = 0;
            for (Node child : children) {
                size += child.size;
            }
            return size;
        }

        int childFor(String key, boolean plain) {
            int low = 1;
            int high = keys.length;
            while (low < high) {
                int mid = (low + high) >>> 1;
                if (compare(keys[mid], key, plain) <= 0) {
                    low = mid + 1;
                } else {
                    high = mid;
                }
            }
            return low - 1;
        }

        /** The last child that may hold a key that is less than, or begins with, the prefix. */
        int lastNotAfter(String prefix, boolean plain) {
            int low = 1;
            int high = keys.length;
            while (low < high) {
                int mid = (low + high) >>> 1;
                if (isNotAfter(keys[mid], prefix, plain)) {
                    low = mid + 1;
                } else {
                    high = mid;
                }
            }
            return low - 1;
        }

        @Override
        Node part(int from, int to) {
            return new Inner(Arrays.copyOfRange(keys, from, to), Arrays.copyOfRange(children, from, to));
        }

        @Override
        Node join(String separator, Node right) {
            String[] all = joined(keys, right.keys);
            all[keys.length] = separator;
            return new Inner(all, joined(children, ((Inner) right).children));
        }
    }

    /** Goes through the leaves from left to right; remembers the path. For one thread. */
    private static final class Walk<V> implements Iterator<V> {
        private final String prefix;
        private final Inner[] path = new Inner[12];
        private final int[] places = new int[12];
        private int depth;
        private @Nullable Leaf leaf;
        private int place;

        Walk(Node root, String from, String prefix, boolean plain) {
            this.prefix = prefix;
            Node node = root;
            while (node instanceof Inner inner) {
                int child = inner.childFor(from, plain);
                path[depth] = inner;
                places[depth++] = child;
                node = inner.children[child];
            }
            Leaf first = (Leaf) node;
            int i = first.search(from, plain);
            leaf = first;
            place = i < 0 ? -i - 1 : i;
            settle();
        }

        /** Moves on to the next leaf if this one is used up, and ends where the prefix does. */
        private void settle() {
            Leaf current = leaf;
            if (current != null && place == current.keys.length) {
                current = nextLeaf();
                place = 0;
            }
            leaf = current != null && current.keys[place].startsWith(prefix) ? current : null;
        }

        private @Nullable Leaf nextLeaf() {
            while (depth > 0 && places[depth - 1] + 1 == path[depth - 1].children.length) {
                depth--;
            }
            if (depth == 0) {
                return null;
            }
            Node node = path[depth - 1].children[++places[depth - 1]];
            while (node instanceof Inner inner) {
                path[depth] = inner;
                places[depth++] = 0;
                node = inner.children[0];
            }
            return (Leaf) node;
        }

        @Override
        public boolean hasNext() {
            return leaf != null;
        }

        @Override
        @SuppressWarnings("unchecked")
        public V next() {
            Leaf current = leaf;
            if (current == null) {
                throw new NoSuchElementException();
            }
            V value = (V) current.values[place++];
            settle();
            return value;
        }
    }
}
