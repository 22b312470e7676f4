package io.trimtab.client;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An immutable map of a few entries in the order they came, in two arrays: the JDK's immutable maps have an order that changes
 * from one JVM to the next, and its linked ones take three times the room. A look-up compares with each key, hash first.
 */
final class SmallMap<V> extends AbstractMap<String, V> {
    private final String[] keys;
    private final @Nullable Object[] values;

    /** Keeps the arrays. */
    SmallMap(String[] keys, @Nullable Object[] values) {
        this.keys = keys;
        this.values = values;
    }

    @Override
    public int size() {
        return keys.length;
    }

    private int find(@Nullable Object key) {
        if (key instanceof String text) {
            int hash = text.hashCode();
            for (int i = 0; i < keys.length; i++) {
                if (keys[i].hashCode() == hash && keys[i].equals(text)) {
                    return i;
                }
            }
        }
        return -1;
    }

    @Override
    public boolean containsKey(@Nullable Object key) {
        return find(key) >= 0;
    }

    @Override
    @SuppressWarnings("unchecked")
    public @Nullable V get(@Nullable Object key) {
        int at = find(key);
        return at < 0 ? null : (V) values[at];
    }

    @Override
    public int hashCode() {
        int hash = 0;
        for (int i = 0; i < keys.length; i++) {
            hash += keys[i].hashCode() ^ (values[i] == null ? 0 : values[i].hashCode());
        }
        return hash;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        if (other instanceof SmallMap<?> map && Arrays.equals(keys, map.keys)) {
            return Arrays.equals(values, map.values);
        }
        return super.equals(other);
    }

    @Override
    public Set<Map.Entry<String, V>> entrySet() {
        return new AbstractSet<>() {
            @Override
            public int size() {
                return keys.length;
            }

            @Override
            public Iterator<Map.Entry<String, V>> iterator() {
                return new Iterator<>() {
                    private int next;

                    @Override
                    public boolean hasNext() {
                        return next < keys.length;
                    }

                    @Override
                    @SuppressWarnings("unchecked")
                    public Map.Entry<String, V> next() {
                        if (next == keys.length) {
                            throw new NoSuchElementException();
                        }
                        int at = next++;
                        return new SimpleImmutableEntry<>(keys[at], (V) values[at]);
                    }
                };
            }
        };
    }
}
