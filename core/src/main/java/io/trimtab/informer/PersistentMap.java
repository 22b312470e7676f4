package io.trimtab.informer;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * An immutable map: with and without return a new one that shares nearly all of this one's structure. That is what lets any
 * number of readers hold a consistent state of a cache while one writer goes on.
 *
 * <p>A hash trie of 32-way nodes: a change copies one node on each of about log₃₂(size) levels. Iteration follows the hashes,
 * so equal content built in any order iterates the same way (but for keys with equal hashes).
 */
final class PersistentMap<K, V> {
    private static final PersistentMap<?, ?> EMPTY = new PersistentMap<>(null, 0);
    private static final int BITS = 5;
    private static final int MASK = (1 << BITS) - 1;

    private final @Nullable Node<K, V> root;
    private final int size;

    /** All values; made when first asked for. Racing threads make equal lists, and either may stay. */
    private @Nullable List<V> values;

    private PersistentMap(@Nullable Node<K, V> root, int size) {
        this.root = root;
        this.size = size;
    }

    @SuppressWarnings("unchecked")
    static <K, V> PersistentMap<K, V> empty() {
        return (PersistentMap<K, V>) EMPTY;
    }

    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    @Nullable
    V get(K key) {
        int hash = spread(key.hashCode());
        Node<K, V> node = root;
        for (int shift = 0; node != null; shift += BITS) {
            if (node instanceof Branch<K, V> branch) {
                node = branch.child(hash, shift);
            } else if (node instanceof Leaf<K, V> leaf) {
                return leaf.hash == hash && leaf.key.equals(key) ? leaf.value : null;
            } else {
                for (Leaf<K, V> leaf : ((Collision<K, V>) node).leaves) {
                    if (leaf.hash == hash && leaf.key.equals(key)) {
                        return leaf.value;
                    }
                }
                return null;
            }
        }
        return null;
    }

    /** The map with this entry, which replaces one of an equal key. */
    PersistentMap<K, V> with(K key, V value) {
        Leaf<K, V> leaf = new Leaf<>(spread(key.hashCode()), key, value);
        int grown = get(key) == null ? 1 : 0;
        return new PersistentMap<>(put(root, 0, leaf), size + grown);
    }

    /** The map without an entry of this key; this map if there is none. */
    PersistentMap<K, V> without(K key) {
        if (root == null || get(key) == null) {
            return this;
        }
        return size == 1 ? empty() : new PersistentMap<>(remove(root, 0, spread(key.hashCode()), key), size - 1);
    }

    /** All values, unmodifiable. */
    List<V> values() {
        List<V> known = values;
        if (known == null) {
            ArrayList<V> all = new ArrayList<>(size);
            forEach((key, value) -> all.add(value));
            known = Collections.unmodifiableList(all);
            values = known;
        }
        return known;
    }

    void forEach(BiConsumer<? super K, ? super V> action) {
        if (root != null) {
            each(root, action);
        }
    }

    private static <K, V> void each(Node<K, V> node, BiConsumer<? super K, ? super V> action) {
        if (node instanceof Leaf<K, V> leaf) {
            action.accept(leaf.key, leaf.value);
        } else if (node instanceof Branch<K, V> branch) {
            for (Node<K, V> child : branch.children) {
                each(child, action);
            }
        } else {
            for (Leaf<K, V> leaf : ((Collision<K, V>) node).leaves) {
                action.accept(leaf.key, leaf.value);
            }
        }
    }

    /** String hashes differ mostly in their low bits for names that differ in the last letters; mix in the high ones. */
    private static int spread(int hash) {
        return hash ^ (hash >>> 16);
    }

    private static <K, V> Node<K, V> put(@Nullable Node<K, V> node, int shift, Leaf<K, V> leaf) {
        if (node == null) {
            return leaf;
        }
        if (node instanceof Branch<K, V> branch) {
            Node<K, V> child = branch.child(leaf.hash, shift);
            return branch.withChild(leaf.hash, shift, put(child, shift + BITS, leaf), child != null);
        }
        if (node instanceof Leaf<K, V> other) {
            if (other.hash != leaf.hash) {
                return join(shift, other, other.hash, leaf);
            }
            return other.key.equals(leaf.key) ? leaf : new Collision<>(leaf.hash, List.of(other, leaf));
        }
        Collision<K, V> collision = (Collision<K, V>) node;
        if (collision.hash != leaf.hash) {
            return join(shift, collision, collision.hash, leaf);
        }
        List<Leaf<K, V>> leaves = new ArrayList<>(collision.leaves);
        leaves.removeIf(l -> l.key.equals(leaf.key));
        leaves.add(leaf);
        return new Collision<>(leaf.hash, leaves);
    }

    /** A branch over two nodes of different hashes, as deep as their hashes agree. */
    private static <K, V> Node<K, V> join(int shift, Node<K, V> old, int oldHash, Leaf<K, V> leaf) {
        int oldSlot = (oldHash >>> shift) & MASK;
        int newSlot = (leaf.hash >>> shift) & MASK;
        if (oldSlot == newSlot) {
            return new Branch<>(1 << oldSlot, nodes(join(shift + BITS, old, oldHash, leaf)));
        }
        int bitmap = 1 << oldSlot | 1 << newSlot;
        return new Branch<>(bitmap, oldSlot < newSlot ? nodes(old, leaf) : nodes(leaf, old));
    }

    @SafeVarargs
    private static <K, V> Node<K, V>[] nodes(Node<K, V>... nodes) {
        return nodes;
    }

    private static <K, V> @Nullable Node<K, V> remove(Node<K, V> node, int shift, int hash, K key) {
        if (node instanceof Leaf<K, V>) {
            return null; // the caller knows that the key is there
        }
        if (node instanceof Collision<K, V> collision) {
            List<Leaf<K, V>> leaves = new ArrayList<>(collision.leaves);
            leaves.removeIf(l -> l.key.equals(key));
            return leaves.size() == 1 ? leaves.get(0) : new Collision<>(hash, leaves);
        }
        Branch<K, V> branch = (Branch<K, V>) node;
        Node<K, V> child = branch.child(hash, shift);
        if (child == null) {
            return node;
        }
        Node<K, V> rest = remove(child, shift + BITS, hash, key);
        if (rest != null) {
            // A lone leaf moves up, so that equal content has equal shape.
            return branch.children.length == 1 && !(rest instanceof Branch<K, V>)
                    ? rest
                    : branch.withChild(hash, shift, rest, true);
        }
        return branch.withoutChild(hash, shift);
    }

    private interface Node<K, V> {}

    private static final class Leaf<K, V> implements Node<K, V> {
        final int hash;
        final K key;
        final V value;

        Leaf(int hash, K key, V value) {
            this.hash = hash;
            this.key = key;
            this.value = value;
        }
    }

    private record Collision<K, V>(int hash, List<Leaf<K, V>> leaves) implements Node<K, V> {}

    private static final class Branch<K, V> implements Node<K, V> {
        final int bitmap;
        final Node<K, V>[] children;

        Branch(int bitmap, Node<K, V>[] children) {
            this.bitmap = bitmap;
            this.children = children;
        }

        private int position(int bit) {
            return Integer.bitCount(bitmap & (bit - 1));
        }

        @Nullable
        Node<K, V> child(int hash, int shift) {
            int bit = 1 << ((hash >>> shift) & MASK);
            return (bitmap & bit) == 0 ? null : children[position(bit)];
        }

        @SuppressWarnings({"unchecked", "rawtypes"})
        Branch<K, V> withChild(int hash, int shift, Node<K, V> child, boolean replaces) {
            int bit = 1 << ((hash >>> shift) & MASK);
            int at = position(bit);
            if (replaces) {
                Node<K, V>[] copy = children.clone();
                copy[at] = child;
                return new Branch<>(bitmap, copy);
            }
            Node<K, V>[] copy = new Node[children.length + 1];
            System.arraycopy(children, 0, copy, 0, at);
            copy[at] = child;
            System.arraycopy(children, at, copy, at + 1, children.length - at);
            return new Branch<>(bitmap | bit, copy);
        }

        @SuppressWarnings({"unchecked", "rawtypes"})
        @Nullable
        Node<K, V> withoutChild(int hash, int shift) {
            int bit = 1 << ((hash >>> shift) & MASK);
            int at = position(bit);
            if (children.length == 1) {
                return null;
            }
            if (children.length == 2 && !(children[1 - at] instanceof Branch)) {
                return children[1 - at];
            }
            Node<K, V>[] copy = new Node[children.length - 1];
            System.arraycopy(children, 0, copy, 0, at);
            System.arraycopy(children, at + 1, copy, at, copy.length - at);
            return new Branch<>(bitmap & ~bit, copy);
        }
    }
}
