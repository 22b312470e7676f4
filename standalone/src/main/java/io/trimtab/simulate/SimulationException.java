package io.trimtab.simulate;

import org.jspecify.annotations.Nullable;

/** Something that was asked for cannot be simulated; the message says what, and what to do. */
public final class SimulationException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    SimulationException(String message) {
        this(message, null);
    }

    SimulationException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
