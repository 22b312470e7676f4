package io.trimtab.node.network;

/** The server's side of one connection; of UDP, of one client's datagrams. Called by one thread at a time. */
public interface Session {
    /** Takes what the client has sent: Latin-1 text; of UDP, one datagram. */
    void receive(String bytes);

    /** Hears that the client sends no more. */
    default void end() {}
}
