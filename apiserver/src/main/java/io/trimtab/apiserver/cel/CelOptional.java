package io.trimtab.apiserver.cel;

import org.jspecify.annotations.Nullable;

/** A value of an optional type. */
record CelOptional(@Nullable Object value) {
    static final CelOptional NONE = new CelOptional(null);

    static CelOptional of(Object value) {
        return new CelOptional(value);
    }

    boolean isPresent() {
        return value != null;
    }

    Object get() {
        if (value == null) {
            throw new CelException("optional.none() dereference");
        }
        return value;
    }
}
