package io.trimtab.node.network;

/** A program that listens at a port. Safe for use by any thread. */
public interface Listener {
    /** Takes a connection; may send at once. */
    Session accept(Peer peer, Outlet outlet);

    /** Whether it is bound to the loopback address only. */
    default boolean isLocal() {
        return false;
    }
}
