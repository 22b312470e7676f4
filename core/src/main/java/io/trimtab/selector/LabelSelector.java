package io.trimtab.selector;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A compiled label selector. Immutable, safe for use by any thread; equal selectors match the same objects and have the same
 * text. Matching allocates nothing.
 *
 * <p>Made by {@link LabelSelectors}: from the text form of the API, from a plain map, or from requirements.
 */
public interface LabelSelector {

    /** True if an object with these labels is selected. */
    boolean matches(Map<String, String> labels);

    /** True if every object is selected. */
    boolean isEverything();

    /** True if no object is selected, whatever its labels. */
    boolean isNothing();

    /** What an object must fulfil, all of it, sorted by key; empty for everything and for nothing. */
    List<Requirement> requirements();

    /** The one value that the first requirement of this key asks for; empty if there is none, or if it allows others. */
    default Optional<String> requiredValue(String key) {
        for (Requirement requirement : requirements()) {
            if (requirement.key().equals(key)) {
                return requirement.operator().isPositive()
                                && requirement.values().size() == 1
                        ? Optional.of(requirement.values().get(0))
                        : Optional.empty();
            }
        }
        return Optional.empty();
    }

    /** The canonical text form, keys sorted, as Kubernetes prints it. */
    @Override
    String toString();
}
