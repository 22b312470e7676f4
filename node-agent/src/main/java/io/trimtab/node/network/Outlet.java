package io.trimtab.node.network;

import java.time.Duration;

/** Where one end of a connection puts what is for the other. Bytes are Latin-1 text. */
public interface Outlet {
    /**
     * Sends.
     *
     * @param after how long from now on; what is sent later must not come earlier
     */
    void send(Duration after, String bytes);

    /** Says that no more comes. */
    void close(Duration after);

    default void send(String bytes) {
        send(Duration.ZERO, bytes);
    }

    default void close() {
        close(Duration.ZERO);
    }
}
