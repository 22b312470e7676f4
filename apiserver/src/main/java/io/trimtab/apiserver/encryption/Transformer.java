package io.trimtab.apiserver.encryption;

/** One way to encrypt with one key. Immutable. */
interface Transformer {

    /** What its values begin with; empty for plain ones. */
    String prefix();

    /** @param context the key in the store, which a value may be bound to */
    byte[] seal(byte[] plain, byte[] context);

    /**
     * @param sealed without the prefix
     * @throws SealException if it was sealed otherwise, or has been changed
     */
    byte[] open(byte[] sealed, byte[] context);

    /** Whether a value that was opened would be sealed otherwise today. */
    default boolean isStale(byte[] sealed) {
        return false;
    }

    /** A value cannot be read. */
    final class SealException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        SealException(String message) {
            super(message);
        }
    }
}
