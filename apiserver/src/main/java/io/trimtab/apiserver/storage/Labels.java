package io.trimtab.apiserver.storage;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/** A few labels in one array, in the order they were written: a fifth of a hash map, and as fast to ask. Immutable. */
final class Labels extends AbstractMap<String, String> {
    static final Map<String, String> NONE = Map.of();

    private static final int SHARED = 4096;

    /** Strings met before: most labels are the same few. A newer one takes an older one's place, so it stays small. */
    private static final AtomicReferenceArray<String> shared = new AtomicReferenceArray<>(SHARED);

    private final String[] pairs;

    private Labels(String[] pairs) {
        this.pairs = pairs;
    }

    /** @param pairs key, value, key, value; kept */
    static Map<String, String> of(String[] pairs) {
        if (pairs.length == 0) {
            return NONE;
        }
        for (int i = 0; i < pairs.length; i++) {
            pairs[i] = share(pairs[i]);
        }
        return new Labels(pairs);
    }

    static String share(String text) {
        int hash = text.hashCode();
        int place = (hash ^ hash >>> 16) & SHARED - 1;
        String known = shared.getPlain(place);
        if (text.equals(known)) {
            return known;
        }
        shared.setRelease(place, text);
        return text;
    }

    @Override
    public int size() {
        return pairs.length / 2;
    }

    @Override
    public @Nullable String get(@Nullable Object key) {
        for (int i = 0; i < pairs.length; i += 2) {
            if (pairs[i].equals(key)) {
                return pairs[i + 1];
            }
        }
        return null;
    }

    @Override
    public boolean containsKey(@Nullable Object key) {
        return get(key) != null;
    }

    @Override
    public Set<Entry<String, String>> entrySet() {
        return new AbstractSet<>() {
            @Override
            public int size() {
                return pairs.length / 2;
            }

            @Override
            public Iterator<Entry<String, String>> iterator() {
                return new Iterator<>() {
                    private int next;

                    @Override
                    public boolean hasNext() {
                        return next < pairs.length;
                    }

                    @Override
                    public Entry<String, String> next() {
                        if (next >= pairs.length) {
                            throw new NoSuchElementException();
                        }
                        next += 2;
                        return Map.entry(pairs[next - 2], pairs[next - 1]);
                    }
                };
            }
        };
    }
}
