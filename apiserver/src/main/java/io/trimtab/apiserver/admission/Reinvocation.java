package io.trimtab.apiserver.admission;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * What the mutating plugins of one write tell each other: whether an object was changed in a way that the plugins before should
 * see, so that all of them are asked once more. Used by one thread.
 */
public final class Reinvocation {
    private final Map<String, Object> notes = new HashMap<>();
    private boolean second;
    private boolean wanted;

    /** Whether this is the second time. */
    public boolean isSecond() {
        return second;
    }

    /** Asks for a second time; without effect in it. */
    public void request() {
        wanted = true;
    }

    /** What a plugin keeps from the first time for the second, made when it is asked for first. */
    public <T> T note(String plugin, Class<T> type, Supplier<T> make) {
        return type.cast(notes.computeIfAbsent(plugin, p -> make.get()));
    }

    /** Begins the second time, if it was asked for; false if not. */
    boolean begin() {
        if (!wanted || second) {
            return false;
        }
        second = true;
        return true;
    }
}
