package io.trimtab.apiserver.admission;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which of its callees a mutating plugin asks once more: those that want to be, and were asked before the object changed for the last
 * time. Kept from the first round of a write for the second. Used by one thread.
 */
public final class Rounds {
    private final Reinvocation reinvocation;
    /** Those that want to be asked again, and were asked since the object changed last. */
    private final Set<String> asked = new HashSet<>();
    /** Those that are to be asked again. */
    private final Set<String> again = new HashSet<>();

    private @Nullable ObjectNode outcome;

    private Rounds(Reinvocation reinvocation) {
        this.reinvocation = reinvocation;
    }

    /** Begins a plugin's round with the object as it now is. */
    public static Rounds begin(Reinvocation reinvocation, String plugin, @Nullable ObjectNode object) {
        Rounds rounds = reinvocation.note(plugin, Rounds.class, () -> new Rounds(reinvocation));
        if (reinvocation.isSecond() && !Objects.equals(rounds.outcome, object)) {
            rounds.queue();
        }
        return rounds;
    }

    /** Whether the round passes over a callee. */
    public boolean skips(String callee) {
        return reinvocation.isSecond() && !again.contains(callee);
    }

    /** A callee that wants to see what becomes of the object has been asked. */
    public void asked(String callee) {
        asked.add(callee);
    }

    /** The object has changed: who was asked before is to be asked again, if there is a second round. */
    public void changed() {
        queue();
        reinvocation.request();
    }

    private void queue() {
        again.addAll(asked);
        asked.clear();
    }

    /** Ends the round with the object as it now is. */
    public void end(@Nullable ObjectNode object) {
        outcome = object == null ? null : object.deepCopy();
    }
}
