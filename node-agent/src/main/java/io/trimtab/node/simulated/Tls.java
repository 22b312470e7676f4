package io.trimtab.node.simulated;

import io.trimtab.node.network.Listener;
import io.trimtab.node.network.Outlet;
import io.trimtab.node.network.Peer;
import io.trimtab.node.network.Session;

/** A server that speaks TLS: the encryption is left out, but who does not ask for it is turned away. Immutable. */
final class Tls implements Listener {
    private final Listener inner;

    private Tls(Listener inner) {
        this.inner = inner;
    }

    static Listener over(Listener inner) {
        return new Tls(inner);
    }

    /** What is spoken inside. */
    Listener inner() {
        return inner;
    }

    @Override
    public Session accept(Peer peer, Outlet outlet) {
        return bytes -> {
            outlet.send("HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n");
            outlet.close();
        };
    }
}
