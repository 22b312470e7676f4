package io.trimtab.junit;

import io.trimtab.junit.fault.Fault;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One run of a scenario: its seed, and what goes wrong in it. Equal runs are the same, byte for byte. Immutable.
 *
 * @param faults which kinds of faults strike
 * @param crash where the program dies; null for nowhere
 * @param schedule in which order steps run; null for first in, first out, or as the options say
 */
record Run(
        long seed,
        Set<Fault> faults,
        @Nullable CrashPoint crash,
        @Nullable Schedule schedule) {
    Run {
        faults = faults.isEmpty() ? Set.of() : Set.copyOf(EnumSet.copyOf(faults));
    }

    static Run good(long seed) {
        return new Run(seed, Set.of(), null, null);
    }

    boolean isGood() {
        return faults.isEmpty() && crash == null && schedule == null;
    }

    /** A name for test reports: {@code seed 7, crash after 3}. */
    String describe() {
        return "seed " + seed
                + (crash == null ? "" : ", crash " + crash)
                + (schedule == null ? "" : ", schedule " + schedule)
                + (faults.isEmpty()
                        ? ""
                        : ", "
                                + faults.stream()
                                        .sorted()
                                        .map(f -> f.name()
                                                .toLowerCase(java.util.Locale.ROOT)
                                                .replace('_', ' '))
                                        .collect(Collectors.joining(" and ")));
    }

    /** How to have it again. */
    String replay() {
        return "replay with -Dtrimtab.seed=" + seed + (crash == null ? "" : " -Dtrimtab.crash=\"" + crash + "\"")
                + (schedule == null ? "" : " -Dtrimtab.schedule=\"" + schedule + "\"");
    }
}
