package io.trimtab.client;

/**
 * What becomes of a client's writes.
 *
 * @since 0.1
 */
public enum WriteMode {
    /** The server stores them. */
    STORED,
    /** The server checks them, answers as if it had stored them, and stores nothing: {@code dryRun=All}. */
    DRY_RUN,
    /** They are refused before they are sent, with an {@link ApiException} of code 405. */
    READ_ONLY
}
