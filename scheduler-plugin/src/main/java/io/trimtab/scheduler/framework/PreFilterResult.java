package io.trimtab.scheduler.framework;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What PreFilter found out. Immutable.
 *
 * @param status the answer
 * @param nodes the names of the only nodes worth a look; null for all
 */
public record PreFilterResult(Status status, @Nullable Set<String> nodes) {
    /** Go on, with all nodes. */
    public static final PreFilterResult ALL = new PreFilterResult(Status.SUCCESS, null);

    /** Nothing to filter for this pod. */
    public static final PreFilterResult SKIP = new PreFilterResult(Status.SKIP, null);

    public static PreFilterResult of(Status status) {
        return new PreFilterResult(status, null);
    }

    public static PreFilterResult only(Set<String> nodes) {
        return new PreFilterResult(Status.SUCCESS, Set.copyOf(nodes));
    }
}
