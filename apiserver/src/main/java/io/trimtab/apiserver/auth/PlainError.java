package io.trimtab.apiserver.auth;

/** A request that is refused before anything of the API looks at it: status 500 and a line of plain text. */
public final class PlainError extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public PlainError(String line) {
        super(line, null, false, false);
    }
}
