package io.trimtab.standalone.rollingupdate;

/** The update cannot go on; the message says why, in one line for the person who asked. */
public final class RollingUpdateException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public RollingUpdateException(String message) {
        super(message);
    }
}
