package io.trimtab.apiserver.cel;

/** Ends an evaluation that has become too expensive; unlike an error, no operator absorbs it. Without a stack. */
final class CostExceededException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CostExceededException() {
        super("operation cancelled: actual cost limit exceeded", null, false, false);
    }
}
