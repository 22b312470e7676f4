package io.trimtab.informer;

import io.trimtab.selector.LabelSelector;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads a cache. What it returns was true at some revision, never torn, and never older than what was read before; lists are
 * unordered unless said, immutable, and their objects are shared: copy before you change one. Safe for use by any thread,
 * without locks.
 */
public interface Lister<T> {

    /**
     * The object of this name.
     *
     * @param namespace null or empty for cluster-scoped objects
     */
    Optional<T> get(@Nullable String namespace, String name);

    /** All objects. */
    List<T> list();

    /** The objects of one namespace. */
    List<T> list(String namespace);

    /** The objects of one namespace (all if null) that the selector matches. */
    List<T> list(@Nullable String namespace, LabelSelector selector);

    /**
     * The objects that an index files under a key.
     *
     * @throws IllegalArgumentException if there is no index of this name
     */
    List<T> byIndex(String index, String key);
}
