package io.trimtab.selector;

/** A selector that Kubernetes would refuse, with the message it gives. */
public final class InvalidSelectorException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    public InvalidSelectorException(String message) {
        super(message);
    }
}
