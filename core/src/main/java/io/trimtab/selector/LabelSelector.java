package io.trimtab.selector;

import java.util.Map;

/**
 * A compiled label selector. Immutable, safe for use by any thread; equal selectors match the same objects and have the same
 * text.
 *
 * <p>Made by {@code LabelSelectors}: from the text form of the API, from a plain map, or from the structured form.
 */
public interface LabelSelector {

    /** True if an object with these labels is selected. */
    boolean matches(Map<String, String> labels);

    /** True if every object is selected. */
    boolean isEverything();

    /** True if no object is selected, whatever its labels. */
    boolean isNothing();

    /** The canonical text form, keys sorted, as Kubernetes prints it. */
    @Override
    String toString();
}
