package io.trimtab.scheduler.framework;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What plugins remember during one attempt to schedule one pod. Used by one thread at a time: the lane, then the binding step
 * that follows it.
 */
public final class CycleState {
    /** A plugin's data; a dry run works on a copy. */
    public interface Data {
        /** Itself, if nothing changes it after it was written. */
        Data copy();
    }

    private final Map<String, Data> data = new HashMap<>();
    private final Set<String> skippedFilters;
    private final Set<String> skippedScores;
    private final Set<String> podsToActivate;

    public CycleState() {
        this(new HashSet<>(), new HashSet<>(), new HashSet<>());
    }

    private CycleState(Set<String> skippedFilters, Set<String> skippedScores, Set<String> podsToActivate) {
        this.skippedFilters = skippedFilters;
        this.skippedScores = skippedScores;
        this.podsToActivate = podsToActivate;
    }

    public @Nullable Data get(String key) {
        return data.get(key);
    }

    /** The data of this type, or null if there is none. */
    public <T extends Data> @Nullable T get(String key, Class<T> type) {
        Data found = data.get(key);
        return found == null ? null : type.cast(found);
    }

    public void put(String key, Data value) {
        data.put(key, value);
    }

    /** Plugins whose filter has nothing to do. */
    public Set<String> skippedFilters() {
        return skippedFilters;
    }

    /** Plugins whose score has nothing to do. */
    public Set<String> skippedScores() {
        return skippedScores;
    }

    /** The {@code namespace/name} of pods to try again at once, whatever they wait for; read when the cycle ends. */
    public Set<String> podsToActivate() {
        return podsToActivate;
    }

    /** A state of its own, for a dry run. */
    public CycleState copy() {
        CycleState copy = new CycleState(skippedFilters, skippedScores, podsToActivate);
        data.forEach((key, value) -> copy.data.put(key, value.copy()));
        return copy;
    }
}
