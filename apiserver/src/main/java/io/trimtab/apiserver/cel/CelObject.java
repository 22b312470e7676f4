package io.trimtab.apiserver.cel;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The value of a message literal: a type's name and fields. Immutable. */
public final class CelObject extends CelMap {
    private final String type;
    private final Map<String, Object> fields;

    public CelObject(String type, Map<String, Object> fields) {
        this.type = type;
        this.fields = new LinkedHashMap<>(fields);
    }

    @Override
    public int size() {
        return fields.size();
    }

    @Override
    public @Nullable Object find(Object key) {
        return key instanceof String name ? fields.get(name) : null;
    }

    @Override
    public Iterable<Object> keys() {
        return java.util.List.copyOf(fields.keySet());
    }

    @Override
    public String typeName() {
        return type;
    }
}
