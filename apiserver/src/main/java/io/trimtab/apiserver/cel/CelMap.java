package io.trimtab.apiserver.cel;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A value of type map, or with fields. Not changed once it is seen by more than the loop that builds it. */
public abstract class CelMap {
    public abstract int size();

    /** The value of a key; null if there is none. */
    public abstract @Nullable Object find(Object key);

    public abstract Iterable<Object> keys();

    /** The name of the type: {@code map}, or that of an object. */
    public String typeName() {
        return "map";
    }

    boolean sameAs(CelMap other) {
        if (size() != other.size()) {
            return false;
        }
        for (Object key : keys()) {
            Object mine = find(key);
            Object theirs = other.find(key);
            if (mine == null || theirs == null || !Values.equal(mine, theirs)) {
                return false;
            }
        }
        return true;
    }

    public static CelMap of(Map<?, ?> values) {
        Plain map = new Plain();
        values.forEach((key, value) -> map.values.put(key, value));
        return map;
    }

    /** Over Java values. */
    static final class Plain extends CelMap {
        final Map<Object, Object> values = new LinkedHashMap<>();

        /** Whole numbers are one key, whatever type they come in. */
        static Object normal(Object key) {
            if (key instanceof CelUnsigned u && u.bits() >= 0) {
                return u.bits();
            }
            if (key instanceof Double d && d == Math.rint(d) && Math.abs(d) < 9e15) {
                return d.longValue();
            }
            return key;
        }

        @Override
        public int size() {
            return values.size();
        }

        @Override
        public @Nullable Object find(Object key) {
            Object value = values.get(key);
            if (value == null && !(key instanceof String)) {
                for (Map.Entry<Object, Object> entry : values.entrySet()) {
                    if (Values.equal(entry.getKey(), key)) {
                        return entry.getValue();
                    }
                }
            }
            return value;
        }

        @Override
        public Iterable<Object> keys() {
            return values.keySet();
        }
    }
}
