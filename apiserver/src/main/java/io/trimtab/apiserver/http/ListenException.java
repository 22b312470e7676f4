package io.trimtab.apiserver.http;

/** A port could not be opened; the message names the address, the reason and what helps. */
public final class ListenException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ListenException(String message, Throwable cause) {
        super(message, cause);
    }
}
