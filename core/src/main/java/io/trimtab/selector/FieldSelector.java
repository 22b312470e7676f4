package io.trimtab.selector;

import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A compiled field selector. Immutable, safe for use by any thread. Made by {@code FieldSelectors}. */
public interface FieldSelector {

    /**
     * True if an object is selected.
     *
     * @param field gives the value of a field as text; null counts as empty
     */
    boolean matches(Function<String, @Nullable String> field);

    /** True if every object is selected. */
    boolean isEverything();

    /** The one value that the field must have, if the selector says so. */
    Optional<String> requiredValue(String field);

    /** The fields the selector names. */
    Iterable<String> fields();

    /** The text form, as Kubernetes prints it. */
    @Override
    String toString();
}
