package io.trimtab.apiserver.store;

import org.jspecify.annotations.Nullable;

/**
 * The store itself failed: its directory cannot be used, its files are damaged, or it was closed. The message names the place,
 * the cause and what mends it.
 *
 * @since 0.1
 */
public final class StoreException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public StoreException(String message) {
        super(message);
    }

    public StoreException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
