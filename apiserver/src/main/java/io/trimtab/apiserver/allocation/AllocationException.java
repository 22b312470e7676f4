package io.trimtab.apiserver.allocation;

/** A pool could not give what was asked of it; the message is the one that clients see. */
public final class AllocationException extends Exception {
    private static final long serialVersionUID = 1L;

    public AllocationException(String message) {
        super(message, null, false, false);
    }
}
