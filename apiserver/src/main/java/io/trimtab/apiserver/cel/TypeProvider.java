package io.trimtab.apiserver.cel;

import org.jspecify.annotations.Nullable;

/** Knows the fields of named types. Safe for use by any thread. */
public interface TypeProvider {
    /** No types but the language's own. */
    TypeProvider NONE = new TypeProvider() {
        @Override
        public boolean has(String type) {
            return false;
        }

        @Override
        public @Nullable CelType field(String type, String field) {
            return null;
        }
    };

    /** Whether there is a type of this name. */
    boolean has(String type);

    /** The type of a field; null if there is none of that name. */
    @Nullable
    CelType field(String type, String field);

    /** Makes the value of a message literal. */
    default Object create(String type, java.util.Map<String, Object> fields) {
        throw new CelException("unknown type: " + type);
    }

    /** Whether expressions may name the type, to create values of it. */
    default boolean isNamed(String type) {
        return false;
    }
}
